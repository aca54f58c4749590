'use strict';
'require baseclass';

/*
 * Services by their ports: the names people know, as far as IANA's list and habit agree on them.
 */
const NAMES = {
	tcp: {
		20: 'ftp-data', 21: 'ftp', 22: 'ssh', 23: 'telnet', 25: 'smtp', 53: 'dns', 80: 'http', 110: 'pop3', 123: 'ntp', 143: 'imap',
		179: 'bgp', 389: 'ldap', 443: 'https', 445: 'smb', 465: 'smtps', 554: 'rtsp', 587: 'submission', 636: 'ldaps',
		853: 'dns-tls', 873: 'rsync', 993: 'imaps', 995: 'pop3s', 1194: 'openvpn', 1723: 'pptp', 1883: 'mqtt', 1935: 'rtmp',
		3389: 'rdp', 3478: 'stun', 5060: 'sip', 5061: 'sips', 5222: 'xmpp', 5223: 'apple-push', 5228: 'google-push',
		5900: 'vnc', 8080: 'http', 8443: 'https', 8883: 'mqtts'
	},
	udp: {
		53: 'dns', 67: 'dhcp', 69: 'tftp', 80: 'quic', 123: 'ntp', 161: 'snmp', 443: 'quic', 500: 'ipsec', 853: 'dns-quic',
		1194: 'openvpn', 1701: 'l2tp', 1900: 'upnp', 3389: 'rdp', 3478: 'stun', 3479: 'stun', 4500: 'ipsec', 5060: 'sip',
		5353: 'mdns', 8801: 'zoom', 19302: 'stun', 51820: 'wireguard'
	}
};

/* Protocols that have ports. */
const WITH_PORTS = [ 'tcp', 'udp', 'dccp', 'sctp', 'udplite' ];

return baseclass.extend({
	/* A service's name by protocol and port, or an empty string. */
	nameOf(protocol, port) {
		return NAMES[protocol]?.[port] ?? '';
	},

	/* Whether a protocol, by name or number, has ports. */
	hasPorts(protocol) {
		return WITH_PORTS.includes(protocol) || [ '6', '17', '33', '132', '136' ].includes(protocol);
	},

	/* Whether a protocol, by name or number, is ICMP in one of the IP versions. */
	isIcmp(protocol) {
		return [ 'icmp', 'icmpv4', 'icmpv6', 'ipv6-icmp', '1', '58' ].includes(protocol);
	},

	/* What one can ask about without knowing a port: [{ id, label, protocol, port }]. */
	choices() {
		return [
			{ id: 'https', label: _('Web pages (https)'), protocol: 'tcp', port: 443 },
			{ id: 'http', label: _('Web pages, not encrypted (http)'), protocol: 'tcp', port: 80 },
			{ id: 'quic', label: _('Web pages and videos by QUIC'), protocol: 'udp', port: 443 },
			{ id: 'imaps', label: _('Reading mail (IMAP)'), protocol: 'tcp', port: 993 },
			{ id: 'submission', label: _('Sending mail (SMTP)'), protocol: 'tcp', port: 587 },
			{ id: 'dns', label: _('Names (DNS)'), protocol: 'udp', port: 53 },
			{ id: 'sip', label: _('Telephone (SIP)'), protocol: 'udp', port: 5060 },
			{ id: 'stun', label: _('Video calls (STUN)'), protocol: 'udp', port: 3478 },
			{ id: 'wireguard', label: _('VPN (WireGuard)'), protocol: 'udp', port: 51820 },
			{ id: 'ssh', label: _('Remote terminal (SSH)'), protocol: 'tcp', port: 22 },
			{ id: 'ping', label: _('Ping'), protocol: 'icmp', port: null }
		];
	}
});
