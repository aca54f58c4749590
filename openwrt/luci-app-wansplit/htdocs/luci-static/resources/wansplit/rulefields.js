'use strict';
'require baseclass';
'require form';
'require uci';
'require wansplit.hosts as hosts';
'require wansplit.names as names';
'require wansplit.presets as presets';
'require wansplit.typed as typed';
'require wansplit.untouched as untouched';
'require wansplit.validate as validate';

/*
 * The fields of a rule, in the tabs of its window. Titles and descriptions become HTML in LuCI's forms; the labels of choices are
 * text in all of its widgets that are used here, so foreign names are given as they are.
 */

const DAYS = [ 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun' ];

function add(section, tab, widget, option, title, description) {
	const field = section.taboption(tab, widget, option, title, description);

	field.modalonly = true;

	return field;
}

function list(section, tab, option, title, description, kind) {
	const field = add(section, tab, form.DynamicList, option, title, description);

	field.optional = true;
	field.validate = validate.one(kind);

	return typed.heed(untouched.keep(field));
}

function flag(section, tab, option, title, description) {
	return untouched.keep(untouched.flag(add(section, tab, form.Flag, option, title, description)));
}

/* A choice; `synonyms` are other words for the values, which the program takes too. */
function choice(section, tab, option, title, description, values, synonyms = {}) {
	const field = add(section, tab, form.ListValue, option, title, description);

	field.optional = false;
	field.default = values[0][0];

	for (const [ value, label ] of values)
		field.value(value, label);

	untouched.words(field, synonyms);

	return untouched.keep(untouched.others(field, value => _('%s (not known)').format(value)));
}

function text(section, tab, option, title, description, verdict) {
	const field = add(section, tab, form.Value, option, title, description);

	field.validate = validate.option(verdict);

	return untouched.keep(field);
}

/* Filling in a service is an action, not an option: it is remembered nowhere. */
function preset(section) {
	const all = presets.all();
	const field = add(section, 'what', form.ListValue, '_preset', _('Service'),
		_('Fills in the protocols and ports below. You can change them afterwards.'));

	field.value('', _('as it stands below'));
	for (const { id, title } of all)
		field.value(id, title);

	field.optional = true;
	field.cfgvalue = sid => presets.find(uci.get('wansplit', sid, 'proto'), uci.get('wansplit', sid, 'dest_port'))?.id ?? '';
	field.write = () => null;
	field.remove = () => null;
	field.onchange = function(ev, sid, value) {
		const chosen = all.find(({ id }) => id === value);

		if (!chosen)
			return;

		for (const option of [ 'proto', 'dest_port' ])
			this.section.children.find(other => other.option === option).getUIElement(sid)?.setValue(chosen[option]);
	};
}

/* After a change by hand it says which service that is, if any. */
function tellPreset(ev, sid) {
	const value = option => this.section.children.find(other => other.option === option).getUIElement(sid);

	value('_preset')?.setValue(presets.find(value('proto')?.getValue(), value('dest_port')?.getValue())?.id ?? '');
}

function what(section) {
	preset(section);

	const proto = list(section, 'what', 'proto', _('Protocols'),
		_('Nothing: all of them; with ports, TCP and UDP.'), 'Protocol');
	for (const name of [ 'tcp', 'udp', 'icmp', 'esp', 'gre' ])
		proto.value(name, name.toUpperCase());
	proto.onchange = tellPreset;

	list(section, 'what', 'dest_port', _('Ports'), _('Ports of the server, as 443 or 8000-8080. With “!” in front: all but these.'), 'Port')
		.onchange = tellPreset;
	list(section, 'what', 'dest_ip', _('To addresses'),
		_('Addresses, networks (192.0.2.0/24) or ranges in the Internet. Nothing: anywhere. With “!” in front: all but these.'), 'Address');
	list(section, 'what', 'dest_domain', _('To domains'),
		_('As example.com, with everything below it. The router learns the addresses when your devices ask it for the names; this needs dnsmasq-full.'),
		'Domain');

	const sets = list(section, 'what', 'dest_set', _('To lists'), _('Lists of addresses: see the tab “Lists of addresses” of this page.'), 'Name');
	names.allOf('set').forEach(name => sets.value(name, name));
}

function who(section, clients, networks) {
	const address = list(section, 'who', 'src_ip', _('From addresses'),
		_('Devices of your network by address; networks and ranges too. Nothing: all of them.'), 'Address');
	const mac = list(section, 'who', 'src_mac', _('From devices'),
		_('By their Ethernet address, which stays when the IP address changes.'), 'Mac');
	const macs = new Map();

	for (const client of clients) {
		address.value(client.address, client.name ? '%s (%s)'.format(client.name, client.address) : client.address);
		if (client.mac && !macs.has(client.mac))
			macs.set(client.mac, client);
	}
	for (const [ key, client ] of macs)
		mac.value(key, '%s (%s)'.format(client.name || client.address, key));

	const iface = list(section, 'who', 'src_iface', _('From networks'),
		_('What comes in by these interfaces, as a guest network. With “!” in front: all but these.'), 'ArrivalInterface');
	networks.forEach(name => iface.value(name, name));

	const sets = list(section, 'who', 'src_set', _('From lists'), _('Lists of addresses of your own network.'), 'Name');
	names.allOf('set').forEach(name => sets.value(name, name));

	choice(section, 'who', 'from', _('Whose connections'), _('Those of the devices in your network, or those the router makes itself.'), [
		[ 'lan', _('of the devices in your network') ], [ 'router', _('of the router itself') ], [ 'any', _('both') ]
	]);

	const user = list(section, 'who', 'uid', _('Users of the router'),
		_('Programs of the router by the number of their user.'), 'User');
	user.depends('from', 'router');
}

/* The short name of a day; a range as mon-fri, or !sun, stays as it is. */
function day(written) {
	const short = written.toLowerCase().slice(0, 3);

	return (DAYS.includes(short) && validate.kinds.Weekday(written) === true && /^[a-z]+$/i.test(written)) ? short : written;
}

function when(section) {
	const titles = [ _('Monday'), _('Tuesday'), _('Wednesday'), _('Thursday'), _('Friday'), _('Saturday'), _('Sunday') ];
	const days = add(section, 'when', form.MultiValue, 'weekdays', _('Days'), _('Nothing: every day.'));

	days.optional = true;
	days.display_size = 8;
	DAYS.forEach((short, index) => days.value(short, titles[index]));
	days.load = sid => L.toArray(uci.get('wansplit', sid, 'weekdays')).flatMap(value => value.split(/\s+/)).map(day);
	untouched.keep(untouched.others(days, value => value));

	text(section, 'when', 'start_time', _('From'), _('Time of day, as 22:00, by the clock of the router. Nothing: from midnight.'),
		validate.kinds.StartTime).placeholder = '22:00';
	text(section, 'when', 'stop_time', _('Until'), _('Time of day; earlier than the beginning means on the next morning. Nothing: until midnight.'),
		validate.kinds.TimeOfDay).placeholder = '06:00';
}

function advanced(section) {
	list(section, 'advanced', 'src_port', _('Ports of the sender'), _('Seldom needed: ports of the device that asks.'), 'Port');
	list(section, 'advanced', 'icmp_type', _('Types of ICMP'), _('With the protocol ICMP: echo-request is a ping.'), 'IcmpType');
	list(section, 'advanced', 'dscp', _('DSCP'), _('The class that a packet says it is of, as ef or 46.'), 'Dscp');
	text(section, 'advanced', 'mark', _('Mark'), _('A packet mark that another program sets, with its mask: 0x10000/0xff0000.'), validate.kinds.ForeignMark);
	choice(section, 'advanced', 'family', _('IP version'), _('Addresses decide it by themselves.'), [
		[ 'any', _('both') ], [ 'ipv4', 'IPv4' ], [ 'ipv6', 'IPv6' ]
	], { ipv4: [ '4', 'inet' ], ipv6: [ '6', 'inet6' ] });
	choice(section, 'advanced', 'sticky', _('Stay on the link'),
		_('With a policy that shares: who goes on with the link that the first connection took.'), [
			[ '0', _('nobody') ], [ 'client', _('a device') ], [ 'destination', _('a device, for each server it talks to') ]
		], { client: [ '1' ] });

	const timeout = text(section, 'advanced', 'timeout', _('For how long'), _('After the last new connection, as 10m or 2h.'),
		validate.duration(1000, 24 * 3600 * 1000));
	timeout.placeholder = '10m';
	timeout.depends('sticky', 'client');
	timeout.depends('sticky', 'destination');

	flag(section, 'advanced', 'counter', _('Count connections'), _('Counts the connections it takes since the router started.'));
	flag(section, 'advanced', 'log', _('Log'), _('Writes the first packet of each connection to the kernel’s log.'));
}

return baseclass.extend({
	/* All fields but name, target and switch, which the list of rules shows as well. `hints` are LuCI's host hints, `networks` the
	 * router's interfaces, as LuCI knows them. */
	add(section, hints, networks) {
		const own = networks.flatMap(network => [ ...network.getIPAddrs(), ...network.getIP6Addrs() ]).map(address => address.split('/')[0]);

		what(section);
		who(section, hosts.of(hints).clients(new Set(own)), networks.map(network => network.getName()).filter(name => name !== 'loopback'));
		when(section);
		advanced(section);
	},

	/* Where a rule can lead: [[value, label], …]. */
	targets() {
		return [
			...names.allOf('policy').map(name => [ name, name ]),
			...names.allOf('link').map(name => [ name, _('only by %s').format(name) ]),
			[ 'main', _('as without wansplit (the router’s default way)') ],
			[ 'unreachable', _('nowhere: refused at once') ],
			[ 'blackhole', _('nowhere: silently dropped') ]
		];
	}
});
