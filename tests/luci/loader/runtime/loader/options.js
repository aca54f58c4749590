'use strict';
'require baseclass';
'require dom';
'require loader.fields as fields';

/* The options of LuCI's forms: what they read, show, check and write. Titles, descriptions and text values that are strings become HTML. */

const { classes } = fields;

function same(one, other) {
	if (other instanceof RegExp)
		return one != null && other.test(one);
	if (one == null || other == null)
		return one == other;
	return typeof one === typeof other && JSON.stringify(one) === JSON.stringify(other);
}

const Value = baseclass.extend({
	__init__(map, section, option, title, description) {
		Object.assign(this, {
			map, section, option, title: title ?? '', description: description ?? '', config: map.config,
			deps: [], rmempty: true, optional: false, default: null, loaded: {}
		});
	},

	value(key, label) {
		(this.keylist ??= []).push(String(key));
		(this.vallist ??= []).push(dom.elem(label) ? label : String(label ?? key));
	},
	choices() {
		return this.keylist?.length ? Object.fromEntries(this.keylist.map((key, at) => [ key, this.vallist[at] ])) : null;
	},
	transformChoices() {
		return this.choices();
	},
	place() {
		return this.uciconfig ?? this.section.uciconfig ?? this.map.config;
	},
	cbid(id) {
		return `cbid.${this.place()}.${id}.${this.option}`;
	},
	plain(text) {
		return E('div', {}, text ?? '').textContent.trim();
	},
	stripTags(text) {
		return this.plain(text);
	},
	titleFn(name, ...args) {
		const text = typeof this[name] === 'function' ? this[name](...args) : this[name]?.format?.(...args);
		return text == null || text === '' ? null : this.plain(String(text));
	},

	load(id) {
		return this.map.data.get(this.place(), this.ucisection ?? id, this.ucioption ?? this.option);
	},
	cfgvalue(id, ...set) {
		if (set.length)
			this.loaded[id] = set[0];
		return this.loaded[id];
	},
	textvalue(id) {
		const value = this.cfgvalue(id) ?? this.default;
		return value == null ? null : '%h'.format(Array.isArray(value) ? value.join(' ') : value);
	},

	depends(name, value) {
		this.deps.push(typeof name === 'string' ? { [name]: value } : name);
	},
	/* Whether one of the groups of conditions is met; `!reverse` turns one round. */
	satisfied(id) {
		const met = group => Object.entries(group).filter(([ name ]) => !name.startsWith('!')).every(([ name, wanted ]) => {
			const option = this.section.children.find(other => other.option === name);
			const value = option?.isActive(id) ? option.formvalue(id) : null;
			return group['!contains'] ? [ value ?? [] ].flat().includes(wanted) : same(value, wanted);
		});
		return !this.deps.length || this.deps.some(group => met(group) !== !!group['!reverse']);
	},
	field(id) {
		return this.map.findElement('data-field', this.cbid(id));
	},
	isActive(id) {
		const field = this.field(id);
		return field != null && !field.classList.contains('hidden');
	},
	checkDepends(id) {
		return this.satisfied(id);
	},
	setActive(id, active) {
		this.field(id)?.classList.toggle('hidden', !active);
	},

	getUIElement(id) {
		const node = this.map.findElement('id', this.cbid(id));
		const found = node ? dom.findClassInstance(node) : null;
		return found instanceof classes.AbstractElement ? found : null;
	},
	formvalue(id) {
		return this.getUIElement(id)?.getValue() ?? null;
	},
	validate: () => true,
	isValid(id) {
		return this.getUIElement(id)?.isValid() ?? true;
	},
	getValidationError(id) {
		return this.getUIElement(id)?.getValidationError() ?? '';
	},
	triggerValidation(id) {
		return this.getUIElement(id)?.triggerValidation() ?? true;
	},

	async render(index, id, inTable) {
		const widget = await this.renderWidget(id, index, await this.cfgvalue(id));
		const attributes = { 'id': `cbi-${this.place()}-${id}-${this.option}`, 'data-field': this.cbid(id) };
		const node = inTable
			? E('td', { 'class': 'td cbi-value-field', 'data-title': this.plain(this.title) || null, 'data-name': this.option }, E('div', attributes))
			: E('div', { 'class': 'cbi-value', 'data-name': this.option, ...attributes });
		if (!inTable && this.title) {
			node.append(E('label', { 'class': 'cbi-value-title', 'for': `widget.${this.cbid(id)}` }, this.title));
			node.append(E('div', { 'class': 'cbi-value-field' }));
		}
		dom.append(node.lastElementChild ?? node, widget);
		if (!inTable && this.description)
			dom.append(node.lastElementChild ?? node, E('div', { 'class': 'cbi-value-description' }, this.description));
		if (this.deps.length)
			(inTable ? node.firstElementChild : node).classList.add('hidden');
		node.addEventListener('widget-change', event => {
			this.map.checkDepends();
			this.onchange?.call(this, event, id, this.formvalue(id));
		});
		dom.bindClassInstance(node, this);
		return node;
	},

	settings(id) {
		return {
			id: this.cbid(id), optional: this.optional || this.rmempty, datatype: this.datatype, placeholder: this.placeholder,
			validate: value => [ this.validate ].flat().reduce((result, check) => result === true ? check.call(this, id, value) : result, true),
			disabled: this.readonly ?? this.map.readonly, sort: this.keylist, password: this.password, rows: this.rows
		};
	},
	renderWidget(id, _index, given) {
		const value = given ?? this.default;
		const text = Array.isArray(value) ? value.join(' ') : value;
		const choices = this.choices();
		return (choices ? new classes.Combobox(text, choices, this.settings(id)) : new classes.Textfield(text, this.settings(id))).render();
	},

	async parse(id) {
		if (!this.isActive(id))
			return this.retain ? undefined : this.remove(id);
		if (!this.isValid(id))
			throw new TypeError('Option "%s" contains an invalid input value. %s'.format(this.plain(this.title) || this.option, this.getValidationError(id)));
		const value = this.formvalue(id);
		const empty = value == null || value == '' || (value == this.default && (this.optional || this.rmempty));
		if (empty && !this.rmempty && !this.optional)
			throw new TypeError('Option "%s" must not be empty.'.format(this.plain(this.title) || this.option));
		if (empty)
			return this.remove(id);
		return this.forcewrite || !same(this.cfgvalue(id), value) ? this.write(id, value) : undefined;
	},
	write(id, value) {
		return this.map.data.set(this.place(), this.ucisection ?? id, this.ucioption ?? this.option, value);
	},
	remove(id) {
		const name = option => option.ucioption ?? option.option;
		if (!this.section.children.some(other => other !== this && name(other) === name(this) && other.isActive(id)))
			this.map.data.unset(this.place(), this.ucisection ?? id, name(this));
	}
});

