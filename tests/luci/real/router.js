/* A browser at a real router's LuCI. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PROGRAMS = [ process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome' ];

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740 };

/* LuCI draws a page and then its view; the view says so itself while it loads. */
const drawn = () => document.querySelector('#view') && !document.querySelector('#view > .spinning');

export class Router {
	constructor(address, user, password) {
		Object.assign(this, { address: address.replace(/\/+$/, ''), user, password });
	}

	async start() {
		const executablePath = PROGRAMS.find(program => program && existsSync(program));
		if (!executablePath)
			throw new Error(`no Chromium among ${PROGRAMS.filter(Boolean).join(', ')}`);
		this.browser = await chromium.launch({ executablePath, args: [ '--no-sandbox', '--disable-gpu' ] });
	}

	async stop() {
		await this.browser?.close();
	}

	/*
	 * Logs in, with a window of its own, and gives { page, trouble, go, close }. `trouble` is what went wrong beside what was asked
	 * for: errors on the console or caught by nobody, files that do not come, dialogues that a page would only open by hostile markup.
	 */
	async login({ size = DESKTOP, scheme = 'light', user = this.user, password = this.password } = {}) {
		const context = await this.browser.newContext({ viewport: size, colorScheme: scheme, ignoreHTTPSErrors: true, hasTouch: size === PHONE });
		const page = await context.newPage();
		const trouble = [];
		const url = path => `${this.address}/cgi-bin/luci/${path}`;
		/* At a page of ours: LuCI's own first page asks the router for much, and leaving it half loaded keeps the web server busy. */
		await page.goto(url('admin/network/wansplit/status'));
		await page.locator('input[name=luci_password]').waitFor();
		await page.locator('input[name=luci_username]').fill(user);
		await page.locator('input[name=luci_password]').fill(password);
		await page.locator('input[name=luci_password]').press('Enter');
		await page.waitForFunction(() => !document.querySelector('input[name=luci_password]') && document.querySelector('#maincontent, .main'));
		await page.waitForFunction(drawn);
		await page.waitForLoadState('networkidle').catch(() => {});
		/* The page that asks for the password comes with an error's status: only from here on does trouble count. */
		page.on('pageerror', error => trouble.push(`not caught: ${error.message}`));
		page.on('console', message => message.type() === 'error' && trouble.push(`console: ${message.text()} ${message.location()?.url ?? ''}`));
		page.on('requestfailed', request => request.failure()?.errorText !== 'net::ERR_ABORTED' && trouble.push(`not fetched: ${request.url()}`));
		page.on('dialog', dialog => {
			trouble.push(`dialogue: ${dialog.message()}`);
			return dialog.dismiss();
		});
		return {
			page, trouble, size,
			async go(path) {
				await page.goto(url(path));
				await page.waitForFunction(drawn);
				/* What is asked of the router after that, and the first look of what is polled. */
				await page.waitForLoadState('networkidle').catch(() => {});
			},
			close: () => context.close()
		};
	}
}
