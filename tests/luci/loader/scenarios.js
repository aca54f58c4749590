/*
 * What a router may look like to a page: what was recorded of a real daemon (see tests/luci_recorded.rs), as it is or with one thing
 * changed. Each is made anew, so that a test may change it further.
 */
import { readFileSync } from 'node:fs';
import { parse } from './config.js';

const read = name => readFileSync(new URL(`../recorded/${name}`, import.meta.url), 'utf8');

const HOSTS = {
	'02:00:00:00:00:10': { name: 'laptop', ipaddrs: [ '192.168.1.10' ], ip6addrs: [ 'fd00:1::10' ] },
	'02:00:00:00:00:40': { name: 'camera', ipaddrs: [ '192.168.1.40' ], ip6addrs: [] }
};

const others = config => ({
	network: parse("config interface 'loopback'\n option device 'lo'\nconfig interface 'lan'\n option device 'eth0'\nconfig interface 'wan'\n option device 'eth1'\nconfig interface 'wanb'\n option device 'eth2'\n"),
	firewall: parse("config zone\n option name 'lan'\n list network 'lan'\nconfig zone\n option name 'wan'\n list network 'wan'\n list network 'wanb'\n option masq '1'\n"),
	dhcp: parse("config host\n option name 'laptop'\n option mac '02:00:00:00:00:10'\n option ip '192.168.1.10'\n"),
	luci: parse("config core 'main'\n"),
	system: parse("config system\n option zonename 'UTC'\n"),
	wansplit: parse(config)
});

/* The question that was asked of the real `explain`, or the first of them, with its answer. */
function explain(recorded) {
	const plain = { protocol: 'tcp', ...recorded.explain[0].question };
	return question => {
		const same = ({ question: known }) => Object.keys(plain).every(key => known[key] === question[key]);
		return (recorded.explain.find(same) ?? recorded.explain[0]).answer;
	};
}

function scenario(name) {
	const recorded = JSON.parse(read(`${name}.json`));
	return {
		recorded,
		readonly: false,
		uci: others(read('config.uci')),
		ubus: {
			'file': { exec: { code: 0 }, stat: 4, read: 4, list: { entries: [] } },
			'luci': { setInitAction: { result: true }, getRealtimeStats: { result: [] } },
			'luci-rpc': {
				getHostHints: HOSTS,
				getNetworkDevices: {},
				getDHCPLeases: { dhcp_leases: [], dhcp6_leases: [] }
			},
			'network.interface': { dump: recorded.network },
			'system': { board: { hostname: 'OpenWrt', release: {} }, info: { uptime: 1000, localtime: 1795399916 } },
			'wansplit': { status: recorded.status, events: recorded.events, explain: explain(recorded), apply: recorded.status },
			'wansplit.tools': {
				check: { valid: true, findings: [] },
				connections: recorded.connections,
				import: { config: '', sections: [], remarks: [] },
				others: { others: [] },
				resolve: { addresses: [ '192.0.2.10' ] }
			}
		}
	};
}

const wansplit = state => state.ubus.wansplit;

export const well = () => scenario('well');
export const down = () => scenario('down');
export const unplugged = () => scenario('unplugged');
export const drift = () => scenario('drift');

/* The real answer to a rule that names a policy which is not there. */
export function mistaken() {
	const made = well();
	made.ubus['wansplit.tools'].check = made.recorded.check;
	return made;
}

/* A link that answers badly, and one that comes and goes. */
export function degraded(state = 'degraded', why = 'loss 40 % > 20 %') {
	const made = well();
	for (const family of [ 'ipv4', 'ipv6' ])
		Object.assign(wansplit(made).status.links[0][family], { state, why, loss_percent: 40 });
	return made;
}
export const held = () => degraded('held', '3 changes within 10m');

/* Enabled, but nothing answers; and never set up. */
export function off() {
	const made = well();
	delete made.ubus.wansplit;
	return made;
}
export function untouched() {
	const made = off();
	made.uci.wansplit = parse("config globals 'globals'\n option enabled '0'\n");
	return made;
}
export function withoutTools() {
	const made = off();
	delete made.ubus['wansplit.tools'];
	return made;
}

export function readonly() {
	return { ...well(), readonly: true };
}

export function manyRules(count = 40) {
	const made = well();
	const { status } = wansplit(made), [ first ] = status.rules;
	const name = number => `rule_with_quite_a_long_name_${number}`;
	status.rules = Array.from({ length: count }, (_, number) => ({ ...first, name: name(number), section: name(number) }));
	made.uci.wansplit = [
		...made.uci.wansplit.filter(section => section['.type'] !== 'rule'),
		...parse(status.rules.map(rule => `config rule '${rule.name}'\n list proto 'tcp'\n list dest_port '443'\n option use 'web'\n`).join(''))
	];
	return made;
}

/* Every name that anybody gives, and every text of another machine, is an attempt to be markup. */
export const HOSTILE = `<script data-hostile>alert(1)</script>"'><img src=x onerror=alert(2) data-hostile>&lt;`;

export function hostile() {
	const made = down();
	const names = [ 'EMB', 'OI', 'web', 'mail', 'both', 'navegacao', 'correio', 'noite', 'cameras', 'wan', 'wanb', 'laptop', 'camera', 'eth1', 'eth2' ];
	const swap = value => {
		if (typeof value === 'string')
			return names.includes(value) ? value + HOSTILE : value.replace(/\b(EMB|OI|web|mail|both|eth[12])\b/g, `$1${HOSTILE}`);
		if (Array.isArray(value))
			return value.map(swap);
		if (value && typeof value === 'object')
			return Object.fromEntries(Object.entries(value).map(([ key, inner ]) => [ key, swap(inner) ]));
		return value;
	};
	for (const [ object, method ] of [ [ 'wansplit', 'status' ], [ 'wansplit', 'events' ], [ 'luci-rpc', 'getHostHints' ],
		[ 'network.interface', 'dump' ], [ 'wansplit.tools', 'connections' ], [ 'wansplit.tools', 'others' ], [ 'wansplit.tools', 'import' ] ])
		made.ubus[object][method] = swap(made.ubus[object][method]);
	const asked = made.ubus.wansplit.explain;
	made.ubus.wansplit.explain = question => swap(asked(question));
	/* A section's name cannot be markup: uci allows letters, digits and _ alone. Its options can be anything. */
	for (const section of made.uci.wansplit)
		for (const [ option, value ] of Object.entries(section))
			if (!option.startsWith('.') && ![ 'enabled', 'counter', 'mode' ].includes(option))
				section[option] = Array.isArray(value) ? value.map(each => each + HOSTILE) : value + HOSTILE;
	for (const section of made.uci.wansplit.filter(each => each['.type'] === 'rule' || each['.type'] === 'link'))
		section.name = HOSTILE;
	made.ubus['wansplit.tools'].check = { valid: false, findings: [ {
		file: '/etc/config/wansplit', line: 3, column: 1, severity: 'error', section: `rule '${HOSTILE}'`, option: 'use', message: HOSTILE, help: HOSTILE
	} ] };
	return made;
}