const DynamicList = Value.extend({
	renderWidget(id, _index, value) {
		return new classes.DynamicList(L.toArray(value ?? this.default), this.choices(), { ...this.settings(id), allowduplicates: this.allowduplicates }).render();
	}
});

const ListValue = Value.extend({
	renderWidget(id, _index, value) {
		return new classes.Select(value ?? this.default, this.choices(), { ...this.settings(id), optional: this.optional, widget: this.widget }).render();
	}
});

const RichListValue = ListValue.extend({
	value(key, title, description) {
		const label = description ? E([], [ E('strong', {}, [ title ]), E('br'), E('span', {}, description) ]) : title;
		Value.prototype.value.call(this, key, label);
	},
	renderWidget(id, _index, value) {
		return new classes.Dropdown(value ?? this.default, this.choices(), { ...this.settings(id), multiple: this.multiple }).render();
	}
});

const MultiValue = DynamicList.extend({
	renderWidget(id, _index, value) {
		return new classes.Dropdown(L.toArray(value ?? this.default), this.choices(), { ...this.settings(id), multiple: true, create: this.create }).render();
	}
});

const TextValue = Value.extend({
	renderWidget(id, _index, value) {
		return new classes.Textarea(value ?? this.default, this.settings(id)).render();
	}
});

const Flag = Value.extend({
	__init__(...args) {
		this.super('__init__', args);
		Object.assign(this, { enabled: '1', disabled: '0', default: '0' });
	},
	renderWidget(id, _index, value) {
		return new classes.Checkbox(value ?? this.default, { ...this.settings(id), value_enabled: this.enabled, value_disabled: this.disabled }).render();
	},
	formvalue(id) {
		return this.getUIElement(id)?.isChecked() ? this.enabled : this.disabled;
	},
	textvalue(id) {
		return (this.cfgvalue(id) ?? this.default) === this.enabled ? 'Yes' : 'No';
	}
});

const DummyValue = Value.extend({
	renderWidget(id, _index, given) {
		const value = given ?? this.default;
		return E([ E('output', {}, this.rawhtml ? value : [ value ]), new classes.Hiddenfield(value, { id: this.cbid(id) }).render() ].map(node => node));
	},
	write() {},
	remove() {}
});

const HiddenValue = Value.extend({
	renderWidget(id, _index, value) {
		return new classes.Hiddenfield(value ?? this.default, { id: this.cbid(id) }).render();
	}
});

const Button = Value.extend({
	renderWidget(id) {
		const press = event => this.onclick ? this.onclick(event, id) : this.map.save();
		return E('div', { 'id': this.cbid(id) }, [ E('button', {
			'class': `btn cbi-button cbi-button-${this.inputstyle ?? 'button'}`,
			'click': L.ui.createHandlerFn(this, press),
			'disabled': (this.readonly ?? this.map.readonly) || null
		}, [ this.titleFn('inputtitle', id) ?? this.titleFn('title', id) ]) ]);
	}
});

const SectionValue = Value.extend({
	__init__(map, section, option, Section, ...args) {
		this.super('__init__', [ map, section, option ]);
		this.subsection = new Section(map, ...args);
		this.subsection.parentoption = this;
	},
	load() {
		return this.subsection.load();
	},
	parse() {
		return this.subsection.parse();
	},
	renderWidget() {
		return this.subsection.render();
	},
	checkDepends(id) {
		this.subsection.checkDepends();
		return this.satisfied(id);
	},
	cfgvalue: () => null,
	formvalue: () => null,
	write() {},
	remove() {}
});

return baseclass.extend({
	classes: {
		AbstractValue: Value, Value, DynamicList, ListValue, RichListValue, MultiValue, TextValue, Flag, DummyValue, HiddenValue, Button, SectionValue
	}
});
