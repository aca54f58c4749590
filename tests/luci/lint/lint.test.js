/* The rules of our own find what they are for, and nothing else. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

const eslint = new ESLint({ cwd: dirname(fileURLToPath(import.meta.url)), overrideConfigFile: '../eslint.config.js' });

async function found(...lines) {
	const text = [ "'use strict';", "'require ui';", "'require dom';", ...lines, 'return L.isObject(ui) && dom;', '' ].join('\n');
	const [ { messages } ] = await eslint.lintText(text, { filePath: 'module.js' });
	return messages.map(({ ruleId, line, message }) => `${ruleId ?? message} ${line - 3}`);
}

async function finds(rule, ...lines) {
	for (const line of lines)
		assert.deepEqual(await found(...[ line ].flat()), [ `${rule} 1` ], String(line));
}

async function passes(...lines) {
	for (const line of lines)
		assert.deepEqual(await found(...[ line ].flat()), [], String(line));
}

test('a string that would become HTML', async () => {
	await finds('wansplit/markup',
		"E('td', {}, L.name);",
		"E('td', { 'class': 'td' }, '%s ms'.format(L.time));",
		"E('td', L.name);",
		"E('td', {}, _('Words'));",
		"E('td', {}, L.up ? [ L.name ] : L.name);",
		"E('td', {}, L.name ?? '');",
		"E('td', L.attributes, L.name);",
		"dom.content(L.node, L.name);",
		"ui.showModal(L.name, []);",
		"ui.showModal(_('About %s').format(L.name), []);",
		"ui.addNotification(null, '<p>' + L.name + '</p>');",
		"const text = L.name; E('td', {}, text);",
		"function text() { if (L.name) { return L.name; } return []; } E('td', {}, text());",
		"L.row = cells => E('td', {}, cells);");
	await passes(
		"E('td', {}, [ L.name ]);",
		"E('td', [ L.name ]);",
		"E('td', { 'class': 'td' });",
		"E('td');",
		"E('ul', {}, L.names.map(name => E('li', {}, [ name ])));",
		"E('td', {}, E('b', {}, [ L.name ]));",
		"E('td', {}, L.up ? [ L.name ] : null);",
		[ "const cells = [ L.name ];", "E('td', {}, cells);" ],
		[ "L.row = (...cells) => E('td', {}, cells);" ],
		[ "function cells() {", "\treturn L.name ? [ L.name ] : E('b');", "}", "E('td', {}, cells());" ],
		"dom.content(L.node, [ L.name ]);",
		"ui.showModal(_('A title'), [ L.name ]);",
		"ui.showModal([ L.name ], [ L.name ]);",
		"ui.addNotification(null, E('p', {}, [ L.name ]), 'warning');");
});

test('other ways to make markup or code of a string', async () => {
	await finds('no-restricted-properties',
		'L.node.innerHTML = L.name;', 'L.node.outerHTML = L.name;', "L.node.insertAdjacentHTML('beforeend', L.name);",
		'document.write(L.name);', 'L.frame.srcdoc = L.name;');
	await finds('no-eval', 'eval(L.name);');
	await finds('no-new-func', 'new Function(L.name)();');
	await finds('no-implied-eval', "setTimeout('L.run()', 1);");
	await finds('no-script-url', "L.open('javascript:L.run()');");
	await finds('wansplit/markup', "E('button', { 'onclick': 'run()' });", "E('img', { onerror: L.run });");
	await passes("E('button', { 'click': () => L.run() });");
});

test('what xgettext would not find, or LuCI not look up', async () => {
	await finds('wansplit/literal',
		'_(L.name);', "_('one ' + 'two');", '_(`one`);', "_('%s'.format(L.name));", '_();', "_(' blank');", "_('');",
		"N_(1, L.one, 'more');");
	await passes("_('one');", "_('one', 'context');", "_('%d of %d').format(1, 2);", "N_(L.number, '%d link', '%d links');");
});

test('words that are not translated', async () => {
	await finds('wansplit/translated',
		"E('td', {}, [ 'Some words' ]);", "E('input', { 'placeholder': 'Some words' });", "E('b', { title: 'Some words' });",
		"ui.showModal('Some words', []);");
	await passes("E('td', {}, [ _('Some words'), ' ', 'ms', '–' ]);", "E('input', { 'class': 'some words' });");
});

test('how it is written', async () => {
	await finds('wansplit/layout', "  L.run();", "L.run(); ", 'L.run("name");');
	await passes("\tL.run();", 'L.run("it\'s");', [ '/*', ' * words', ' */' ]);
	await finds('no-undef', 'nothing();', "require('fs');");
	assert.deepEqual(await found(), []);
	const [ { messages } ] = await eslint.lintText("'use strict';\n'require ui';\n'require wansplit.api as api';\nreturn api;\n", { filePath: 'module.js' });
	assert.deepEqual(messages.map(({ message }) => message), [ "'ui' is defined but never used." ]);
});
