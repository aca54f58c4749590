/* The box on LuCI's front page, as that page uses it: `load`, then `render`, again and again; null leaves the box away. */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { PHONE, closeBrowser } from '../loader/browser.js';
import * as scenarios from '../loader/scenarios.js';
import { looking } from './everywhere.js';

after(closeBrowser);

/* Any page will do to load it into. */
const box = (scenario, look) => looking('wansplit/realtime', scenario, async opened => {
	await opened.page.evaluate(async () => {
		const include = await L.require('view.status.include.35_wansplit');

		window.place = document.querySelector('#view');
		window.look = async (later = 0) => {
			include.asked -= later;

			const content = include.render(await include.load());

			L.dom.content(window.place, [ content ?? 'nothing' ]);
		};
		await window.look();
	});
	await look(opened);
}, { size: PHONE });

test('overview: each link with its state, and the last change', () => box(scenarios.down(), async ({ page }) => {
	const rows = await page.locator('#view .tr').allInnerTexts();

	assert.equal(rows.length, 2);
	assert.match(rows[0], /EMB[^]*Down/);
	assert.match(rows[1], /OI[^]*Up/);
	assert.match(await page.locator('.ws-overview').innerText(), /Last change, .*: EMB.* is down/);
}));

test('overview: hostile names stay text', () => box(scenarios.hostile(), async ({ page }) => {
	assert.match(await page.locator('#view').innerText(), /<script data-hostile>/);
}));

test('overview: without a daemon there is no box', () => box(scenarios.off(), async ({ page }) => {
	assert.equal(await page.locator('#view').innerText(), 'nothing');
}));

test('overview: the front page asks often, the box asks every ten seconds, and for changes when there are some', () =>
	box(scenarios.well(), async ({ page, state }) => {
		const asked = method => state.calls.filter(call => call.object === 'wansplit' && call.method === method).length;
		const before = [ asked('status'), asked('events') ];

		await page.evaluate(() => window.look());
		assert.deepEqual([ asked('status'), asked('events') ], before);
		await page.evaluate(() => window.look(10000));
		assert.deepEqual([ asked('status'), asked('events') ], [ before[0] + 1, before[1] ]);
		state.ubus.wansplit = scenarios.down().ubus.wansplit;
		await page.evaluate(() => window.look(10000));
		assert.deepEqual([ asked('status'), asked('events') ], [ before[0] + 2, before[1] + 1 ]);
		assert.match(await page.locator('#view').innerText(), /Down/);
	}));
