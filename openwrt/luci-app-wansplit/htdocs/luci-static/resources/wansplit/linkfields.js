'use strict';
'require baseclass';
'require form';
'require tools.widgets as widgets';
'require uci';
'require wansplit.names as names';
'require wansplit.typed as typed';
'require wansplit.untouched as untouched';
'require wansplit.validate as validate';

/*
 * The fields of a link, in the tabs of its window. Titles and descriptions become HTML in LuCI's forms: what is not our own text is
 * escaped (%h).
 */

function added(section, tab, kind, option, title, description) {
	const field = section.taboption(tab, kind, option, title, description);

	field.modalonly = true;

	return field;
}

function text(section, tab, option, title, description, verdict, placeholder) {
	const field = added(section, tab, form.Value, option, title, description);

	field.optional = true;
	field.validate = validate.option(verdict);
	field.placeholder = placeholder ?? null;

	return untouched.keep(field);
}

function list(section, tab, option, title, description, verdict) {
	const field = added(section, tab, form.DynamicList, option, title, description);

	field.optional = true;
	field.validate = validate.option(verdict);

	return typed.heed(untouched.keep(field));
}

function choice(section, tab, option, title, description, values) {
	const field = added(section, tab, form.ListValue, option, title, description);

	for (const [ value, label ] of values)
		field.value(value, label);
	field.default = values[0][0];

	return untouched.keep(untouched.others(field, value => _('%s (not known)').format(value)));
}

/* A link is a network interface of OpenWrt, or a device with gateways of its own; the file has one option or the other. */
function attachment(section) {
	const kind = choice(section, 'link', '_kind', _('What it is'),
		_('Take an interface of Network → Interfaces, unless the router has none for it.'),
		[ [ 'interface', _('an interface') ], [ 'device', _('a device, gateways given by hand') ] ]);

	kind.cfgvalue = sid => uci.get('wansplit', sid, 'device') ? 'device' : 'interface';
	kind.write = () => null;
	kind.remove = () => null;

	const face = added(section, 'link', widgets.NetworkSelect, 'interface', _('Interface'),
		_('The interface to the provider. Its IPv6 twin, as wan6 of wan, belongs to it by itself.'));
	face.nocreate = true;
	face.rmempty = false;
	face.optional = false;
	face.exclude = 'lan';
	face.depends('_kind', 'interface');

	const device = text(section, 'link', 'device', _('Device'), _('As eth1 or tun0.'), validate.kinds.Device, 'eth1');
	device.optional = false;
	device.rmempty = false;
	device.depends('_kind', 'device');

	text(section, 'link', 'gateway', _('IPv4 gateway'), _('The address of the provider’s router. Nothing for a tunnel.'),
		validate.kinds.Ipv4, '192.0.2.1').depends('_kind', 'device');
	text(section, 'link', 'gateway6', _('IPv6 gateway'), _('The same for IPv6.'), validate.kinds.Ipv6, 'fe80::1').depends('_kind', 'device');
}

function watching(section) {
	const hosts = list(section, 'watch', 'track_ip', _('Hosts to ask'),
		_('Addresses in the Internet that always answer. When none of them answers by this link, it is down. Nothing: it counts as up while its interface is.'),
		validate.kinds.TrackedHost);
	for (const host of [ '1.1.1.1', '8.8.8.8', '9.9.9.9', '2606:4700:4700::1111', '2001:4860:4860::8888', '2620:fe::fe' ])
		hosts.value(host, host);

	choice(section, 'watch', 'track_method', _('How to ask'), _('Most hosts answer a ping.'), [
		[ 'ping', _('ping') ], [ 'tcp', _('open a TCP connection') ], [ 'dns', _('look up a name (DNS)') ], [ 'http', _('load a page (HTTP)') ],
		[ 'arp', _('ask the gateway alone (ARP)') ]
	]);
	text(section, 'watch', 'interval', _('How often'), _('The time between two questions. Shorter finds a failure sooner and costs more data.'),
		validate.duration(100, 3600000), '1s');
	text(section, 'watch', 'timeout', _('Patience'), _('How long an answer is waited for. Nothing: as often as it asks, at most 1s.'),
		validate.duration(10, 60000));
	text(section, 'watch', 'down', _('Failures until it is down'), _('So many questions in a row without an answer.'), validate.number(1, 100), '3');
	text(section, 'watch', 'up', _('Answers until it is up'), _('So many in a row.'), validate.number(1, 100), '3');
	text(section, 'watch', 'reliability', _('Hosts that must answer'), _('Of each IP version.'), validate.number(1, 32), '1');
	text(section, 'watch', 'max_loss', _('Bad from this loss on'), _('In percent of the questions. A bad link is used when no good one is left.'),
		validate.kinds.Percent, '40');
	text(section, 'watch', 'max_latency', _('Bad from this delay on'), _('The mean time of an answer, as 300ms.'), validate.duration(1, 60000), '300ms');
}

