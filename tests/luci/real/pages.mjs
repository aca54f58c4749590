/* Each page of the app opens without a complaint, on a desk and on a telephone, light and dark; and has its picture taken. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { APP } from '../loader/rights.js';
import { DESKTOP, PHONE } from './router.js';

const menu = JSON.parse(readFileSync(`${APP}/root/usr/share/luci/menu.d/luci-app-wansplit.json`, 'utf8'));
const paths = Object.entries(menu).filter(([ , { action } ]) => action?.type === 'view').map(([ path ]) => path);

const LOOKS = [
	{ suffix: '', size: DESKTOP, scheme: 'light' },
	{ suffix: '-dark', size: DESKTOP, scheme: 'dark' },
	{ suffix: '-phone', size: PHONE, scheme: 'light' }
];

/* No picture is taller, in pixels. */
const TALLEST = 1600;

/* What a page shows something by: a question, and for charts some minutes of their own. */
const QUESTION = '?protocol=tcp&source=192.168.1.10:40000&destination=192.0.2.10:443';
const CHARTED = [ 'admin/network/wansplit/status' ];
const CHART_TIME = 100_000;

async function look(window, path, file) {
	const { page, trouble, size } = window;
	trouble.length = 0;
	await window.go(path.endsWith('/explain') ? path + QUESTION : path);
	assert.equal(await page.locator('#view h2, #view h3').count() > 0, true, 'no heading: the view has not been drawn');
	const errors = await page.locator('.alert-message.error:visible, .alert-message.danger:visible').allInnerTexts();
	assert.deepEqual(errors, [], 'LuCI shows an error');
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
	assert.ok(wide <= 0, `${wide} pixels wider than a window of ${size.width}`);
	assert.deepEqual(trouble, []);
	if (file) {
		if (CHARTED.includes(path))
			await page.waitForTimeout(CHART_TIME);
		/* The head of a long table shows what it is. */
		const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), TALLEST);
		await page.screenshot({ path: file, fullPage: true, clip: { x: 0, y: 0, width: size.width, height } });
	}
}

export const scenarios = LOOKS.map(({ suffix, size, scheme }) => ({
	name: `every page${suffix || '-desk'}`,
	async run({ router, screenshots, each }) {
		const window = await router.login({ size, scheme });
		try {
			for (const path of paths) {
				/* The page below Status has a picture under the name that it has there. */
				const name = path.includes('/status/') ? 'realtime' : path.split('/').at(-1);
				await each(`${path}${suffix}`, () => look(window, path, screenshots && join(screenshots, `${name}${suffix}.png`)));
			}
		}
		finally {
			await window.close();
		}
	}
}));
