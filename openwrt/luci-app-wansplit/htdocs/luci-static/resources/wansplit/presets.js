'use strict';
'require baseclass';
'require wansplit.setup.services as wizard';

/*
 * Services a rule can be filled in with: { id, title, proto, dest_port }. Those of the wizard, and more of what people ask for.
 */

/* A rule has one list of protocols and one of ports: what a service has in several parts is put together. */
function together({ id, title, matches }) {
	const all = option => [ ...new Set(matches.flatMap(match => match[option])) ];

	return { id, title, proto: all('proto'), dest_port: all('dest_port') };
}

return baseclass.extend({
	all() {
		return [
			...wizard.services.map(together),
			{ id: 'vpn', title: _('VPN of a device (WireGuard, OpenVPN, IPsec)'), proto: [ 'udp' ], dest_port: [ '500', '1194', '4500', '51820' ] },
			{ id: 'remote', title: _('Remote terminals and desktops'), proto: [ 'tcp' ], dest_port: [ '22', '3389', '5900' ] },
			{ id: 'files', title: _('File transfer (FTP, rsync)'), proto: [ 'tcp' ], dest_port: [ '20-21', '873' ] },
			{ id: 'push', title: _('Messages on telephones'), proto: [ 'tcp' ], dest_port: [ '5222-5223', '5228-5230' ] },
			{ id: 'time', title: _('Time (NTP)'), proto: [ 'udp' ], dest_port: [ '123' ] }
		];
	},

	/* The service that these protocols and ports are, or undefined. */
	find(proto, ports) {
		const key = values => [ ...L.toArray(values) ].sort().join(' ');

		return this.all().find(preset => key(preset.proto) === key(proto) && key(preset.dest_port) === key(ports));
	}
});
