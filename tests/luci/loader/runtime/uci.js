'use strict';
'require baseclass';
'require rpc';

/*
 * The configuration: as the server of the tests has it, and over it what the page has changed. `save` hands the changes to the
 * server, which stages them; a test sees them there.
 */

const get = rpc.declare({ object: 'uci', method: 'get', params: [ 'config' ], expect: { values: {} }, reject: true });
const put = rpc.declare({ object: 'uci', method: 'put', params: [ 'config', 'sections' ], expect: { values: {} }, reject: true });
const copy = value => JSON.parse(JSON.stringify(value));

return baseclass.extend({
	__init__() {
		/* By configuration: its sections, in order, as the page wants them; what was loaded; whether they differ. */
		this.configs = {};
		this.asked = {};
		this.changed = new Set();
		this.created = 0;
	},

	load(names) {
		return Promise.all([ names ].flat().map(async name => {
			this.asked[name] ??= get(name);
			const values = await this.asked[name];
			this.configs[name] ??= Object.values(copy(values)).sort((one, other) => one['.index'] - other['.index']);
			document.dispatchEvent(new CustomEvent('uci-loaded'));
			return name;
		}));
	},

	unload(names) {
		for (const name of [ names ].flat()) {
			delete this.configs[name];
			delete this.asked[name];
			this.changed.delete(name);
		}
	},

	resolveSID(config, name) {
		const [ , type, position ] = String(name).match(/^@([\w-]+)\[(-?\d+)\]$/) ?? [];
		return type ? this.sections(config, type).at(+position)?.['.name'] ?? null : name;
	},

	section(config, name) {
		const resolved = this.resolveSID(config, name);
		return this.configs[config]?.find(section => section['.name'] === resolved) ?? null;
	},

	sections(config, type, callback) {
		const found = (this.configs[config] ?? [])
			.filter(section => !type || section['.type'] === type)
			.map((section, index) => ({ ...section, '.index': index }));
		found.forEach(section => callback?.call(this, section, section['.name']));
		return found;
	},

	get(config, name, option) {
		const section = this.section(config, name);
		return option == null ? section : section?.[option] ?? null;
	},

	get_first(config, type, option) {
		const [ first ] = this.sections(config, type);
		return first ? this.get(config, first['.name'], option) : null;
	},

	get_bool(config, name, option) {
		return [ '1', 'on', 'true', 'yes', 'enabled' ].includes(String(this.get(config, name, option)).toLowerCase());
	},

	set(config, name, option, value) {
		const section = this.section(config, name);
		if (!section || option.startsWith('.'))
			return;
		if (value == null || value === '')
			delete section[option];
		else
			section[option] = value;
		this.changed.add(config);
	},

	unset(config, name, option) {
		this.set(config, name, option, null);
	},

	set_first(config, type, option, value) {
		const [ first ] = this.sections(config, type);
		if (first)
			this.set(config, first['.name'], option, value);
	},

	add(config, type, name) {
		const made = name || `new${String(++this.created).padStart(6, '0')}`;
		(this.configs[config] ??= []).push({ '.type': type, '.name': made, '.anonymous': !name, '.index': this.configs[config]?.length });
		this.changed.add(config);
		return made;
	},

	clone(config, type, source, next, name) {
		const made = this.add(config, type, name);
		const { '.type': _type, '.name': _name, '.anonymous': _anonymous, ...options } = this.section(config, source);
		Object.assign(this.section(config, made), copy(options));
		if (next)
			this.move(config, made, source, true);
		return made;
	},

	remove(config, name) {
		const resolved = this.resolveSID(config, name);
		this.configs[config] = this.configs[config].filter(section => section['.name'] !== resolved);
		this.changed.add(config);
	},

	move(config, name, beside, after) {
		const list = this.configs[config], section = this.section(config, name);
		if (!section || (beside != null && !this.section(config, beside)))
			return false;
		list.splice(list.indexOf(section), 1);
		list.splice(beside == null ? list.length : list.indexOf(this.section(config, beside)) + (after ? 1 : 0), 0, section);
		list.forEach((each, index) => each['.index'] = index);
		this.changed.add(config);
		return true;
	},

	async save() {
		const names = [ ...this.changed ];
		for (const name of names) {
			const values = await put(name, this.configs[name]);
			/* As in LuCI the same object that was given out before gets the name that a new section has from now on. */
			this.configs[name].forEach((section, at) => section['.name'] = Object.keys(values)[at]);
			this.unload(name);
		}
		return this.load(names);
	},

	apply: () => Promise.resolve(),
	changes: rpc.declare({ object: 'uci', method: 'changes', expect: { changes: {} } }),
	callGet: get
});
