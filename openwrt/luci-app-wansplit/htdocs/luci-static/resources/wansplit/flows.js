'use strict';
'require baseclass';
'require wansplit.question as question';
'require wansplit.services as services';

/*
 * Connections as the table shows them: which are shown, in what order, and what `explain` is asked about one.
 * The router sends at most LIMIT of them, the largest first; at most SHOWN stand in the table.
 */
const SHOWN = 200;
const LIMIT = 500;

/* What the filter for links can be besides a link: what stays in the house. No link's name has a colon. */
const LOCAL = ':local';

/* What columns are sorted by. Numbers come with the largest first. */
const VALUES = {
	source: (flow, hosts) => hosts.nameOf(flow.source) || flow.source,
	destination: (flow, hosts) => hosts.nameOf(flow.destination) || flow.destination,
	service: flow => services.nameOf(flow.protocol, flow.destination_port) || '%s %s'.format(flow.protocol, flow.destination_port ?? ''),
	link: flow => flow.link ?? '',
	rule: flow => flow.rule ?? '',
	bytes: flow => flow.bytes ?? -1,
	packets: flow => flow.packets ?? -1,
	expires: flow => flow.expires ?? -1
};

const isNumeric = column => [ 'bytes', 'packets', 'expires' ].includes(column);

/* What the router can look for by itself: an address, a piece of one, or a port. */
const isAddressOrPort = text => /^[0-9a-f.:]*$/i.test(text) && /[\d:]/.test(text);

/* An address with a port, as the table writes it: the router looks for the one, and the browser for the other. */
function ends(text) {
	const [ , address, port ] = text.match(/^\[?([0-9a-f.:]+?)(?:\]:|(?<=\.\d+):)(\d+)$/i) ?? [];

	return { address: address ?? text, port: port ? +port : null };
}

/* Whether an address is one of the router's own on a link; `links` are the status's. */
function isOwn(address, links) {
	const sides = (links ?? []).flatMap(link => [ link.ipv4, link.ipv6 ]).filter(Boolean);

	return sides.some(side => side.addresses?.includes(address));
}

return baseclass.extend({
	SHOWN, LOCAL, isOwn,

	/* A name for a connection that stays the same from one look to the next. */
	key(flow) {
		return [ flow.family, flow.protocol, flow.source, flow.source_port, flow.destination, flow.destination_port ].join(' ');
	},

	/* What to ask the router, for a filter { link, rule, text, kind }. What stays in the house is left out unless it is asked for. What it cannot look for, the browser does: of as many as it gets. */
	query(filter) {
		return {
			link: (filter.link && filter.link !== LOCAL) ? filter.link : undefined,
			local: filter.link === LOCAL,
			rule: filter.rule || undefined,
			text: isAddressOrPort(ends(filter.text).address) ? ends(filter.text).address : undefined,
			limit: LIMIT
		};
	},

	/* Whether the browser must look itself: then only what the router sent is looked through. */
	isLocal(filter) {
		return !!filter.kind || (filter.text !== '' && (ends(filter.text).port != null || !isAddressOrPort(filter.text)));
	},

	/* Those that pass what the router has not looked for. */
	filtered(flows, filter, hosts) {
		const { address, port } = ends(filter.text);
		const text = isAddressOrPort(address) ? '' : filter.text.toLowerCase();
		const words = flow => [
			hosts.nameOf(flow.source), hosts.nameOf(flow.destination), services.nameOf(flow.protocol, flow.destination_port),
			flow.protocol, flow.link, flow.rule
		];

		return flows.filter(flow =>
			(!filter.kind || flow.family === filter.kind || flow.protocol === filter.kind
				|| (filter.kind === 'icmp' && services.isIcmp(flow.protocol)))
			&& (port == null || flow.source_port === port || flow.destination_port === port)
			&& (!text || words(flow).some(word => word?.toLowerCase().includes(text))));
	},

	/* The same flows in the order of a column; `down` is largest, or last letter, first. */
	sorted(flows, { column, down }, hosts) {
		const value = VALUES[column];
		const compare = isNumeric(column) ? (a, b) => a - b
			: (a, b) => (a === '') - (b === '') || String(a).localeCompare(String(b), 'en', { numeric: true });

		return flows.map(flow => [ value(flow, hosts), flow ])
			.sort(([ a ], [ b ]) => down ? compare(b, a) : compare(a, b))
			.map(([ , flow ]) => flow);
	},

	isNumeric,

	/*
	 * What `explain` is asked about a connection. `links` are the status's: of the router's own connections the kernel remembers the
	 * address that was taken once the way was known, and asked from that address the answer would be "its address decides".
	 */
	question(flow, links) {
		const own = !flow.inbound && isOwn(flow.source, links);
		const link = (links ?? []).find(link => link.name === flow.link);
		const hasPorts = services.hasPorts(flow.protocol);
		const port = value => hasPorts ? value : null;

		return {
			protocol: flow.protocol,
			source: question.withPort(own ? 'router' : flow.source, port(flow.source_port)),
			destination: question.withPort(flow.destination, port(flow.destination_port)),
			iface: flow.inbound ? link?.[flow.family]?.device ?? undefined : undefined
		};
	}
});
