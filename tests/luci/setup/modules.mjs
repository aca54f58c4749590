// Loads the wizard's pure modules as LuCI would: the body of a function whose arguments are what it requires.

import { readFileSync } from 'node:fs';

const RESOURCES = new URL('../../../openwrt/luci-app-wansplit/htdocs/luci-static/resources/', import.meta.url);

// What of LuCI's String.format the modules use.
String.prototype.format ??= function(...values) {
	return this.replace(/%([sdh%])/g, (all, kind) => (kind === '%') ? '%' : (kind === 'd') ? String(Math.trunc(values.shift())) : String(values.shift()));
};

/** A loader with this translation: loader(_)('wansplit.words'). */
export function loader(_) {
	const given = { baseclass: { extend: properties => properties } };
	const loaded = new Map(Object.entries(given));

	return function load(name) {
		if (!loaded.has(name)) {
			const source = readFileSync(new URL(name.replaceAll('.', '/') + '.js', RESOURCES), 'utf8');
			const required = [ ...source.matchAll(/^'require ([\w.]+)(?: as (\w+))?';$/gm) ];
			const names = required.map(([ , module, as ]) => as ?? module);
			const body = new Function('_', ...names, source);

			loaded.set(name, body(_, ...required.map(([ , module ]) => load(module))));
		}

		return loaded.get(name);
	};
}

/** A module by its name, untranslated: load('wansplit.setup.plan'). */
export const load = loader(text => text);
