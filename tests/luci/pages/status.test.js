import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as scenarios from '../loader/scenarios.js';
import { everywhere, looking } from './everywhere.js';

const PATH = 'wansplit/status';

everywhere(PATH);

const states = page => page.locator('.ws-link').evaluateAll(cards => cards.map(card => card.querySelector('.ws-state').innerText));

/* Both families may have died in the same look, or one after the other: as it was recorded. */
test('status: a link that has died, why, and what has moved', () => looking(PATH, scenarios.down(), async ({ page }) => {
	assert.deepEqual(await states(page), [ 'Down', 'Up' ]);
	assert.match(await page.locator('.ws-link').first().innerText(), /tests got no answer from 192\.0\.2\.10/);
	assert.match(await page.locator('.ws-changes li').first().innerText(), /EMB.* is down[^]*web, both moved to OI[^]*\d+ running connections had to start again/);

	const web = page.locator('.cbi-section-table-row', { hasText: 'web' }).first();

	assert.deepEqual(await web.locator('td').allInnerTexts(), [ 'web', '1. EMB\n2. OI\nIf none is up: the router\'s default way', 'OI', 'OI' ]);
}));

test('status: what changes is put in place, and the focus stays', () => looking(PATH, scenarios.well(), async ({ page, state, step }) => {
	assert.deepEqual(await states(page), [ 'Up', 'Up' ]);
	await page.locator('.ws-chart-drawing').first().focus();
	await page.evaluate(() => document.querySelector('.ws-link').dataset.same = 'yes');

	const events = () => state.calls.filter(({ method }) => method === 'events').length;
	const before = events();

	await step();
	assert.equal(events(), before, 'nothing has changed: nobody asks for changes');
	state.ubus.wansplit = { ...scenarios.down().ubus.wansplit };
	await step();
	await page.locator('.ws-link[data-level="bad"]').waitFor();
	assert.equal(await page.locator('.ws-link').first().getAttribute('data-same'), 'yes');
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute('class')), 'ws-chart-drawing');
	assert.equal(events(), before + 1);
}));

test('status: the speed is counted from the bytes of two looks, and spoken to the keyboard', () => looking(PATH, scenarios.well(), async ({ page, state, step }) => {
	const speed = page.locator('.ws-chart-drawing').first();

	assert.match(await speed.getAttribute('aria-valuetext'), /^now, received –, sent –$/);
	await page.waitForTimeout(1100);

	const { status } = state.ubus.wansplit;

	for (const family of [ 'ipv4', 'ipv6' ])
		status.links[0][family].rx_bytes += 10e6;

	await step();
	await page.waitForFunction(() => /received \d+ Mbit\/s, sent 0 bit\/s/.test(document.querySelector('.ws-chart-drawing').getAttribute('aria-valuetext').replaceAll('\xa0', ' ')));
	await speed.focus();
	await page.keyboard.press('Home');
	assert.match(await speed.getAttribute('aria-valuetext'), /^\d.*received –, sent –$/);
	assert.ok(Number(await speed.getAttribute('aria-valuenow')) < 0);
	/* The next page goes on with it. */
	assert.equal(await page.evaluate(() => JSON.parse(sessionStorage.getItem('wansplit.history')).length), 2);
}));

test('status: a difference that stays is shown, and repaired', () => looking(PATH, scenarios.drift(), async ({ page, state, step }) => {
	const repair = page.getByRole('button', { name: 'Repair' });

	await repair.waitFor();
	await page.locator('summary').click();
	await step();
	assert.ok(await page.locator('details').evaluate(details => details.open), 'the details stay open');

	const { status } = scenarios.well().ubus.wansplit;

	Object.assign(state.ubus.wansplit, { apply: status, status });
	await repair.click();
	await page.getByRole('status').filter({ hasText: 'Repaired' }).waitFor();
	assert.equal(state.calls.filter(({ method }) => method === 'apply').length, 1);
	assert.equal(await page.getByRole('button', { name: 'Repair' }).count(), 0);
}));

test('status: a difference of a moment is none', () => looking(PATH, scenarios.well(), async ({ page, state, step }) => {
	const { status } = state.ubus.wansplit;

	state.ubus.wansplit.status = { ...status, in_sync: false, drift: [ '- ip rule' ] };
	await step();
	state.ubus.wansplit.status = status;
	await step();
	assert.equal(await page.getByRole('button', { name: 'Repair' }).count(), 0);
}));

test('status: a service that does not run is started', () => looking(PATH, scenarios.off(), async ({ page, state }) => {
	await page.getByRole('button', { name: 'Start it' }).click();
	await page.getByRole('status').filter({ hasText: 'has been started' }).waitFor();
	assert.deepEqual(state.calls.filter(({ method }) => method === 'exec').map(({ params }) => [ params.command, ...params.params ]),
		[ [ '/etc/init.d/wansplit', 'enable' ], [ '/etc/init.d/wansplit', 'start' ] ]);
}));

test('status: one that cannot be started says why', () => looking(PATH, scenarios.off(), async ({ page, state }) => {
	state.ubus.file.exec = { code: 1, stderr: 'no space left' };
	await page.getByRole('button', { name: 'Start it' }).click();
	await page.getByRole('status').filter({ hasText: 'no space left' }).waitFor();
}));

test('status: one look without an answer changes nothing, two do', () => looking(PATH, scenarios.well(), async ({ page, state, step }) => {
	delete state.ubus.wansplit;
	await step();
	await page.waitForTimeout(300);
	assert.ok(await page.locator('.ws-link').first().isVisible());
	await step();
	await page.getByRole('button', { name: 'Start it' }).waitFor();
	assert.equal(await page.locator('.ws-link').first().isVisible(), false);
}));

test('status: without a link the way to Set-up is shown; one who rests goes on', async () => {
	await looking(PATH, scenarios.untouched(), async ({ page }) => {
		assert.match(await page.getByRole('link', { name: 'Set up' }).getAttribute('href'), /admin\/network\/wansplit\/setup$/);
	});

	const resting = scenarios.well();

	resting.ubus.wansplit.status.resting = true;
	await looking(PATH, resting, async ({ page, state }) => {
		await page.getByRole('button', { name: 'Go on' }).click();
		await page.getByRole('status').filter({ hasText: 'works again' }).waitFor();
		assert.equal(state.calls.filter(({ method }) => method === 'apply').length, 1);
	});
});

test('status: from a link to what runs over it, whatever its name', async () => {
	const odd = scenarios.well();

	odd.ubus.wansplit.status.links[0].name = 'a&b=c #1';
	await looking(PATH, odd, async ({ page }) => {
		const way = new URL(await page.locator('.ws-link').first().getByRole('link').getAttribute('href'), 'http://router');

		assert.match(way.pathname, /admin\/network\/wansplit\/connections$/);
		assert.equal(way.searchParams.get('link'), 'a&b=c #1');
	});
});
