'use strict';
'require baseclass';
'require dom';
'require loader.fields as fields';
'require loader.validation as validation';

/* Messages, dialogues and tabs, without any of their looks. */

const overlay = document.body.appendChild(E('div', { 'id': 'modal_overlay' }, [ E('div', { 'class': 'modal', 'role': 'dialog' }) ]));

/* What came of Save & Apply, for tests to see. */
window.applied = [];

const tabs = {
	initTabGroup(panes) {
		const list = [ ...panes ].filter(pane => pane.hasAttribute?.('data-tab'));
		const group = list[0]?.parentNode;
		if (!group || group.hasAttribute('data-initialized'))
			return;
		const show = name => list.forEach(pane => pane.setAttribute('data-tab-active', pane.getAttribute('data-tab') === name));
		group.before(E('ul', { 'class': 'cbi-tabmenu' }, list.map(pane => E('li', { 'data-tab': pane.getAttribute('data-tab') }, [
			E('a', {
				'href': '#',
				'click': event => {
					event.preventDefault();
					show(pane.getAttribute('data-tab'));
				}
			}, pane.getAttribute('data-tab-title'))
		]))));
		group.setAttribute('data-initialized', true);
		if (!list.some(pane => pane.getAttribute('data-tab-active') === 'true'))
			show(list[0].getAttribute('data-tab'));
	},
	updateTabs() {}
};

const changes = {
	init() {},
	setIndicator() {},
	apply(checked) {
		window.applied.push({ checked: !!checked });
		return Promise.resolve();
	},
	displayChanges() {
		window.applied.push({ shown: true });
	}
};

return baseclass.extend({
	...fields.classes,
	tabs,
	changes,

	showModal(title, children, ...classes) {
		const box = overlay.firstElementChild;
		box.className = [ 'modal', ...classes ].join(' ');
		dom.content(box, E('h4', {}, title));
		dom.append(box, children);
		document.body.classList.add('modal-overlay-active');
		return box;
	},

	hideModal() {
		document.body.classList.remove('modal-overlay-active');
	},

	addNotification(title, children, ...classes) {
		const text = E('div');
		const message = E('div', { 'class': [ 'alert-message', ...classes ].join(' ') }, [
			text, E('button', { 'class': 'btn', 'click': () => message.remove() }, [ 'Dismiss' ])
		]);
		if (title != null)
			dom.append(text, E('h4', {}, title));
		dom.append(text, children);
		document.getElementById('maincontent').prepend(message);
		return message;
	},

	addTimeLimitedNotification(title, children, _timeout, ...classes) {
		return this.addNotification(title, children, ...classes);
	},

	showIndicator: () => true,
	hideIndicator: () => true,
	showTooltip() {},
	hideTooltip() {},

	itemlist(node, items, separators) {
		const [ separator ] = [ separators ?? E('br') ].flat();
		const pairs = [];
		for (let at = 0; at < items.length; at += 2)
			if (items[at + 1] != null)
				pairs.push([ E('span', { 'class': 'nowrap' }, [ items[at] ? E('strong', `${items[at]}: `) : '', items[at + 1] ]), dom.elem(separator) ? separator.cloneNode(true) : separator ]);
		dom.content(node, pairs.flat().slice(0, -1));
		return node;
	},

	addValidator(field, type, optional, check, ...events) {
		const test = () => {
			const problem = validation.problem(type, optional, check, field.value ?? '');
			field.classList.toggle('cbi-input-invalid', problem !== null);
		};
		[ ...events, 'keyup', 'blur', 'validation-success' ].forEach(event => field.addEventListener(event, test));
		test();
		return test;
	},

	/* While what it starts goes on, its button cannot be pressed again. */
	createHandlerFn(self, handler, ...args) {
		const fn = typeof handler === 'function' ? handler : self[handler];
		if (typeof fn !== 'function')
			return null;
		return event => {
			const button = event.currentTarget;
			button.disabled = true;
			return Promise.resolve(fn.call(self, ...args, event)).finally(() => button.disabled = false);
		};
	},

	awaitReconnect() {},
	pingDevice: () => Promise.resolve(),
	instantiateView: path => L.require(`view.${path.replaceAll('/', '.')}`)
});
