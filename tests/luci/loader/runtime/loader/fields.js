'use strict';
'require baseclass';
'require dom';
'require loader.validation as validation';

/*
 * LuCI's input elements, as plain as they can be: `ui.Textfield`, `ui.Select` and so on. `render()` gives the node that carries the
 * option's id; `getValue`, `setValue` and `isValid` work on it. The labels of choices may be elements, strings become text.
 */

const Field = baseclass.extend({
	__init__(value, options) {
		this.value = value;
		this.options = { optional: true, ...options };
	},

	/* The frame with the id, around the inputs whose changes are told to the form. */
	frame(attributes, children) {
		this.node = E('div', { 'id': this.options.id, ...attributes }, children);
		this.node.addEventListener('change', () => {
			this.node.setAttribute('data-changed', true);
			this.triggerValidation();
			this.changed();
		});
		dom.bindClassInstance(this.node, this);
		this.triggerValidation();
		return this.node;
	},

	changed() {
		this.node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true }));
	},

	input() {
		return this.node.querySelector('input, select, textarea');
	},

	isChanged() {
		return this.node.getAttribute('data-changed') === 'true';
	},

	getValue() {
		return this.input().value;
	},

	setValue(value) {
		this.input().value = value ?? '';
		this.triggerValidation();
	},

	setPlaceholder(text) {
		this.input().setAttribute('placeholder', text ?? '');
	},

	/* What is wrong with each of the values it has. */
	problems() {
		const value = this.getValue();
		const { datatype, optional, validate } = this.options;
		if (!datatype && !validate)
			return [];
		const values = Array.isArray(value) && value.length ? value : [ Array.isArray(value) ? '' : value ];
		return values.map(each => validation.problem(datatype, optional, validate, each)).filter(problem => problem !== null);
	},

	isValid() {
		return !this.problems().length;
	},

	getValidationError() {
		return this.problems()[0] ?? '';
	},

	triggerValidation() {
		const [ problem ] = this.problems();
		this.input()?.classList.toggle('cbi-input-invalid', problem !== undefined);
		this.input()?.setAttribute('title', problem ?? '');
		return false;
	},

	attributes(type) {
		const { id, disabled, readonly, placeholder, maxlength } = this.options;
		return {
			'id': id ? `widget.${id}` : null, 'type': type, 'placeholder': typeof placeholder === 'string' ? placeholder : null, maxlength,
			'disabled': disabled ? '' : null, 'readonly': readonly ? '' : null
		};
	}
});

const Textfield = Field.extend({
	render() {
		return this.frame({}, [ E('input', { ...this.attributes(this.options.password ? 'password' : 'text'), 'value': this.value }) ]);
	}
});

const Textarea = Field.extend({
	render() {
		return this.frame({}, [ E('textarea', { ...this.attributes(), 'rows': this.options.rows, 'cols': this.options.cols }, [ this.value ]) ]);
	}
});

const Hiddenfield = Field.extend({
	render() {
		return this.frame({ 'hidden': '' }, [ E('input', { ...this.attributes('hidden'), 'value': this.value }) ]);
	}
});

const Checkbox = Field.extend({
	__init__(value, options) {
		this.super('__init__', [ value, { value_enabled: '1', value_disabled: '0', ...options } ]);
	},
	render() {
		return this.frame({ 'class': 'cbi-checkbox' }, [
			E('input', { ...this.attributes('checkbox'), 'checked': this.value === this.options.value_enabled ? '' : null })
		]);
	},
	isChecked() {
		return this.input().checked;
	},
	getValue() {
		return this.isChecked() ? this.options.value_enabled : this.options.value_disabled;
	},
	setValue(value) {
		this.input().checked = value === this.options.value_enabled;
	}
});

/* A field that has choices: their keys in the order they were given, or sorted. */
const Choice = Field.extend({
	__init__(value, choices, options) {
		this.super('__init__', [ value, options ]);
		this.values = value == null || value === '' ? [] : [ value ].flat();
		this.choices = choices ?? {};
	},
	keys() {
		const { sort } = this.options;
		return Array.isArray(sort) ? sort : sort === true ? Object.keys(this.choices).sort(L.naturalCompare) : Object.keys(this.choices);
	},
	label(key) {
		const label = this.choices[key] ?? key;
		return dom.elem(label) ? label.cloneNode(true) : label;
	}
});

const Select = Choice.extend({
	render() {
		const { widget, multiple, optional, id } = this.options;
		if (widget === 'radio' || widget === 'checkbox')
			return this.frame({}, this.keys().map(key => E('label', {}, [
				E('input', { 'type': multiple ? 'checkbox' : 'radio', 'name': id, 'value': key, 'checked': this.values.includes(key) ? '' : null, 'disabled': this.options.disabled ? '' : null }),
				' ', this.label(key)
			])));
		const keys = optional || '' in this.choices ? [ '', ...this.keys().filter(key => key !== '') ] : this.keys();
		return this.frame({}, [ E('select', { ...this.attributes(), 'multiple': multiple ? '' : null }, keys.map(key =>
			E('option', { 'value': key, 'selected': this.values.includes(key) ? '' : null }, [ key === '' && !('' in this.choices) ? 'Please choose' : this.label(key) ]))) ]);
	},
	getValue() {
		const buttons = [ ...this.node.querySelectorAll('input') ];
		return buttons.length ? buttons.find(button => button.checked)?.value ?? null : this.input().value;
	},
	setValue(value) {
		const buttons = [ ...this.node.querySelectorAll('input') ];
		buttons.forEach(button => button.checked = button.value === value);
		if (!buttons.length)
			this.input().value = value ?? '';
	}
});

