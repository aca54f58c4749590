'use strict';
'require baseclass';
'require form';
'require uci';
'require wansplit.api as api';
'require wansplit.live as live';

/*
 * What runs by each rule now, and what it has counted, in the list of rules.
 */

/* As the router's program names a rule's section: by its name, or by its place among all of its type. */
function idOf(sid) {
	const section = uci.get('wansplit', sid);

	return section?.['.anonymous']
		? '@rule[%d]'.format(uci.sections('wansplit', 'rule').findIndex(rule => rule['.name'] === sid))
		: sid;
}

function show(cell, now, total) {
	live.fill(cell, [ now, total ], () => {
		const lines = [];

		if (now?.connections)
			lines.push((now.bytes != null)
				? _('%d now, %s').format(now.connections, '%1024.1mB'.format(now.bytes))
				: _('%d now').format(now.connections));
		if (total != null)
			lines.push(_('%d in all').format(total));

		return lines.length ? lines.map(line => E('div', {}, [ line ])) : [ E('span', { 'class': 'ws-faint' }, [ '–' ]) ];
	});
}

return baseclass.extend({
	/* The column; empty until the router has answered. */
	add(section) {
		const field = section.option(form.DummyValue, '_count', _('Connections'));

		field.textvalue = sid => E('div', { 'class': 'ws-rule-count', 'data-rule': idOf(sid) }, [ '' ]);
		field.modalonly = false;
	},

	/* Asks every few seconds, and fills the cells below a node. */
	watch(node) {
		live.every(5, async () => {
			const [ reply, status ] = await Promise.all([ api.connections({ limit: 1 }), api.status() ]);
			const now = new Map((reply?.rules ?? []).map(rule => [ rule.section, rule ]));
			const counted = new Map((status?.rules ?? []).map(rule => [ rule.section, rule.packets ]));

			for (const cell of node.querySelectorAll('.ws-rule-count'))
				show(cell, now.get(cell.dataset.rule), counted.get(cell.dataset.rule));
		});
	}
});
