/* What an owner does with the mouse, on a router whose configuration of wansplit may be lost: --change. It has two lines to the Internet. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE } from './router.js';

/* Waits for LuCI's own apply, whose confirmation loads the page anew. */
async function applied(page, press) {
	const loaded = page.waitForEvent('load', { timeout: 120000 });

	await press();
	await loaded;
}

/* LuCI's own button below a form, which is the head of a menu. */
async function saveAndApply(page) {
	await page.locator('.cbi-page-actions .cbi-button-apply').first().click();
}

async function press(page, name) {
	await page.getByRole('button', { name, exact: true }).first().click();
}

/* The set-up, from its first page to the status; resolves to the number of clicks. */
async function setUp({ page, go }) {
	let clicks = 0;

	await go('admin/network/wansplit/setup');
	while (!await page.locator('[data-step="summary"]').count()) {
		await press(page, 'Next');
		clicks++;
	}
	await page.locator('.ws-setup-step > .spinning').waitFor({ state: 'detached' });

	const replace = page.getByLabel('Yes, replace it');
	if (await replace.count()) {
		await replace.click();
		clicks++;
	}
	await applied(page, () => press(page, 'Save & Apply'));
	await page.waitForURL('**/admin/network/wansplit/status', { timeout: 60000 });
	await page.locator('.ws-card').nth(1).waitFor();

	return clicks + 1;
}

const first = size => async ({ router }) => {
	const window = await router.login({ size });

	try {
		assert.ok(await setUp(window) <= 8, 'the classic set-up takes few clicks');
		assert.equal(await window.page.locator('.ws-card').count(), 2, 'a card for each link');
		assert.deepEqual(window.trouble, []);
	}
	finally {
		await window.close();
	}
};

const HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> 100%d';

async function ruleByHand({ router }) {
	const window = await router.login({ size: DESKTOP });
	const { page, go, trouble } = window;

	try {
		await setUp(window);
		await go('admin/network/wansplit/rules');
		await press(page, 'Add a rule');

		const form = page.locator('#modal_overlay');
		const field = option => form.locator(`[data-name="${option}"]`);

		await field('name').locator('input').fill(HOSTILE);
		await field('_preset').locator('select').selectOption({ label: 'Mail' });
		await field('use').locator('select').selectOption({ index: 0 });
		await form.getByRole('button', { name: 'Save', exact: true }).click();
		await form.waitFor({ state: 'hidden' });

		const row = page.locator('.cbi-section-table-row', { hasText: HOSTILE });
		assert.match(await row.innerText(), /Mail/, 'the service has filled in its ports');
		await row.getByRole('button', { name: /^Move .* up$/ }).click();

		/* Behind the rule for all of mail it is never reached: the router says so before it is applied. */
		await saveAndApply(page);
		await page.locator('.ws-findings', { hasText: HOSTILE }).waitFor();
		await applied(page, () => press(page, 'Apply all the same'));
		await go('admin/network/wansplit/rules');
		assert.equal(await row.count(), 1);
		await go('admin/network/wansplit/status');
		assert.equal(await page.locator('#view script, #view img').count(), 0, 'a name is no markup');

		await go('admin/network/wansplit/rules');
		await row.getByRole('button', { name: 'Delete', exact: true }).click();
		await row.waitFor({ state: 'detached' });
		await applied(page, () => saveAndApply(page));
		assert.deepEqual(trouble, []);
	}
	finally {
		await window.close();
	}
}

async function lookUp({ router }) {
	const window = await router.login({ size: DESKTOP });
	const { page, go, trouble } = window;

	try {
		await go('admin/network/wansplit/explain?protocol=tcp&source=192.168.1.10:40000&destination=192.0.2.10:443');
		await page.getByText(/leaves by link/).first().waitFor();
		await go('admin/network/wansplit/connections');
		await page.locator('table tr').nth(1).waitFor();
		assert.deepEqual(trouble, []);
	}
	finally {
		await window.close();
	}
}


export const scenarios = [
	{ name: 'the first run, on a desk', change: true, run: first(DESKTOP) },
	{ name: 'the first run, on a telephone', change: true, run: first(PHONE) },
	{ name: 'a rule by hand', change: true, run: ruleByHand },
	{ name: 'a connection looked up', change: true, run: lookUp }
];
