// The services that a rule can be filled in with.
// node --test tests/luci/rules.test.mjs

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './setup/modules.mjs';

globalThis.L = { toArray: value => Array.isArray(value) ? value : (value ?? '').split(/\s+/).filter(word => word !== '') };

const presets = load('wansplit.presets');
const { kinds } = load('wansplit.validate');

test('every service has a name of its own, and values that are right', () => {
	const all = presets.all();

	assert.ok(all.length >= 10, `only ${all.length}`);
	assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
	assert.equal(new Set(all.map(({ title }) => title)).size, all.length);
	for (const { id, title, proto, dest_port: ports } of all) {
		assert.ok(title && proto.length && ports.length, id);
		assert.equal(new Set(ports).size, ports.length, id);
		for (const one of proto)
			assert.equal(kinds.Protocol(one), true, `${id}: ${one}`);
		for (const one of ports)
			assert.equal(kinds.Port(one), true, `${id}: ${one}`);
	}
});

test('a service is found by its values, in whatever order and shape they are written', () => {
	for (const { id, proto, dest_port: ports } of presets.all()) {
		assert.equal(presets.find(proto, ports)?.id, id);
		assert.equal(presets.find([ ...proto ].reverse().join(' '), [ ...ports ].reverse())?.id, id);
	}
});

test('what is no service is none', () => {
	assert.equal(presets.find(undefined, undefined), undefined);
	assert.equal(presets.find([ 'tcp' ], [ '81' ]), undefined);
	assert.equal(presets.find([ 'icmp' ], undefined), undefined);
});
