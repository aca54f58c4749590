'use strict';
'require baseclass';

/* The two readers of addresses in LuCI's `validation`: parts as numbers, or null. */

function parseIPv4(text) {
	const parts = String(text).match(/^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/)?.slice(1).map(Number);
	return parts?.every(part => part < 256) ? parts : null;
}

/* Eight groups of 16 bits; `::` stands for as many zeros as are missing, and the end may be written as IPv4. */
function parseIPv6(text) {
	const old = String(text).match(/^(.*:)(\d+\.\d+\.\d+\.\d+)$/);
	const tail = old ? parseIPv4(old[2]) : [];
	if (!tail)
		return null;
	const hex = old ? old[1] + [ tail[0] << 8 | tail[1], tail[2] << 8 | tail[3] ].map(group => group.toString(16)).join(':') : String(text);
	const halves = hex.split('::').map(half => half ? half.split(':') : []);
	const groups = halves.flat();
	if (halves.length > 2 || !groups.every(group => /^[0-9a-f]{1,4}$/i.test(group)) || (halves.length === 2 ? groups.length > 7 : groups.length !== 8))
		return null;
	const zeros = Array(halves.length === 2 ? 8 - groups.length : 0).fill('0');
	return [ ...halves[0], ...zeros, ...halves[1] ?? [] ].map(group => parseInt(group, 16));
}

return baseclass.extend({ parseIPv4, parseIPv6 });
