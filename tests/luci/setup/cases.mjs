// Routers and what their owners say, each with the configuration that the wizard makes of it (NAME.uci beside this file).

import { readFileSync } from 'node:fs';
import { load } from './modules.mjs';

const facts = load('wansplit.setup.facts');
const answering = load('wansplit.setup.answers');
const plan = load('wansplit.setup.plan');
const text = load('wansplit.setup.text');

/** An interface as netifd tells it, as far as the wizard looks. */
export function entry(name, proto, more = {}) {
	return { 'interface': name, proto, up: true, autostart: true, dynamic: false, device: name, l3_device: name,
		'ipv4-address': [], 'ipv6-address': [], 'ipv6-prefix': [], route: [], inactive: { route: [] }, ...more };
}

export const V4 = { target: '0.0.0.0', mask: 0, nexthop: '198.51.100.1' };
export const V6 = { target: '::', mask: 0, nexthop: 'fe80::1' };

export const zones = (...networks) => facts.zones([
	{ '.type': 'defaults' },
	{ '.type': 'zone', name: 'lan', network: [ 'lan' ] },
	{ '.type': 'zone', name: 'wan', network: networks, masq: '1' }
]);

const lan = entry('lan', 'static', { l3_device: 'br-lan', device: 'br-lan' });
const loopback = entry('loopback', 'static', { l3_device: 'lo', device: 'lo' });

/** Recorded from netifd: wan and wanb with wan6 and wanb6 beside them. */
export const recorded = JSON.parse(readFileSync(new URL('../../fixtures/network/network.interface-dump.json', import.meta.url)))['interface'];

export const two = facts.findLinks(recorded, zones('wan', 'wan6', 'wanb', 'wanb6'));

export const fibreAndLte = facts.findLinks([ lan, loopback,
	entry('lte', 'qmi', { up: false, l3_device: undefined, device: 'wwan0' }),
	entry('wan', 'pppoe', { l3_device: 'pppoe-wan', device: 'eth1', route: [ V4 ] })
], zones('wan', 'lte'));

export const withVpn = facts.findLinks([ lan, loopback,
	entry('wan', 'dhcp', { route: [ V4 ], l3_device: 'eth1', device: 'eth1' }),
	entry('wan6', 'dhcpv6', { route: [ V6 ], l3_device: 'eth1', device: '@wan' }),
	entry('wanb', 'dhcp', { route: [ V4 ], l3_device: 'eth2', device: 'eth2' }),
	entry('wg0', 'wireguard')
], zones('wan', 'wan6', 'wanb', 'wg0'));

export const one = facts.findLinks([ lan, loopback, entry('wan', 'dhcp', { route: [ V4 ] }) ], zones('wan', 'wan6'));

/** What the person changes of what the wizard begins with. */
function said(links, change) {
	const answers = answering.start(links);

	change(answers);

	return answers;
}

const names = (answers, given) => Object.entries(given).forEach(([ name, value ]) => { answers.links[name].name = value; });

/** name: [ links, answers ] */
export const cases = {
	// Nothing but Next.
	'web-mail': [ two, said(two, () => {}) ],
	'web-mail-turned': [ two, said(two, a => {
		names(a, { wan: 'EMB', wanb: 'OI' });
		Object.assign(a, { goal: 'web_mail', web: 'wanb', mail: 'wan', rest: 'wanb' });
	}) ],
	'failover': [ fibreAndLte, said(fibreAndLte, a => {
		names(a, { wan: 'fibre' });
		a.goal = 'failover';
		Object.assign(a.links.lte, { metered: true, max: '1,5', unit: 'G', per: 'week' });
	}) ],
	'failover-turned': [ fibreAndLte, said(fibreAndLte, a => Object.assign(a, { goal: 'failover', order: [ 'lan', 'lte', 'wan' ] })) ],
	'balance': [ two, said(two, a => Object.assign(a, { goal: 'balance', watch: false })) ],
	'balance-speeds': [ two, said(two, a => {
		Object.assign(a, { goal: 'balance', share: 'speed', by: 'connection' });
		a.links.wan.speed = '300';
		a.links.wanb.speed = '50,5';
	}) ],
	'balance-weights': [ withVpn, said(withVpn, a => {
		Object.assign(a, { goal: 'balance', share: 'weight' });
		a.links.wan.weight = '3';
		a.links.wg0.use = true;
	}) ],
	'services': [ withVpn, said(withVpn, a => {
		a.links.wg0.use = true;
		Object.assign(a, { goal: 'services', rest: 'wanb' });
		Object.assign(a.services, { web: { link: 'wan', only: false }, games: { link: 'wanb', only: false },
			mail: { link: 'wg0', only: true }, dns: { link: 'gone', only: false } });
	}) ],
	'devices': [ withVpn, said(withVpn, a => {
		a.links.wg0.use = true;
		Object.assign(a, { goal: 'devices', devices: [
			{ host: '02:00:5e:00:53:01', name: 'TV', link: 'wg0', only: true },
			{ host: '02:00:5e:00:53:02', name: '<script>alert(1)</script>', link: 'wanb', only: false },
			{ host: '02:00:5e:00:53:03', name: 'TV', link: 'wanb', only: false },
			{ host: '02:00:5e:00:53:04', name: 'Küche’s\tRadio', link: 'wanb', only: false },
			{ host: '192.168.1.64', name: '', link: 'wanb', only: false },
			{ host: 'fd00:1::64', name: '', link: 'wanb', only: true }
		] });
	}) ],
	'everything-by-vpn': [ withVpn, said(withVpn, a => {
		a.links.wg0.use = true;
		Object.assign(a, { goal: 'services', rest: 'wg0', restOnly: true });
		a.services.web = { link: 'wan', only: false };
	}) ],
	// Links that are called like a rule, a policy, a word.
	'names': [ two, said(two, a => {
		names(a, { wan: 'web', wanb: 'web_first' });
		Object.assign(a, { goal: 'web_mail', devices: [ { host: '192.168.1.5', name: 'main', link: 'wanb', only: false } ] });
	}) ],
	'one-link': [ one, said(one, () => {}) ]
};

/** The configuration of a case, as text. */
export function configuration(name) {
	const [ links, answers ] = cases[name];

	return text.uci(plan.sections(links, answers));
}
