import { test } from 'node:test';
import assert from 'node:assert/strict';
import { OF_LOOKUPS, everywhere, looking } from './everywhere.js';
import { hostile, well } from '../loader/scenarios.js';

const PAGE = 'wansplit/explain';

everywhere(PAGE, OF_LOOKUPS);

async function ask(page) {
	await page.getByLabel('Device', { exact: true }).fill('192.168.1.10');
	await page.getByLabel('Destination').first().fill('192.0.2.10');
	await page.locator('#view button[type=submit]').click();
	await page.waitForTimeout(300);
}

test('a question and its answer', () => looking(PAGE, well(), async ({ page, state, text }) => {
	await ask(page);
	const { params } = state.calls.find(({ object, method }) => object === 'wansplit' && method === 'explain');
	assert.equal(params.protocol, 'tcp');
	assert.match(params.source, /^192\.168\.1\.10/);
	assert.equal(params.destination, '192.0.2.10:443');
	const said = await text();
	for (const word of [ 'navegacao', 'EMB', 'Why' ])
		assert.ok(said.includes(word), `no “${word}” in:\n${said}`);
}));

test('an answer with hostile names', () => looking(PAGE, hostile(), ({ page }) => ask(page)));
