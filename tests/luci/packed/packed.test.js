/* What the packer leaves of a script means the same. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'espree';
import { APP } from '../loader/rights.js';

const SHORTEN = fileURLToPath(new URL('../../../scripts/packing/shorten.py', import.meta.url));
const HTDOCS = join(APP, 'htdocs');

const scripts = readdirSync(HTDOCS, { recursive: true }).filter(name => name.endsWith('.js'));

/* Its tree, without where each node stands. */
function tree(path) {
	const options = { ecmaVersion: 2022, sourceType: 'commonjs' };
	return JSON.stringify(parse(readFileSync(path, 'utf8'), options), (key, value) => [ 'start', 'end' ].includes(key) ? undefined : typeof value === 'bigint' ? String(value) : value);
}

test('comments and indentation are all that is gone', t => {
	const folder = mkdtempSync(join(tmpdir(), 'wansplit-packed-'));
	t.after(() => rmSync(folder, { recursive: true }));
	assert.ok(scripts.length >= 10);
	const short = scripts.map((name, number) => join(folder, `${number}.js`));
	scripts.forEach((name, number) => copyFileSync(join(HTDOCS, name), short[number]));
	execFileSync('python3', [ SHORTEN, ...short ]);
	scripts.forEach((name, number) => {
		assert.equal(tree(short[number]), tree(join(HTDOCS, name)), name);
		assert.ok(!/^(\/\*|\/\/|\t)/m.test(readFileSync(short[number], 'utf8')), name);
	});
});
