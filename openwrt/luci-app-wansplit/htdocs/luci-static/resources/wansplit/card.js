'use strict';
'require baseclass';
'require wansplit.chart as chart';
'require wansplit.colours as colours';
'require wansplit.live as live';
'require wansplit.svg as svg';
'require wansplit.units as units';
'require wansplit.words as words';

/* A link on the status page: how it is and why, by what it leads out, how much it carries. */

const SIDES = [ 'ipv4', 'ipv6' ];

/* The families that a link has at all. One without any shows why it has none. */
function offered(link) {
	const sides = SIDES.filter(key => link[key] && !(link[key].state === 'down' && link[key].why === 'not offered'));

	return sides.length ? sides : SIDES.filter(key => link[key]).slice(0, 1);
}

function badge(side) {
	const { level, word, hint } = words.state(side.state);

	return E('span', { 'class': 'ws-state ws-level-%s'.format(level), 'title': hint }, [ svg.mark(level), word ]);
}

/* State, reason, and since when. `terse`: what a link has carried stands beside it. */
function condition(side, family, terse) {
	const { hint } = words.state(side.state);
	const why = (terse && side.state === 'used up') ? null : side.why;
	const reason = why ? words.reason(why) : (side.state === 'up' ? '' : hint);

	return E('div', { 'class': 'ws-condition' }, [
		...(family ? [ E('span', { 'class': 'ws-family' }, [ words.family(family) ]), ' ' ] : []),
		badge(side),
		...((side.since == null) ? [] : [ ' ', E('span', { 'class': 'ws-since' }, [ _('for %s').format(units.duration(side.since)) ]) ]),
		...(reason ? [ E('div', { 'class': 'ws-why' }, [ reason ]) ] : [])
	]);
}

/* The card's table: a row for each thing, a column for each family. */
const ROWS = [
	[ _('Device'), side => side.device ],
	[ _('Gateway'), side => side.gateway ],
	[ _('Addresses'), side => side.addresses?.join(', ') ],
	[ _('Answer time'), side => (side.rtt_ms == null || !words.measured(side).rtt) ? null : units.milliseconds(side.rtt_ms) ],
	[ _('Lost tests'), side => (side.loss_percent == null || !words.measured(side).loss) ? null : units.percent(side.loss_percent) ],
	[ _('Connections'), side => (side.flows == null) ? null : units.number(side.flows) ]
];

function details(link, sides) {
	const head = (sides.length > 1)
		? [ E('thead', {}, [ E('tr', {}, [ E('td'), ...sides.map(key => E('th', { 'scope': 'col' }, [ words.family(key) ])) ]) ]) ]
		: [];
	const rows = ROWS.map(([ title, value ]) => [ title, sides.map(key => value(link[key])) ])
		.filter(([ , values ]) => values.some(value => value != null && value !== ''));

	return E('table', { 'class': 'ws-details' }, [
		...head,
		E('tbody', {}, rows.map(([ title, values ]) => E('tr', {}, [
			E('th', { 'scope': 'row' }, [ title ]),
			...values.map(value => E('td', {}, [ value ?? '–' ]))
		])))
	]);
}

const PERIODS = {
	'day': _('%s of %s used today'),
	'week': _('%s of %s used this week'),
	'month': _('%s of %s used this month')
};

/* What a metered link has carried of what it may. */
function quota({ used_bytes: used, max_bytes: max, per }) {
	const part = max ? Math.min(100, 100 * (used ?? 0) / max) : 0;
	const level = (part >= 100) ? 'bad' : (part >= 80 ? 'poor' : 'good');

	return [
		E('div', {}, [ (PERIODS[per] ?? PERIODS.month).format(units.bytes(used), units.bytes(max)) ]),
		E('div', { 'class': 'ws-meter ws-level-%s'.format(level), 'aria-hidden': 'true' }, [
			E('div', { 'style': 'width: %.1f%%'.format(part) })
		])
	];
}

