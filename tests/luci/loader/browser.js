/* Opens a page of the app in headless Chromium, and watches what must never happen on any of them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { serve } from './server.js';

const PROGRAMS = [ process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome' ];

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740 };

let running;

/* One browser for all pages of a test file. */
export async function browser() {
	const executablePath = PROGRAMS.find(program => program && existsSync(program));
	assert.ok(executablePath, `No Chromium among ${PROGRAMS.filter(Boolean).join(', ')}: scripts/setup tests installs it`);
	/* Chromium's own sandbox does not work for root, nor where user namespaces are forbidden; all that is opened is ours. */
	running ??= await chromium.launch({ executablePath, args: [ '--no-sandbox', '--disable-gpu' ] });
	return running;
}

export async function closeBrowser() {
	await running?.close();
	running = undefined;
}

/*
 * Opens `wansplit/status` and so on; gives { page, state, step, check, close }. `check` fails on what was said on the console, on
 * errors that nobody caught, on files that were asked for and are not there, on elements made out of data, and on a page that is
 * wider than its window.
 */
export async function open(path, scenario, { size = DESKTOP, scheme = 'light' } = {}) {
	const server = await serve(scenario);
	const context = await (await browser()).newContext({ viewport: size, colorScheme: scheme });
	const page = await context.newPage();
	const trouble = [];
	page.on('pageerror', error => trouble.push(`not caught: ${error.stack}`));
	page.on('console', message => [ 'error', 'warning' ].includes(message.type()) && trouble.push(`console: ${message.text()}`));
	page.on('dialog', dialog => {
		trouble.push(`dialogue: ${dialog.message()}`);
		return dialog.dismiss();
	});
	const close = async () => {
		await context.close();
		await server.close();
	};
	await page.goto(`${server.address}/view/${path}`);
	const ready = await page.evaluate(() => window.ready.then(() => null, error => error.stack));
	/* A style sheet that comes late would be no fault of the page's. */
	await page.evaluate(() => Promise.all([ ...document.querySelectorAll('link[rel="stylesheet"]') ].filter(link => !link.sheet)
		.map(link => new Promise(loaded => [ 'load', 'error' ].forEach(event => link.addEventListener(event, loaded))))));
	if (ready !== null) {
		await close();
		assert.fail(`${path} does not load: ${ready}`);
	}

	return {
		close,
		page,
		state: server.state,
		/* One round of what the page polls. */
		step: () => page.evaluate(() => L.Poll.step()),
		text: () => page.locator('body').innerText(),
		async check() {
			const foreign = await page.evaluate(() => [ ...document.querySelectorAll('#maincontent script, #modal_overlay script, [data-hostile], img[onerror]') ]
				.map(node => node.outerHTML));
			assert.deepEqual(foreign, [], `${path}: elements made out of data`);
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
			assert.ok(wide <= 0, `${path}: ${wide} pixels wider than a window of ${size.width}`);
			assert.deepEqual(server.state.missing, [], `${path}: files that are not there`);
			/* Who may only read is refused some; then the page must do without. */
			assert.deepEqual(server.state.readonly ? [] : server.state.denied, [], `${path}: calls that the rights do not allow`);
			assert.deepEqual(trouble, [], path);
		}
	};
}
