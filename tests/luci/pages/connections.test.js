import { test } from 'node:test';
import assert from 'node:assert/strict';
import { OF_LOOKUPS, everywhere, looking } from './everywhere.js';
import { PHONE } from '../loader/browser.js';
import * as scenarios from '../loader/scenarios.js';

everywhere('wansplit/connections', OF_LOOKUPS);

const PATH = 'wansplit/connections';
const rows = page => page.locator('.ws-flows tbody tr');
const column = (page, name) => page.locator(`.ws-flow-${name}`).allInnerTexts();
const count = page => page.locator('.ws-count');
const asked = state => state.calls.filter(({ method }) => method === 'connections').map(({ params }) => params);

/* As the router filters; more of them than are shown, if `more` says so. */
function router(more = 0) {
	const made = scenarios.well();
	const recorded = made.ubus['wansplit.tools'].connections;
	const [ first ] = recorded.connections;
	const all = [ ...recorded.connections, ...Array.from({ length: more }, (_, n) => ({ ...first, source_port: 1000 + n, bytes: 1 })) ];

	made.ubus['wansplit.tools'].connections = ({ link, rule, local, text, limit }) => {
		const fit = all.filter(flow => (link == null || flow.link === link) && (rule == null || flow.rule === rule)
			&& (local == null || flow.local === local) && (text == null || flow.destination.includes(text)));

		return { ...recorded, total: all.length, matching: fit.length, connections: fit.slice(0, limit) };
	};

	return { made, all };
}

test('each connection is a row, with a name where there is one, and one way to its explanation', () => looking(PATH, router().made, async ({ page }) => {
	await rows(page).first().waitFor();
	const row = rows(page).filter({ hasText: '192.0.2.10:443' }).first();

	assert.match(await row.innerText(), /https \(TCP\)\s+EMB\s+navegacao/);
	/* Names and the router's addresses come by another answer. */
	await row.getByText('laptop').waitFor();
	assert.match(await row.getByText('Explain').getAttribute('href'),
		/\/explain\?protocol=tcp&source=192\.168\.1\.10%3A\d+&destination=192\.0\.2\.10%3A443$/);
	assert.match(await page.locator('.ws-legends').innerText(), /EMB: \d+ connections \(\d+ %\)[^]*OI: \d+ connections/);
	assert.match(await page.locator('.ws-shares').getAttribute('aria-label'), /^EMB: \d+ connections/);
}));

test('what is looked for is asked of the router, or found here', () => looking(PATH, router().made, async ({ page, state }) => {
	await rows(page).first().waitFor();
	await page.getByLabel('Link').selectOption('OI');
	await page.waitForFunction(() => [ ...document.querySelectorAll('.ws-flow-link') ].every(cell => cell.textContent === 'OI'));
	assert.ok(await rows(page).count() > 0);
	assert.equal(asked(state).at(-1).link, 'OI');
	assert.match(page.url(), /\?link=OI$/);
	await page.getByLabel('Search').fill('imaps');
	await page.getByText('There is no such connection now').waitFor();
	await page.getByLabel('Search').fill('smtp');
	await rows(page).first().waitFor();
	assert.ok((await column(page, 'service')).every(service => service === 'smtp (TCP)'));
	await page.getByLabel('Kind').selectOption('ipv6');
	await page.waitForFunction(() => [ ...document.querySelectorAll('.ws-flow-source') ].every(cell => cell.textContent.includes('[fd00')));
	assert.match(page.url(), /\?link=OI&text=smtp&kind=ipv6$/);
}));

test('at most 200 stand in the table, and how many there are is said', () => {
	const { made, all } = router(700);

	return looking(PATH, made, async ({ page }) => {
		await rows(page).nth(199).waitFor();
		assert.equal(await rows(page).count(), 200);
		assert.match(await count(page).innerText(), new RegExp(`^200 of ${all.filter(flow => !flow.local).length} shown`));
		await page.getByLabel('Search').fill('smtp');
		await count(page).getByText('searched were the 500 largest').waitFor();
	});
});

test('a heading sorts, and again the other way round', () => looking(PATH, router().made, async ({ page }) => {
	await rows(page).first().waitFor();
	const sort = page.getByRole('button', { name: 'Link', exact: true });

	await sort.click();
	const up = await column(page, 'link');

	assert.deepEqual(up, [ ...up ].sort());
	assert.equal(await page.locator('th[data-column=link]').getAttribute('aria-sort'), 'ascending');
	await sort.click();
	assert.deepEqual(await column(page, 'link'), [ ...up ].sort().reverse());
}));

test('rows stay the same ones, and a pause asks nothing', () => looking(PATH, router().made, async ({ page, state, step }) => {
	await rows(page).first().waitFor();
	await page.evaluate(() => {
		window.row = document.querySelector('.ws-flows tbody tr');
	});
	await step();
	await page.waitForTimeout(300);
	assert.ok(await page.evaluate(() => window.row.isConnected));
	await page.getByRole('button', { name: 'Pause' }).click();
	const before = asked(state).length;

	await step();
	await page.waitForTimeout(300);
	assert.equal(asked(state).length, before);
	await page.getByRole('button', { name: 'Go on' }).click();
	await page.waitForTimeout(300);
	assert.equal(asked(state).length, before + 1);
}));

test('on a phone rows are cards that say what each value is', () => looking(PATH, router().made, async ({ page }) => {
	await rows(page).first().waitFor();
	const labels = await rows(page).first().locator('.td[data-title]').evaluateAll(cells => cells.map(cell =>
		getComputedStyle(cell, '::before').content));

	assert.ok(labels.includes('"Link"') && labels.includes('"Rule"'), labels.join());
	assert.ok(await rows(page).first().evaluate(row => row.getBoundingClientRect().width <= window.innerWidth));
}, { size: PHONE }));

test('without accounting the sizes are missing, and how to have them is said', () => {
	const made = scenarios.well();
	const reply = made.ubus['wansplit.tools'].connections;

	reply.accounting = false;
	for (const flow of reply.connections)
		flow.bytes = flow.packets = null;

	return looking(PATH, made, async ({ page }) => {
		await page.getByText('nf_conntrack_acct').waitFor();
		assert.ok((await column(page, 'bytes')).every(bytes => bytes === '–'));
	});
});