/* What prefers this link: the policies that have it first, and the rules that lead straight to it. */
function users(link, status) {
	const names = (status.links ?? []).map(one => one.name);
	const first = (status.policies ?? []).filter(policy =>
		words.order(policy.order, names)?.tiers[0]?.some(member => member.link === link.name)).map(policy => policy.name);
	const rules = (status.rules ?? []).filter(rule => rule.use === link.name).map(rule => rule.name);

	return [
		first.length ? _('First choice of: %s').format(first.join(', ')) : null,
		rules.length ? _('Rules that use it directly: %s').format(rules.join(', ')) : null
	].filter(text => text);
}

/* Private. */
const Card = baseclass.extend({
	__init__(name) {
		this.name = name;
		this.state = E('div', { 'class': 'ws-card-state' });
		this.table = E('div', { 'class': 'ws-scroll' });
		this.quota = E('div', { 'class': 'ws-quota' });
		this.users = E('div', { 'class': 'ws-users' });
		this.rate = chart.create({
			title: _('Speed'),
			least: 30000,
			format: units.rate,
			series: [ { name: _('received'), colour: 'var(--ws-series-1)', kind: 'area' }, { name: _('sent'), colour: 'var(--ws-series-2)', kind: 'dashed' } ]
		});
		this.answers = chart.create({
			title: _('Answer time'),
			least: 3,
			format: units.milliseconds,
			series: [
				{ name: 'IPv4', colour: 'var(--ws-series-3)' },
				{ name: 'IPv6', colour: 'var(--ws-series-4)', kind: 'dashed' },
				{ name: _('lost'), colour: 'var(--ws-series-5)', kind: 'bars', format: units.percent }
			]
		});
		this.untracked = E('p', { 'class': 'ws-note' }, [
			_('Nobody tests this link: it counts as up while its interface is up. Name hosts to be asked under Links.')
		]);
		this.node = E('section', { 'class': 'ws-card ws-link' }, [
			E('h3', { 'style': '--ws-link: %s'.format(colours.of(name)) }, [ name ]),
			this.state, this.table, this.quota, this.users,
			E('a', { 'href': L.url('admin/network/wansplit/connections') + '?link=' + encodeURIComponent(name) }, [ _('What runs over it now') ]),
			this.rate.node, this.answers.node, this.untracked
		]);
	},

	show(link, status, points, now) {
		const sides = offered(link);
		const told = side => [ side.state, side.why, side.since ];
		/* One line for both if they say the same; they need not have come to it in the same second. */
		const alike = sides.every(key => link[key].state === link[sides[0]].state && link[key].why === link[sides[0]].why);

		live.fill(this.state, sides.map(key => told(link[key])), () => alike
			? (sides.length ? [ condition(link[sides[0]], null, link.quota) ] : [])
			: sides.map(key => condition(link[key], key, link.quota)));

		const levels = [ ...new Set(sides.map(key => words.state(link[key].state).level)) ];

		/* The edge of the card. A link that works by one family alone is not down. */
		this.node.dataset.level = (levels.length === 1) ? levels[0] : 'poor';

		live.fill(this.table, sides.map(key => [ key, ...ROWS.map(row => row[1](link[key])) ]), () => details(link, sides));
		live.show(this.quota, link.quota);
		live.fill(this.quota, link.quota, () => link.quota ? quota(link.quota) : []);

		const users_now = users(link, status);

		live.fill(this.users, users_now, () => users_now.map(text => E('div', {}, [ text ])));
		live.show(this.answers.node, link.tracked);
		live.show(this.untracked, !link.tracked);
		this.rate.show(points.map(({ time, down, up }) => ({ time, values: [ down, up ] })), now);
		this.answers.show(points.map(({ time, rtt, loss }) => ({ time, values: [ ...rtt, loss ] })), now);
	}
});

return baseclass.extend({
	/* A card for the link of a name: { node, show(link, status, points, now) }. */
	create(name) {
		return new Card(name);
	},

	offered,
	badge,
	condition
});
