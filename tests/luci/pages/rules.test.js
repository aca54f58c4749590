import { test } from 'node:test';
import assert from 'node:assert/strict';
import { OF_FORMS, everywhere, looking } from './everywhere.js';
import { readonly, well } from '../loader/scenarios.js';

const PAGE = 'wansplit/rules';

everywhere(PAGE, OF_FORMS);

test('each rule in words, with what it has counted', () => looking(PAGE, well(), async ({ text }) => {
	const said = await text();
	for (const word of [ 'navegacao', 'TCP to port 80, 443', 'noite', 'cameras', 'aus', 'web', 'mail' ])
		assert.ok(said.includes(word), `no “${word}” in:\n${said}`);
}));

test('a rule is edited in a dialogue and saved', () => looking(PAGE, well(), async ({ page, state }) => {
	await page.locator('#view tr[data-sid="navegacao"]').getByRole('button', { name: 'Edit' }).click();
	const box = page.locator('#modal_overlay .modal');
	await box.getByRole('button', { name: 'Save' }).waitFor();
	await box.getByRole('button', { name: 'Save' }).click();
	await page.waitForFunction(() => !document.body.classList.contains('modal-overlay-active'));
	/* Nothing was changed: every option is as it was. */
	const { '.type': type, use, proto, dest_port: port } = state.uci.wansplit.find(section => section['.name'] === 'navegacao');
	assert.deepEqual([ type, use, [ proto ].flat(), port ], [ 'rule', 'web', [ 'tcp' ], [ '80', '443' ] ]);
}));

test('who may only read sees fields that cannot be changed', () => looking(PAGE, readonly(), async ({ page }) => {
	await page.locator('#view tr[data-sid="navegacao"]').getByRole('button', { name: 'Edit' }).click();
	const box = page.locator('#modal_overlay .modal');
	await box.getByRole('button', { name: 'Save' }).waitFor();
	assert.ok(await box.getByRole('button', { name: 'Save' }).isDisabled());
	assert.equal(await box.locator('.cbi-value :is(input, select, textarea):enabled:visible').count(), 0);
}));

const window = page => page.locator('#modal_overlay .modal');
const closed = page => page.waitForFunction(() => !document.body.classList.contains('modal-overlay-active'));

async function edit(page, sid) {
	await page.locator(`#view tr[data-sid="${sid}"]`).getByRole('button', { name: 'Edit' }).click();
	await window(page).getByRole('button', { name: 'Save' }).waitFor();
}

test('what was written by hand in other words stays as it is', () => {
	const scenario = well();
	const rule = scenario.uci.wansplit.find(section => section['.name'] === 'navegacao');
	const written = {
		enabled: 'yes', proto: 'udp tcp', dest_port: '80 443', family: '4', sticky: '0', timeout: '5m', weekdays: 'Friday mon-wed', from: 'lan', counter: 'on',
		log: 'off', src_iface: '!lan br-nothing', use: 'ghost'
	};
	Object.assign(rule, written);

	return looking(PAGE, scenario, async ({ page, state }) => {
		await edit(page, 'navegacao');
		await window(page).getByRole('button', { name: 'Save' }).click();
		await closed(page);
		const after = state.uci.wansplit.find(section => section['.name'] === 'navegacao');
		for (const [ option, value ] of Object.entries(written))
			assert.deepEqual(after[option], value, option);
	});
});

test('what is typed into a list and is wrong is refused, and not dropped without a word', () => looking(PAGE, well(), async ({ page, state }) => {
	const ports = () => state.uci.wansplit.find(section => section['.name'] === 'navegacao').dest_port;
	await edit(page, 'navegacao');
	const line = window(page).locator('[data-name="dest_port"] .add-item input').first();
	await line.fill('99999');
	await window(page).getByRole('button', { name: 'Save' }).click();
	await page.waitForTimeout(300);
	assert.ok(await window(page).isVisible(), 'the window stays');
	assert.deepEqual(ports(), [ '80', '443' ]);
}));
