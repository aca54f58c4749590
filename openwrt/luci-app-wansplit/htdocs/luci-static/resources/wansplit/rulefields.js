'use strict';
'require baseclass';
'require form';
'require tools.widgets as widgets';
'require uci';
'require wansplit.hosts as hosts';
'require wansplit.presets as presets';
'require wansplit.validate as validate';

/*
 * The fields of a rule, in the tabs of its window. Titles and descriptions become HTML in LuCI's forms, and so do the labels of
 * choices in some of its widgets: what is not our own text is escaped (%h).
 */

function names(type) {
	return uci.sections('wansplit', type).map(section => section.name ?? (section['.anonymous'] ? null : section['.name']))
		.filter(name => name);
}

function list(section, tab, option, title, description, kind) {
	const field = section.taboption(tab, form.DynamicList, option, title, description);

	field.modalonly = true;
	field.optional = true;
	field.validate = validate.one(kind);

	return field;
}

function flag(section, tab, option, title, description) {
	const field = section.taboption(tab, form.Flag, option, title, description);

	field.modalonly = true;

	return field;
}

function choice(section, tab, option, title, description, values) {
	const field = section.taboption(tab, form.ListValue, option, title, description);

	field.modalonly = true;
	field.optional = false;

	for (const [ value, label ] of values)
		field.value(value, label);

	return field;
}

function text(section, tab, option, title, description, verdict) {
	const field = section.taboption(tab, form.Value, option, title, description);

	field.modalonly = true;
	field.validate = validate.option(verdict);

	return field;
}

/* Filling in a service is an action, not an option: it is remembered nowhere. */
function preset(section) {
	const all = presets.all();
	const field = choice(section, 'what', '_preset', _('Service'),
		_('Fills in the protocols and ports below. You can change them afterwards.'),
		[ [ '', _('as it stands below') ], ...all.map(({ id, title }) => [ id, title ]) ]);

	field.optional = true;
	field.cfgvalue = sid => presets.find(uci.get('wansplit', sid, 'proto'), uci.get('wansplit', sid, 'dest_port'))?.id ?? '';
	field.write = () => null;
	field.remove = () => null;
	field.onchange = (ev, sid, value) => {
		const chosen = all.find(({ id }) => id === value);

		if (chosen)
			for (const option of [ 'proto', 'dest_port' ])
				section.getUIElement(sid, option)?.setValue(chosen[option]);
	};
}

function what(section) {
	preset(section);

	const proto = list(section, 'what', 'proto', _('Protocols'),
		_('Nothing: all of them; with ports, TCP and UDP.'), 'Protocol');
	for (const name of [ 'tcp', 'udp', 'icmp', 'esp', 'gre' ])
		proto.value(name, name.toUpperCase());

	list(section, 'what', 'dest_port', _('Ports'), _('Ports of the server, as 443 or 8000-8080. With “!” in front: all but these.'), 'Port');
	list(section, 'what', 'dest_ip', _('To addresses'),
		_('Addresses, networks (192.0.2.0/24) or ranges in the Internet. Nothing: anywhere. With “!” in front: all but these.'), 'Address');
	list(section, 'what', 'dest_domain', _('To domains'),
		_('As example.com, with everything below it. The router learns the addresses when your devices ask it for the names; this needs dnsmasq-full.'),
		'Domain');

	const sets = list(section, 'what', 'dest_set', _('To lists'), _('Lists of addresses: see the tab “Lists of addresses” of this page.'), 'Name');
	names('set').forEach(name => sets.value(name, '%h'.format(name)));
}

function who(section, clients) {
	const address = list(section, 'who', 'src_ip', _('From addresses'),
		_('Devices of your network by address; networks and ranges too. Nothing: all of them.'), 'Address');
	const mac = list(section, 'who', 'src_mac', _('From devices'),
		_('By their Ethernet address, which stays when the IP address changes.'), 'Mac');
	const macs = new Map();

	for (const client of clients) {
		address.value(client.address, '%h'.format(client.name ? '%s (%s)'.format(client.name, client.address) : client.address));
		if (client.mac && !macs.has(client.mac))
			macs.set(client.mac, client);
	}
	for (const [ key, client ] of macs)
		mac.value(key, '%h'.format('%s (%s)'.format(client.name || client.address, key)));

	const iface = section.taboption('who', widgets.NetworkSelect, 'src_iface', _('From networks'),
		_('What comes in by these interfaces, as a guest network.'));
	iface.modalonly = true;
	iface.multiple = true;
	iface.nocreate = true;
	iface.optional = true;

	const sets = list(section, 'who', 'src_set', _('From lists'), _('Lists of addresses of your own network.'), 'Name');
	names('set').forEach(name => sets.value(name, '%h'.format(name)));

	choice(section, 'who', 'from', _('Whose connections'), _('Those of the devices in your network, or those the router makes itself.'), [
		[ 'lan', _('of the devices in your network') ], [ 'router', _('of the router itself') ], [ 'any', _('both') ]
	]).default = 'lan';

	const user = list(section, 'who', 'uid', _('Users of the router'),
		_('Programs of the router by the number of their user.'), 'User');
	user.depends('from', 'router');
}

function when(section) {
	const days = section.taboption('when', form.MultiValue, 'weekdays', _('Days'), _('Nothing: every day.'));
	days.modalonly = true;
	days.optional = true;
	days.display_size = 8;
	for (const [ day, title ] of [
		[ 'mon', _('Monday') ], [ 'tue', _('Tuesday') ], [ 'wed', _('Wednesday') ], [ 'thu', _('Thursday') ],
		[ 'fri', _('Friday') ], [ 'sat', _('Saturday') ], [ 'sun', _('Sunday') ]
	])
		days.value(day, title);

	/* What was written by hand may be in other words: mon-fri, !sun. They are kept as they are, as choices of their own. */
	days.load = function(sid) {
		const written = L.toArray(uci.get('wansplit', sid, 'weekdays')).flatMap(value => value.split(/\s+/));

		for (const value of written)
			if (!this.keylist?.includes(value))
				this.value(value, '%h'.format(value));

		return written;
	};

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
	]).default = 'any';
	choice(section, 'advanced', 'sticky', _('Stay on the link'),
		_('With a policy that shares: who goes on with the link that the first connection took.'), [
			[ '0', _('nobody') ], [ 'client', _('a device') ], [ 'destination', _('a device, for each server it talks to') ]
		]).default = '0';

	const timeout = text(section, 'advanced', 'timeout', _('For how long'), _('After the last new connection, as 10m or 2h.'),
		validate.duration(1000, 24 * 3600 * 1000));
	timeout.placeholder = '10m';
	timeout.depends('sticky', 'client');
	timeout.depends('sticky', 'destination');

	flag(section, 'advanced', 'counter', _('Count'), _('Counts the connections it takes since the router started.'));
	flag(section, 'advanced', 'log', _('Log'), _('Writes the first packet of each connection to the kernel’s log.'));
}

return baseclass.extend({
	/* All fields but name, target and switch, which the list of rules shows as well. `hints` are LuCI's host hints. */
	add(section, hints) {
		what(section);
		who(section, hosts.of(hints).clients());
		when(section);
		advanced(section);
	},

	/* Where a rule can lead: [[value, label], …]. */
	targets() {
		return [
			...names('policy').map(name => [ name, '%h'.format(name) ]),
			...names('link').map(name => [ name, '%h'.format(_('only by %s').format(name)) ]),
			[ 'main', _('as without wansplit (the router’s default way)') ],
			[ 'unreachable', _('nowhere: refused at once') ],
			[ 'blackhole', _('nowhere: silently dropped') ]
		];
	}
});
