'use strict';
'require baseclass';
'require wansplit.addresses as addresses';

/*
 * What may stand in an option: the same verdicts as the router's `wansplit check` gives, in the words of the pages. Pure.
 * `tests/luci_validation.rs` asks both about the same values.
 *
 * Each function takes one value, as a text, and answers true or a sentence that says what would be right.
 */

const DAYS = [ 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday' ];

const PROTOCOLS = [
	'tcp', 'udp', 'icmpv4', 'icmp', 'icmpv6', 'ipv6-icmp', 'igmp', 'ipip', 'ipencap', 'dccp', 'gre', 'esp', 'ah', 'ospf', 'l2tp',
	'sctp', 'udplite', 'any', 'all'
];

const ICMP_TYPES = [
	'echo-request', 'echo-reply', 'destination-unreachable', 'packet-too-big', 'time-exceeded', 'parameter-problem', 'redirect',
	'router-solicitation', 'router-advertisement', 'timestamp-request', 'timestamp-reply', 'ping'
];

const DSCP = /^(be|le|ef|cs[0-7]|af[1-4][1-3])$/;

/* A device's name has at most 15 bytes in the kernel; netifd's names may be longer. */
const DEVICE_BYTES = 15;
const INTERFACE_BYTES = 64;

/* (uid_t)-1 means nobody at all. */
const LAST_USER = 4294967294;

/* In kbit/s; a number alone is in Mbit/s. */
const SPEED = [ [ 'k', 1 ], [ 'M', 1000 ], [ 'G', 1000000 ], [ '', 1000 ] ];
const BYTES = [ [ 'k', 1e3 ], [ 'M', 1e6 ], [ 'G', 1e9 ], [ 'T', 1e12 ] ];
/* In milliseconds; a number alone is in seconds. */
const TIME = [ [ 'ms', 1 ], [ 's', 1000 ], [ 'm', 60000 ], [ 'h', 3600000 ], [ '', 1000 ] ];

function decimal(text, most = 4294967295) {
	return (/^[0-9]+$/.test(text) && +text <= most) ? +text : null;
}

function bits(text) {
	const hexadecimal = /^0[xX]0*([0-9a-fA-F]{1,8})$/.exec(text);

	return hexadecimal ? parseInt(hexadecimal[1], 16) : decimal(text);
}

/* A number with a unit, which comes out whole in the smallest of them; null if it is none. */
function quantity(text, units) {
	for (const [ unit, factor ] of units) {
		const digits = text.endsWith(unit) ? text.slice(0, text.length - unit.length) : '';

		if (!/[0-9]$/.test(digits))
			continue;

		const parts = /^([0-9]+)(?:\.([0-9]{1,3}))?$/.exec(digits);

		if (!parts)
			return null;

		const thousandths = BigInt((parts[2] ?? '').padEnd(3, '0')) * BigInt(factor);

		return (thousandths % 1000n === 0n) ? BigInt(parts[1]) * BigInt(factor) + thousandths / 1000n : null;
	}

	return null;
}

function within(number, least, most) {
	return number !== null && number >= BigInt(least) && number <= BigInt(most);
}

/* A value that may have a `!` in front of it, unless it is everything there is. */
function signed(one, isEverything = () => false) {
	return text => {
		if (!text.startsWith('!'))
			return one(text);

		return (isEverything(text.slice(1))) ? _('Nothing would be left.') : one(text.slice(1));
	};
}

/* `a-b` between two numbers. */
function range(text, separator, least, most) {
	const ends = text.split(separator);
	const numbers = ends.map(end => decimal(end));

	return ends.length <= 2 && numbers.every(number => number !== null && number >= least && number <= most) &&
		numbers[0] <= numbers[numbers.length - 1];
}

function entry(text) {
	const slash = text.indexOf('/'), dash = text.indexOf('-');
	const wrong = addresses.looksLikeName(text)
		? _('Names of hosts are not looked up here: write the address.')
		: _('Write an address, a network as 192.168.1.0/24 or 2001:db8::/32, or a range as 192.168.1.10-192.168.1.20.');

	if (slash >= 0) {
		const address = addresses.parse(text.slice(0, slash));

		return (!address) ? wrong : addresses.length(address.family, text.slice(slash + 1)) !== null || ((address.family === 4)
			? _('Behind the slash stands a number from 0 to 32, or a netmask as 255.255.255.0.')
			: _('Behind the slash stands a number from 0 to 128.'));
	}

	if (dash < 0 || addresses.looksLikeName(text))
		return addresses.parse(text) ? true : wrong;

	const [ first, last ] = [ addresses.parse(text.slice(0, dash)), addresses.parse(text.slice(dash + 1)) ];

	if (!first || !last)
		return wrong;

	if (first.family !== last.family)
		return _('A range begins and ends in the same family, IPv4 or IPv6.');

	return first.number <= last.number || _('The range runs backwards: write the lower address first.');
}

function gateway(text, family) {
	const address = addresses.parse(text);

	if (!address || address.family !== family)
		return (family === 4) ? _('Write an IPv4 address, as 192.0.2.1.') : _('Write an IPv6 address, as fe80::1.');

	return !(nowhere(address) || (family === 4 && address.number === 0xffffffffn)) || _('This address cannot be a gateway.');
}

/* Unspecified, loopback, multicast: none of them is a place in the Internet. */
function nowhere({ family, number }) {
	return (family === 4)
		? number === 0n || (number >> 24n) === 127n || (number >> 28n) === 14n
		: number <= 1n || (number >> 120n) === 255n;
}

/* { address, port } of an address with or without brackets and port, and of `*:PORT`; null if it is none. */
function place(text) {
	const inner = /^\[(.*:.*)\]$/.exec(text)?.[1];
	const address = addresses.parse(inner ?? text);

	if (address)
		return { address, port: null };

	const parts = /^(\*|\[([^\]]*)\]|[0-9.]+):([0-9]+)$/.exec(text);
	const host = parts && addresses.parse(parts[2] ?? parts[1]);
	const port = parts && decimal(parts[3], 65535);

	if (!parts || !port || (parts[1] !== '*' && host?.family !== ((parts[2] === undefined) ? 4 : 6)))
		return null;

	return { address: host, port };
}

