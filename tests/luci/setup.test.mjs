// The wizard's pure part: what it finds on a router, what it makes of answers, and what it says of a configuration.
// node --test tests/luci/setup.test.mjs

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { V4, V6, cases, configuration, entry, fibreAndLte, one, recorded, two, withVpn, zones } from './setup/cases.mjs';
import { load } from './setup/modules.mjs';

const facts = load('wansplit.setup.facts');
const answering = load('wansplit.setup.answers');
const plan = load('wansplit.setup.plan');
const sentences = load('wansplit.setup.sentences');
const text = load('wansplit.setup.text');

const found = (dump, zoned) => facts.findLinks(dump, zoned).map(({ 'interface': name, kind }) => name + ' ' + kind);

test('the twins of a link are not links of their own', () => {
	assert.deepEqual(two.map(({ 'interface': name, kind, twins }) => [ name, kind, twins ]), [
		[ 'lan', 'other', [] ], [ 'wan', 'wan', [ 'wan6' ] ], [ 'wanb', 'wan', [ 'wanb6' ] ]
	]);
});

test('of twins the one that is configured for IPv4 gives the name, in whatever order they come', () => {
	const dump = [ entry('wan_6', 'dhcpv6', { dynamic: true, device: '@wan', l3_device: 'pppoe-wan' }),
		entry('wan6', 'dhcpv6', { device: undefined, l3_device: undefined, up: false }),
		entry('wan', 'pppoe', { device: 'eth1', l3_device: 'pppoe-wan' }) ];

	for (const order of [ dump, [ ...dump ].reverse() ])
		assert.deepEqual(facts.findLinks(order, null).map(link => [ link.interface, link.twins.sort() ]), [ [ 'wan', [ 'wan6', 'wan_6' ] ] ]);
});

test('a link is known by its route, its zone or its protocol', () => {
	const bare = { route: [] };

	assert.deepEqual(found([ entry('a', 'static', { route: [ V4 ] }) ], zones()), [ 'a wan' ]);
	assert.deepEqual(found([ entry('a', 'static', { route: [ V6 ] }) ], zones()), [ 'a wan' ]);
	assert.deepEqual(found([ entry('a', 'static', { inactive: { route: [ V4 ] } }) ], zones()), [ 'a wan' ]);
	assert.deepEqual(found([ entry('a', 'static', bare) ], zones('a')), [ 'a wan' ]);
	assert.deepEqual(found([ entry('a', 'static', bare) ], zones()), [ 'a other' ]);
	assert.deepEqual(found([ entry('a', 'dhcp', { up: false }) ], zones()), [ 'a wan' ]);
	assert.deepEqual(found([ entry('a', 'qmi', { up: false, device: undefined, l3_device: undefined }) ], null), [ 'a wan' ]);
	// A router in a house's network has its address by DHCP too.
	assert.deepEqual(found([ entry('lan', 'dhcp', { up: false }) ], zones()), [ 'lan other' ]);
	assert.deepEqual(found([ entry('loopback', 'static', { l3_device: 'lo', route: [ V4 ] }) ], null), []);
});

test('tunnels are offered apart, whatever their routes and zones', () => {
	assert.deepEqual(found([ entry('wg0', 'wireguard', { route: [ V4 ] }) ], zones('wg0')), [ 'wg0 vpn' ]);
	assert.deepEqual(found([ entry('office', 'none', { device: 'tun0' }) ], zones()), [ 'office vpn' ]);
	assert.deepEqual(found([ entry('office', 'l2tp', { route: [ V4 ] }) ], zones()), [ 'office vpn' ]);
	assert.deepEqual(found([ entry('beeline', 'l2tp', { route: [ V4 ] }) ], zones('beeline')), [ 'beeline wan' ]);
});

test('a link in no zone that translates is said to be so; without the firewall nothing is said', () => {
	const dump = [ entry('wanb', 'dhcp', { route: [ V4 ] }) ];

	assert.equal(facts.findLinks(dump, zones())[0].translates, false);
	assert.equal(facts.findLinks(dump, zones('wanb'))[0].translates, true);
	assert.equal(facts.findLinks(dump, null)[0].translates, null);
	assert.deepEqual(facts.zones([ { '.type': 'zone', name: 'wan', network: 'wan wanb', masq: 'on' } ]),
		[ { name: 'wan', networks: [ 'wan', 'wanb' ], masq: true } ]);
});

test('lines that are down or switched off are found; only those switched on are chosen', () => {
	const links = facts.findLinks([ entry('wan', 'dhcp', { up: false }), entry('wanb', 'dhcp', { up: false, autostart: false }) ], zones('wan', 'wanb'));

	assert.deepEqual(links.map(({ up }) => up), [ false, false ]);
	assert.deepEqual(answering.chosen(links, answering.start(links)).map(link => link.interface), [ 'wan' ]);
});

