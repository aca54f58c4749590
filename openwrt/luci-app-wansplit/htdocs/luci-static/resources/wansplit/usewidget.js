'use strict';
'require baseclass';
'require dom';
'require form';
'require ui';
'require wansplit.uselist as uselist';

/*
 * The links of a policy in their order, to be set without knowing the notation: a line for each, buttons to move it, and in a policy
 * that shares its share and its stage.
 */

const Members = ui.AbstractElement.extend({
	/* `value`: the lines as UCI has them; options: { known, balances, disabled }. */
	__init__(value, options) {
		this.options = options;
		this.members = [ value ?? [] ].flat().map(line => uselist.parse(line, options.known));
		this.balances = options.balances;
	},

	render() {
		this.node = E('div', { 'id': this.options.id, 'class': 'ws-use' });
		dom.bindClassInstance(this.node, this);
		this.draw();

		return this.node;
	},

	/* Draws anew and tells the form. `focus`: the place and name of the button that goes on having the focus. */
	changed(focus) {
		this.draw();
		if (focus)
			this.node.querySelector('[data-place="%d"] [data-action="%s"]'.format(...focus))?.focus();
		this.node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true }));
	},

	move(place, step) {
		const [ member ] = this.members.splice(place, 1);

		this.members.splice(place + step, 0, member);
		this.changed([ place + step, (step < 0) ? 'up' : 'down' ]);
	},

	button(action, text, title, click, disabled) {
		return E('button', {
			'class': 'btn cbi-button', 'data-action': action, 'title': title, 'aria-label': title, 'disabled': (disabled || this.options.disabled) || null,
			'click': ev => {
				ev.preventDefault();
				click();
			}
		}, [ text ]);
	},

	field(label, value, typed, help) {
		return E('label', { 'class': 'ws-use-field' }, [
			label, ' ',
			E('input', {
				'type': 'text', 'class': 'cbi-input-text', 'size': 4, 'value': value, 'placeholder': '1', 'title': help, 'disabled': this.options.disabled || null,
				'autocapitalize': 'none',
				'change': ev => {
					typed(ev.target.value.trim());
					this.node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true }));
				}
			})
		]);
	},

	line(member, place) {
		const last = this.members.length - 1;

		return E('li', { 'data-place': place }, [
			E('span', { 'class': 'ws-use-name' }, [ member.name ]),
			this.balances ? this.field(_('Share'), member.weight, value => member.weight = value,
				_('Two links with 3 and 1: the first takes three of four. “auto”: by the speeds of the links.')) : '',
			this.balances ? this.field(_('Stage'), member.tier, value => member.tier = value,
				_('Links of stage 2 are used when none of stage 1 works.')) : '',
			E('span', { 'class': 'ws-use-buttons' }, [
				this.button('up', '▲', _('Move %s up').format(member.name), () => this.move(place, -1), place === 0),
				this.button('down', '▼', _('Move %s down').format(member.name), () => this.move(place, 1), place === last),
				this.button('remove', '✕', _('Take %s out').format(member.name), () => {
					this.members.splice(place, 1);
					this.changed();
				})
			])
		]);
	},

	/* The links that are not there yet. */
	adder() {
		const rest = this.options.known.filter(name => !this.members.some(member => member.name === name));

		return (rest.length === 0 || this.options.disabled) ? '' : E('select', {
			'class': 'cbi-input-select', 'aria-label': _('Add a link'),
			'change': ev => {
				this.members.push({ name: ev.target.value, weight: '', tier: '' });
				this.changed();
			}
		}, [ E('option', { 'value': '', 'selected': '' }, [ _('Add a link…') ]), ...rest.map(name => E('option', { 'value': name }, [ name ])) ]);
	},

	draw() {
		dom.content(this.node, [ E('ol', { 'class': 'ws-use-list' }, this.members.map((member, place) => this.line(member, place))), this.adder() ]);
	},

	setBalances(balances) {
		this.balances = balances;
		this.draw();
	},

	getValue() {
		return this.members.map(member => uselist.format(member, this.balances));
	},

	setValue(value) {
		this.members = [ value ?? [] ].flat().map(line => uselist.parse(line, this.options.known));
		this.draw();
	},

	isChanged() {
		return true;
	},

	/* The sentence stands in the form's own place for it. */
	isValid() {
		return this.verdict() === true;
	},

	getValidationError() {
		const verdict = this.verdict();

		return (verdict === true) ? '' : verdict;
	},

	triggerValidation() {
		return this.isValid();
	},

	verdict() {
		return uselist.verdict(this.members, this.options.known, this.balances);
	}
});

const Field = form.Value.extend({
	__name__: 'CBI.WansplitUse',

	renderWidget(section_id, option_index, cfgvalue) {
		return new Members(cfgvalue, {
			id: this.cbid(section_id),
			known: this.known(),
			balances: this.balances(section_id),
			disabled: this.map.readonly
		}).render();
	}
});

/* LuCI makes an instance of what a module returns: a field must not be that. */
return baseclass.extend({ Field });