/* A list that is always open: a click selects. With `create` a text field stands below it. */
const Dropdown = Choice.extend({
	__init__(value, choices, options) {
		this.super('__init__', [ value, choices, { sort: true, multiple: Array.isArray(value), ...options } ]);
	},
	render() {
		const list = E('ul', {}, this.keys().map(key => this.item(key, this.label(key))));
		const own = this.options.create
			? E('input', { ...this.attributes('text'), 'placeholder': this.options.custom_placeholder, 'change': event => this.create(event) })
			: null;
		this.list = list;
		const node = this.frame({ 'class': 'cbi-dropdown', 'disabled': this.options.disabled ? '' : null }, [ list, own ]);
		this.setValue(this.values);
		return node;
	},
	item(key, label) {
		return E('li', { 'data-value': key, 'click': () => this.choose(key) }, [ label ]);
	},
	items() {
		return [ ...this.list.children ];
	},
	create(event) {
		const text = event.target.value.trim();
		if (text && !this.problems().length) {
			this.addChoices([ text ]);
			this.select(text);
		}
	},
	choose(key) {
		if (this.options.disabled)
			return;
		this.select(key);
		this.node.dispatchEvent(new CustomEvent('change'));
		this.node.dispatchEvent(new CustomEvent('cbi-dropdown-change', { bubbles: true, detail: { instance: this } }));
	},
	select(key) {
		for (const item of this.items())
			if (item.dataset.value === key)
				item.toggleAttribute('selected', !this.options.multiple || !item.hasAttribute('selected'));
			else if (!this.options.multiple)
				item.removeAttribute('selected');
	},
	addChoices(keys, labels) {
		for (const key of keys)
			if (!this.items().some(item => item.dataset.value === key))
				this.list.append(this.item(key, labels?.[key] ?? this.label(key)));
	},
	clearChoices() {
		this.items().filter(item => !item.hasAttribute('selected')).forEach(item => item.remove());
	},
	getValue() {
		const chosen = this.items().filter(item => item.hasAttribute('selected')).map(item => item.dataset.value);
		return this.options.multiple ? chosen : chosen[0] ?? '';
	},
	setValue(value) {
		const values = [ value ?? [] ].flat().filter(each => each !== '');
		this.addChoices(values);
		this.items().forEach(item => item.toggleAttribute('selected', values.includes(item.dataset.value)));
	}
});

const Combobox = Dropdown.extend({
	__init__(value, choices, options) {
		this.super('__init__', [ value, choices, { ...options, multiple: false, create: true } ]);
	}
});

const ComboButton = Dropdown.extend({
	render() {
		const { click, classes, disabled } = this.options;
		return E('div', { 'id': this.options.id }, this.keys().map(key => E('button', {
			'class': classes?.[key], 'disabled': disabled ? '' : null, 'click': event => click?.call(this, event, key)
		}, [ this.label(key) ])));
	}
});

const DynamicList = Choice.extend({
	render() {
		this.add = Object.keys(this.choices).length
			? E('select', { ...this.attributes(), 'change': () => this.take() }, [ '', ...this.keys() ].map(key => E('option', { 'value': key }, [ key && this.label(key) ])))
			: E('input', { ...this.attributes('text'), 'change': () => this.take() });
		const node = this.frame({ 'class': 'cbi-dynlist' }, [ E('div', { 'class': 'add-item' }, [ this.add ]) ]);
		this.setValue(this.values);
		return node;
	},
	take() {
		const { datatype, validate } = this.options;
		if (this.add.value && validation.problem(datatype, true, validate, this.add.value) === null) {
			this.addItem(this.node, this.add.value, this.choices[this.add.value]);
			this.add.value = '';
		}
	},
	addItem(_node, value, label) {
		const item = E('div', { 'class': 'item', 'data-value': value }, [
			E('span', {}, [ dom.elem(label) ? label.cloneNode(true) : label ?? value ]),
			E('button', { 'title': 'Remove', 'disabled': this.options.disabled ? '' : null, 'click': () => {
				item.remove();
				this.node.dispatchEvent(new CustomEvent('change'));
			} }, [ '×' ])
		]);
		if (this.options.allowduplicates || !this.getValue().includes(value))
			this.node.lastElementChild.before(item);
	},
	getValue() {
		return [ ...this.node.querySelectorAll('.item') ].map(item => item.dataset.value);
	},
	setValue(value) {
		this.node.querySelectorAll('.item').forEach(item => item.remove());
		[ value ?? [] ].flat().forEach(each => this.addItem(this.node, each, this.choices[each]));
	}
});

return baseclass.extend({
	classes: { AbstractElement: Field, Textfield, Textarea, Hiddenfield, Checkbox, Select, Dropdown, Combobox, ComboButton, DynamicList }
});
