/* The words of the pages are gathered for translators, and each translation is whole. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseScript } from 'espree';
import { APP } from '../loader/rights.js';
import { parse, placeholders } from './catalogue.js';

const PO = join(APP, 'po');
const read = path => parse(readFileSync(join(PO, path), 'utf8'));
const template = read('templates/wansplit.pot').filter(({ id }) => id);
const languages = readdirSync(PO).filter(name => name !== 'templates');

/* Every word that a script shows, found by reading it as JavaScript. */
function shown(path) {
	const found = [];
	const visit = node => {
		if (!node || typeof node !== 'object')
			return;
		if (node.type === 'CallExpression' && node.callee.name === '_')
			found.push(node.arguments[0].value);
		if (node.type === 'CallExpression' && node.callee.name === 'N_')
			found.push(node.arguments[1].value);
		Object.values(node).forEach(visit);
	};
	visit(parseScript(readFileSync(path, 'utf8'), { ecmaVersion: 2022, sourceType: 'commonjs' }));
	return found;
}

test('scripts/luci-strings has gathered them', () => {
	const script = fileURLToPath(new URL('../../../scripts/luci-strings', import.meta.url));
	const { status, stderr } = spawnSync(script, [ '--check' ], { encoding: 'utf8' });
	assert.equal(status, 0, `${stderr}\nRun scripts/luci-strings`);
});

test('none is missed', () => {
	const scripts = readdirSync(join(APP, 'htdocs'), { recursive: true }).filter(name => name.endsWith('.js'));
	const known = new Set(template.map(({ id }) => id));
	const missed = scripts.flatMap(name => shown(join(APP, 'htdocs', name))).filter(text => !known.has(text));
	assert.deepEqual(missed, []);
});

test('placeholders are LuCI\'s', () => {
	for (const { id } of template)
		assert.doesNotMatch(placeholders(id).reduce((rest, placeholder) => rest.replace(placeholder, ''), id), /%[\w{]/, id);
});

/*
 * LuCI looks a word up in the catalogues of all its packages at once, so ours would change its own pages, or its would stand on
 * ours. These words mean something else there (Up and Down move a line of a table, "no link" is a cable without a signal).
 */
test('words that LuCI itself uses for something else have a context', () => {
	const elsewhere = [ 'Up', 'Up.', 'Down', 'Count', 'no link' ];
	const bare = template.filter(({ context, id }) => context === null && elsewhere.includes(id)).map(({ id }) => id);
	assert.deepEqual(bare, []);
});

test('a menu entry and the right have words', () => {
	const known = new Set(template.map(({ id }) => id));
	for (const words of [ 'Link splitting', 'Grant access to wansplit: links, policies, rules' ])
		assert.ok(known.has(words), words);
});

for (const language of languages) {
	const path = `${language}/wansplit.po`;

	test(`${language} is complete`, () => {
		assert.ok(existsSync(join(PO, path)), path);
		const translated = new Map(read(path).map(message => [ `${message.context}\0${message.id}`, message ]));
		const head = translated.get('null\0');
		const number = +head.forms[0].match(/nplurals=(\d+)/)[1];
		const lacking = [];
		for (const { context, id, plural } of template) {
			const message = translated.get(`${context}\0${id}`);
			const forms = plural === null ? 1 : number;
			if (!message || message.fuzzy || message.forms.length !== forms || message.forms.some(form => !form.trim()))
				lacking.push(id);
			else
				message.forms.forEach((form, at) => assert.deepEqual(
					placeholders(form), placeholders(plural !== null && at > 0 ? plural : id), `${id}\n→ ${form}`));
		}
		assert.deepEqual(lacking, [], `${lacking.length} of ${template.length} are not translated`);
		assert.equal(translated.size - 1, template.length, 'words that are gone');
	});
}
