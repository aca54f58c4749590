/*
 * What rpcd lets somebody call who has been given the app's access group: what its file below acl.d grants, and what every user of
 * LuCI may do. `allows` answers as rpcd would.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const APP = process.env.LUCI_APP ?? fileURLToPath(new URL('../../../openwrt/luci-app-wansplit', import.meta.url));
export const GROUP = 'luci-app-wansplit';
export const rights = JSON.parse(readFileSync(`${APP}/root/usr/share/rpcd/acl.d/luci-app-wansplit.json`, 'utf8'));

/* LuCI itself does not work without its groups luci-base and unauthenticated. */
const BASE = {
	read: { ubus: { file: [ 'list' ], luci: [ 'getFeatures' ], session: [ 'access' ], uci: [ 'changes', 'get' ] }, uci: [ 'luci', 'system' ] },
	write: { ubus: { uci: [ 'add', 'apply', 'confirm', 'delete', 'order', 'put', 'rename', 'set' ] } }
};

/* The pattern of a granted file or command: `*` is any text. */
function matches(pattern, text) {
	return new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\*', '.*')}$`).test(text);
}

/* Which configurations a group may read and write: a list means what its group of rights is for, an object says it for each. */
export function configurations(kind) {
	return kindsOf(kind).map(({ uci }) => Array.isArray(uci) ? Object.fromEntries(uci.map(name => [ name, [ kind ] ])) : uci ?? {});
}

const kindsOf = kind => [ BASE[kind], rights[GROUP][kind] ?? {} ];

/* Whether a call is allowed, to somebody who may also change things or not. */
export function allows({ object, method, params }, readonly) {
	const kinds = readonly ? [ 'read' ] : [ 'read', 'write' ];
	const granted = kinds.flatMap(kindsOf);
	if (!granted.some(({ ubus }) => ubus?.[object]?.includes(method)))
		return false;
	if (object === 'uci' && params.config) {
		const needed = [ 'get', 'changes' ].includes(method) ? 'read' : 'write';
		return kinds.flatMap(configurations).some(may => may[params.config]?.includes(needed));
	}
	if (object === 'file' && params.command) {
		const command = [ params.command, ...params.params ?? [] ].join(' ');
		return granted.some(({ file }) => Object.entries(file ?? {}).some(([ pattern, may ]) => may.includes('exec') && matches(pattern, command)));
	}
	if (object === 'file' && params.path)
		return granted.some(({ file }) => Object.entries(file ?? {}).some(([ pattern, may ]) => may.includes(method) && matches(pattern, params.path)));
	return true;
}
