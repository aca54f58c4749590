/* The menu and the rights: they name what is there, and grant what the pages call and no more. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { APP, GROUP, allows, configurations, rights } from '../loader/rights.js';

const menu = JSON.parse(readFileSync(`${APP}/root/usr/share/luci/menu.d/luci-app-wansplit.json`, 'utf8'));
const { read, write } = rights[GROUP];

const files = folder => readdirSync(folder).flatMap(name => {
	const path = join(folder, name);
	return statSync(path).isDirectory() ? files(path) : [ path ];
});
const sources = files(`${APP}/htdocs`).filter(path => path.endsWith('.js')).map(path => [ path, readFileSync(path, 'utf8') ]);
const all = pattern => sources.flatMap(([ , text ]) => [ ...text.matchAll(pattern) ]);

/* What LuCI's own modules call when ours use them, as far as LuCI's group for its users does not grant it. */
const CALLED_BY = {
	network: { 'luci-rpc': [ 'getHostHints', 'getNetworkDevices' ], 'network.interface': [ 'dump' ] },
	'tools.widgets': { 'luci-rpc': [ 'getHostHints', 'getNetworkDevices' ], 'network.interface': [ 'dump' ] },
	fs: { file: [] }
};

const required = new Set(all(/^'require ([\w.]+)/gm).map(([ , name ]) => name));

function called() {
	const calls = {};
	const add = (object, ...methods) => calls[object] = [ ...new Set([ ...calls[object] ?? [], ...methods ]) ].sort();
	const declared = all(/rpc\.declare\(\{\s*object: '([^']+)',\s*method: '([^']+)'/g);
	assert.equal(declared.length, all(/rpc\.declare\(/g).length, 'rpc.declare({ object: …, method: … }) begins with these two, as they are');
	declared.forEach(([ , object, method ]) => add(object, method));
	for (const module of required)
		Object.entries(CALLED_BY[module] ?? {}).forEach(([ object, methods ]) => methods.length && add(object, ...methods));
	all(/\bfs\.(exec|read|write|stat|list|remove)\b/g).forEach(([ , method ]) => add('file', method));
	return calls;
}

/* The configurations that may be read or written by kinds of rights. */
const configured = (permission, kinds) => kinds.flatMap(kind => Object.entries(configurations(kind)[1]))
	.filter(([ , may ]) => may.includes(permission)).map(([ name ]) => name).sort();

const granted = {};
for (const { ubus } of [ read, write ])
	for (const [ object, methods ] of Object.entries(ubus ?? {}))
		granted[object] = [ ...granted[object] ?? [], ...methods ].sort();

test('the menu names views that are there, and the group of rights', () => {
	for (const [ path, { title, action, depends } ] of Object.entries(menu)) {
		assert.ok(title, path);
		if (action?.type === 'view')
			assert.ok(sources.some(([ file ]) => file.endsWith(`/view/${action.path}.js`)), `${path}: view/${action.path}.js`);
		for (const group of depends?.acl ?? [])
			assert.ok(rights[group], `${path}: ${group}`);
		const above = Object.keys(menu).find(other => path.startsWith(`${other}/`));
		assert.ok(depends?.acl || menu[above]?.depends?.acl, `${path}: shown to everybody`);
	}
});

test('every view is in the menu, or on the front page', () => {
	const shown = Object.values(menu).map(({ action }) => action?.path);
	for (const [ file ] of sources.filter(([ path ]) => /\/view\/wansplit\//.test(path)))
		assert.ok(shown.includes(file.replace(/.*\/view\/(.*)\.js$/, '$1')), file);
});

test('the rights have the shape that rpcd reads', () => {
	assert.deepEqual(Object.keys(rights), [ GROUP ]);
	assert.deepEqual(Object.keys(rights[GROUP]).sort(), [ 'description', 'read', 'write' ]);
	for (const kind of [ read, write ]) {
		assert.deepEqual(Object.keys(kind).filter(name => ![ 'file', 'ubus', 'uci' ].includes(name)), []);
		assert.ok(!Array.isArray(kind.file) && !Array.isArray(kind.ubus));
		for (const list of [ ...Object.values(kind.file ?? {}), ...Object.values(kind.ubus ?? {}), ...Array.isArray(kind.uci) ? [ kind.uci ] : Object.values(kind.uci) ])
			assert.deepEqual(list, [ ...new Set(list) ].sort(), 'sorted, each once');
	}
	assert.ok(!JSON.stringify(rights).includes('*'), 'no patterns');
});

test('what the pages call is granted, and nothing else', () => {
	assert.deepEqual(granted, Object.fromEntries(Object.entries(called()).sort()));
});

test('who may only read can change nothing', () => {
	assert.deepEqual(read.file ?? {}, {});
	assert.ok(!read.ubus.file && !read.ubus.uci);
	assert.ok(!read.ubus.wansplit.includes('apply'));
	assert.deepEqual(configured('write', [ 'read' ]), []);
	assert.deepEqual(configured('write', [ 'write' ]), [ 'wansplit' ]);
});

test('the commands that are run are granted as they are', () => {
	const run = all(/fs\.exec\('([^']+)', \[([^\]]*)\]\)/g).map(([ , command, args ]) =>
		[ command, ...[ ...args.matchAll(/'([^']*)'/g) ].map(([ , arg ]) => arg) ]);
	assert.equal(run.length, all(/fs\.exec(_direct)?\(/g).length, 'fs.exec(command, [ … ]) with words as they are');
	assert.deepEqual(Object.keys(write.file ?? {}).sort(), [ ...new Set(run.map(words => words.join(' '))) ].sort());
	for (const [ command, ...params ] of run) {
		const call = { object: 'file', method: 'exec', params: { command, params } };
		assert.ok(allows(call, false) && !allows(call, true), command);
	}
});

test('the configurations that are read are granted, and no others', () => {
	const loaded = all(/\buci\.load\((\[[^\]]*\]|'[^']*')\)/g).flatMap(([ , names ]) => [ ...names.matchAll(/'([^']*)'/g) ].map(([ , name ]) => name));
	const maps = all(/new form\.Map\('([^']+)'/g).map(([ , name ]) => name);
	const used = new Set([ ...loaded, ...maps ].filter(name => ![ 'luci', 'system' ].includes(name)));
	assert.deepEqual(configured('read', [ 'read', 'write' ]), [ ...used ].sort());
});

test('the methods are those of the program', () => {
	const tools = JSON.parse(execFileSync(process.env.WANSPLIT ?? 'wansplit', [ 'rpcd', 'list' ], { encoding: 'utf8' }));
	for (const method of granted['wansplit.tools'] ?? [])
		assert.ok(method in tools, `wansplit.tools ${method}`);
	/* A page gives no argument that the method does not know: rpcd would refuse the call. */
	for (const [ , method, params ] of all(/object: 'wansplit\.tools',\s*method: '(\w+)'(?:,\s*params: \[([^\]]*)\])?/g))
		for (const [ , name ] of (params ?? '').matchAll(/'([^']+)'/g))
			assert.ok(name in tools[method], `wansplit.tools ${method}: ${name}`);
});
