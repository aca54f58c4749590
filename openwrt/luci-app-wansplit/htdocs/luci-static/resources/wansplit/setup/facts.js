'use strict';
'require baseclass';

/*
 * Which interfaces lead to the Internet, from what netifd says of its interfaces and the firewall of its zones. Pure.
 */

/* What makes a tunnel. Offered apart: a tunnel needs a link that carries it. */
const TUNNELS = [
	'amneziawg', 'gre', 'gretap', 'grev6', 'grev6tap', 'ipip', 'n2n', 'openconnect', 'openvpn', 'sstp', 'tailscale', 'vpnc',
	'vti', 'vtiv6', 'vxlan', 'vxlan6', 'wireguard', 'xfrm', 'zerotier'
];

/* Both the way to some providers and the way to an office: the firewall's zone decides. */
const DIALLED_TUNNELS = [ 'l2tp', 'pptp' ];

/* OpenVPN and others make a device by themselves; netifd knows it without a protocol. */
const TUNNEL_DEVICE = /^(tun|tap|wg|awg|zt|tailscale)/;

const MOBILE = [ '3g', 'directip', 'mbim', 'modemmanager', 'ncm', 'qmi', 'wwan', 'xmm' ];
const WITH_PROVIDER = [ 'dhcp', 'dslite', 'ppp', 'pppoa', 'pppoe', ...MOBILE ];

/* Only the IPv6 half of a link, if there is another half. */
const IPV6_HALF = [ '6in4', '6rd', '6to4', 'dhcpv6' ];

const YES = [ '1', 'on', 'true', 'yes', 'enabled' ];

function list(value) {
	return Array.isArray(value) ? value : (value ?? '').split(/\s+/).filter(word => word !== '');
}

/* The device its packets leave by. `@wan` is no device but another interface. */
function deviceOf(entry) {
	const lower = (entry.device?.startsWith('@') || isTunnel(entry)) ? null : entry.device;

	return entry.l3_device ?? lower ?? null;
}

function isTunnel(entry) {
	return TUNNELS.includes(entry.proto) || DIALLED_TUNNELS.includes(entry.proto) || TUNNEL_DEVICE.test(entry.device ?? '');
}

function isDefault(route) {
	return route.mask === 0 && [ '0.0.0.0', '::' ].includes(route.target);
}

/* netifd keeps the default route of `defaultroute 0` among the inactive ones; wansplit takes it from there too. */
function defaultRoutes(entry) {
	return [ ...(entry.route ?? []), ...(entry.inactive?.route ?? []) ].filter(isDefault);
}

/* Whether `other` belongs to the link of `main`, by the same signs as the daemon's; and, while IPv6 is down and netifd
 * tells no device, by the name that everybody gives it. */
function isTwin(main, other) {
	if (main.interface === other.interface)
		return false;

	let parent = other.interface;
	while (/_[46]$/.test(parent)) {
		parent = parent.slice(0, -2);

		if (other.dynamic && parent === main.interface)
			return true;
	}

	return other.device === '@' + main.interface ||
		(deviceOf(main) != null && deviceOf(main) === deviceOf(other)) ||
		(IPV6_HALF.includes(other.proto) && other.interface === main.interface + '6');
}

/* Of twins the one that the others are called after: it is configured, and is not the IPv6 half. */
function rank(entry) {
	return (entry.dynamic ? 4 : 0) + (entry.device?.startsWith('@') ? 2 : 0) + (IPV6_HALF.includes(entry.proto) ? 1 : 0);
}

/* wan | vpn | other: what an interface is offered as. */
function kindOf(entry, zone) {
	if (entry.interface === 'loopback' || entry.l3_device === 'lo')
		return null;

	if (isTunnel(entry) && !(DIALLED_TUNNELS.includes(entry.proto) && zone?.name === 'wan'))
		return 'vpn';

	if (defaultRoutes(entry).length > 0 || zone?.masq || zone?.name === 'wan')
		return 'wan';

	/* A new line that is in no zone yet. In a zone that does not translate it is more likely a network of the house. */
	return (WITH_PROVIDER.includes(entry.proto) && zone == null) ? 'wan' : 'other';
}