function trackedHost(text) {
	const { address } = place(text) ?? {};
	const refused = ({ family, number }) => (family === 4) ? number === 0xffffffffn : (number >> 32n) === 0xffffn;

	return !!address && !nowhere(address) && !refused(address);
}

function endpoint(text) {
	const found = place(text);

	return !!found && (found.address === null || !nowhere(found.address));
}

function weekday(text) {
	const name = text.toLowerCase();

	return DAYS.some(day => name === day || name === day.slice(0, 3));
}

function seconds(text) {
	const parts = text.split(':');

	if (parts.length < 2 || parts.length > 3 || !parts.every(part => /^[0-9]{1,2}$/.test(part)) || +parts[1] > 59 || +(parts[2] ?? 0) > 59)
		return null;

	return parts[0] * 3600 + parts[1] * 60 + +(parts[2] ?? 0);
}

const kinds = {
	Name: text => (text !== '' && !/\p{Cc}/u.test(text) && text.trim() === text) ||
		_('A name cannot be empty, begin or end with a blank, or have control characters in it.'),

	Interface: text => (/^[A-Za-z0-9._\-+~=]+$/.test(text) && text.length <= INTERFACE_BYTES && text !== '.' && text !== '..') ||
		_('Write the name of an interface, as wan.'),

	Device: text => (/^[A-Za-z0-9._\-+~=]+$/.test(text) && text.length <= DEVICE_BYTES && text !== '.' && text !== '..') ||
		_('Write the name of a device, as eth1: at most 15 letters and digits.'),

	Ipv4: text => gateway(text, 4),

	Ipv6: text => gateway(text, 6),

	Protocol: signed(text => PROTOCOLS.includes(text.toLowerCase()) || decimal(text, 255) !== null ||
		_('Write a protocol, as tcp, udp or icmp, or its number from 0 to 255.'), text => /^(any|all)$/i.test(text)),

	Address: signed(entry, text => /\/0+$|\/0\.0\.0\.0$/.test(text)),

	Entry: entry,

	Port: signed(text => range(text.replace(':', '-'), '-', 1, 65535) ||
		_('Write a port from 1 to 65535, or a range, as 8000-8080.')),

	Mac: signed(text => /^[0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}(\1[0-9a-fA-F]{2}){4}$/.test(text) ||
		_('Write six pairs of hexadecimal digits, as 52:54:00:12:34:56.')),

	IcmpType: signed(text => ICMP_TYPES.includes(text.toLowerCase()) || decimal(text, 255) !== null ||
		_('Write a type of ICMP, as echo-request (a ping), or its number from 0 to 255.')),

	Domain: text => {
		const name = text.replace(/^(\*\.|\.)/, '').replace(/\.$/, '');

		if (addresses.parse(text))
			return _('This is an address, not a domain.');

		return (name.length <= 253 && name.split('.').every(label => /^[0-9A-Za-z_-]{1,63}$/.test(label))) ||
			_('Write a name alone, as example.com, without http:// and without a path.');
	},

	Path: text => (text.startsWith('/') && !text.includes('\0')) || _('Write the whole path, as /etc/wansplit/streams.list.'),

	/* dnsmasq parts its settings by commas. */
	Directory: text => (text.startsWith('/') && !/[,]|\p{Cc}/u.test(text)) || _('Write the whole path of the folder, as /etc/dnsmasq.d.'),

	Weekday: signed(text => {
		const ends = text.split('-');

		return (ends.length <= 2 && ends.every(weekday)) || _('Write a day of the week in English, as mon, or a range, as mon-fri.');
	}),

	/* The end of a time may be 24:00, its beginning may not. */
	StartTime: text => (seconds(text) !== null && seconds(text) < 86400) || _('Write hours and minutes, as 22:00 or 06:30.'),

	TimeOfDay: text => (seconds(text) !== null && seconds(text) <= 86400) || _('Write hours and minutes, as 22:00 or 06:30.'),

	ArrivalInterface: signed(text => kinds.Interface(text)),

	Dscp: signed(text => DSCP.test(text.toLowerCase()) || (bits(text) !== null && bits(text) <= 63) ||
		_('Write a number from 0 to 63, or a name: be, le, ef, cs0 to cs7, af11 to af43.')),

	User: signed(text => range(text, '-', 0, LAST_USER) || _('Write the number of a user, as 1000, or a range, as 1000-1999.')),

	Speed: text => within(quantity(text, SPEED), 1, 1e9) || _('Write bits a second, as 300M or 2.5G; a number alone is Mbit/s.'),

	Bytes: text => within(quantity(text, BYTES), 1000, 1e15) || _('Write a number with its unit, as 500M, 10G or 1.5T.'),

	Percent: text => (decimal(text.replace(/%$/, '')) >= 1 && decimal(text.replace(/%$/, '')) <= 100) || _('Write a number from 1 to 100.'),

	TrackedHost: text => trackedHost(text) || _('Write an address, as 1.1.1.1, perhaps with a port, as 1.1.1.1:53 or [2606:4700:4700::1111]:53.'),

	Endpoint: text => endpoint(text) || _('Write an address, perhaps with a port, as 192.0.2.1:51820, or a port at any address, as *:51820.'),

	Mask: text => {
		const mask = bits(text);
		const run = (mask !== null) ? mask.toString(2) : '';

		return /^11+0*$/.test(run) || _('Write an unbroken run of at least two bits, as 0xff000000.');
	},

	ForeignMark: signed(text => {
		const [ value, mask, more ] = text.split('/');

		return (more === undefined && bits(value) !== null && (mask === undefined || bits(mask) !== null)) ||
			_('Write a value and a mask, as 0x10000/0xff0000.');
	})
};

return baseclass.extend({
	/* The functions by the kind of value; the names are those of the program's table of options. */
	kinds,

	number(least, most) {
		return text => (decimal(text) !== null && decimal(text) >= least && decimal(text) <= most) ||
			_('Write a number from %d to %d.').format(least, most);
	},

	bits(least, most) {
		return text => (bits(text) !== null && bits(text) >= least && bits(text) <= most) ||
			_('Write a number, in decimal or as 0x1f.');
	},

	/* `least` and `most` in milliseconds. */
	duration(least, most) {
		return text => within(quantity(text, TIME), least, most) || _('Write a time with its unit, as 500ms, 5s, 10m or 2h.');
	},

	/* The same for an option of LuCI's forms: nothing written is for the form to judge. */
	option(verdict) {
		return (section_id, value) => (value === '' || value == null) ? true : verdict(String(value));
	},

	/* By the name of a kind. */
	one(kind) {
		return this.option(kinds[kind]);
	}
});
