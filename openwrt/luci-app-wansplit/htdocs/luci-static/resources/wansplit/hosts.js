'use strict';
'require baseclass';

/*
 * Names of hosts by address. They come from whoever asked for a lease, so they are foreign text: show them as text only.
 */
const Hosts = baseclass.extend({
	/* `hints` are LuCI's: by Ethernet address { name, ipaddrs, ip6addrs }. */
	__init__(hints) {
		this.byAddress = new Map();

		for (const [ mac, hint ] of Object.entries(hints ?? {}))
			for (const address of [ ...L.toArray(hint?.ipaddrs), ...L.toArray(hint?.ip6addrs) ])
				this.byAddress.set(address, { mac, name: hint.name ?? '' });
	},

	/* The name of an address, or an empty string. */
	nameOf(address) {
		return this.byAddress.get(address)?.name ?? '';
	},

	/* The addresses a client may be picked from, without these, those with a name first: [{ address, name, mac }]. */
	clients(without = new Set()) {
		const known = [ ...this.byAddress ].map(([ address, { name, mac } ]) => ({ address, name, mac }));
		const isLinkLocal = address => /^fe[89ab]/i.test(address);

		return known.filter(host => !isLinkLocal(host.address) && !without.has(host.address)).sort((a, b) =>
			(a.name === '') - (b.name === '') || a.name.localeCompare(b.name) || a.address.localeCompare(b.address, 'en', { numeric: true }));
	}
});

return baseclass.extend({
	/* The hosts of these hints. */
	of(hints) {
		return new Hosts(hints);
	}
});
