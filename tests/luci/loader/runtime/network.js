'use strict';
'require baseclass';
'require rpc';

/* What LuCI knows of the network, as far as the pages ask: interfaces as netifd dumps them, and the names of hosts. */

const dump = rpc.declare({ object: 'network.interface', method: 'dump', expect: { interface: [] } });
const hints = rpc.declare({ object: 'luci-rpc', method: 'getHostHints', expect: { '': {} } });

const Network = baseclass.extend({
	__init__(facts) {
		this.facts = facts;
	},
	getName() {
		return this.facts.interface;
	},
	getProtocol() {
		return this.facts.proto;
	},
	isUp() {
		return this.facts.up;
	},
	getIfname() {
		return this.facts.l3_device ?? this.facts.device ?? null;
	},
	getIPAddr() {
		return this.facts['ipv4-address']?.[0]?.address ?? null;
	},
	getIPAddrs() {
		return (this.facts['ipv4-address'] ?? []).map(({ address, mask }) => `${address}/${mask}`);
	},
	getIP6Addrs() {
		return (this.facts['ipv6-address'] ?? []).map(({ address, mask }) => `${address}/${mask}`);
	},
	getGatewayAddr() {
		return this.facts.route?.find(({ target, mask }) => target === '0.0.0.0' && mask === 0)?.nexthop ?? null;
	},
	getGateway6Addr() {
		return this.facts.route?.find(({ target, mask }) => target === '::' && mask === 0)?.nexthop ?? null;
	},
	getI18n() {
		return this.getProtocol();
	}
});

const Hosts = baseclass.extend({
	__init__(known) {
		this.hosts = known;
	},
	getMACHints() {
		return Object.entries(this.hosts).map(([ mac, host ]) => [ mac, host.name ?? host.ipaddrs?.[0] ?? '' ]);
	},
	getHostnameByMACAddr(mac) {
		return this.hosts[mac]?.name ?? null;
	},
	getHostnameByIPAddr(address) {
		return Object.values(this.hosts).find(host => host.ipaddrs?.includes(address))?.name ?? null;
	}
});

const networks = () => dump().then(list => list.map(facts => new Network(facts)));

return baseclass.extend({
	getNetworks: networks,
	getNetwork: name => networks().then(list => list.find(network => network.getName() === name) ?? null),
	getWANNetworks: () => networks().then(list => list.filter(network => network.getGatewayAddr())),
	getHostHints: () => hints().then(known => new Hosts(known)),
	getDevices: () => Promise.resolve([]),
	flushCache: () => Promise.resolve()
});
