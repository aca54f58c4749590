'use strict';
'require baseclass';
'require dom';
'require loader.map as map';

/* The sections of LuCI's forms: by name, by type, as a table, and as a table of texts whose rows are edited in a dialogue. */

const heading = (tag, name, text) => text ? E(tag, { 'class': name }, text) : null;

const Section = baseclass.extend({
	__init__(form, type, title, description) {
		Object.assign(this, { map: form, config: form.config, sectiontype: type, title: title ?? '', description: description ?? '', children: [] });
	},

	option(Option, ...args) {
		const option = new Option(this.map, this, ...args);
		this.children.push(option);
		return option;
	},
	append(option) {
		this.children.push(option);
	},
	tab(name, title, description) {
		(this.tabs ??= []).push({ name, title, description });
	},
	taboption(tab, ...args) {
		if (!this.tabs?.some(({ name }) => name === tab))
			throw new ReferenceError('Associated tab not declared');
		const option = this.option(...args);
		option.tab = tab;
		return option;
	},

	place() {
		return this.uciconfig ?? this.map.config;
	},
	filter: () => true,
	titleFn(name, ...args) {
		const text = typeof this[name] === 'function' ? this[name](...args) : this[name]?.format?.(...args);
		return text == null || text === '' ? null : this.plain(String(text));
	},
	plain(text) {
		return E('div', {}, text ?? '').textContent.trim();
	},
	stripTags(text) {
		return this.plain(text);
	},
	getOption(name) {
		return name == null ? Object.fromEntries(this.children.map(option => [ option.option, option ])) : this.children.find(({ option }) => option === name) ?? null;
	},
	cfgvalue(id, name) {
		return name == null ? Object.fromEntries(this.children.map(option => [ option.option, option.cfgvalue(id) ])) : this.getOption(name)?.cfgvalue(id) ?? null;
	},
	formvalue(id, name) {
		const read = option => this.map.root ? option.formvalue(id) : option.cfgvalue(id);
		return name == null ? Object.fromEntries(this.children.map(option => [ option.option, read(option) ])) : read(this.getOption(name));
	},
	getUIElement(id, name) {
		return this.getOption(name)?.getUIElement(id) ?? null;
	},

	load() {
		return Promise.all(this.cfgsections().flatMap(id => this.children.filter(({ disable }) => !disable).map(async option =>
			option.cfgvalue(id, await option.load(id)))));
	},
	parse() {
		return Promise.all(this.cfgsections().flatMap(id => this.children.map(option => option.parse(id))));
	},
	checkDepends() {
		let changed = false;
		for (const id of this.cfgsections().filter(each => this.map.findElement('data-section-id', each)))
			for (const option of this.children) {
				const active = option.checkDepends(id);
				if (option.field(id) && active !== option.isActive(id)) {
					option.setActive(id, active);
					changed = true;
				}
				if (option.isActive(id))
					option.triggerValidation(id);
			}
		return changed;
	},

	renderOptions(tab, id, inTable) {
		const options = this.children.filter(option => !option.disable && (!tab || option.tab === tab));
		return Promise.all(options.map((option, index) => option.render(index, id, inTable)));
	},
	async renderUCISection(id) {
		if (!this.tabs)
			return this.renderOptions(null, id, false);
		return Promise.all(this.tabs.map(async ({ name, title, description }) => E('div', { 'data-tab': name, 'data-tab-title': title }, [
			heading('div', 'cbi-tab-descr', description), ...await this.renderOptions(name, id, false)
		])));
	},
	frame(id, nodes) {
		const tabbed = this.tabs ? ' cbi-section-node-tabbed' : '';
		return E('div', { 'id': `cbi-${this.place()}-${id}`, 'class': `cbi-section-node${tabbed}`, 'data-section-id': id }, nodes);
	},
	button(text, style, handler, ...args) {
		return E('button', {
			'class': `btn cbi-button cbi-button-${style}`, 'title': text, 'click': L.ui.createHandlerFn(this, handler, ...args),
			'disabled': this.map.readonly || null
		}, [ text ]);
	},
	async handleRemove(id) {
		this.map.data.remove(this.place(), id);
		return this.map.save(null, true);
	},
	async handleAdd(_event, name) {
		this.map.data.add(this.place(), this.sectiontype, name);
		return this.map.save(null, true);
	},
	outer(nodes) {
		const node = E('div', { 'class': 'cbi-section', 'id': `cbi-${this.place()}-${this.sectiontype}` }, [
			this.hidetitle ? null : heading('h3', '', this.title), heading('div', 'cbi-section-descr', this.description), ...nodes
		]);
		if (this.map.tabbed && !this.parentoption)
			dom.attr(node, { 'data-tab': this.sectiontype, 'data-tab-title': this.title || this.sectiontype });
		dom.bindClassInstance(node, this);
		return node;
	}
});

