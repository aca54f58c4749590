/*
 * LuCI's classes: `baseclass.extend({ … })`, `__init__` in place of a constructor, `this.super('method', [ arguments ])`.
 *
 * `super` does not know from which class it is called. LuCI looks above the class of the instance, or, within a call that was made
 * through `super` already, above the class where that method was found. So it works as long as nothing is waited for in between.
 */
(() => {
	'use strict';

	function Class() {}

	/* By class, then by method: where the calls under way were found. */
	const running = new Map();

	Class.prototype.super = function(name, ...args) {
		const key = `${this.constructor.number}.${name}`;
		const stack = running.get(key) ?? [];
		let found = Object.getPrototypeOf(stack.at(-1) ?? Object.getPrototypeOf(this));
		while (found && !Object.hasOwn(found, name))
			found = Object.getPrototypeOf(found);
		if (!found)
			return null;
		if (!args.length)
			return found[name];
		if (typeof found[name] !== 'function')
			throw new ReferenceError(`${name} is not a function in base class`);
		const first = args[0];
		const list = Array.isArray(first) || Object.prototype.toString.call(first) === '[object Arguments]' ? [ ...first ] : args;
		running.set(key, [ ...stack, found ]);
		try {
			return found[name].apply(this, list);
		}
		finally {
			running.set(key, stack);
		}
	};

	Class.prototype.varargs = (args, offset, ...more) => [ ...more, ...[ ...args ].slice(offset) ];

	let number = 0;

	Class.extend = function(members) {
		function Derived(...args) {
			if (!(this instanceof Derived))
				throw new TypeError('Constructor must not be called without "new"');
			/* So that `super` within it knows where it is: see above. */
			if (Object.hasOwn(Derived.prototype, '__init__'))
				this.__init__(...args);
			else
				this.super('__init__', args);
		}
		Object.setPrototypeOf(Derived, this);
		Derived.number = ++number;
		Derived.prototype = Object.create(this.prototype);
		Object.assign(Derived.prototype, members, { constructor: Derived });
		return Derived;
	};
	Class.instantiate = function(args) {
		return new this(...args);
	};
	Class.singleton = function(members, ...args) {
		return Class.extend(members).instantiate(args);
	};
	Class.isSubclass = function(other) {
		return typeof other === 'function' && other.prototype instanceof this;
	};

	window.Class = Class;
})();
