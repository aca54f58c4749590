'use strict';
'require baseclass';

/* LuCI's data types as far as the pages name them; a name that is not here is an error, so that a slip of the pen is seen. */

const IPV4 = text => /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every(part => part <= 255);
const IPV6 = text => /^[0-9a-f:]*:[0-9a-f:]*(\.\d+){0,3}$/i.test(text) && URL.canParse?.(`http://[${text}]/`) !== false;
const number = (text, low, high) => /^-?\d+(\.\d+)?$/.test(text) && +text >= low && +text <= high;
const network = (address, bits) => text => {
	const [ host, length, ...more ] = text.split('/');
	return !more.length && address(host) && (length === undefined || number(length, 0, bits));
};

const TYPES = {
	bool: text => [ '0', '1', 'yes', 'no', 'on', 'off', 'true', 'false' ].includes(text),
	uinteger: text => /^\d+$/.test(text),
	integer: text => /^-?\d+$/.test(text),
	ufloat: text => number(text, 0, Infinity),
	float: text => number(text, -Infinity, Infinity),
	string: () => true,
	ip4addr: network(IPV4, 32),
	ip6addr: network(IPV6, 128),
	ipaddr: text => TYPES.ip4addr(text) || TYPES.ip6addr(text),
	cidr: text => text.includes('/') && TYPES.ipaddr(text),
	port: text => number(text, 0, 65535),
	portrange: text => text.split('-').length <= 2 && text.split('-').every(TYPES.port),
	macaddr: text => /^([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(text),
	hostname: text => text.length < 254 && /^[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/i.test(text),
	host: text => TYPES.hostname(text) || TYPES.ipaddr(text),
	network: text => TYPES.hostname(text),
	uciname: text => /^[a-zA-Z0-9_]+$/.test(text)
};
const BOUNDED = {
	min: (text, low) => number(text, +low, Infinity),
	max: (text, high) => number(text, -Infinity, +high),
	range: (text, low, high) => number(text, +low, +high),
	minlength: (text, length) => text.length >= +length,
	maxlength: (text, length) => text.length <= +length,
	rangelength: (text, low, high) => text.length >= +low && text.length <= +high
};

/* `or(ipaddr,range(1,9))` into its name and its arguments. */
function split(type) {
	const [ , name, inner ] = type.trim().match(/^(\w+)(?:\((.*)\))?$/) ?? [];
	const args = [];
	let depth = 0, from = 0;
	[ ...inner ?? '', ',' ].forEach((sign, at) => {
		depth += sign === '(' ? 1 : sign === ')' ? -1 : 0;
		if (sign === ',' && !depth && inner) {
			args.push(inner.slice(from, at));
			from = at + 1;
		}
	});
	return [ name, args ];
}

function fits(type, text) {
	const [ name, args ] = split(type);
	switch (name) {
	case 'or': return args.some(each => fits(each, text));
	case 'and': return args.every(each => fits(each, text));
	case 'neg': return fits(args[0], text.replace(/^[ \t]*![ \t]*/, ''));
	case 'list': return text.split(/\s+/).filter(Boolean).every(each => fits(args[0], each));
	}
	if (BOUNDED[name])
		return BOUNDED[name](text, ...args);
	if (!TYPES[name])
		throw new Error(`unknown data type ${type}`);
	return TYPES[name](text);
}

return baseclass.extend({
	/* What is wrong with a text; null if nothing is. */
	problem(type, optional, check, text) {
		const plain = text ?? '';
		if (plain === '' && !optional)
			return 'non-empty value';
		if (plain !== '' && type && !fits(type, plain))
			return type;
		const own = check?.(plain);
		return own === true || own === undefined ? null : String(own);
	}
});
