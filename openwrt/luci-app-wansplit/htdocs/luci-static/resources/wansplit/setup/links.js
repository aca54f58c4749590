'use strict';
'require baseclass';
'require wansplit.setup.fields as fields';
'require wansplit.setup.text as text';

/*
 * The first step: which of the interfaces are links to the Internet.
 */

function kind(link) {
	if (link.mobile)
		return _('mobile network');

	switch (link.proto) {
	case 'pppoe':
	case 'pppoa':
		return _('dial-in by cable (%s)').format(link.proto.toUpperCase());

	case 'dhcp':
		return _('cable, address given by the provider');

	case 'static':
		return _('cable, fixed address');

	case 'wireguard':
		return 'WireGuard';

	default:
		return link.proto ?? '?';
	}
}

function state(link) {
	if (!link.autostart)
		return _('Switched off in Network → Interfaces.');

	if (!link.up)
		return _('Down now. It can be set up all the same.');

	return link.addresses.length
		? _('Up: %s.').format(link.addresses.slice(0, 3).join(', '))
		: _('Up.', 'link');
}

function card(link, answers, redraw) {
	const said = answers.links[link.interface];
	const facts = [ kind(link), link.device, link.twins.length ? _('with %s').format(link.twins.join(', ')) : null ];

	return E('div', { 'class': 'ws-card ws-setup-link', 'data-interface': link.interface }, [
		fields.checkbox(link.interface, said.use, use => { said.use = use; redraw(); }),
		E('div', {}, [ facts.filter(fact => fact).join(' · ') ]),
		E('div', { 'class': link.up ? 'ws-setup-up' : 'ws-setup-down' }, [ state(link) ]),
		(said.use && link.translates === false) ? fields.box('warning', [
			(link.kind === 'vpn')
				? _('Its firewall zone does not translate addresses (masquerading). If it leads to the Internet, your computers cannot use it like this.')
				: _('It is in no firewall zone that translates addresses (masquerading), so your computers cannot use it. Put it into the zone “wan”: Network → Interfaces → Edit → Firewall Settings.')
		]) : '',
		said.use ? fields.text(_('Name'), said.name, name => { said.name = name; },
			{ help: _('What you want to call it: your provider’s name, for example.'), size: 12 }) : ''
	]);
}

function few(lines) {
	const steps = E('ol', {}, [
		E('li', {}, [ _('Plug the second line into a port of the router, or the stick into its USB port.') ]),
		E('li', {}, [ _('Network → Interfaces → Add new interface: give it a name such as wanb, and say how it connects.') ]),
		E('li', {}, [ _('In its Firewall Settings choose the zone “wan”. Under Advanced Settings give it a “gateway metric” of its own, 20 for example.') ]),
		E('li', {}, [ _('Save & Apply, and come back here.') ])
	]);

	return fields.box('notice', [
		(lines === 0)
			? _('No way to the Internet was found. This is how a line is added:')
			: _('Only one line to the Internet was found. To have something to choose from, add a second one first:'),
		steps,
		E('p', {}, [ E('a', { 'href': L.url('admin/network/network') }, [ _('Go to Network → Interfaces') ]) ]),
		(lines === 0) ? '' : _('You may also go on with one: it is watched, and the second is added later.')
	]);
}

return baseclass.extend({
	title: _('Your links'),
	intro: _('These lines to the Internet were found on the router. Tick those that are to be used.'),

	draw(state, redraw) {
		const of = kind => state.links.filter(link => link.kind === kind);
		const cards = links => E('div', { 'class': 'ws-cards' }, links.map(link => card(link, state.answers, redraw)));
		const used = links => links.some(link => state.answers.links[link.interface].use);
		const [ lines, tunnels, others ] = [ of('wan'), of('vpn'), of('other') ];

		return [
			text.isInert(state.present) ? '' : fields.box('notice', [
				_('Links are set up already. To change something, use the pages Links, Policies and Rules; this page begins anew, and asks at its end whether it may replace what there is.')
			]),
			(lines.length < 2) ? few(lines.length) : '',
			cards(lines),
			tunnels.length ? E('h4', {}, [ _('VPNs') ]) : '',
			tunnels.length ? E('p', {}, [ _('A VPN can be a link too, for some services or devices. Leave it out if it only leads to your office or lets you in from outside.') ]) : '',
			tunnels.length ? cards(tunnels) : '',
			others.length ? fields.folded(_('A line is missing? The other interfaces'), [ cards(others) ], used(others)) : ''
		];
	}
});
