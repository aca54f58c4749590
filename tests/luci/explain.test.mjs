// What the pages Explain and Connections ask and say: questions, reasons, and which connections are shown.
// node --test tests/luci/explain.test.mjs

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './setup/modules.mjs';

globalThis.L = { url: path => '/cgi-bin/luci/' + path };

const question = load('wansplit.question');
const explained = load('wansplit.explained');
const flows = load('wansplit.flows');

const asked = (fields = {}) => ({
	router: false, source: '192.168.1.10', source_port: '', destination: '192.0.2.10', destination_port: '443', protocol: 'tcp',
	iface: '', mac: '', dscp: '', icmp_type: '', mark: '', uid: '', ...fields
});

test('a question is the same in the fields and in the address bar', () => {
	for (const fields of [
		asked(),
		asked({ source_port: '40000' }),
		asked({ source: '2001:db8::10', destination: '2001:db8:ffff::10', source_port: '7', iface: 'lan', dscp: '46', mark: '0x10000' }),
		asked({ router: true, source: '', source_port: '51820', protocol: 'udp', uid: '1000' }),
		asked({ router: true, source: '' }),
		asked({ protocol: 'icmp', destination_port: '', icmp_type: '13', mac: '02:00:00:00:00:01' }),
		asked({ protocol: 'gre', destination_port: '' }),
		asked({ destination: 'example.com' })
	]) {
		assert.deepEqual(question.complaints(fields), {});

		const url = new URL(question.url(question.arguments(fields)), 'http://router');

		assert.equal(url.pathname, '/cgi-bin/luci/admin/network/wansplit/explain');
		assert.deepEqual(question.fromQuery(url.search), fields);
	}
	assert.equal(question.fromQuery('?link=EMB'), null);
});

test('the daemon is asked in its own notation, and for nothing that means nothing', () => {
	assert.deepEqual(question.arguments(asked({ source: '2001:db8::1', destination: '2001:db8::2', source_port: '9', dscp: '46' })),
		{ protocol: 'tcp', source: '[2001:db8::1]:9', destination: '[2001:db8::2]:443', dscp: 46 });
	// Of fields that are hidden now, what stands in them from before.
	assert.deepEqual(question.arguments(asked({ router: true, source_port: '9', protocol: 'icmp', mac: 'x', iface: 'lan', uid: '5' })),
		{ protocol: 'icmp', source: 'router', destination: '192.0.2.10', uid: 5 });
	assert.deepEqual(question.arguments(asked({ icmp_type: '8', uid: '5' })),
		{ protocol: 'tcp', source: '192.168.1.10', destination: '192.0.2.10:443' });
});

test('each field is said to be wrong by itself', () => {
	const wrong = fields => Object.keys(question.complaints(asked(fields)));

	assert.deepEqual(wrong({ source: '', destination: '' }), [ 'source', 'destination' ]);
	assert.deepEqual(wrong({ source: 'laptop' }), [ 'source' ]);
	assert.deepEqual(wrong({ source: '192.168.1.256' }), [ 'source' ]);
	assert.deepEqual(wrong({ source: '192.168.1' }), [ 'source' ]);
	assert.deepEqual(wrong({ destination: '2001:db8::1' }), [ 'destination' ]);
	assert.deepEqual(wrong({ router: true, source: '', destination: '2001:db8::1' }), []);
	for (const destination of [ 'http://example.com', 'example.com/x', 'a b', '1.2.3', '2001:db8', '2001:db8::1::2', '<b>' ])
		assert.deepEqual(wrong({ destination }), [ 'destination' ], destination);
	assert.deepEqual(wrong({ destination_port: '' }), [ 'destination_port' ]);
	assert.deepEqual(wrong({ destination_port: '65536', source_port: 'x' }), [ 'destination_port', 'source_port' ]);
	assert.deepEqual(wrong({ protocol: 'gre', destination_port: '' }), []);
	assert.deepEqual(wrong({ mac: '02:00', dscp: '64', icmp_type: '256', mark: '0xx', uid: '-1' }),
		[ 'mac', 'dscp', 'icmp_type', 'mark', 'uid' ]);
	assert.deepEqual(wrong({ mark: '0x100000000' }), [ 'mark' ]);
});

