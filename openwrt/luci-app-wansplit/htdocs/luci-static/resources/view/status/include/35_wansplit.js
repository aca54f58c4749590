'use strict';
'require baseclass';
'require wansplit.api as api';
'require wansplit.card as card';
'require wansplit.live as live';
'require wansplit.page as page';
'require wansplit.units as units';
'require wansplit.words as words';

/*
 * The links on LuCI's front page. The page calls `load` every few seconds and puts what `render` returns into the box; null
 * leaves the box away, for whom has no daemon that runs, or no right to see it.
 */

/* The front page asks more often than this box needs. */
const PERIOD = 10 * 1000;

function row(link) {
	const sides = card.offered(link);
	const alike = sides.every(key => link[key].state === link[sides[0]].state && link[key].why === link[sides[0]].why);

	return E('tr', { 'class': 'tr' }, [
		E('td', { 'class': 'td left', 'width': '33%' }, [ link.name ]),
		E('td', { 'class': 'td left' }, alike
			? [ card.condition(link[sides[0]]) ]
			: sides.map(key => card.condition(link[key], key)))
	]);
}

return baseclass.extend({
	title: _('Internet links'),

	async load() {
		const now = Date.now();

		if (document.hidden || now - (this.asked ?? -PERIOD) < PERIOD - 500)
			return this.known;

		this.asked = now;

		const status = await api.status();
		const told = JSON.stringify((status?.links ?? []).map(link => [ link.ipv4?.state, link.ipv4?.why, link.ipv6?.state, link.ipv6?.why ]));

		if (told !== this.told)
			this.last = (await api.events()).at(-1);

		this.told = told;

		return this.known = status;
	},

	render(status) {
		if (!status?.links?.length || status.enabled === false)
			/* Once shown, the box stays: the page has no way to take it back. */
			return this.node ? this.vanish() : null;

		if (!this.node) {
			/* Into the head: what is in the box is taken out and put in again with each look. */
			document.head.append(...page.style('status'));
			this.table = E('table', { 'class': 'table' });
			this.foot = E('div', { 'class': 'ws-overview' });
			this.node = E('div', {}, [ this.table, this.foot ]);
		}

		live.fill(this.table, status.links, () => status.links.map(row));
		live.fill(this.foot, [ this.last, status.in_sync ], () => [
			...(this.last ? [ E('div', {}, [ _('Last change, %s: %s').format(units.moment(this.last.time), words.changeLine(this.last)) ]) ] : []),
			E('a', { 'href': L.url('admin/network/wansplit/status') }, [ _('More about the links') ])
		]);

		return this.node;
	},

	vanish() {
		live.fill(this.table, null, () => []);
		live.fill(this.foot, 'gone', () => [ _('The service does not answer.') ]);

		return this.node;
	}
});
