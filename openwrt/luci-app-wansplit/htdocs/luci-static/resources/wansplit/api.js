'use strict';
'require baseclass';
'require fs';
'require rpc';

/*
 * All that the pages ask of the router. `wansplit` is the daemon's object: it is there while the daemon runs.
 * `wansplit.tools` is the program run by rpcd: it is there always.
 */

const callStatus = rpc.declare({ object: 'wansplit', method: 'status' });
const callEvents = rpc.declare({ object: 'wansplit', method: 'events' });
const callApply = rpc.declare({ object: 'wansplit', method: 'apply' });
const callExplain = rpc.declare({
	object: 'wansplit',
	method: 'explain',
	params: [ 'protocol', 'source', 'destination', 'iface', 'mac', 'dscp', 'icmp_type', 'mark', 'uid' ]
});
const callCheck = rpc.declare({ object: 'wansplit.tools', method: 'check', params: [ 'config' ] });
const callConnections = rpc.declare({
	object: 'wansplit.tools',
	method: 'connections',
	params: [ 'link', 'rule', 'local', 'text', 'limit' ]
});
const callOthers = rpc.declare({ object: 'wansplit.tools', method: 'others' });
const callImport = rpc.declare({ object: 'wansplit.tools', method: 'import', params: [ 'program' ] });
const callResolve = rpc.declare({ object: 'wansplit.tools', method: 'resolve', params: [ 'name' ] });
const callHostHints = rpc.declare({ object: 'luci-rpc', method: 'getHostHints', expect: { '': {} } });

/* Without an object, or without the right to call it, LuCI's rpc answers with an error or with a bare status number. */
function orNothing(promise) {
	return L.resolveDefault(promise, null).then(reply => (reply !== null && typeof reply === 'object') ? reply : null);
}

return baseclass.extend({
	/* The daemon's status; null if no daemon answers. */
	status() {
		return orNothing(callStatus());
	},

	/* The last changes of links, the newest last; empty if no daemon answers. */
	events() {
		return orNothing(callEvents()).then(reply => reply?.events ?? []);
	},

	/* Makes the kernel as the configuration wants it; resolves to the status. */
	repair() {
		return callApply();
	},

	/* Where a packet goes: { protocol, source, destination, iface, … } as `wansplit explain` takes them; null without a daemon. */
	explain(question) {
		const argument = name => question[name] ?? undefined;

		return orNothing(callExplain(...[ 'protocol', 'source', 'destination', 'iface', 'mac', 'dscp', 'icmp_type', 'mark', 'uid' ]
			.map(argument)));
	},

	/* What is wrong with a configuration: { valid, findings: [{ line, section, option, severity, message, help }] }; or { error }
	 * where it cannot be told. More than 64 KB do not fit through rpcd. */
	check(text) {
		return orNothing(callCheck(text));
	},

	/* The connections of now: { total, matching, accounting, connections: [...], rules: [...], links: [...] }, the two last with the
	 * sums of all; or { error }. Filter: { link (main: by none of ours), rule (name or section), text, limit }. */
	connections(filter = {}) {
		return orNothing(callConnections(filter.link, filter.rule, filter.local, filter.text, filter.limit));
	},

	/* Programs of the same kind whose configuration is there: [{ program, file, enabled, running }]. */
	others() {
		return orNothing(callOthers()).then(reply => reply?.others ?? []);
	},

	/* Another program's configuration in our words: { config, sections: [{ type, name, options }], remarks: [...] }; or { error }. */
	importFrom(program) {
		return orNothing(callImport(program));
	},

	/* The addresses behind a name, as the router and its devices get them; empty if there are none. */
	resolve(name) {
		return orNothing(callResolve(name)).then(reply => reply?.addresses ?? []);
	},

	/* Names and addresses of hosts, as LuCI knows them: by Ethernet address { name, ipaddrs, ip6addrs }. */
	hostHints() {
		return L.resolveDefault(callHostHints(), {});
	},

	/* Starts the service, also at boot. What is enabled and runs already stays as it is. */
	startService() {
		return fs.exec('/etc/init.d/wansplit', [ 'enable' ]).then(() => fs.exec('/etc/init.d/wansplit', [ 'start' ]));
	}
});
