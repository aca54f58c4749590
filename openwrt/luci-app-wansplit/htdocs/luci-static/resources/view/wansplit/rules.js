'use strict';
'require form';
'require network';
'require uci';
'require view';
'require wansplit.api as api';
'require wansplit.page as page';
'require wansplit.presets as presets';
'require wansplit.review as review';
'require wansplit.rulecounts as counts';
'require wansplit.rulefields as fields';
'require wansplit.ruleorder as order';
'require wansplit.section as sections';
'require wansplit.setfields as sets';
'require wansplit.setup.sentences as sentences';
'require wansplit.untouched as untouched';

/*
 * The rules in the order in which they are tried, and the lists of addresses they may name.
 */

function takesField(section) {
	const field = section.option(form.DummyValue, '_takes', _('What it takes'));

	field.textvalue = sid => {
		const options = sections.optionsOf(sid);
		const { service, conditions } = sentences.takes(options);
		const title = service || (options.dest_port && presets.find(options.proto, options.dest_port)?.title);

		return E('div', { 'class': 'ws-rule-takes' }, [
			title ? E('div', {}, [ title ]) : '',
			E('div', { 'class': title ? 'ws-faint' : '' }, [ conditions || (title ? '' : _('everything')) ])
		]);
	};
	field.modalonly = false;
}

function targetField(section) {
	const field = section.taboption('what', form.ListValue, 'use', _('Goes to'),
		_('A policy says which link is first and what happens when it is down. The first rule that matches decides.'));

	field.optional = false;
	field.rmempty = false;
	for (const [ value, label ] of fields.targets())
		field.value(value, label);

	/* A target that is gone is shown, for the router's check to complain of, and not changed in silence. */
	untouched.keep(untouched.others(field, value => _('%s (does not exist)').format(value)));
	field.textvalue = sid => E('span', {}, [ uci.get('wansplit', sid, 'use') ?? '–' ]);
}

function enabledField(section) {
	const field = section.taboption('what', form.Flag, 'enabled', _('On'), _('A rule that is off is skipped.'));

	field.default = '1';
	field.rmempty = false;
	field.editable = true;
	field.write = (sid, value) => (value === '1') ? uci.unset('wansplit', sid, 'enabled') : uci.set('wansplit', sid, 'enabled', value);
	untouched.keep(untouched.flag(field));
}

function rules(map, hints, networks, changes) {
	const section = map.section(form.GridSection, 'rule', _('Rules'));

	section.anonymous = true;
	section.addremove = true;
	section.sortable = true;
	section.nodescriptions = true;
	section.addbtntitle = _('Add a rule');
	sections.entitle(section, _('New rule'), name => _('Rule %s').format(name));
	section.tab('what', _('What and where to'));
	section.tab('who', _('From whom'));
	section.tab('when', _('When'));
	section.tab('advanced', _('Advanced'));

	enabledField(section);
	sections.nameField(section, 'what', _('What you want to call it.'));
	takesField(section);
	targetField(section);
	counts.add(section, changes);
	fields.add(section, hints, networks);
	order.add(section);
}

return view.extend({
	load() {
		return Promise.all([
			api.hostHints(),
			L.resolveDefault(network.getNetworks(), []),
			L.resolveDefault(uci.changes(), {}),
			uci.load('wansplit')
		]);
	},

	render([ hints, networks, changes ]) {
		const map = new form.Map('wansplit', _('Rules'),
			_('Which connection goes where. They are tried from top to bottom, and the first that matches decides. What no rule takes goes the router’s default way.'));

		map.tabbed = true;
		rules(map, hints, networks, changes);
		sets.add(map);

		return map.render().then(node => {
			counts.watch(node);

			return E('div', { 'class': 'ws-rules' }, [ ...page.style('rules'), node ]);
		});
	},

	handleSave(ev) {
		return review.save(this, ev);
	},

	handleSaveApply(ev, mode) {
		return review.saveApply(this, ev, mode);
	}
});
