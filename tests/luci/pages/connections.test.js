import { test } from 'node:test';
import assert from 'node:assert/strict';
import { OF_LOOKUPS, everywhere, looking } from './everywhere.js';
import { well } from '../loader/scenarios.js';

const PAGE = 'wansplit/connections';

everywhere(PAGE, OF_LOOKUPS);

test('each connection with its link and its rule', () => looking(PAGE, well(), async ({ page, state, text }) => {
	const said = await text();
	for (const word of [ 'EMB', 'OI', 'laptop', 'navegacao', 'correio', '192.0.2.10', 'https (TCP)' ])
		assert.ok(said.includes(word), `no “${word}” in:\n${said}`);
	const { connections } = state.ubus['wansplit.tools'];
	assert.equal(await page.locator('#view table tr').filter({ hasText: /TCP|UDP|ICMP/ }).count(), connections.connections.length);
}));

test('only those of a link', () => looking(PAGE, well(), async ({ page, state }) => {
	await page.locator('#view select').first().selectOption({ label: 'OI' });
	await page.waitForTimeout(500);
	const asked = state.calls.filter(({ method }) => method === 'connections').at(-1).params;
	assert.equal(asked.link, 'OI');
}));
