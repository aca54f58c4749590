/*
 * Runs the scenarios of all *.mjs here against a real router: see scripts/test-luci. A file exports
 *
 *   scenarios = [ { name, change, run({ router, screenshots, each }) } ]
 *
 * One with `change` alters the router's configuration: it is left out unless that is asked for. `each(name, fn)` counts a part of a
 * scenario as a test of its own; a scenario that does not use it is one test.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Router } from './router.js';

const USAGE = 'usage: scripts/test-luci [--change] [--screenshots FOLDER] [--only TEXT] URL [USER PASSWORD]';

function options() {
	try {
		const { values, positionals } = parseArgs({
			allowPositionals: true,
			options: { change: { type: 'boolean' }, screenshots: { type: 'string' }, only: { type: 'string', default: '' } }
		});
		const [ address, user = 'root', password = '', ...more ] = positionals;
		if (!/^https?:\/\/[^/]/.test(address ?? '') || more.length)
			throw new Error('an address like http://192.168.1.1 is needed');
		return { ...values, address, user, password };
	}
	catch (error) {
		console.error(`scripts/test-luci: ${error.message}\n${USAGE}`);
		process.exit(2);
	}
}

const { address, user, password, change, screenshots, only } = options();
const counted = { passed: 0, failed: 0, 'left out': 0 };

async function count(name, fn) {
	const since = Date.now();
	try {
		await fn();
		counted.passed++;
		console.log(`passed  ${name} (${((Date.now() - since) / 1000).toFixed(1)} s)`);
	}
	catch (error) {
		counted.failed++;
		console.log(`FAILED  ${name}\n${(error.stack ?? String(error)).replace(/^/gm, '        ')}`);
	}
}

if (screenshots)
	mkdirSync(screenshots, { recursive: true });
const router = new Router(address, user, password);
try {
	await router.start();
	for (const file of readdirSync(new URL('.', import.meta.url)).filter(name => name.endsWith('.mjs')).sort())
		for (const scenario of (await import(`./${file}`)).scenarios.filter(({ name }) => name.includes(only))) {
			if (scenario.change && !change) {
				counted['left out']++;
				console.log(`left out ${scenario.name}: it changes the router (--change)`);
				continue;
			}
			let parts = 0;
			const each = (name, fn) => {
				parts++;
				return count(name, fn);
			};
			const whole = () => scenario.run({ router, screenshots, each });
			/* What fails before or between the parts fails as a whole. */
			await whole().then(() => parts || count(scenario.name, () => {}), error => count(scenario.name, () => {
				throw error;
			}));
		}
}
catch (error) {
	counted.failed++;
	console.error(`scripts/test-luci: ${error.message}`);
}
finally {
	await router.stop();
}
const left = counted['left out'] ? `, ${counted['left out']} left out` : '';
console.log(`${counted.passed} passed, ${counted.failed} failed${left}`);
process.exitCode = counted.failed || !counted.passed ? 1 : 0;
