'use strict';
'require form';
'require uci';
'require view';
'require wansplit.api as api';
'require wansplit.page as page';
'require wansplit.review as review';
'require wansplit.rulecounts as counts';
'require wansplit.rulefields as fields';
'require wansplit.setfields as sets';
'require wansplit.setup.sentences as sentences';
'require wansplit.validate as validate';

/*
 * The rules in the order in which they are tried, and the lists of addresses they may name.
 */

function plainOptions(sid) {
	return Object.fromEntries(Object.entries(uci.get('wansplit', sid) ?? {}).filter(([ option ]) => !option.startsWith('.')));
}

function nameOf(sid) {
	const section = uci.get('wansplit', sid);

	return section?.name ?? (section?.['.anonymous'] ? '' : sid);
}

/* A name of the option, or else of the section; LuCI makes up names for sections that have none. */
function nameField(section) {
	const field = section.taboption('what', form.Value, 'name', _('Name'), _('What you want to call it.'));

	field.optional = true;
	field.cfgvalue = nameOf;
	field.write = (sid, value) => (value === sid) ? uci.unset('wansplit', sid, 'name') : uci.set('wansplit', sid, 'name', value);
	field.textvalue = sid => E('strong', {}, [ nameOf(sid) || _('without a name') ]);
	field.validate = validate.one('Name');
}

function takesField(section) {
	const field = section.option(form.DummyValue, '_takes', _('What it takes'));

	field.textvalue = sid => {
		const { service, conditions } = sentences.takes(plainOptions(sid));

		return E('div', {}, [
			service ? E('div', {}, [ service ]) : '',
			E('div', { 'class': service ? 'ws-faint' : '' }, [ conditions || (service ? '' : _('everything')) ])
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
	field.load = function(sid) {
		const value = uci.get('wansplit', sid, 'use');

		if (value && !this.keylist?.includes(value))
			this.value(value, '%h'.format(_('%s (does not exist)').format(value)));

		return value;
	};
	field.textvalue = sid => E('span', {}, [ uci.get('wansplit', sid, 'use') ?? '–' ]);
}

function enabledField(section) {
	const field = section.taboption('what', form.Flag, 'enabled', _('On'), _('A rule that is off is skipped.'));

	field.default = '1';
	field.rmempty = false;
	field.editable = true;
	field.write = (sid, value) => (value === '1') ? uci.unset('wansplit', sid, 'enabled') : uci.set('wansplit', sid, 'enabled', value);
}

/* Beside dragging: buttons, for keyboards and for whoever has no mouse. */
function move(section, sid, step) {
	const all = section.cfgsections();
	const other = all[all.indexOf(sid) + step];

	if (other === undefined)
		return null;

	uci.move('wansplit', sid, other, step > 0);

	return section.map.save(null, true);
}

function copy(section, sid) {
	const added = uci.add('wansplit', 'rule');

	for (const [ option, value ] of Object.entries(plainOptions(sid)))
		uci.set('wansplit', added, option, value);
	uci.set('wansplit', added, 'name', _('Copy of %s').format(nameOf(sid) || _('a rule')));
	uci.move('wansplit', added, sid, true);

	return section.map.save(null, true);
}

function actions(section) {
	const button = (label, title, action, disabled) => E('button', {
		'class': 'btn cbi-button cbi-button-neutral', 'title': title, 'aria-label': title, 'disabled': (disabled || section.map.readonly) || null,
		'click': ev => {
			ev.preventDefault();
			ev.currentTarget.blur();

			return action();
		}
	}, [ label ]);

	section.renderRowActions = function(sid) {
		const cell = this.super('renderRowActions', [ sid, _('Edit') ]);
		const all = this.cfgsections();
		const row = cell.lastElementChild;
		const name = nameOf(sid);

		row.append(
			button('▲', _('Move %s up').format(name), () => move(this, sid, -1), all[0] === sid),
			button('▼', _('Move %s down').format(name), () => move(this, sid, 1), all[all.length - 1] === sid),
			button(_('Copy'), _('Make another rule like %s').format(name), () => copy(this, sid))
		);

		return cell;
	};
}

return view.extend({
	load() {
		return Promise.all([ uci.load('wansplit'), api.hostHints() ]);
	},

	render([ , hints ]) {
		const map = new form.Map('wansplit', _('Rules'),
			_('Which connection goes where. They are tried from top to bottom, and the first that matches decides. What no rule takes goes the router’s default way.'));

		map.tabbed = true;

		const section = map.section(form.GridSection, 'rule', _('Rules'));
		section.anonymous = true;
		section.addremove = true;
		section.sortable = true;
		section.nodescriptions = true;
		section.addbtntitle = _('Add a rule');
		section.modaltitle = sid => '%h'.format(_('Rule %s').format(nameOf(sid)));
		section.tab('what', _('What and where to'));
		section.tab('who', _('From whom'));
		section.tab('when', _('When'));
		section.tab('advanced', _('Advanced'));

		enabledField(section);
		nameField(section);
		takesField(section);
		targetField(section);
		counts.add(section);
		fields.add(section, hints);
		actions(section);

		sets.add(map);

		return map.render().then(node => {
			counts.watch(node);

			return E('div', {}, [ ...page.style('rules'), node ]);
		});
	},

	handleSaveApply(ev, mode) {
		return review.saveApply(this, ev, mode);
	}
});
