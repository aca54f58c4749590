// What the pages make of the daemon's words: every sentence that its sources can say is known, and keeps its values.
// node --test tests/luci/words.test.mjs

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { load, loader } from './setup/modules.mjs';

const words = load('wansplit.words');
// Here what is translated stands in quotes of its own, and what is not can be told from it.
const marked = loader(text => '«' + text + '»')('wansplit.words');

const source = path => readFileSync(new URL('../../' + path, import.meta.url), 'utf8').split('#[cfg(test)]')[0];

/** The text of a function in a Rust source. */
function body(path, name) {
	const match = new RegExp(`^( *)(?:pub(?:\\(\\w+\\))? )?fn ${name}\\b.*?\\n\\1}$`, 'ms').exec(source(path));

	assert.ok(match, `${path} has fn ${name}`);

	return match[0];
}

/** Its string literals, with a value for each placeholder. */
function sentences(path, name) {
	const code = body(path, name).replaceAll(/\/\/.*$/gm, '');
	const texts = [ ...code.matchAll(/"((?:[^"\\]|\\.)*)"/g) ].map(match => match[1]);

	assert.ok(texts.length, `fn ${name} says something`);

	return texts.map(text => text.replaceAll(/\{(\w*)\}/g, (all, value) => (value === 'names') ? '192.0.2.1' : '3'));
}

test('every reason that the daemon can give is known', () => {
	const all = [ ...sentences('src/daemon/words.rs', 'up'), ...sentences('src/explain/way.rs', 'down_words'),
		...sentences('src/explain/way.rs', 'why_not') ];

	for (const path of [ 'src/daemon/words.rs' ])
		all.push(...sentences(path, 'silent').filter(text => text !== ', '), ...sentences(path, 'reason'));

	assert.ok(all.length > 20);

	for (const text of all.map(text => text.replace('used up: 3', 'used up: 10.0 GB of 10 GB this month')))
		assert.match(marked.reason(text), /«/, text);
});

test('every state has its word, and every period its sentence', () => {
	for (const state of sentences('src/daemon/words.rs', 'state'))
		assert.notEqual(words.state(state).level, 'unknown', state);

	for (const period of sentences('src/config/model/quota.rs', 'current'))
		assert.match(marked.reason('1 MB of 2 MB ' + period), /«/, period);

	assert.deepEqual(words.state('asleep'), { level: 'unknown', word: 'asleep', hint: '' });
	assert.equal(words.state('down').level, 'bad');
});

test('every decision is known', () => {
	for (const text of sentences('src/explain/words.rs', 'reason'))
		assert.match(marked.decision(text), /«/, text);
});

test('values are kept, unknown sentences pass', () => {
	assert.equal(words.reason('6 of 6 probes lost to 1.1.1.1, 9.9.9.9'), '6 of 6 tests got no answer from 1.1.1.1, 9.9.9.9');
	assert.equal(words.reason('45 % of its probes are lost (the limit is 40 %)'), '45 % of its tests get no answer (the limit is 40 %)');
	assert.equal(words.reason('a round trip takes 1.5 s (the limit is 300 ms)'), 'an answer takes 1.5 s (the limit is 300 ms)');
	assert.equal(words.reason('used up: 10.0 GB of 10 GB this month'), '10.0 GB of 10 GB used this month');
	assert.equal(words.reason('carrier is back; its probes are answered again'), 'the signal is back; its tests are answered again');
	assert.equal(words.reason('3 of 3 probes lost to 192.0.2.1; 3 of 3 probes lost to 2001:db8::1'),
		'3 of 3 tests got no answer from 192.0.2.1; 3 of 3 tests got no answer from 2001:db8::1');
	assert.equal(words.reason('it is full moon'), 'it is full moon');
	assert.equal(words.decision('rule \'it\'s <b>\' matches'), 'Rule “it\'s <b>” matches.');
	assert.equal(words.decision('it is full moon'), 'it is full moon');
	assert.equal(words.reason(null), '');
});