test('names are asked for as the DNS has them', () => {
	assert.equal(question.hostName('Example.COM'), 'example.com');
	assert.equal(question.hostName('bücher.example'), 'xn--bcher-kva.example');
	for (const text of [ '1.1.1.1', '1.1', 'fe80::1', 'a/b', 'a b', 'a:80', '' ])
		assert.equal(question.hostName(text), null, text);
	const addresses = [ '2001:db8::1', '192.0.2.1', '192.0.2.2' ];

	assert.equal(question.addressFor(asked(), addresses), '192.0.2.1');
	assert.equal(question.addressFor(asked({ source: '2001:db8::9' }), addresses), '2001:db8::1');
	assert.equal(question.addressFor(asked({ router: true }), addresses), '2001:db8::1');
	assert.equal(question.addressFor(asked(), [ '2001:db8::1' ]), undefined);
});

test('what the daemon could not read is said beside its field', () => {
	assert.equal(question.blamed('\'xyz\' is no protocol: say tcp, udp, icmp or a number up to 255', asked({ protocol: 'xyz' })), 'protocol');
	assert.equal(question.blamed('\'192.0.2.10:443\' is no address', asked()), 'destination');
	assert.equal(question.blamed('tcp has ports: say which', asked()), null);
});

/* An answer of the daemon's: a rule for a policy of two links, the first of which is down. */
const path = (fields = {}) => ({
	name: 'web', weight: 1, mark: 1, table: 100, links: [ 'OI' ], hops: [ { link: 'OI', device: 'eth2', gateway: '203.0.113.1' } ],
	not_taken: [ { link: 'EMB', why: 'dead by its probes' } ], order: [ [ 'OI' ], [ 'LTE' ] ], fallback: 'main', ...fields
});
const answered = (fields = {}) => ({
	packet: 'tcp 192.168.1.10 (in by br-lan) -> 192.0.2.10:443', from: { router: false, device: 'br-lan' },
	rule: { name: '<b>web</b>', line: 9, matches: 'tcp port 443' }, use: 'web', target: 'policy', decided: 'rule', decided_link: null,
	policy: {
		name: 'web', mode: 'failover', per: null, sticky: false, fallback: 'main',
		tiers: [ [ { link: 'EMB', weight: 1 } ], [ { link: 'OI', weight: 1 } ], [ { link: 'LTE', weight: 1 } ] ]
	},
	reason: 'rule \'web\' matches', sets: [], held: [], passed_over: [], refused: false, paths: [ path() ],
	kernel: [ { mark: 1, answer: 'via 203.0.113.1 dev eth2 table 100', verdict: 'forwarded', agrees: true, compared: 'agrees',
		hops: [ { device: 'eth2', gateway: '203.0.113.1' } ] } ],
	...fields
});
const none = () => undefined;

