'use strict';
'require baseclass';
'require wansplit.services as services';

/*
 * A question to `explain`, in its three forms: the fields of the page, the address bar, and the arguments of the daemon.
 * The fields are { router, source, source_port, destination, destination_port, protocol, iface, mac, dscp, icmp_type, mark, uid },
 * all but `router` text.
 */
const MORE = [ 'iface', 'mac', 'dscp', 'icmp_type', 'mark', 'uid' ];

/* An address with a port, as the daemon reads it: 192.0.2.1:443, [2001:db8::1]:443. */
function withPort(address, port) {
	if (port == null || port === '')
		return address;

	return address.includes(':') ? '[%s]:%s'.format(address, port) : '%s:%s'.format(address, port);
}

/* The opposite. */
function parted(text) {
	const [ , bracketed, bracketedPort ] = text.match(/^\[([^\]]*)\](?::(.*))?$/) ?? [];

	if (bracketed != null)
		return [ bracketed, bracketedPort ?? '' ];

	const [ , address, port ] = text.match(/^([^:]*):([^:]*)$/) ?? [];

	return (address != null) ? [ address, port ] : [ text, '' ];
}

function isNumber(text, most) {
	return /^\d+$/.test(text) && +text <= most;
}

function isMark(text) {
	return /^(\d+|0x[0-9a-f]+)$/i.test(text) && +text <= 0xffffffff;
}

/* A host as the browser understands it: an IPv6 address in brackets, or a name; null if it is neither. */
function hostOf(text) {
	try {
		return new URL('http://%s/'.format(text)).hostname;
	}
	catch {
		return null;
	}
}

/* As the daemon reads them: four numbers, without the short forms that browsers know. */
const isV4 = text => /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every(number => number <= 255);
const isV6 = text => text.includes(':') && hostOf('[%s]'.format(text)) != null;
const isAddress = text => isV4(text) || isV6(text);

/* The name of a host as the DNS has it, or null: letters beyond ASCII become what begins with xn--. */
function hostName(text) {
	const isName = !isAddress(text) && /^[\p{L}\d_-]+(\.[\p{L}\d_-]+)*\.?$/u.test(text) && /\p{L}/u.test(text);

	return isName ? hostOf(text) : null;
}

return baseclass.extend({
	withPort, hostName,

	/* Of these addresses the first that a sender can ask for: of the same IP version. The router has both. */
	addressFor(fields, addresses) {
		return addresses.find(address => fields.router || isV4(address) === isV4(fields.source));
	},

	/* The fields out of the query of an address bar, or null if nothing is asked there. */
	fromQuery(query) {
		const asked = new URLSearchParams(query);

		if (!asked.has('source') && !asked.has('destination'))
			return null;

		const source = asked.get('source') ?? '';
		const [ , own, ownPort ] = source.match(/^(router)(?::(.*))?$/) ?? [];
		const [ from, fromPort ] = own ? [ '', ownPort ?? '' ] : parted(source);
		const [ to, toPort ] = parted(asked.get('destination') ?? '');
		const fields = {
			router: own != null, source: from, source_port: fromPort, destination: to, destination_port: toPort,
			protocol: asked.get('protocol') ?? 'tcp'
		};

		for (const name of MORE)
			fields[name] = asked.get(name) ?? '';

		return fields;
	},

	/* The daemon's arguments out of the fields. What is empty, or means nothing in this question, is left out. */
	arguments(fields) {
		const hasPorts = services.hasPorts(fields.protocol);
		const port = name => hasPorts ? fields[name] : '';
		const question = {
			protocol: fields.protocol,
			source: fields.router ? withPort('router', port('source_port')) : withPort(fields.source, port('source_port')),
			destination: withPort(fields.destination, port('destination_port'))
		};
		const means = {
			iface: !fields.router, mac: !fields.router, uid: fields.router, icmp_type: services.isIcmp(fields.protocol)
		};

		for (const name of MORE)
			if (fields[name] && (means[name] ?? true))
				question[name] = [ 'dscp', 'icmp_type', 'uid' ].includes(name) ? +fields[name] : fields[name];

		return question;
	},

	/* The address of the page that asks this; `question` is what `arguments` makes. */
	url(question) {
		const asked = Object.entries(question).filter(([ , value ]) => value != null && value !== '');

		return L.url('admin/network/wansplit/explain') + '?' + new URLSearchParams(asked);
	},

	/* What is wrong with the fields: { name of the field: sentence }. The daemon knows more, and is asked only if this is empty. */
	complaints(fields) {
		const wrong = {};
		const check = (name, good, sentence) => {
			if (!good && wrong[name] == null)
				wrong[name] = sentence;
		};
		const optional = (name, good, sentence) => check(name, !fields[name] || good(fields[name]), sentence);
		const address = _('This is not an address. Write one like 192.168.1.10 or 2001:db8::10.');

		if (!fields.router) {
			check('source', fields.source, _('Choose the device that asks, or write its address.'));
			check('source', isAddress(fields.source), address);
		}
		check('destination', fields.destination, _('Write the address or the name that is asked for.'));
		check('destination', isAddress(fields.destination) || hostName(fields.destination),
			_('This is neither an address nor a name. Write one like 1.1.1.1, 2001:db8::1 or example.com.'));
		if (!fields.router && !wrong.source && isAddress(fields.destination))
			check('destination', isV4(fields.source) === isV4(fields.destination),
				_('One address is IPv4 and the other is IPv6: a connection has two of the same kind.'));

		check('protocol', fields.protocol, _('Choose a protocol.'));
		const port = text => isNumber(text, 65535);
		const portSentence = _('A port is a number up to 65535.');

		if (services.hasPorts(fields.protocol)) {
			check('destination_port', fields.destination_port, _('This protocol has ports: write which, for example 443.'));
			optional('destination_port', port, portSentence);
			optional('source_port', port, portSentence);
		}
		optional('mac', text => /^([0-9a-f]{1,2}[:-]){5}[0-9a-f]{1,2}$/i.test(text),
			_('An Ethernet address looks like 02:00:00:00:00:01.'));
		optional('dscp', text => isNumber(text, 63), _('A DSCP value is a number from 0 to 63.'));
		optional('icmp_type', text => isNumber(text, 255), _('A type of ICMP is a number from 0 to 255.'));
		optional('mark', isMark, _('A mark is a number, for example 0x10000.'));
		optional('uid', text => isNumber(text, 0xfffffffe), _('A user is a number, for example 1000.'));

		return wrong;
	},

	/* The field that a sentence of the daemon's is about, or null: it quotes what it could not read. */
	blamed(sentence, fields) {
		const [ , quoted ] = sentence.match(/^'([^']*)'/) ?? [];

		if (quoted == null)
			return null;

		const pieces = {
			source: withPort(fields.source, fields.source_port), destination: withPort(fields.destination, fields.destination_port),
			protocol: fields.protocol, mac: fields.mac, mark: fields.mark, source_port: fields.source_port
		};

		return Object.keys(pieces).find(name => pieces[name] === quoted) ?? null;
	}
});
