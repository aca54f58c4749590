/*
 * `L`: loading modules, the environment, polling, and a page's view. It ends by loading the view that the page is for.
 */
(() => {
	'use strict';

	const env = JSON.parse(document.getElementById('environment').textContent);
	const collator = new Intl.Collator(undefined, { numeric: true });

	/* Nothing polls by itself: a test steps through it. LuCI calls what is added at once, and then every so many seconds. */
	const poll = new (Class.extend({
		queue: [],
		running: true,
		add(fn, seconds) {
			if (typeof fn !== 'function' || !(seconds === undefined || seconds > 0))
				throw new TypeError('Invalid argument to LuCI.poll.add()');
			if (this.queue.some(entry => entry.fn === fn))
				return false;
			this.queue.push({ fn, seconds });
			if (this.running)
				fn();
			return true;
		},
		remove(fn) {
			const before = this.queue.length;
			this.queue = this.queue.filter(entry => entry.fn !== fn);
			return this.queue.length !== before;
		},
		start() {
			this.running = true;
			return true;
		},
		stop() {
			this.running = false;
			return true;
		},
		active() {
			return this.running && this.queue.length > 0;
		},
		/* One round of everything, finished when all of it is. */
		async step() {
			await Promise.all(this.queue.map(entry => entry.fn()));
		}
	}))();

	const request = new (Class.extend({
		poll,
		async request(url, options = {}) {
			const body = options.content === undefined ? undefined : JSON.stringify(options.content);
			const answer = await fetch(url, { method: options.method ?? 'GET', body });
			const text = await answer.text();
			return { ok: answer.ok, status: answer.status, statusText: answer.statusText, url, text: () => text, json: () => JSON.parse(text) };
		},
		get(url, options) {
			return this.request(url, options);
		},
		post(url, content, options) {
			return this.request(url, { ...options, method: 'POST', content });
		}
	}))();

	const session = new (Class.extend({
		getID: () => 'session',
		getToken: () => null,
		getLocalData: () => null,
		setLocalData: () => true
	}))();

	const view = Class.extend({
		__init__() {
			const place = document.getElementById('view');
			this.finished = Promise.resolve()
				.then(() => this.load())
				.then(loaded => this.render(loaded))
				.then(nodes => {
					dom.content(place, nodes);
					dom.append(place, this.addFooter());
				});
		},
		load() {},
		render() {},
		maps() {
			return [ ...document.querySelectorAll('#maincontent .cbi-map') ].map(node => dom.findClassInstance(node)).filter(Boolean);
		},
		handleSave() {
			return Promise.all(this.maps().map(map => map.save()));
		},
		handleSaveApply(event, mode) {
			return this.handleSave(event).then(() => L.ui.changes.apply(mode === '0'));
		},
		handleReset() {
			return Promise.all(this.maps().map(map => map.reset()));
		},
		/* Null in place of a handler takes its button away; without any, the line is not there. */
		addFooter() {
			const maps = this.maps();
			const readonly = maps.length ? maps.every(map => map.readonly) : !L.hasViewPermission();
			const buttons = [
				[ 'handleSaveApply', 'cbi-button-apply', 'Save & Apply', '0' ],
				[ 'handleSave', 'cbi-button-save', 'Save' ],
				[ 'handleReset', 'cbi-button-reset', 'Reset' ]
			].filter(([ handler ]) => this[handler]);
			return buttons.length ? E('div', { 'class': 'cbi-page-actions' }, buttons.map(([ handler, style, text, mode ]) => E('button', {
				'class': `btn cbi-button ${style}`,
				'disabled': readonly || null,
				'click': L.ui.createHandlerFn(this, event => this[handler](event, mode))
			}, [ text ]))) : E([]);
		}
	});

	const modules = { baseclass: Class, dom, poll, request, session, view };

	/* A module is the body of a function; what it requires stands in strings at its top. */
	async function compiled(name, from) {
		const url = `/luci-static/resources/${name.replaceAll('.', '/')}.js`;
		const answer = await fetch(url);
		if (!answer.ok)
			throw new Error(`HTTP error ${answer.status} while loading class file "${url}"`);
		const source = await answer.text();
		const names = [], values = [];
		for (const [ , text ] of source.replace(/\/\*[^]*?\*\/|\/\/.*/g, '').matchAll(/\s*'([^']*)';/gy)) {
			const [ , module, as ] = text.match(/^require[ \t]+(\S+)(?:[ \t]+as[ \t]+([a-zA-Z_]\S*))?$/) ?? [];
			if (module) {
				names.push(as ?? module.replace(/[^a-zA-Z0-9_]/g, '_'));
				values.push(await L.require(module, [ ...from, name ]));
			}
		}
		const factory = new Function('window', 'document', 'L', ...names, `${source}\n//# sourceURL=${url}`);
		const Made = factory(window, document, L, ...values);
		if (!Class.isSubclass(Made))
			throw new TypeError(`"${name}" factory yields invalid constructor`);
		const instance = new Made();
		const parts = name.split('.');
		const place = parts.slice(0, -1).reduce((at, part) => at?.[part], L);
		if (place)
			place[parts.at(-1)] = instance;
		return instance;
	}

	window.L = {
		env: { ...env, sessionid: 'session', nodespec: { satisfied: true, readonly: env.readonly }, pollinterval: 5 },
		Class, dom, Poll: poll, Request: request, view,

		require(name, from = []) {
			if (from.includes(name))
				return Promise.reject(new Error(`Circular dependency: class "${name}" depends on "${from.join('" which depends on "')}"`));
			modules[name] ??= compiled(name, from);
			return Promise.resolve(modules[name]);
		},

		hasViewPermission() {
			return !env.readonly;
		},

		hasSystemFeature: () => true,

		/* Parts that are no plain path, like those with a blank or a markup sign, are left out. */
		path(prefix, parts) {
			const plain = parts.flat(Infinity).filter(part =>
				/^(?:[a-zA-Z0-9_.%,;-]+\/)*[a-zA-Z0-9_.%,;-]+$/.test(part) || /^\?[a-zA-Z0-9_.%=&;-]+$/.test(part));
			return prefix + (plain.map(part => part.startsWith('?') ? part : `/${part}`).join('') || '/');
		},
		url(...parts) {
			return this.path('/cgi-bin/luci', parts);
		},
		resource(...parts) {
			return this.path('/luci-static/resources', parts);
		},
		media(...parts) {
			return this.path('/luci-static/theme', parts);
		},
		location() {
			return this.url(env.path);
		},

		bind: (fn, self, ...args) => fn.bind(self, ...args),
		isObject: value => value != null && typeof value === 'object',
		isArguments: value => Object.prototype.toString.call(value) === '[object Arguments]',
		naturalCompare: (one, other) => collator.compare(one, other),
		resolveDefault: (value, otherwise) => Promise.resolve(value).catch(() => otherwise),
		sortedArray: value => L.toArray(value).sort(L.naturalCompare),
		sortedKeys(object, key) {
			const value = name => key == null ? name : object[name][key];
			return Object.keys(object ?? {}).filter(name => value(name) != null).sort((one, other) => L.naturalCompare(value(one), value(other)));
		},
		toArray(value) {
			if (value == null || typeof value === 'object')
				return value == null ? [] : Array.isArray(value) ? value : [ value ];
			return String(value).split(/\s+/).filter(Boolean);
		},

		raise(type, message, ...values) {
			const error = type instanceof Error ? type : new Error(message?.format(...values) ?? 'Unspecified error');
			if (!(type instanceof Error))
				error.name = type ?? 'Error';
			throw error;
		},
		error(type, message, ...values) {
			L.raise(type, message, ...values);
		}
	};

	/* LuCI loads these three before any view. A test waits for `ready`. */
	window.ready = Promise.all([ 'ui', 'rpc', 'form' ].map(name => L.require(name)))
		.then(() => L.require(`view.${env.path.replaceAll('/', '.')}`))
		.then(instance => instance.finished);
})();