test('the reasons are in order, from the rules that do not match to what is next', () => {
	const missed = { rule: 'films', line: 3, miss: 'destination', why: 'other destination address', learns: true };
	const [ passed, ...reasons ] = explained.reasons(answered({ passed_over: [ missed ] }));

	assert.equal(passed.text, 'One rule is looked at first, and does not match.');
	assert.match(passed.rules[0].why, /^it is for other destinations \(the addresses of a domain/);
	assert.deepEqual(reasons, [
		'Rule “<b>web</b>” is the first that matches: tcp port 443.',
		'Policy “web” takes the first link that works: EMB → OI → LTE.',
		'Link “EMB” is passed over: its tests get no answer.',
		'Link “OI” carries it.',
		'If “OI” fails, “LTE” takes over.'
	]);
	assert.equal(explained.summary(answered(), none), 'It leaves by link “OI”.');
	assert.deepEqual(explained.kernel(answered()),
		[ { tone: 'good', text: 'The router\'s kernel was asked and says the same: gateway 203.0.113.1, device eth2.' } ]);
});

test('where nothing is left, what happens then is said', () => {
	const lost = fallback => answered({ paths: [ path({ links: [], hops: [], order: [], fallback }) ], kernel: [] });

	assert.equal(explained.summary(lost('unreachable'), none), 'It is refused.');
	assert.equal(explained.summary(lost('blackhole'), none), 'It is dropped.');
	assert.equal(explained.summary(lost('main'), none), 'It leaves by the router\'s default way.');
	assert.match(explained.reasons(lost('unreachable')).at(-1), /^No link is left: the connection is refused/);
});

test('shares of a policy whose paths lead to one link now are told once', () => {
	const policy = { ...answered().policy, mode: 'balance', per: 'connection', tiers: [ [ { link: 'EMB', weight: 3 }, { link: 'OI', weight: 1 } ] ] };
	const one = { links: [ 'EMB' ], order: [ [ 'EMB' ] ], not_taken: [] };
	const reasons = explained.reasons(answered({ policy, paths: [ path({ ...one, weight: 3 }), path(one) ] }));

	assert.ok(reasons.includes('Policy “web” shares connections out over the links, in these shares: EMB 3 + OI 1.'), reasons);
	assert.equal(reasons.filter(reason => reason.startsWith('If “EMB” fails, no link is left')).length, 1);
});

test('a more exact route of the kernel\'s ends the matter', () => {
	const local = [ { ...answered().kernel[0], compared: 'more specific', verdict: 'local', agrees: null, hops: [] } ];

	assert.deepEqual(explained.reasons(answered({ kernel: local })), []);
	assert.equal(explained.summary(answered({ kernel: local }), none), 'It is for the router itself.');
	const inbound = answered({ kernel: local, decided: 'came in by', decided_link: 'EMB', rule: null, policy: null });

	assert.equal(explained.summary(inbound, none), 'It is for the router itself; the answers leave by link “EMB”.');
});

const flow = (fields = {}) => ({
	family: 'ipv4', protocol: 'tcp', source: '192.168.1.10', source_port: 40000, destination: '192.0.2.10', destination_port: 443,
	link: 'EMB', inbound: false, rule: 'web', policy: 'web', packets: 5, bytes: 500, expires: 60, answered: true, ...fields
});
const hosts = { nameOf: address => (address === '192.168.1.10') ? 'Desk' : '' };
const filter = (fields = {}) => ({ link: '', rule: '', kind: '', text: '', ...fields });

test('the router looks for what it can look for, and the browser for the rest', () => {
	const text = text => [ flows.query(filter({ text })).text, flows.isLocal(filter({ text })) ];

	assert.deepEqual(text(''), [ undefined, false ]);
	assert.deepEqual(text('192.0.2'), [ '192.0.2', false ]);
	assert.deepEqual(text('443'), [ '443', false ]);
	assert.deepEqual(text('2001:db8::1'), [ '2001:db8::1', false ]);
	assert.deepEqual(text('192.0.2.1:443'), [ '192.0.2.1', true ]);
	assert.deepEqual(text('[2001:db8::1]:443'), [ '2001:db8::1', true ]);
	assert.deepEqual(text('desk'), [ undefined, true ]);
	assert.deepEqual(flows.query(filter({ link: 'OI', rule: 'x' })), { link: 'OI', local: false, rule: 'x', text: undefined, limit: 500 });
	assert.deepEqual(flows.query(filter({ link: flows.LOCAL })), { link: undefined, local: true, rule: undefined, text: undefined, limit: 500 });
	const all = [ flow(), flow({ source: '192.168.1.11', protocol: 'udp', destination_port: 53 }), flow({ family: 'ipv6', protocol: 'icmpv6' }) ];
	const found = fields => flows.filtered(all, filter(fields), hosts).map(one => all.indexOf(one));

	assert.deepEqual(found({}), [ 0, 1, 2 ]);
	assert.deepEqual(found({ text: 'DESK' }), [ 0, 2 ]);
	assert.deepEqual(found({ text: 'dns' }), [ 1 ]);
	assert.deepEqual(found({ text: '192.0.2.10:53' }), [ 1 ]);
	assert.deepEqual(found({ kind: 'udp' }), [ 1 ]);
	assert.deepEqual(found({ kind: 'icmp' }), [ 2 ]);
	assert.deepEqual(found({ kind: 'ipv6' }), [ 2 ]);
});

test('columns are sorted as numbers or as names, and an empty name comes last', () => {
	const all = [ flow({ bytes: 9, link: 'OI' }), flow({ bytes: 100, link: null }), flow({ bytes: null, link: 'EMB' }) ];
	const order = (column, down) => flows.sorted(all, { column, down }, hosts).map(one => all.indexOf(one));

	assert.deepEqual(order('bytes', true), [ 1, 0, 2 ]);
	assert.deepEqual(order('bytes', false), [ 2, 0, 1 ]);
	assert.deepEqual(order('link', false), [ 2, 0, 1 ]);
});

test('a connection is asked about as it was made', () => {
	const links = [ { name: 'EMB', ipv4: { addresses: [ '198.51.100.2' ], device: 'eth1' }, ipv6: null } ];
	const asks = fields => flows.question(flow(fields), links);

	assert.equal(asks().source, '192.168.1.10:40000');
	// The router chose this address when it knew the way.
	assert.equal(asks({ source: '198.51.100.2' }).source, 'router:40000');
	assert.equal(asks({ protocol: 'icmp', source_port: null, destination_port: null }).destination, '192.0.2.10');
	const inbound = asks({ inbound: true, source: '192.0.2.9', destination: '198.51.100.2' });

	assert.deepEqual([ inbound.source, inbound.iface ], [ '192.0.2.9:40000', 'eth1' ]);
	assert.equal(flows.question(flow(), undefined).source, '192.168.1.10:40000');
});
