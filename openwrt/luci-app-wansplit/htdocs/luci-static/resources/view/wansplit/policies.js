'use strict';
'require form';
'require uci';
'require view';
'require wansplit.names as names';
'require wansplit.page as page';
'require wansplit.review as review';
'require wansplit.section as sections';
'require wansplit.setup.sentences as sentences';
'require wansplit.setup.text as text';
'require wansplit.usewidget as usewidget';

/*
 * Policies: which link first, and what then.
 */

function balances(mode) {
	return mode === 'balance';
}

function modeField(section) {
	const field = section.option(form.ListValue, 'mode', _('How'), _('One link at a time, in your order; or several at once.'));

	field.modalonly = true;
	field.value('failover', _('The first link that works'));
	field.value('balance', _('Shared out over the links'));
	field.default = 'failover';
	/* The window has fields of its own, made after these: `this` is one of them. */
	field.onchange = function(ev, sid, value) {
		this.section.getUIElement(sid, 'use')?.setBalances(balances(value));
	};
}

function useField(section) {
	const field = section.option(usewidget.Field, 'use', _('Links'), _('The first is the first choice.'));

	field.modalonly = true;
	field.rmempty = false;
	field.known = () => names.allOf('link');
	field.balances = sid => balances(uci.get('wansplit', sid, 'mode'));
}

function byField(section) {
	const field = section.option(form.ListValue, 'balance_by', _('What stays together'),
		_('All that a device does by one link suits banks and games; each connection by itself spreads better.'));

	field.modalonly = true;
	field.value('client', _('all that a device does'));
	field.value('connection', _('each connection by itself'));
	field.default = 'client';
	field.depends('mode', 'balance');
}

function fallbackField(section) {
	const field = section.option(form.ListValue, 'fallback', _('When none of them works'),
		_('“Nothing leaves” is for what must never go by another link, as work that belongs into a VPN.'));

	field.modalonly = true;
	field.value('main', _('the router’s default way'));
	field.value('unreachable', _('nothing leaves: refused at once'));
	field.value('blackhole', _('nothing leaves: silently dropped'));
	field.default = 'main';
}

return view.extend({
	load() {
		return uci.load('wansplit');
	},

	render() {
		const map = new form.Map('wansplit', _('Policies'),
			_('A policy says which link is the first choice, and which comes next when it is down. Rules lead to policies.'));
		const section = map.section(form.GridSection, 'policy');

		section.anonymous = true;
		section.addremove = true;
		section.nodescriptions = true;
		section.addbtntitle = _('Add a policy');
		sections.entitle(section, _('New policy'), name => _('Policy %s').format(name));
		names.guardRemoval(section);

		names.field(section, null, _('What you want to call it: what it is for, as “web”.'));
		modeField(section);
		useField(section);
		byField(section);
		fallbackField(section);

		const told = section.option(form.DummyValue, '_does', _('What it does'));
		told.modalonly = false;
		told.textvalue = sid => E('span', {}, [
			sentences.way(names.nameOf(sid), text.fromUci(uci.sections('wansplit')))
		]);

		return map.render().then(node => E('div', {}, [
			...page.style('forms'),
			names.allOf('link').length ? '' : E('div', { 'class': 'alert-message notice' }, [
				_('There is no link yet. Add your links first, or let Set-up do it.')
			]),
			node
		]));
	},

	handleSave(ev) {
		return review.save(this, ev);
	},

	handleSaveApply(ev, mode) {
		return review.saveApply(this, ev, mode);
	}
});
