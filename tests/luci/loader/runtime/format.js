/*
 * What LuCI adds to strings, and its translation functions; the language of the tests is English.
 *
 * `'%d of %h'.format(…)`: %s as it is, %h with HTML escaped, %q with quotes escaped, %d and %u whole, %f with a precision, %x, %X,
 * %o, %b, %c, %t a time span in seconds, %m with a unit prefix (`%.1m`, `%1024mB`), %% a percent sign; a width with a filling
 * before it; `%{name}` out of an object.
 */
(() => {
	'use strict';

	const ESCAPES = { '&': '&#38;', '"': '&#34;', "'": '&#39;', '<': '&#60;', '>': '&#62;' };
	const PREFIXES = [ ' ', ' K', ' M', ' G', ' T', ' P', ' E' ];
	const escaped = (value, signs) => value == null || typeof value === 'object' || typeof value === 'function'
		? '' : String(value).replace(signs, sign => ESCAPES[sign]);

	function span(seconds) {
		const parts = [ Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60 ];
		const words = parts.map((part, at) => `${part}${'dhms'[at]}`);
		return (parts[0] ? words : words.slice(1)).join(' ');
	}

	/* The width of %m is its base, its precision the number of decimals. */
	function prefixed(value, base, decimals) {
		let at = 0;
		for (; at < PREFIXES.length && value > base; at++)
			value /= base;
		return at ? value.toFixed(decimals) + PREFIXES[at] + (base === 1024 ? 'i' : '') : `${value} `;
	}

	const CONVERSIONS = {
		b: value => Math.floor(+value || 0).toString(2),
		c: value => String.fromCharCode(+value || 0),
		d: value => Math.floor(+value || 0).toFixed(0),
		f: (value, width, precision) => precision == null ? String(+value || 0) : (+value || 0).toFixed(precision),
		h: value => escaped(value, /[&"'<>]/g),
		j: value => String(value),
		m: (value, width, precision) => prefixed(+value || 0, width || 1000, precision ?? 2),
		o: value => Math.floor(+value || 0).toString(8),
		q: value => escaped(value, /["']/g),
		s: value => String(value),
		t: value => span(value || 0),
		u: value => Math.floor(+value < 0 ? 0x100000000 + +value : +value || 0).toFixed(0),
		x: value => Math.floor(+value || 0).toString(16),
		X: value => Math.floor(+value || 0).toString(16).toUpperCase()
	};

	String.prototype.format = function(...values) {
		const named = Object.assign({}, ...values.filter(value => value && typeof value === 'object' && !Array.isArray(value)));
		let next = 0;
		const pattern = /%%|%\{([^}:]+)\}|%('.|0| )?(-)?(\d+)?(?:\.(\d+))?([bcdfhjmoqstuxX])/g;
		return this.replace(pattern, (found, name, fill, left, width, precision, type) => {
			if (found === '%%')
				return '%';
			if (name)
				return String(named[name] ?? '');
			if (next >= values.length)
				return '';
			const value = values[next++];
			const text = value === undefined ? '' : CONVERSIONS[type](value, +width, precision && +precision);
			if (!width || type === 'm')
				return text;
			return left ? text.padEnd(+width) : text.padStart(+width, fill?.slice(-1) ?? ' ');
		});
	};
	String.format = (format, ...values) => format.format(...values);

	window._ = text => text;
	window.N_ = (number, one, more) => number === 1 ? one : more;
})();