function limits(section) {
	text(section, 'limits', 'speed', _('Speed'), _('What the provider sells, as 300M: for policies that share by speed.'), validate.kinds.Speed, '300M');
	text(section, 'limits', 'max', _('Data allowance'), _('As 10G. When it is used up, the link is used only if no other works.'), validate.kinds.Bytes, '10G');
	choice(section, 'limits', 'max_per', _('Allowance per'), _('When the count begins anew.'), [
		[ 'month', _('month') ], [ 'week', _('week') ], [ 'day', _('day') ]
	]).depends({ max: /./, '!contains': true });
}

function tunnel(section) {
	const via = choice(section, 'tunnel', 'via', _('Carried by'),
		_('For a VPN: which link or policy takes the tunnel’s own packets. They never go into the tunnel itself.'), [
			[ '', _('as the rules for the router say') ], [ 'main', _('the router’s default way') ]
		]);
	via.optional = true;
	via.load = function(sid) {
		for (const name of [ ...names.allOf('policy'), ...names.allOf('link') ])
			if (name !== names.nameOf(sid) && !this.keylist.includes(name))
				this.value(name, name);

		return uci.get('wansplit', sid, 'via');
	};

	list(section, 'tunnel', 'endpoint', _('Servers of the tunnel'),
		_('Needed for OpenVPN and the like; WireGuard is asked for its own. As 192.0.2.1:1194, or *:1194 if the address changes.'),
		validate.kinds.Endpoint);
}

function advanced(section) {
	choice(section, 'advanced', 'fallback', _('When it is down'), _('For rules that lead to this link alone, without a policy.'), [
		[ 'main', _('the router’s default way') ], [ 'unreachable', _('nothing leaves: refused at once') ],
		[ 'blackhole', _('nothing leaves: silently dropped') ]
	]);

	const flush = added(section, 'advanced', form.MultiValue, 'flush_conntrack', _('Connections choose anew'),
		_('When the link goes down, those on it are moved or broken off at once. When it is back, those that had left it are called back.'));
	flush.value('down', _('when it goes down'));
	flush.value('up', _('when it is back'));
	flush.value('none', _('never'));
	flush.display_size = 3;
	untouched.keep(flush);

	choice(section, 'advanced', 'masq6', _('IPv6 translation'), _('Whether IPv6 addresses are translated on this link, as IPv4 addresses are.'), [
		[ 'auto', _('as the firewall’s zone says') ], [ '1', _('yes') ], [ '0', _('no') ]
	]);
	text(section, 'advanced', 'mark', _('Mark'), _('Fixes the packet mark of the link. Nothing: it is chosen by the name.'), validate.bits(1, 4294967295));
	text(section, 'advanced', 'table', _('Routing table'), _('Fixes the number of its routing table.'), validate.number(1, 4294967295));
	text(section, 'advanced', 'priority', _('Rule priority'), _('Fixes the priority of its ip rule.'), validate.number(3, 32000));
}

return baseclass.extend({
	tabs(section) {
		section.tab('link', _('Link'));
		section.tab('watch', _('Is it working?'));
		section.tab('limits', _('Speed and data'));
		section.tab('tunnel', _('VPN'));
		section.tab('advanced', _('Advanced'));
	},

	/* All but the name. */
	add(section) {
		attachment(section);
		watching(section);
		limits(section);
		tunnel(section);
		advanced(section);
	},

	/* The fields of `config globals`. */
	globals(section) {
		const plain = (kind, option, title, description) => section.option(kind, option, title, description);
		const value = (option, title, description, verdict, placeholder) => {
			const field = plain(form.Value, option, title, description);

			field.optional = true;
			field.validate = validate.option(verdict);
			field.placeholder = placeholder;
		};

		const enabled = plain(form.Flag, 'enabled', _('Switched on'), _('Off: everything goes the way it would without wansplit.'));
		enabled.rmempty = false;
		/* OpenWrt takes five words for yes. */
		enabled.cfgvalue = sid => [ '1', 'on', 'true', 'yes', 'enabled' ].includes(uci.get('wansplit', sid, 'enabled')) ? '1' : '0';

		const level = plain(form.ListValue, 'log_level', _('Log'), _('How much is written to the system log.'));
		for (const [ word, label ] of [
			[ 'info', _('what happens') ], [ 'error', _('errors alone') ], [ 'warn', _('errors and warnings') ], [ 'debug', _('everything') ]
		])
			level.value(word, label);
		level.default = 'info';

		value('mask', _('Mark bits'), _('The bits of packet marks that belong to wansplit. Change them only if another program uses the same.'),
			validate.kinds.Mask, '0xff000000');
		value('rule_priority', _('First rule priority'), _('The priority of wansplit’s first ip rule.'), validate.number(3, 32000), '800');

		const directories = plain(form.DynamicList, 'dnsmasq_dir', _('dnsmasq folders'),
			_('Where dnsmasq reads more configuration. OpenWrt’s own are found by themselves.'));
		directories.optional = true;
		directories.validate = validate.one('Directory');
		typed.heed(untouched.keep(directories));
	}
});
