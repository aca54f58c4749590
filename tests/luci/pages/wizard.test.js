/* The wizard, clicked through: what it writes, what it asks before, and where it leads. */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { closeBrowser, open } from '../loader/browser.js';
import { parse } from '../loader/config.js';
import { HOSTILE, untouched, well } from '../loader/scenarios.js';

after(closeBrowser);

/* Opens the wizard; `look` gets what to click with. */
async function wizard(scenario, look) {
	const opened = await open('wansplit/setup', scenario);
	const { page } = opened;
	const press = name => page.getByRole('button', { name, exact: true }).click();
	const step = name => page.locator(`[data-step="${name}"]`).waitFor();
	try {
		await look({
			...opened, press, step,
			text: () => page.locator('#view').innerText(),
			choose: title => page.locator('.ws-setup-choice', { hasText: title }).first().click(),
			/* To the last step, and until the router has answered what it thinks. */
			async end() {
				while (!await page.locator('[data-step="summary"]').count())
					await press('Next');
				await page.locator('.ws-setup-step > .spinning').waitFor({ state: 'detached' });
			}
		});
		await opened.check();
	}
	finally {
		await opened.close();
	}
}

/* The sections that were written, as text would give them. */
const written = state => state.uci.wansplit.map(({ '.index': _, ...section }) => section);
const kept = name => parse(readFileSync(new URL(`../setup/${name}.uci`, import.meta.url), 'utf8'));
const applied = page => page.waitForFunction(() => window.applied.length).then(() => page.evaluate(() => window.applied));

test('nothing but Next and Save & Apply: web by one, mail by the other', () => wizard(untouched(), async ({ page, state, press, step }) => {
	await step('links');
	await press('Next');
	await step('goal');
	await press('Next');
	await step('watch');
	await press('Next');
	await step('summary');
	await page.getByText('The router has checked it: it is right.').waitFor();
	assert.deepEqual(written(state), parse("config globals 'globals'\n option enabled '0'\n"), 'nothing is written before the end');

	await press('Save & Apply');
	assert.deepEqual(await applied(page), [ { checked: true } ]);
	assert.deepEqual(written(state), kept('web-mail'));
}));

test('after the changes are confirmed the service is enabled and started, and the status page shown', () => {
	const scenario = untouched();
	let asked = 0;

	/* The daemon answers after a while. */
	scenario.ubus.wansplit = { ...well().ubus.wansplit, status: () => (++asked < 3) ? 4 : well().ubus.wansplit.status };
	return wizard(scenario, async ({ page, state, press, end }) => {
		await end();
		await press('Save & Apply');
		await applied(page);
		await page.evaluate(() => document.dispatchEvent(new CustomEvent('uci-applied')));
		await page.route('**/admin/network/wansplit/status', route => route.fulfill({ body: 'The status page' }));
		await page.reload();
		await page.getByText('The status page').waitFor();
		assert.deepEqual(state.calls.filter(({ method }) => method === 'exec').map(({ params }) => [ params.command, ...params.params ].join(' ')),
			[ '/etc/init.d/wansplit enable', '/etc/init.d/wansplit start' ]);
		assert.ok(asked >= 3);
	});
});

test('what is there already is shown, and replaced only after a clear yes', () => wizard(well(), async ({ page, state, press, text, end }) => {
	const before = written(state);

	assert.match(await text(), /set up already/);
	await end();

	const save = page.getByRole('button', { name: 'Save & Apply' });

	assert.ok(await save.isDisabled());
	await page.getByText('The present configuration, to keep a copy').click();
	const copy = await page.locator('textarea').first().inputValue();

	assert.deepEqual(parse(copy).map(({ '.type': type }) => type), before.map(({ '.type': type }) => type));
	const link = page.getByRole('link', { name: 'Download' });

	assert.equal(decodeURIComponent((await link.getAttribute('href')).split(',').slice(1).join(',')), copy);
	assert.deepEqual(written(state), before);

	await page.getByLabel('Yes, replace it').click();
	await press('Save & Apply');
	await applied(page);
	assert.deepEqual(written(state).slice(1), kept('web-mail').slice(1));
	assert.deepEqual(written(state)[0], { ...before[0], enabled: '1' }, 'what globals say of the router stays');
}));

