/*
 * The router as a page sees it: its files, and what ubus answers. Files come from the app as it is, and where it has none from
 * runtime/. Answers come from a scenario:
 *
 *   { ubus: { object: { method: answer } }, uci: { config: [ section, … ] }, readonly }
 *
 * An answer is what the method replies; a number is ubus' status of a refused call; a function is asked with the arguments. An object
 * that is not in the scenario is not on ubus. What the app's rights do not allow is refused, whatever the scenario.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APP, allows } from './rights.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const HTDOCS = join(APP, 'htdocs');
const TYPES = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const OBJECT_NOT_FOUND = { error: { code: -32000, message: 'Object not found' } };
const METHOD_NOT_FOUND = { error: { code: -32601, message: 'Method not found' } };
const ACCESS_DENIED = { error: { code: -32002, message: 'Access denied' } };
const PERMISSION_DENIED = 6;

const SCRIPTS = [ 'format', 'classes', 'elements', 'luci' ];

function page(path, readonly) {
	const environment = JSON.stringify({ path, readonly: !!readonly }).replaceAll('<', '\\u003c');
	return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${path}</title>
		<meta name="viewport" content="width=device-width, initial-scale=1">
		<link rel="icon" href="data:,"><link rel="stylesheet" href="/runtime/theme.css"></head>
		<body><div id="maincontent"><div id="view"></div></div>
		<script type="application/json" id="environment">${environment}</script>
		${SCRIPTS.map(name => `<script src="/runtime/${name}.js"></script>`).join('')}</body></html>`;
}

/* What rpcd's object `uci` does; the sections of a scenario are a list, in order. */
function uci(state, method, { config, sections }) {
	const known = state.uci[config];
	const values = list => Object.fromEntries(list.map((section, index) => [ section['.name'], { ...section, '.index': index } ]));
	switch (method) {
	case 'get':
		return known ? { values: values(known) } : 4;
	case 'put':
		if (state.readonly)
			return PERMISSION_DENIED;
		state.uci[config] = sections.map(({ '.index': _, ...section }) => {
			const made = section['.anonymous'] && /^new\d+$/.test(section['.name']);
			return made ? { ...section, '.name': `cfg${String(++state.made).padStart(2, '0')}abcd` } : section;
		});
		return { values: values(state.uci[config]) };
	default:
		return { changes: {} };
	}
}

async function answer(state, call) {
	const { object, method, params } = call;
	state.calls.push(call);
	if (!allows(call, state.readonly)) {
		state.denied.push(`${object} ${method} ${JSON.stringify(params)}`);
		return ACCESS_DENIED;
	}
	if (object === 'uci')
		return uci(state, method, params);
	if (object === 'session' && method === 'access')
		return { access: params.function !== 'write' || !state.readonly };
	const methods = state.ubus[object];
	if (!methods)
		return OBJECT_NOT_FOUND;
	if (!(method in methods))
		return METHOD_NOT_FOUND;
	return typeof methods[method] === 'function' ? methods[method](params) : methods[method];
}

async function body(request) {
	let text = '';
	for await (const part of request)
		text += part;
	return JSON.parse(text);
}

async function file(url) {
	const path = normalize(decodeURIComponent(url.pathname));
	const resource = path.replace(/^\/luci-static\/resources\//, '/');
	for (const place of path.startsWith('/runtime/') ? [ join(HERE, path) ] : [ join(HTDOCS, path), join(HERE, 'runtime', resource) ])
		try {
			return await readFile(place);
		}
		catch (error) {
			if (error.code !== 'ENOENT' && error.code !== 'EISDIR')
				throw error;
		}
	return null;
}

/* Serves a scenario; `state` is what has become of it, with all calls that were made. */
export async function serve(scenario) {
	const state = { ubus: {}, uci: {}, ...structuredCloneOf(scenario), calls: [], denied: [], missing: [], made: 0 };
	const server = createServer(async (request, response) => {
		const url = new URL(request.url, 'http://router');
		if (url.pathname === '/ubus') {
			const reply = await answer(state, await body(request));
			const message = reply?.error?.code ? reply : { result: typeof reply === 'number' ? [ reply ] : [ 0, reply ] };
			return response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }));
		}
		if (url.pathname.startsWith('/view/'))
			return response.setHeader('Content-Type', 'text/html').end(page(url.pathname.slice('/view/'.length), state.readonly));
		const content = await file(url);
		if (content === null) {
			state.missing.push(url.pathname);
			return response.writeHead(404).end();
		}
		response.setHeader('Content-Type', TYPES[extname(url.pathname)] ?? 'application/octet-stream');
		return response.end(content);
	});
	await new Promise(listening => server.listen(0, '127.0.0.1', listening));
	return {
		state,
		address: `http://127.0.0.1:${server.address().port}`,
		close: () => new Promise(closed => {
			server.close(closed);
			server.closeAllConnections();
		})
	};
}

/* Answers may be functions, which cannot be cloned; what tests change is the configuration. */
function structuredCloneOf(scenario) {
	return { ...scenario, ubus: { ...scenario.ubus }, uci: structuredClone(scenario.uci ?? {}) };
}