test('what was said outlives a link that is unticked and ticked again', () => {
	const answers = answering.start(two);

	Object.assign(answers, { goal: 'web_mail', web: 'wanb', mail: 'wan' });
	answers.links.wanb.use = false;
	assert.equal(answering.settled(two, answers).goal, 'failover');
	assert.equal(answering.settled(two, answers).web, 'wan');
	answers.links.wanb.use = true;
	assert.deepEqual([ 'goal', 'web', 'mail' ].map(key => answering.settled(two, answers)[key]), [ 'web_mail', 'wanb', 'wan' ]);
});

test('wrong answers are found where they are given', () => {
	const wrong = (step, change) => {
		const answers = answering.start(withVpn);

		change(answers);

		return answering.problems(step, withVpn, answers).length;
	};

	assert.equal(wrong('links', () => {}), 0);
	for (const name of [ '', 'a b', '1a', 'é', 'main', 'unreachable', 'tier', 'wanb', '<script>' ])
		assert.equal(wrong('links', a => { a.links.wan.name = name; }), 1, name);
	assert.equal(wrong('links', a => Object.values(a.links).forEach(link => { link.use = false; })), 1);

	assert.equal(wrong('goal', a => Object.assign(a, { goal: 'balance', share: 'speed' })), 2);
	assert.equal(wrong('goal', a => Object.assign(a, { goal: 'balance', share: 'weight' })), 0);
	for (const weight of [ '0', '257', '1.5', '', '-1' ])
		assert.equal(wrong('goal', a => { Object.assign(a, { goal: 'balance', share: 'weight' }); a.links.wan.weight = weight; }), 1, weight);
	const device = host => a => a.devices.push({ host, name: '', link: 'wan', only: false });
	for (const host of [ '', 'tv', '1.2.3', '1.2.3.256', '02:00:5e:00:53', ':::', '1::2::3', 'fe80:', '12345::' ])
		assert.equal(wrong('goal', device(host)), 1, host);
	for (const host of [ '192.168.1.5', '02:00:5E:00:53:01', 'fd00::1', '::1', '2001:db8:0:0:0:0:0:1' ])
		assert.equal(wrong('goal', device(host)), 0, host);
	assert.equal(wrong('goal', a => { device('fd00::1')(a); device('FD00::1')(a); }), 1);
	assert.equal(wrong('goal', a => { a.goal = 'devices'; }), 1);

	assert.equal(wrong('watch', a => { a.hosts = ' '; }), 1);
	assert.equal(wrong('watch', a => { a.hosts = '1.1.1.1, dns.example'; }), 1);
	assert.equal(wrong('watch', a => { a.hosts = ''; a.watch = false; }), 0);
	assert.equal(wrong('watch', a => { Object.assign(a.links.wan, { metered: true, max: 'much' }); }), 1);
});

for (const name of Object.keys(cases))
	test(`the configuration of ${name} is as it was`, () => {
		assert.equal(configuration(name), readFileSync(new URL(`./setup/${name}.uci`, import.meta.url), 'utf8'));
	});

test('no two sections have one name', () => {
	for (const [ links, answers ] of Object.values(cases)) {
		const names = plan.sections(links, answers).map(section => section.name);

		assert.deepEqual(names, [ ...new Set(names) ]);
		assert.ok(names.every(name => /^[A-Za-z0-9_]+$/.test(name)), names.join());
	}
});

test('options of globals stay, and it is switched on', () => {
	assert.deepEqual(plan.sections(one, answering.start(one), { enabled: '0', mask: '0xff' })[0].options, { enabled: '1', mask: '0xff' });
});

const told = sections => sentences.rules(sections)
	.map(({ subject, detail, way }) => detail ? `${subject} (${detail}): ${way}` : `${subject}: ${way}`);
const said = name => told(plan.sections(...cases[name]));

test('it is told in sentences', () => {
	assert.deepEqual(said('web-mail-turned'), [
		'Mail (TCP to port 25, 110, 143, 465, 587, 993, 995): by EMB; while it is down, by OI.',
		'Web pages (TCP to port 80, 443; UDP to port 443): by OI; while it is down, by EMB.',
		'Everything else: by OI; while it is down, by EMB.'
	]);
	assert.deepEqual(said('failover'), [ 'Everything: by fibre; while it is down, by lte.' ]);
	assert.deepEqual(said('one-link'), [ 'Everything: by wan.' ]);
	assert.deepEqual(said('balance-weights'), [
		'Everything: each device by one of: wan (about 75%), wanb (about 25%); while one is down, by what is left.'
	]);
	assert.match(said('balance-speeds')[1], /^Everything else: each connection by one of: wan \(about 86%\), wanb \(about 14%\)/);
	assert.equal(said('devices')[0], 'TV (from 02:00:5e:00:53:01): only by wg0; while it is down, not at all.');
	assert.equal(said('devices')[1], '<script>alert(1)</script> (from 02:00:5e:00:53:02): by wanb; while it is down, by wan.');
	assert.equal(said('everything-by-vpn')[1], 'Everything else: only by wg0; while it is down, not at all.');
});

