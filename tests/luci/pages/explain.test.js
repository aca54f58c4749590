import { test } from 'node:test';
import assert from 'node:assert/strict';
import { OF_LOOKUPS, everywhere, looking } from './everywhere.js';
import * as scenarios from '../loader/scenarios.js';

everywhere('wansplit/explain', OF_LOOKUPS);

/* What a user sees: fields by their labels. */
const field = (page, label) => page.getByLabel(label, { exact: true });
const ask = page => page.getByRole('button', { name: 'Explain', exact: true }).click();
const answer = page => page.locator('.ws-answer');
const wrong = page => page.locator('.ws-wrong:not(:empty)').allInnerTexts();
const asked = state => state.calls.filter(({ object, method }) => object === 'wansplit' && method === 'explain').map(({ params }) => params);
const steps = page => page.locator('.ws-path-name').allInnerTexts();

test('a device that asks a server: the way is drawn, and told', () => looking('wansplit/explain', scenarios.well(), async ({ page, state }) => {
	await field(page, 'Device').fill('192.168.1.10');
	await field(page, 'Destination').fill('192.0.2.10');
	await ask(page);
	await answer(page).locator('h3').waitFor();
	assert.deepEqual(await steps(page), [ 'laptop', 'navegacao', 'web', 'EMB', '192.0.2.10' ]);
	assert.equal(await answer(page).locator('h3').innerText(), 'It leaves by link “EMB”.');
	assert.match(await answer(page).innerText(), /If “EMB” fails, “OI” takes over\./);
	assert.match(await answer(page).innerText(), /kernel was asked and says the same/);
	assert.deepEqual(asked(state), [ { protocol: 'tcp', source: '192.168.1.10', destination: '192.0.2.10:443' } ]);
	assert.match(page.url(), /\?protocol=tcp&source=192\.168\.1\.10&destination=192\.0\.2\.10%3A443$/);
}));

test('a link to the page asks at once, and fills the fields', () => looking(
	'wansplit/explain?protocol=tcp&source=192.168.1.10:40000&destination=192.0.2.10:443&dscp=46', scenarios.down(), async ({ page, state }) => {
		await answer(page).locator('h3').waitFor();
		assert.deepEqual(await steps(page), [ 'laptop', 'navegacao', 'web', 'OI', '192.0.2.10' ]);
		assert.match(await answer(page).innerText(), /Link “EMB” is passed over: its tests get no answer\./);
		assert.equal(await field(page, 'Device').inputValue(), '192.168.1.10');
		assert.equal(await page.getByLabel('Service').inputValue(), 'https');
		assert.equal(await field(page, 'DSCP').inputValue(), '46');
		assert.deepEqual(asked(state), [ { protocol: 'tcp', source: '192.168.1.10:40000', destination: '192.0.2.10:443', dscp: 46 } ]);
	}));

test('what is wrong is said beside its field, and nobody is asked', () => looking('wansplit/explain', scenarios.well(), async ({ page, state }) => {
	await field(page, 'Device').fill('laptop');
	await field(page, 'Destination').fill('http://example.com/');
	await ask(page);
	assert.equal((await wrong(page)).length, 2);
	assert.equal(await field(page, 'Device').getAttribute('aria-invalid'), 'true');
	assert.deepEqual(asked(state), []);
	await field(page, 'Device').fill('192.168.1.10');
	await field(page, 'Destination').fill('192.0.2.10');
	await ask(page);
	await answer(page).locator('h3').waitFor();
	assert.deepEqual(await wrong(page), []);
}));

test('what the daemon cannot read stands beside its field, as text', () => {
	const made = scenarios.well();

	made.ubus.wansplit.explain = { error: '\'<i>x</i>\' is no protocol: say tcp, udp, icmp or a number up to 255' };
	return looking('wansplit/explain', made, async ({ page }) => {
		await field(page, 'Device').fill('192.168.1.10');
		await field(page, 'Destination').fill('192.0.2.10');
		await page.getByLabel('Service').selectOption('other');
		await field(page, 'Protocol').fill('<i>x</i>');
		await ask(page);
		await page.locator('.ws-wrong:not(:empty)').waitFor();
		assert.deepEqual(await wrong(page), [ made.ubus.wansplit.explain.error ]);
		assert.equal(await field(page, 'Protocol').getAttribute('aria-invalid'), 'true');
	});
});

test('a name is asked for by an address of the sender\'s kind, and by the others on demand', () => {
	const made = scenarios.well();

	made.ubus['wansplit.tools'].resolve = ({ name }) =>
		({ addresses: (name === 'films.example') ? [ '2001:db8::50', '192.0.2.10', '192.0.2.11' ] : [] });
	return looking('wansplit/explain', made, async ({ page, state }) => {
		await field(page, 'Device').fill('192.168.1.10');
		await field(page, 'Destination').fill('nobody.example');
		await ask(page);
		await page.locator('.ws-wrong:not(:empty)').waitFor();
		assert.deepEqual(await wrong(page), [ 'The router cannot find an address for this name.' ]);
		await field(page, 'Destination').fill('Films.example');
		await ask(page);
		await answer(page).getByRole('button', { name: '192.0.2.11' }).click();
		await answer(page).getByRole('button', { name: '192.0.2.10' }).and(page.locator(':enabled')).waitFor();
		assert.deepEqual(asked(state).map(({ destination }) => destination), [ '192.0.2.10:443', '192.0.2.11:443' ]);
		assert.equal((await steps(page)).at(-1), 'Films.example');
	});
});

test('the router itself has no device, and other fields', () => looking('wansplit/explain', scenarios.well(), async ({ page, state }) => {
	await page.getByLabel('Who asks').selectOption('router');
	assert.equal(await field(page, 'Device').isVisible(), false);
	await page.getByText('More, seldom needed').click();
	assert.equal(await field(page, 'User').isVisible(), true);
	assert.equal(await field(page, 'Ethernet address').isVisible(), false);
	await field(page, 'User').fill('1000');
	await field(page, 'Destination').fill('192.0.2.10');
	await page.getByLabel('Service').selectOption('ping');
	await ask(page);
	await answer(page).locator('h3').waitFor();
	assert.deepEqual(asked(state), [ { protocol: 'icmp', source: 'router', destination: '192.0.2.10', uid: 1000 } ]);
}));