const NamedSection = Section.extend({
	__init__(form, id, type, title, description) {
		this.super('__init__', [ form, type, title, description ]);
		this.section = id;
	},
	cfgsections() {
		return [ this.section ];
	},
	async render() {
		const there = await this.map.data.get(this.place(), this.section);
		const remove = this.addremove && there ? this.button('Delete', 'remove', 'handleRemove', this.section) : null;
		const add = this.addremove && !there ? this.button(this.titleFn('addbtntitle') ?? 'Add', 'add', 'handleAdd', this.section) : null;
		return this.outer([ remove, there ? this.frame(this.section, await this.renderUCISection(this.section)) : null, add ]);
	},
	handleAdd() {
		return Section.prototype.handleAdd.call(this, null, this.section);
	}
});

const TypedSection = Section.extend({
	cfgsections() {
		return this.map.data.sections(this.place(), this.sectiontype).map(section => section['.name']).filter(id => this.filter(id));
	},
	renderSectionPlaceholder: () => E('em', 'This section contains no values yet'),
	renderSectionAdd() {
		if (!this.addremove)
			return E([]);
		const text = this.titleFn('addbtntitle') ?? 'Add';
		if (this.anonymous)
			return E('div', { 'class': 'cbi-section-create' }, [ this.button(text, 'add', 'handleAdd') ]);
		const name = E('input', { 'type': 'text', 'class': 'cbi-section-create-name', 'disabled': this.map.readonly || null });
		const add = this.button(text, 'add', event => /^\w+$/.test(name.value) ? this.handleAdd(event, name.value) : null);
		return E('div', { 'class': 'cbi-section-create' }, [ name, add ]);
	},
	async render() {
		const nodes = await Promise.all(this.cfgsections().map(async id => [
			this.addremove ? this.button(this.titleFn('delbtntitle', id) ?? 'Delete', 'remove', 'handleRemove', id) : null,
			this.anonymous ? null : E('h3', {}, [ id ]),
			this.frame(id, await this.renderUCISection(id))
		]));
		return this.outer([ ...nodes.flat(), nodes.length ? null : this.renderSectionPlaceholder(), this.renderSectionAdd() ]);
	}
});