test('sentences are true of what the wizard does not make', () => {
	const links = [ 'a', 'Fibra 2' ].map(name => ({ type: 'link', name: null, options: { name, 'interface': name, speed: (name === 'a') ? '1G' : '500M' } }));
	const rule = options => ({ type: 'rule', name: 'r', options });

	assert.deepEqual(told([ ...links, rule({ dest_ip: '192.0.2.0/24', family: 'ipv4', 'use': 'unreachable' }) ]),
		[ 'r (to 192.0.2.0/24; IPv4 only): nowhere: it is refused.' ]);
	assert.deepEqual(told([ ...links, rule({ from: 'router', dest_port: '53', 'use': 'main', enabled: '0' }), rule({ from: 'router', 'use': 'main' }) ]),
		[ 'r (from the router itself): as if wansplit were not there.' ]);
	assert.deepEqual(told([ ...links, { type: 'policy', name: 'p', options: { mode: 'balance', 'use': [ 'a auto', 'Fibra 2 auto' ] } }, rule({ 'use': 'p' }) ]),
		[ 'Everything: each device by one of: a (about 67%), Fibra 2 (about 33%); while one is down, by what is left.' ]);
	assert.deepEqual(told([ ...links, { type: 'policy', name: 'p', options: { mode: 'balance', 'use': [ 'a', 'Fibra 2 tier 2' ] } }, rule({ 'use': 'p' }) ]),
		[ 'Everything: each device by one of: a (about 100%); while one is down, by what is left. When none of them works: Fibra 2.' ]);
});

test('links are told with how they are watched and what they may carry', () => {
	const [ links, answers ] = cases.failover;
	const lte = sentences.links(plan.sections(links, answers)).find(({ subject }) => subject === 'lte').way;

	assert.match(lte, /^the interface lte\. To find out whether it works, 1\.1\.1\.1, .*1\.5GB a week/);
});

test('a configuration goes to text and back from what LuCI gives', () => {
	const raw = [
		{ '.type': 'globals', '.name': 'globals', '.anonymous': false, '.index': 0, enabled: '0' },
		{ '.type': 'rule', '.name': 'cfg02abcd', '.anonymous': true, '.index': 1, name: "Müller's", 'use': 'main' }
	];

	assert.equal(text.isInert(text.fromUci(raw.slice(0, 1))), true);
	assert.equal(text.isInert(text.fromUci(raw)), false);
	assert.equal(text.uci(text.fromUci(raw)),
		"config globals 'globals'\n\toption enabled '0'\n\nconfig rule\n\toption name 'Müller'\\''s'\n\toption use 'main'\n");
});

test('recorded and made facts are what the cases take them for', () => {
	assert.ok(recorded.some(entry => entry.interface === 'wan6'));
	assert.deepEqual(fibreAndLte.map(({ 'interface': name, up, mobile }) => [ name, up, mobile ]),
		[ [ 'lan', true, false ], [ 'wan', true, false ], [ 'lte', false, true ] ]);
});

test('another program’s configuration is taken over, switched on, and keeps what ours says of the router', () => {
	const theirs = [ { type: 'globals', name: 'globals', options: { enabled: '0', mask: '0xff00' } }, { type: 'link', name: 'wan', options: { 'interface': 'wan' } } ];

	assert.deepEqual(plan.takenOver(theirs, { enabled: '0', mask: '0xff', log_level: 'debug' }),
		[ { type: 'globals', name: 'globals', options: { enabled: '1', mask: '0xff00', log_level: 'debug' } }, theirs[1] ]);
});

test('devices are those of the house, not the router and its gateways', () => {
	const dump = [ entry('lan', 'static', { 'ipv4-address': [ { address: '192.168.1.1' } ] }), entry('wan', 'dhcp', { route: [ V4 ] }) ];
	const hints = {
		'02:00:00:00:00:01': { ipaddrs: [ '192.168.1.1' ], ip6addrs: [ 'fe80::1' ] },
		'02:00:00:00:00:02': { ipaddrs: [ V4.nexthop ] },
		'02:00:00:00:00:03': { ip6addrs: [ 'fd00::3' ] },
		'02:00:00:00:00:0A': { name: '<script>', ipaddrs: [ '192.168.1.10' ], ip6addrs: [] }
	};

	assert.deepEqual(facts.clients(hints, dump), [
		{ mac: '02:00:00:00:00:0a', name: '<script>', address: '192.168.1.10' },
		{ mac: '02:00:00:00:00:03', name: '', address: 'fd00::3' }
	]);
});

test('a VPN never takes over for a line, and nothing goes there unasked', () => {
	const answers = answering.start(withVpn);

	answers.links.wanb.use = false;
	answers.links.wg0.use = true;
	answers.order = [ 'wg0', 'wan', 'wanb' ];
	assert.equal(answering.settled(withVpn, answers).goal, 'failover');
	assert.deepEqual(told(plan.sections(withVpn, answers)), [ 'Everything: by wan.' ]);
});