test('a change is told by its fields', () => {
	const event = { time: 7, link: '<b>OI', family: 'ipv6', action: 'down', reason: 'no carrier', moved: [ 'web, a moved to b moved to EMB + X (IPv6)', 'voip: unreachable' ], flows_reset: 14 };

	assert.deepEqual(words.change(event), {
		level: 'bad',
		title: '<b>OI (IPv6) is down',
		reason: 'no signal (is the cable plugged in, and the modem on?)',
		then: [ 'web, a moved to b moved to EMB + X (IPv6)', 'voip: now refused', '14 running connections had to start again' ]
	});
	assert.equal(words.changeLine({ link: 'A', family: null, action: 'up', reason: 'it is there', moved: [ 'web moved to main' ], flows_reset: null }),
		'A is up: it is there; web moved to the router\'s default way');
	assert.equal(words.change({ link: 'A', action: 'held', reason: '', moved: [], flows_reset: 1 }).then[0], 'one running connection had to start again');
	assert.equal(words.change({ link: 'A', action: 'new', reason: '' }).title, 'A: new');
});

test('a phrase of what moved is translated around its names', () => {
	assert.equal(marked.moved('web moved to OI'), '«web moved to OI»');
	assert.equal(marked.moved('web and 3 more: blackhole (IPv4)'), '««web and 3 more: now dropped» (IPv4)»');
	assert.equal(marked.moved('something else'), 'something else');
});

test('an order is read, whatever the names of links are', () => {
	const member = (link, weight = null) => ({ link, weight });

	assert.deepEqual(words.order('EMB > OI, else main', [ 'EMB', 'OI' ]),
		{ tiers: [ [ member('EMB') ], [ member('OI') ] ], perConnection: false, fallback: 'main' });
	assert.deepEqual(words.order('EMB 3 + OI 2, then LTE per connection, else blackhole', [ 'LTE', 'OI', 'EMB' ]),
		{ tiers: [ [ member('EMB', 3), member('OI', 2) ], [ member('LTE') ] ], perConnection: true, fallback: 'blackhole' });
	assert.deepEqual(words.order('a > b > c, then 3, else main', [ 'a', 'a > b', 'c, then 3' ]),
		{ tiers: [ [ member('a > b') ], [ member('c, then 3') ] ], perConnection: false, fallback: 'main' });
	assert.deepEqual(words.order(', else main', [ 'a' ]), { tiers: [], perConnection: false, fallback: 'main' });
	assert.equal(words.order('x > y, else main', [ 'a' ]), null);
	assert.equal(words.order(undefined, []), null);
});

test('a problem says how bad it is, where, and what to do', () => {
	const { problem } = load('wansplit.problems');

	assert.deepEqual(problem("warning: link 'a; b': netifd has no interface 'x; y'; name one that `ubus call network.interface dump` lists"), {
		level: 'warning', word: 'Warning',
		text: 'Link “a; b”: the router has no interface “x; y”. Choose another one under Links, or make it under Network, Interfaces.'
	});
	assert.equal(problem("error: rule 'web': it is odd; look").text, 'Rule “web”: it is odd; look');
	assert.equal(problem('fatal: no').level, 'error');
	assert.equal(problem('note: x').level, 'notice');
	assert.deepEqual(problem('odd'), { level: 'warning', word: 'Warning', text: 'odd' });
});

test('the problems that the daemon finds most are known', () => {
	const { problem } = loader(text => '«' + text + '»')('wansplit.problems');
	const unusable = sentences('src/survey/findings.rs', 'unusable').filter(text => / takes the fallback|nothing can leave|has no interface|nothing is known/.test(text));
	const rivals = sentences('src/survey/rivals.rs', 'rivals').filter(text => text.includes('steers'));
	const configuration = source('src/daemon/configuration.rs').match(/"[^"]*(?:no safe state|is empty|is no configuration)[^"]*"/g)
		.map(text => text.slice(1, -1).replaceAll(/\{\w*\}/g, 'FILE') + '; the one from before stays in force');
	const neighbours = source('src/reconcile/neighbours.rs').replaceAll('{address}/{length}', '0.0.0.0/1').replaceAll('{value:#x}/{mask:#x}', '0x1/0xff')
		.match(/"[^"]*(?:cover everything|refuses packets|reads bits)[^"]*"/g).map(text => text.slice(1, -1).replaceAll(/\{\w*\}/g, '3'));

	assert.deepEqual([ unusable, rivals, configuration, neighbours ].map(list => list.length), [ 10, 1, 3, 3 ]);

	const all = [ ...unusable, ...configuration, ...neighbours, ...[ 'runs', 'starts at boot' ].map(how => rivals[0].replace(/^3 3/, 'mwan3 ' + how)) ];

	for (const text of all)
		assert.match(problem('warning: ' + text + '; do something').text, /^«/, text);
});
