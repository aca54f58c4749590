'use strict';
'require baseclass';
'require form';
'require uci';
'require wansplit.api as api';
'require wansplit.live as live';

/*
 * What runs by each rule now, and what it has counted, in the list of rules.
 */

/* By section: what the router calls a rule. */
let ids = new Map();
/* The last answers, for rows that are drawn between two of them. */
let now = new Map();
let counted = new Map();

/*
 * The router names a rule by its section's name, or by its place among all rules of what is applied. Places count only while the
 * order is the one that is applied.
 */
function remember(changes) {
	const isReordered = (changes?.wansplit ?? []).some(([ kind, , option ]) => [ 'add', 'remove', 'order' ].includes(kind) && option == null ||
		kind === 'order' || kind === 'add');

	ids = new Map(uci.sections('wansplit', 'rule').map((rule, place) =>
		[ rule['.name'], rule['.anonymous'] ? (isReordered ? null : '@rule[%d]'.format(place)) : rule['.name'] ]));
}

function show(cell) {
	const id = ids.get(cell.dataset.sid);
	const flows = now.get(id), total = counted.get(id);

	live.fill(cell, [ flows, total ], () => {
		const lines = [];

		if (flows?.connections)
			lines.push((flows.bytes != null)
				? _('%d now, %s').format(flows.connections, '%1024.1mB'.format(flows.bytes))
				: _('%d now').format(flows.connections));
		if (total != null)
			lines.push(_('%d in all').format(total));

		return lines.length ? lines.map(line => E('div', {}, [ line ])) : [ E('span', { 'class': 'ws-faint' }, [ '–' ]) ];
	});

	return cell;
}

return baseclass.extend({
	/* The column. `changes` are those that are saved and not applied. */
	add(section, changes) {
		const field = section.option(form.DummyValue, '_count', _('Connections'));

		remember(changes);
		field.textvalue = sid => show(E('div', { 'class': 'ws-rule-count', 'data-sid': sid }));
		field.modalonly = false;
	},

	/* Asks every few seconds, and fills the cells below a node. */
	watch(node) {
		live.every(5, async () => {
			const [ reply, status ] = await Promise.all([ api.connections({ limit: 1 }), api.status() ]);

			now = new Map((reply?.rules ?? []).map(rule => [ rule.section, rule ]));
			counted = new Map((status?.rules ?? []).map(rule => [ rule.section, rule.packets ]));
			node.querySelectorAll('.ws-rule-count').forEach(show);
		});
	}
});
