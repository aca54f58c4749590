import { test } from 'node:test';
import assert from 'node:assert/strict';
import { OF_FORMS, everywhere, looking } from './everywhere.js';
import { HOSTILE, hostile } from '../loader/scenarios.js';

const PAGE = 'wansplit/links';

everywhere(PAGE, OF_FORMS);

/* What runs by mistake is found by `looking`. */
test('a name that looks like markup is text in the title of its window too', () => looking(PAGE, hostile(), async ({ page }) => {
	await page.locator('#view tr[data-sid]', { hasText: HOSTILE }).first().getByRole('button', { name: 'Edit' }).click();
	const title = page.locator('#modal_overlay .modal > h4');
	await title.waitFor();
	await page.waitForFunction(() => document.querySelector('#modal_overlay .modal > h4').textContent.includes('<script'));
	assert.ok((await title.textContent()).includes(HOSTILE));
	assert.equal(await title.locator('*').count(), 0);
}));
