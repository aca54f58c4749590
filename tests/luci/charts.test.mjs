// What the charts are made of: samples, rates, axes, numbers.
// node --test tests/luci/charts.test.mjs

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { loader } from './setup/modules.mjs';

let store;

globalThis.document = { documentElement: { lang: 'en' } };
globalThis.sessionStorage = { getItem: key => store.get(key) ?? null, setItem: (key, value) => store.set(key, value) };
beforeEach(() => {
	store = new Map();
});

// Each page has its own.
const fresh = () => loader(text => text)('wansplit.history');

const side = (received, sent, more = {}) => ({ state: 'up', device: 'eth1', rx_bytes: received, tx_bytes: sent, rtt_ms: 5, loss_percent: 0, ...more });
const status = (ipv4, ipv6 = { state: 'down', why: 'not offered', device: null }) => ({ links: [ { name: '__proto__', ipv4, ipv6 } ] });
const rates = history => history.points('__proto__').map(({ down, up }) => [ down, up ]);
const NOTHING = [ null, null ];

test('a rate is what the counters say between two looks', () => {
	const history = fresh();

	history.add(status(side(1000, 0)), 10000);
	history.add(status(side(4000, 300)), 13000);
	assert.deepEqual(rates(history), [ NOTHING, [ 8000, 800 ] ]);
	assert.deepEqual(history.points('another'), []);
});

test('a device that carries both families counts once, two devices count both', () => {
	const one = fresh();

	one.add(status(side(0, 0), side(0, 0)), 1000);
	one.add(status(side(1000, 1000), side(1000, 1000)), 2000);
	assert.deepEqual(rates(one).at(-1), [ 8000, 8000 ]);

	store.clear();

	const two = fresh();

	two.add(status(side(0, 0), side(0, 0, { device: 'tun0' })), 1000);
	two.add(status(side(1000, 0), side(500, 0, { device: 'tun0' })), 2000);
	assert.deepEqual(rates(two).at(-1), [ 12000, 0 ]);
});

test('a counter that began anew, another device and none are gaps', () => {
	const history = fresh();

	[ side(5000, 5000), side(100, 6000), side(200, 6000), side(300, 7000, { device: 'eth2' }), side(null, null, { device: null }), side(9, 9) ]
		.forEach((one, n) => history.add(status(one), n * 3000));
	assert.deepEqual(rates(history).map(rate => rate[0] !== null), [ false, false, true, false, false, false ]);
});

test('where looks are missing the line ends, and a page finds what the one before has left', () => {
	const before = fresh();

	before.add(status(side(0, 0)), 0);
	before.add(status(side(1000, 0)), 3000);

	const after = fresh();

	after.add(status(side(90000, 0)), 60000);
	after.add(status(side(91000, 0)), 63000);

	const points = after.points('__proto__');

	assert.deepEqual(points.map(point => point.time), [ 0, 3000, 3001, 60000, 63000 ]);
	assert.deepEqual(points.map(point => point.rtt[0]), [ 5, 5, null, 5, 5 ]);
	assert.deepEqual(rates(after).map(rate => rate[0] !== null), [ false, true, false, false, true ]);
});

test('a look right after another is not one, minutes ago is over, a clock that was put back begins anew', () => {
	const history = fresh();

	history.add(status(side(0, 0)), 100000);
	history.add(status(side(9, 9)), 100200);
	assert.equal(history.samples.length, 1);
	history.add(status(side(9, 9)), 900000);
	assert.equal(history.samples.length, 1);
	history.add(status(side(9, 9)), 5000);
	assert.deepEqual(history.samples.map(sample => sample[0]), [ 5000 ]);
});

test('what was measured before a link went down is not of now', () => {
	const history = fresh();

	history.add(status(side(0, 0, { state: 'down', why: 'no carrier' })), 1000);
	history.add(status(side(0, 0, { state: 'down', why: '3 of 3 probes lost to 192.0.2.1', loss_percent: 40 })), 4000);
	assert.deepEqual(history.points('__proto__').map(({ rtt, loss }) => [ rtt[0], loss ]), [ NOTHING, [ null, 40 ] ]);
});

test('a store that holds nonsense, or that is forbidden, does no harm', () => {
	for (const nonsense of [ '{', '7', 'null', '[1,null,{}]' ]) {
		store.set('wansplit.history', nonsense);

		const history = fresh();

		history.add(status(side(0, 0)), 1000);
		assert.equal(history.points('__proto__').length, 1, nonsense);
	}

	const { setItem } = globalThis.sessionStorage;

	globalThis.sessionStorage.setItem = () => {
		throw new Error('full');
	};
	fresh().add(status(side(0, 0)), 1000);
	globalThis.sessionStorage.setItem = setItem;
});

test('an axis ends in a round number above all values', () => {
	const { ticks } = loader(text => text)('wansplit.chart');

	assert.deepEqual(ticks(0, 30000), [ 0, 10000, 20000, 30000 ]);
	assert.deepEqual(ticks(3e6, 1), [ 0, 1e6, 2e6, 3e6 ]);
	assert.deepEqual(ticks(3.1e6, 1), [ 0, 2e6, 4e6 ]);

	for (let value = 1; value < 1e9; value *= 1.37) {
		const levels = ticks(value, 1);

		assert.ok(levels.at(-1) >= value * (1 - 1e-9) && levels.at(-1) <= value * 2.1 && levels.length >= 3 && levels.length <= 5, `${value}: ${levels}`);
	}
});

test('a line has no stroke across a gap, an area ends at its floor', () => {
	const { path } = loader(text => text)('wansplit.chart');

	assert.equal(path([ [ 0, 1 ], [ 1, 2 ], null, [ 3, 4 ] ]), 'M0.0 1.0L1.0 2.0M3.0 4.0h1');
	assert.equal(path([ [ 0, 1 ], [ 1, 2 ] ], 9), 'M0.0 9L0.0 1.0L1.0 2.0L1.0 9Z');
	assert.equal(path([ null ]), '');
});

test('numbers as people read them', () => {
	const units = loader(text => text)('wansplit.units');
	const plain = text => text.replaceAll('\xa0', ' ');

	assert.deepEqual([ 0, 999, 1000, 12345678, 999600 ].map(units.rate).map(plain), [ '0 bit/s', '999 bit/s', '1 kbit/s', '12 Mbit/s', '1 Mbit/s' ]);
	assert.deepEqual([ 0, 1500, 10e9, null ].map(units.bytes).map(plain), [ '0 B', '1.5 kB', '10 GB', '–' ]);
	assert.deepEqual([ 0, 59, 60, 3700, 90061, null ].map(units.duration).map(plain), [ '0 s', '59 s', '1 min 0 s', '1 h 1 min', '1 d 1 h', '–' ]);
	assert.deepEqual([ 0.22, 12.4, null ].map(units.milliseconds).map(plain), [ '0.2 ms', '12 ms', '–' ]);

	for (const [ lang, written ] of [ [ 'pt_BR', '0,2' ], [ 'pt-br', '0,2' ], [ 'de', '0,2' ], [ 'en', '0.2' ], [ '', /^0[.,]2$/ ], [ 'no such', /^0[.,]2$/ ] ]) {
		globalThis.document.documentElement.lang = lang;
		assert.match(units.number(0.22), written instanceof RegExp ? written : new RegExp(`^${written.replace('.', '\\.')}$`), lang);
	}

	globalThis.document.documentElement.lang = 'en';
});
