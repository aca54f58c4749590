'use strict';
'require baseclass';
'require dom';
'require rpc';
'require uci';

/* `form.Map`: a form over one configuration, and `form.JSONMap`, the same over an object. */

const access = rpc.declare({ object: 'session', method: 'access', params: [ 'scope', 'object', 'function' ], expect: { access: true } });

const Map = baseclass.extend({
	__init__(config, title, description) {
		Object.assign(this, { config, title: title ?? '', description: description ?? '', children: [], parsechain: [ config ], data: uci });
	},

	section(Section, ...args) {
		const section = new Section(this, ...args);
		this.children.push(section);
		return section;
	},
	append(section) {
		this.children.push(section);
	},
	chain(config) {
		if (!this.parsechain.includes(config))
			this.parsechain.push(config);
	},

	findElements(...query) {
		return this.root?.querySelectorAll(query.length > 1 ? `[${query[0]}="${CSS.escape(query[1])}"]` : query[0]) ?? [];
	},
	findElement(...query) {
		return this.findElements(...query)[0] ?? null;
	},
	lookupOption(name, id) {
		const option = this.children.flatMap(section => section.children).find(each => each.option === name && each.field(id));
		return option ? [ option, id ] : null;
	},

	async load() {
		if (this.readonly == null && !this.plain && !await access('uci', this.config, 'write'))
			this.readonly = true;
		const [ first, ...more ] = this.parsechain;
		await Promise.all([ this.data.load(first), ...more.map(config => L.resolveDefault(this.data.load(config))) ]);
		await Promise.all(this.children.map(section => section.load()));
	},
	parse() {
		return Promise.all(this.children.map(section => section.parse()));
	},
	async save(callback, silent) {
		this.checkDepends();
		try {
			await this.parse();
			await callback?.();
			await this.data.save();
			await this.load();
		}
		catch (error) {
			if (!silent)
				L.ui.showModal('Save error', [ E('p', {}, [ E('em', {}, [ error.message ]) ]) ]);
			throw error;
		}
		return this.renderContents();
	},
	reset() {
		return this.renderContents();
	},
	async render() {
		await this.load();
		return this.renderContents();
	},

	async renderContents() {
		this.root ??= E('div', { 'id': `cbi-${this.config}`, 'class': 'cbi-map' });
		dom.bindClassInstance(this.root, this);
		const nodes = await Promise.all(this.children.map((section, index) => section.render(index)));
		dom.content(this.root, []);
		if (this.title)
			this.root.append(E('h2', { 'name': 'content' }, this.title));
		if (this.description)
			this.root.append(E('div', { 'class': 'cbi-map-descr' }, this.description));
		dom.append(this.tabbed ? this.root.appendChild(E('div', { 'class': 'cbi-map-tabbed' })) : this.root, nodes);
		this.checkDepends();
		this.root.querySelectorAll('.cbi-map-tabbed, .cbi-section-node-tabbed').forEach(group => L.ui.tabs.initTabGroup(group.childNodes));
		return this.root;
	},

	/* One option may hang on another that hangs on a third. */
	checkDepends() {
		for (let round = 0; round < 10 && this.children.map(section => section.checkDepends()).some(changed => changed); round++);
	}
});

/* The object of a JSONMap as uci would have it: { type: { option: … } } or { type: [ { … }, … ] }. */
const Sections = baseclass.extend({
	__init__(data) {
		this.list = Object.entries(data ?? {}).flatMap(([ type, value ]) => Array.isArray(value)
			? value.map((options, index) => ({ ...options, '.type': type, '.name': `@${type}[${index}]`, '.anonymous': true }))
			: [ { ...value, '.type': type, '.name': type } ]);
		this.data = data;
	},
	load: () => Promise.resolve(),
	/* What was edited goes back into the object that was given. */
	save() {
		for (const type of Object.keys(this.data ?? {})) {
			const plain = this.sections(null, type).map(section => Object.fromEntries(Object.entries(section).filter(([ name ]) => !name.startsWith('.'))));
			if (Array.isArray(this.data[type]))
				this.data[type].splice(0, Infinity, ...plain);
			else
				Object.assign(this.data[type], plain[0]);
		}
		return Promise.resolve();
	},
	sections(_config, type, callback) {
		const found = this.list.filter(section => !type || section['.type'] === type);
		found.forEach(section => callback?.(section, section['.name']));
		return found;
	},
	get(_config, id, option) {
		const section = this.list.find(each => each['.name'] === id) ?? null;
		return option == null ? section : section?.[option] ?? null;
	},
	set(config, id, option, value) {
		const section = this.get(config, id);
		if (section)
			section[option] = value;
	},
	unset(config, id, option) {
		delete this.get(config, id)?.[option];
	},
	add(_config, type, name) {
		const made = name ?? `@${type}[${this.sections(null, type).length}]`;
		this.list.push({ '.type': type, '.name': made, '.anonymous': !name });
		return made;
	},
	remove(_config, id) {
		this.list = this.list.filter(section => section['.name'] !== id);
	},
	move: () => true
});

const JSONMap = Map.extend({
	__init__(data, title, description) {
		this.super('__init__', [ 'json', title, description ]);
		this.plain = true;
		this.data = new Sections(data);
	}
});

return baseclass.extend({ classes: { Map, JSONMap } });
