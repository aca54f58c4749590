import { test } from 'node:test';
import assert from 'node:assert/strict';
import { everywhere, looking } from './everywhere.js';
import { down, drift, off, readonly, unplugged, untouched, well } from '../loader/scenarios.js';

const PAGE = 'wansplit/status';

everywhere(PAGE);

const shows = (scenario, ...words) => looking(PAGE, scenario, async ({ text }) => {
	const said = await text();
	words.forEach(word => assert.ok(said.includes(word), `no “${word}” in:\n${said}`));
});

test('a card for each link, and what is used now', () => shows(well(),
	'2 of 2 links work.', 'EMB', 'OI', '198.51.100.1', '203.0.113.2', 'of 10 GB', 'web', 'mail'));

test('a dead link, why, and what became of it', () => shows(down(), '1 of 2 links work.', 'Down', '192.0.2.10', 'moved'));

test('a cable that is out', () => shows(unplugged(), '1 of 2 links work.', 'Down'));

test('without a daemon, and before anything is set up: where to go', async () => {
	await shows(untouched(), 'No Internet link is set up yet');
	await looking(PAGE, off(), async ({ page }) => assert.ok(await page.locator('#view .alert-message').count()));
});

test('a repair is one press away', () => looking(PAGE, drift(), async ({ page, state }) => {
	await page.getByRole('button', { name: 'Repair' }).click();
	await page.waitForTimeout(100);
	assert.equal(state.calls.filter(({ object, method }) => object === 'wansplit' && method === 'apply').length, 1);
}));

test('but not for who may only read', () => looking(PAGE, { ...readonly(), ubus: drift().ubus }, async ({ page, text }) => {
	assert.ok((await text()).includes('The router differs from what is configured'));
	assert.equal(await page.getByRole('button', { name: 'Repair' }).count(), 0);
}));

test('what changes is shown at the next look, without a reload', () => looking(PAGE, well(), async ({ page, state, step, text }) => {
	assert.ok((await text()).includes('2 of 2 links work.'));
	await page.evaluate(() => window.same = true);
	state.ubus.wansplit = down().ubus.wansplit;
	await step();
	assert.ok((await text()).includes('1 of 2 links work.'));
	assert.ok(await page.evaluate(() => window.same));
}));
