'use strict';
'require baseclass';
'require wansplit.setup.fields as fields';

/*
 * Devices of the house that leave by a link of their own. One is known by its Ethernet address, which holds for IPv4 and IPv6,
 * and also when it gets another IPv4 address.
 */

const OTHER = 'other';

/* [ address, text ] of a device that the router has seen. It names itself: text, never markup. */
function choice({ mac, name, address }) {
	return [ mac, [ name, address, mac ].filter(text => text !== '').join(' · ') ];
}

return baseclass.extend({
	/* The lines, and a button for one more. `names`: [ interface, name ] of the links. */
	draw(state, names, redraw) {
		const { hosts } = state;
		const devices = state.answers.devices;

		const line = device => {
			const typed = device.typed || (device.host !== '' && !hosts.some(({ mac }) => mac === device.host));

			return E('div', { 'class': 'ws-card ws-setup-device' }, [
				fields.select(_('Device'), [
					[ '', _('choose…') ], ...hosts.map(choice), [ OTHER, _('another one, by its address…') ]
				], typed ? OTHER : device.host, value => {
					device.typed = (value === OTHER);
					device.host = (value === OTHER) ? '' : value;
					device.name = hosts.find(({ mac }) => mac === value)?.name ?? '';
					redraw();
				}),
				typed ? fields.text(_('Its address'), device.host, host => { device.host = host; }, { placeholder: '192.168.1.20' }) : '',
				fields.select(_('leaves by'), [ [ '', _('choose…') ], ...names ], device.link, link => { device.link = link; }),
				fields.checkbox(_('only by this link'), device.only, only => { device.only = only; },
					_('While the link is down, the device has no Internet, instead of the other link’s.')),
				fields.button(_('Remove'), () => {
					devices.splice(devices.indexOf(device), 1);
					redraw();
				}, 'remove')
			]);
		};

		return [
			...devices.map(line),
			fields.button(_('Add a device'), () => {
				devices.push({ host: '', name: '', link: names[names.length - 1]?.[0] ?? '', only: false });
				redraw();
			}, 'add')
		];
	}
});
