'use strict';
'require baseclass';

/*
 * What people call their traffic, and the ports it has, in the order of the rules: what is narrow stands before what is wide.
 */
return baseclass.extend({
	services: [
		{
			id: 'mail',
			title: _('Mail'),
			/* SMTP, POP3, IMAP, and the same encrypted. */
			matches: [ { proto: [ 'tcp' ], dest_port: [ '25', '110', '143', '465', '587', '993', '995' ] } ]
		},
		{
			id: 'dns',
			title: _('Name look-ups (DNS)'),
			matches: [ { proto: [ 'tcp', 'udp' ], dest_port: [ '53', '853' ] } ]
		},
		{
			id: 'calls',
			title: _('Calls and video calls'),
			/* SIP, STUN and TURN, Google Meet, Zoom. */
			matches: [
				{ proto: [ 'udp' ], dest_port: [ '3478-3481', '5060-5061', '8801-8810', '19302-19309' ] },
				{ proto: [ 'tcp' ], dest_port: [ '5060-5061', '5349' ] }
			]
		},
		{
			id: 'games',
			title: _('Games'),
			/* Steam, Xbox. */
			matches: [ { proto: [ 'udp' ], dest_port: [ '3074', '27000-27100' ] }, { proto: [ 'tcp' ], dest_port: [ '3074', '27015-27050' ] } ]
		},
		{
			id: 'web',
			title: _('Web pages'),
			/* UDP: QUIC, which browsers speak with the big sites. */
			matches: [ { proto: [ 'tcp' ], dest_port: [ '80', '443' ] }, { proto: [ 'udp' ], dest_port: [ '443' ] } ]
		}
	]
});
