'use strict';
'require baseclass';
'require wansplit.flows as flows';
'require wansplit.question as question';
'require wansplit.services as services';
'require wansplit.shares as shares';
'require wansplit.units as units';

/*
 * The table of connections. Rows are kept from one look to the next and only what has changed is written, so that nothing flickers
 * and a text that is being marked, or a link that is being pressed, stays there. On a narrow page each row is a card.
 */
const COLUMNS = [
	[ 'source', _('From') ],
	[ 'destination', _('To') ],
	[ 'service', _('Service') ],
	[ 'link', _('Link') ],
	[ 'rule', _('Rule') ],
	[ 'bytes', _('Data') ],
	[ 'packets', _('Packets') ],
	[ 'expires', _('Forgotten in') ]
];

/* Writes a text if it is another one. */
function write(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

/* An end: the name if there is one, and the address. */
function end(address, port, { hosts, links }) {
	const name = hosts.nameOf(address) || (flows.isOwn(address, links) ? _('this router') : '');

	return [ name, question.withPort(address, port) ];
}

const Table = baseclass.extend({
	/* `sortBy(column)` is called when a heading is pressed. */
	__init__(sortBy) {
		this.rows = new Map();
		this.headings = COLUMNS.map(([ column, label ]) => E('th', { 'class': 'th', 'scope': 'col', 'data-column': column }, [
			E('button', { 'type': 'button', 'class': 'ws-sort', 'click': () => sortBy(column) }, [ label ])
		]));
		this.body = E('tbody', {});
		this.node = E('table', { 'class': 'table cbi-section-table ws-flows' }, [
			E('thead', {}, [
				E('tr', { 'class': 'tr table-titles', 'data-label': _('Sort by') }, [
					...this.headings,
					E('th', { 'class': 'th', 'scope': 'col' }, [ E('span', { 'class': 'ws-unseen' }, [ _('Explain') ]) ])
				])
			]),
			this.body
		]);
	},

	row() {
		const cells = Object.fromEntries(COLUMNS.map(([ column, label ]) =>
			[ column, E('td', { 'class': 'td ws-flow-%s'.format(column), 'data-title': label }) ]));
		const two = cell => {
			const [ first, second ] = [ E('div', { 'class': 'ws-host' }), E('div', { 'class': 'ws-address' }) ];

			cell.append(first, second);
			return [ first, second ];
		};
		const row = {
			source: two(cells.source), destination: two(cells.destination),
			explain: E('a', { 'class': 'btn cbi-button' }, [ _('Explain') ]),
			cells
		};

		row.node = E('tr', { 'class': 'tr' }, [
			...Object.values(cells), E('td', { 'class': 'td ws-flow-explain' }, [ row.explain ])
		]);

		return row;
	},

	write(row, flow, around) {
		const { cells } = row;

		for (const side of [ 'source', 'destination' ])
			end(flow[side], services.hasPorts(flow.protocol) ? flow[side + '_port'] : null, around)
				.forEach((text, place) => write(row[side][place], text));

		const name = services.nameOf(flow.protocol, flow.destination_port);
		const protocol = flow.protocol.toUpperCase();

		write(cells.service, name ? _('%s (%s)').format(name, protocol) : protocol);

		const link = flow.local ? _('stays in the house') : shares.label(flow.link);

		if (row.link !== link) {
			row.link = link;
			L.dom.content(cells.link, [ shares.dot(flow.link), link ]);
		}

		write(cells.rule, flow.rule ?? (flow.inbound ? _('comes in') : '–'));
		write(cells.bytes, units.bytes(flow.bytes));
		write(cells.packets, (flow.packets == null) ? '–' : units.number(flow.packets));
		write(cells.expires, units.duration(flow.expires));
		row.node.classList.toggle('ws-unanswered', !flow.answered);
		row.node.title = flow.answered ? '' : _('Not answered yet');

		const url = question.url(flows.question(flow, around.links));

		if (row.explain.getAttribute('href') !== url)
			row.explain.setAttribute('href', url);
	},

	/* Shows these connections in this order; around: { hosts, links (the status's), sort }. */
	show(list, around) {
		const gone = new Set(this.rows.keys());
		let before = this.body.firstElementChild;

		for (const flow of list) {
			const key = flows.key(flow);
			const row = this.rows.get(key) ?? this.row();

			this.rows.set(key, row);
			gone.delete(key);
			this.write(row, flow, around);

			if (row.node === before)
				before = before.nextElementSibling;
			else
				this.body.insertBefore(row.node, before);
		}

		for (const key of gone) {
			this.rows.get(key).node.remove();
			this.rows.delete(key);
		}

		for (const heading of this.headings) {
			const isSorted = heading.dataset.column === around.sort.column;

			heading.setAttribute('aria-sort', isSorted ? (around.sort.down ? 'descending' : 'ascending') : 'none');
		}
	}
});

return baseclass.extend({
	COLUMNS,

	/* A table. */
	create(sortBy) {
		return new Table(sortBy);
	}
});
