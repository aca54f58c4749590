/*
 * LuCI's `dom` and `E()`. As there, a string alone is parsed as HTML, a string in an array becomes text: where a page hands on a
 * name the wrong way, the tests with hostile names see an element that does not belong there.
 */
(() => {
	'use strict';

	const isElement = value => value != null && typeof value === 'object' && 'nodeType' in value;
	const data = new WeakMap();

	const dom = new (Class.extend({
		elem: isElement,

		parse(html) {
			return new DOMParser().parseFromString(html, 'text/html').body.firstChild;
		},

		matches(node, selector) {
			return isElement(node) && node.matches ? node.matches(selector) : false;
		},

		parent(node, selector) {
			return isElement(node) ? node.closest?.(selector) ?? null : null;
		},

		append(node, children) {
			if (!isElement(node))
				return null;
			if (typeof children === 'function')
				return this.append(node, children(node));
			if (isElement(children))
				return node.appendChild(children);
			if (Array.isArray(children))
				node.append(...children.filter(child => child != null).map(child => isElement(child) ? child : String(child)));
			else if (children != null)
				node.innerHTML = String(children);
			return node.lastChild;
		},

		content(node, children) {
			if (!isElement(node))
				return null;
			node.replaceChildren();
			return this.append(node, children);
		},

		attr(node, name, value) {
			const attributes = typeof name === 'string' ? { [name]: value } : name;
			for (const [ key, given ] of Object.entries(attributes ?? {}))
				if (typeof given === 'function')
					node.addEventListener(key, given);
				else if (given != null)
					node.setAttribute(key, typeof given === 'object' ? JSON.stringify(given) : given);
		},

		create(tag, attributes, children) {
			if (!(attributes instanceof Object) || Array.isArray(attributes) || isElement(attributes))
				[ children, attributes ] = [ attributes, null ];
			let node = tag;
			if (Array.isArray(tag)) {
				node = document.createDocumentFragment();
				node.append(...tag.map(each => this.create(each)));
			}
			else if (typeof tag === 'string') {
				node = tag.startsWith('<') ? this.parse(tag) : document.createElement(tag);
			}
			if (attributes)
				this.attr(node, attributes);
			this.append(node, children);
			return node;
		},

		data(node, key, value) {
			if (!isElement(node))
				return null;
			const known = data.get(node) ?? {};
			if (value != null)
				data.set(node, { ...known, [key]: value });
			return value ?? (key == null ? known : known[key]) ?? null;
		},

		bindClassInstance(node, instance) {
			return this.data(node, '_class', instance);
		},

		findClassInstance(node) {
			for (let at = node; at; at = at.parentNode)
				if (this.data(at, '_class'))
					return this.data(at, '_class');
			return null;
		},

		callClassMethod(node, method, ...args) {
			return this.findClassInstance(node)?.[method]?.(...args) ?? null;
		},

		isEmpty(node, ignored) {
			return ![ ...node?.children ?? [] ].some(child => !child.classList.contains('hidden') && !ignored?.(child));
		}
	}))();

	window.dom = dom;
	window.E = (...args) => dom.create(...args);
})();
