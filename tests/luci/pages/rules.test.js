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
	await page.locator('#view tr[data-sid="navegacao"]').getByRole('button', { name: 'Show' }).click();
	const box = page.locator('#modal_overlay .modal');
	await box.getByRole('button', { name: 'Save' }).waitFor();
	assert.ok(await box.getByRole('button', { name: 'Save' }).isDisabled());
	assert.equal(await box.locator('.cbi-value :is(input, select, textarea):enabled:visible').count(), 0);
}));
