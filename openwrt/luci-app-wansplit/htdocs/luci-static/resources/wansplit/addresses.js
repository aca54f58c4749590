'use strict';
'require baseclass';

/*
 * Addresses, networks and ranges, read exactly as the router's program reads them. Pure.
 */

const WIDTH = { 4: 32, 6: 128 };

function ipv4(text) {
	const parts = text.split('.');

	/* No zero in front: some would read it as octal. */
	if (parts.length !== 4 || !parts.every(part => /^(0|[1-9][0-9]{0,2})$/.test(part) && +part <= 255))
		return null;

	return parts.reduce((number, part) => number * 256n + BigInt(part), 0n);
}

/* Groups between colons, the last perhaps an IPv4 address; null if they are none. */
function groups(text) {
	if (text === '')
		return [];

	const parts = text.split(':');
	const last = ipv4(parts[parts.length - 1]);

	if (last !== null)
		parts.splice(-1, 1, (last >> 16n).toString(16), (last & 0xffffn).toString(16));

	return parts.every(part => /^[0-9a-fA-F]{1,4}$/.test(part)) ? parts : null;
}

function ipv6(text) {
	const halves = text.split('::').map(groups);

	if (halves.length > 2 || halves.includes(null))
		return null;

	/* An IPv4 address stands at the very end. */
	if (halves.length === 2 && text.split('::')[0].includes('.'))
		return null;

	const written = halves.flat().length;

	/* `::` stands for one group at least. */
	if (halves.length === 1 ? written !== 8 : written > 7)
		return null;

	const zeros = Array(8 - written).fill('0');
	const all = (halves.length === 1) ? halves[0] : [ ...halves[0], ...zeros, ...halves[1] ];

	return all.reduce((number, group) => number * 65536n + BigInt('0x' + group), 0n);
}

/* { family: 4|6, number } of a single address; null if it is none. */
function parse(text) {
	const four = ipv4(text);

	if (four !== null)
		return { family: 4, number: four };

	const six = ipv6(text);

	return (six !== null) ? { family: 6, number: six } : null;
}

/* The length of a netmask as 255.255.255.0; null if its bits have a gap. */
function netmaskLength(text) {
	const mask = ipv4(text);

	if (mask === null)
		return null;

	const bits = mask.toString(2).padStart(32, '0');

	return /^1*0*$/.test(bits) ? bits.replace(/0/g, '').length : null;
}

return baseclass.extend({
	parse,

	/* Whether a text could only be a host's name. */
	looksLikeName(text) {
		return /[A-Za-z]/.test(text) && !text.includes(':');
	},

	/* A network's length, as it stands behind the slash; null if it is none. */
	length(family, text) {
		const length = /^[0-9]+$/.test(text) ? +text : (family === 4) ? netmaskLength(text) : null;

		return (length !== null && length <= WIDTH[family]) ? length : null;
	}
});