/* Addresses that are no client's: the router's own, and those of its gateways. */
function notClients(dump) {
	return new Set(dump.flatMap(entry => [
		...(entry['ipv4-address'] ?? []).map(({ address }) => address),
		...(entry['ipv6-address'] ?? []).map(({ address }) => address),
		...(entry['ipv6-prefix-assignment'] ?? []).map(prefix => prefix['local-address']?.address),
		...defaultRoutes(entry).map(({ nexthop }) => nexthop)
	]));
}

return baseclass.extend({
	/* The devices of the house that LuCI has hints of, those with a name first: [{ mac, name, address }]. */
	clients(hints, dump) {
		const others = notClients(dump);

		return Object.entries(hints)
			.map(([ mac, { name, ipaddrs, ip6addrs } ]) => ({ mac: mac.toLowerCase(), name: name ?? '', addresses: [ ...(ipaddrs ?? []), ...(ip6addrs ?? []) ] }))
			.filter(({ addresses }) => !addresses.some(address => others.has(address)))
			.map(({ mac, name, addresses }) => ({ mac, name, address: addresses[0] ?? '' }))
			.sort((a, b) => ((a.name === '') - (b.name === '')) || a.name.localeCompare(b.name) || a.mac.localeCompare(b.mac));
	},

	/* The firewall's zones as findLinks takes them, from the sections of /etc/config/firewall. */
	zones(sections) {
		return sections.filter(section => section['.type'] === 'zone').map(section => ({
			name: section.name ?? '',
			networks: list(section.network),
			masq: YES.includes((section.masq ?? '').toLowerCase())
		}));
	},

	/*
	 * The links there could be, the likely ones first: { interface, kind: wan | vpn | other, proto, device, up, autostart,
	 * addresses, twins, mobile, zone: name | null, translates: bool | null }.
	 * `dump` is netifd's network.interface dump; `zones` is null if the firewall is unknown: then nothing is said about it.
	 */
	findLinks(dump, zones) {
		const zoneOf = name => zones?.find(zone => zone.networks.includes(name)) ?? null;
		const entries = [ ...dump ].sort((a, b) => rank(a) - rank(b) || a.interface.length - b.interface.length);
		const claimed = new Set();
		const links = [];

		for (const entry of entries) {
			const zone = zoneOf(entry.interface);
			const kind = kindOf(entry, zone);

			if (kind == null || claimed.has(entry.interface))
				continue;

			const twins = entries.filter(other => !claimed.has(other.interface) && isTwin(entry, other));
			const parts = [ entry, ...twins ];

			parts.forEach(part => claimed.add(part.interface));
			links.push({
				interface: entry.interface,
				kind: (kind === 'other' && twins.some(twin => kindOf(twin, zoneOf(twin.interface)) === 'wan')) ? 'wan' : kind,
				proto: entry.proto,
				mobile: MOBILE.includes(entry.proto),
				device: deviceOf(entry),
				up: parts.some(part => part.up),
				autostart: entry.autostart !== false,
				addresses: parts.flatMap(part => [ ...(part['ipv4-address'] ?? []), ...(part['ipv6-address'] ?? []) ])
					.map(({ address }) => address),
				twins: twins.map(twin => twin.interface),
				zone: zone?.name ?? null,
				translates: zones ? (zone?.masq ?? false) : null
			});
		}

		/* The order of the names, so that it does not jump when a link comes up: `wan` is before `wanb`. Mobile ones last: they are
		 * seldom meant to carry everything. */
		return links.sort((a, b) => (a.mobile - b.mobile) || ((a.interface < b.interface) ? -1 : 1));
	}
});
