/* What holds for every page, whatever the router is like. */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, closeBrowser, open } from '../loader/browser.js';
import * as scenarios from '../loader/scenarios.js';

const { HOSTILE: _, ...states } = scenarios;

/* Those that make a difference to pages that only write the configuration. */
export const OF_FORMS = [ 'well', 'off', 'untouched', 'withoutTools', 'readonly', 'manyRules', 'mistaken', 'hostile' ];
/* And to those that look something up. */
export const OF_LOOKUPS = [ 'well', 'down', 'off', 'untouched', 'withoutTools', 'readonly', 'hostile' ];

/* Opens a page, gives it to `look`, and sees that nothing went wrong. */
export async function looking(path, scenario, look = async () => {}, options = {}) {
	const opened = await open(path, scenario, options);
	try {
		await opened.step();
		await look(opened);
		await opened.check();
	}
	finally {
		await opened.close();
	}
}

/* Every button that changes something; LuCI's own Edit opens a form of fields that cannot be changed. */
const CHANGES = /^(save|apply|repair|add|delete|clone|write|set up|start|remove|import|use|enable|disable)\b/i;

export function everywhere(path, names = Object.keys(states)) {
	after(closeBrowser);

	for (const name of names)
		test(`${path}: ${name}, on a phone`, () => looking(path, states[name](), async ({ page }) => {
			assert.ok((await page.locator('h2').first().innerText()).trim(), 'a heading');
			await page.emulateMedia({ colorScheme: 'dark' });
		}, { size: PHONE }));

	test(`${path}: hostile names, on a desk`, () => looking(path, states.hostile(), async ({ page }) => {
		/* Markup out of a string in an attribute is as bad; attributes of ours never hold code. */
		const handlers = await page.evaluate(() => [ ...document.querySelectorAll('#maincontent *') ]
			.flatMap(node => [ ...node.attributes ]).filter(({ name }) => /^on/.test(name)).map(({ name, value }) => `${name}=${value}`));
		assert.deepEqual(handlers, []);
	}, { size: DESKTOP }));

	test(`${path}: fields and pictures have names that can be read out`, () => looking(path, states.well(), async ({ page }) => {
		const nameless = await page.evaluate(() => [ ...document.querySelectorAll('#view :is(button, input, select, textarea)') ]
			/* In the cells of a form's table LuCI has the column's title for it. */
			.filter(field => field.type !== 'hidden' && field.checkVisibility() && !field.closest('.cbi-section-table .cbi-value-field'))
			.filter(field => ![ field.getAttribute('aria-label'), field.title, field.textContent, field.placeholder, ...[ ...field.labels ?? [] ].map(label => label.textContent) ]
				.some(text => text?.trim()) && !field.getAttribute('aria-labelledby') && !document.querySelector(`label[for="${CSS.escape(field.id)}"]`))
			.map(field => field.outerHTML));
		assert.deepEqual(nameless, []);
	}));

	test(`${path}: who may only read is offered nothing that changes`, () => looking(path, states.readonly(), async ({ page, state }) => {
		const offered = await page.locator('#view button:enabled').allInnerTexts();
		assert.deepEqual(offered.filter(text => CHANGES.test(text.trim())), []);
		const writing = state.calls.filter(({ object, method }) =>
			object === 'uci' && method === 'put' || object === 'wansplit' && method === 'apply' || object === 'file' && method === 'exec');
		assert.deepEqual(writing, []);
	}));
}