test('an error that the router finds is shown, and nothing can be saved', () => {
	const scenario = untouched();

	scenario.ubus['wansplit.tools'].check = ({ config }) => ({ valid: false, findings: [
		{ line: 1, severity: 'error', section: null, option: null, message: `${parse(config).length} sections`, help: HOSTILE } ] });
	return wizard(scenario, async ({ page, text, end }) => {
		await end();
		assert.match(await text(), /Error line 1: 9 sections/);
		assert.ok(await page.getByRole('button', { name: 'Save & Apply' }).isDisabled());
	});
});

test('devices name themselves as they like, and Back keeps the answers', () => {
	const scenario = untouched();

	scenario.ubus['luci-rpc'].getHostHints = { '02:00:00:00:00:66': { name: HOSTILE, ipaddrs: [ '192.168.1.66' ] } };
	return wizard(scenario, async ({ page, state, press, choose, end }) => {
		await press('Next');
		await choose('Some devices by another link');
		await press('Add a device');
		await page.getByLabel('Device', { exact: true }).selectOption('02:00:00:00:00:66');
		await end();
		await press('Back');
		await press('Back');
		assert.equal(await page.getByLabel('Device', { exact: true }).inputValue(), '02:00:00:00:00:66');
		await end();
		await press('Save & Apply');
		await applied(page);

		const [ rule ] = written(state).filter(section => section['.type'] === 'rule');

		assert.match(rule['.name'], /^\w+$/);
		assert.deepEqual([ rule.name, rule.src_mac, rule.use ], [ HOSTILE, [ '02:00:00:00:00:66' ], 'wanb_first' ]);
	});
});

test('wrong answers hold the step, and say what would be right', () => wizard(untouched(), async ({ page, press, step, text }) => {
	const name = page.getByLabel('Name').first();

	await name.fill('main');
	await press('Next');
	assert.match(await text(), /main cannot be a name/);
	await step('links');
	await name.fill('EMB');
	await name.press('Enter');
	await step('goal');
}));

test('with one line it says what to do first, and goes on all the same', () => {
	const scenario = untouched();
	const { dump } = scenario.ubus['network.interface'];

	scenario.ubus['network.interface'].dump = { 'interface': dump.interface.filter(({ 'interface': name }) => !name.startsWith('wanb')) };
	return wizard(scenario, async ({ page, state, press, text, end }) => {
		assert.match(await text(), /Only one line to the Internet was found/);
		await press('Next');
		assert.ok(await page.getByLabel(/Web by one, mail by the other/).isDisabled());
		await end();
		await press('Save & Apply');
		await applied(page);
		assert.deepEqual(written(state), kept('one-link'));
	});
});

test('another program’s configuration is taken over', () => {
	const scenario = untouched();
	const tools = scenario.ubus['wansplit.tools'];

	tools.others = { others: [ { program: 'mwan3', file: '/etc/config/mwan3', enabled: true, running: true } ] };
	tools.import = ({ program }) => ({ config: '', remarks: [ `${program}: ${HOSTILE}` ], sections: [
		{ type: 'globals', name: 'globals', options: { enabled: '1' } },
		{ type: 'link', name: 'wan', options: { 'interface': 'wan', track_ip: [ '192.0.2.1' ] } },
		{ type: 'rule', name: null, options: { name: 'Netflix & Co', 'use': 'wan' } }
	] });
	return wizard(scenario, async ({ page, state, press, text, choose, end }) => {
		await press('Next');
		await choose('As mwan3 had it');
		await page.getByText(`mwan3: ${HOSTILE}`).waitFor();
		assert.match(await text(), /mwan3 is running/);
		await end();
		await press('Save & Apply');
		await applied(page);
		assert.deepEqual(written(state).map(({ '.name': _, ...section }) => section), [
			{ '.type': 'globals', '.anonymous': false, enabled: '1' },
			{ '.type': 'link', '.anonymous': false, 'interface': 'wan', track_ip: [ '192.0.2.1' ] },
			{ '.type': 'rule', '.anonymous': true, name: 'Netflix & Co', 'use': 'wan' }
		]);
	});
});