const TableSection = TypedSection.extend({
	columns() {
		return this.children.filter(({ disable, modalonly }) => !disable && !modalonly);
	},
	named() {
		return !this.anonymous || this.sectiontitle;
	},
	cells(id) {
		return Promise.all(this.columns().map((option, index) => option.render(index, id, true)));
	},
	renderHeaderRows() {
		const titles = this.columns().map(({ title }) => E('th', { 'class': 'th' }, title));
		return E('tr', { 'class': 'tr cbi-section-table-titles' }, [
			this.named() ? E('th', { 'class': 'th' }, [ 'Name' ]) : null, ...titles, E('th', { 'class': 'th cbi-section-actions' })
		]);
	},
	/* Dragging is left to the real LuCI: here a row's handle does nothing. */
	renderRowActions(id, more) {
		return E('td', { 'class': 'td cbi-section-table-cell nowrap cbi-section-actions' }, [ E('div', {}, [
			this.sortable ? E('button', { 'class': 'cbi-button drag-handle', 'title': 'Drag to reorder' }, [ '☰' ]) : null,
			more ? E('button', {
				'class': 'btn cbi-button cbi-button-edit', 'title': more, 'click': L.ui.createHandlerFn(this, 'renderMoreOptionsModal', id)
			}, [ more ]) : null,
			this.cloneable ? this.button(this.titleFn('clonebtntitle', id) ?? 'Clone', 'neutral', 'handleClone', id, true) : null,
			this.addremove ? this.button(this.titleFn('delbtntitle', id) ?? 'Delete', 'remove', 'handleRemove', id) : null
		]) ]);
	},
	handleClone(id, next, _event, name) {
		this.map.data.clone(this.place(), this.sectiontype, id, next, name);
		return this.map.save(null, true);
	},
	async render() {
		const rows = await Promise.all(this.cfgsections().map(async id => {
			const title = this.titleFn('sectiontitle', id) ?? id;
			return E('tr', { 'class': 'tr cbi-section-table-row', 'data-sid': id, 'data-section-id': id, 'data-title': this.named() ? title : null }, [
				this.named() ? E('td', { 'class': 'td cbi-section-table-titles' }, [ title ]) : null, ...await this.cells(id), this.renderRowActions(id)
			]);
		}));
		const empty = E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td' }, this.renderSectionPlaceholder()) ]);
		return this.outer([
			E('table', { 'class': 'table cbi-section-table' }, [ this.renderHeaderRows(), ...rows.length ? rows : [ empty ] ]), this.renderSectionAdd()
		]);
	},

	addModalOptions() {},
	/* The dialogue is a form of its own with the same options, over the one section. */
	async renderMoreOptionsModal(id, event) {
		const form = this.map.plain ? new map.classes.JSONMap() : new map.classes.Map(this.map.config);
		Object.assign(form, { data: this.map.data, parent: this.map, section_id: id, readonly: this.map.readonly });
		const section = form.section(NamedSection, id, this.sectiontype);
		section.tabs = this.tabs?.slice();
		for (const option of this.children.filter(({ modalonly }) => modalonly !== false)) {
			const copied = option.subsection
				? section.option(option.constructor, option.option, option.subsection.constructor, option.subsection.sectiontype)
				: section.option(option.constructor, option.option, option.title, option.description);
			const { map: _map, section: _section, subsection, ...own } = option;
			Object.assign(copied, own);
			if (subsection)
				Object.assign(copied.subsection, { ...subsection, map: form, parentoption: copied });
		}
		await this.addModalOptions(section, id, event);
		const node = await form.render();
		const title = this.titleFn('modaltitle', id) ?? `${this.map.title} - ${this.titleFn('sectiontitle', id) ?? id}`;
		L.ui.showModal(title, [ node, E('div', { 'class': 'button-row' }, [
			E('button', { 'class': 'btn cbi-button', 'click': L.ui.createHandlerFn(this, 'handleModalCancel', form) }, [ 'Dismiss' ]),
			E('button', {
				'class': 'btn cbi-button cbi-button-positive important', 'disabled': form.readonly || null,
				'click': L.ui.createHandlerFn(this, 'handleModalSave', form)
			}, [ 'Save' ])
		]) ], 'cbi-modal');
	},
	getActiveModalMap: () => document.querySelector('body.modal-overlay-active > #modal_overlay > .modal.cbi-modal > .cbi-map'),
	getPreviousModalMap: () => null,
	handleModalCancel() {
		L.ui.hideModal();
		return Promise.resolve();
	},
	async handleModalSave(form, event) {
		try {
			await form.save(null, true);
		}
		catch {
			return;
		}
		await form.parent.load();
		await form.parent.reset();
		await this.handleModalCancel(form, event, true);
	}
});

const GridSection = TableSection.extend({
	cells(id) {
		return Promise.all(this.columns().map((option, index) => option.editable ? option.render(index, id, true) : this.renderTextValue(id, option)));
	},
	renderTextValue(id, option) {
		return E('td', { 'class': 'td cbi-value-field', 'data-title': this.plain(option.title) || null, 'data-name': option.option },
			option.textvalue(id) ?? E('em', 'none'));
	},
	renderRowActions(id) {
		return this.super('renderRowActions', [ id, 'Edit' ]);
	},
	handleAdd(_event, name) {
		const id = this.map.data.add(this.place(), this.sectiontype, name);
		this.map.addedSection = id;
		return this.renderMoreOptionsModal(id);
	},
	handleModalCancel(form, event, saved) {
		if (this.map.addedSection != null && !saved)
			this.map.data.remove(this.place(), this.map.addedSection);
		delete this.map.addedSection;
		return this.super('handleModalCancel', [ form, event, saved ]);
	},
	parse() {
		return Promise.all(this.cfgsections().flatMap(id => this.children.filter(({ editable, modalonly }) => editable && !modalonly).map(option => option.parse(id))));
	}
});

return baseclass.extend({ classes: { AbstractSection: Section, NamedSection, TypedSection, TableSection, GridSection } });
