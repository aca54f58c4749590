'use strict';
'require view';
'require wansplit.api as api';
'require wansplit.card as card';
'require wansplit.changes as changes';
'require wansplit.colours as colours';
'require wansplit.history as history';
'require wansplit.live as live';
'require wansplit.page as page';
'require wansplit.trouble as trouble';
'require wansplit.words as words';

/* How the links are, what uses them, and what has become of them lately. */

/* Seconds between two looks. */
const PERIOD = 3;
/* Changes are asked for when a link's state is another one, and every so many looks. */
const SELDOM = 20;

/* What tells of a change of links: states and reasons, and where the policies lead. */
function fingerprint(status) {
	return JSON.stringify([
		(status.links ?? []).map(link => [ 'ipv4', 'ipv6' ].map(key => [ link[key]?.state, link[key]?.why ])),
		(status.policies ?? []).map(policy => policy.now)
	]);
}

/* `1. EMB, 2. OI`; links that share are joined by their weights. */
function preference(policy, names) {
	const order = words.order(policy.order, names);

	if (!order)
		return [ policy.order ];

	const tier = members => (members.length === 1)
		? members[0].link
		: _('shared by %s').format(members.map(member => (member.weight == null) ? member.link : member.link + ' ×' + member.weight).join(' + '));

	return [
		...(order.tiers.length === 1
			? [ E('div', {}, [ tier(order.tiers[0]) ]) ]
			: order.tiers.map((members, n) => E('div', {}, [ _('%d. %s').format(n + 1, tier(members)) ]))),
		E('div', { 'class': 'ws-else' }, [ _('If none is up: %s').format(words.fallback(order.fallback)) ])
	];
}

return view.extend({
	load() {
		return Promise.all([ api.status(), colours.load() ]);
	},

	render([ status ]) {
		this.cards = new Map();
		this.trouble = trouble.create(() => this.look());
		this.changes = changes.create();
		this.summary = E('p', { 'class': 'ws-summary' });
		this.links = E('div', { 'class': 'ws-cards ws-links' });
		this.policies = E('div');
		this.rules = E('p');
		this.body = E('div', {}, [
			this.summary,
			this.links,
			E('div', { 'class': 'cbi-section' }, [ E('h3', {}, [ _('What uses which link now') ]), this.policies, this.rules ]),
			E('div', { 'class': 'cbi-section' }, [ E('h3', {}, [ _('Last changes') ]), this.changes.node ])
		]);
		this.looks = 0;
		this.missed = 0;

		const node = E('div', { 'class': 'cbi-map' }, [
			...page.style('chart', 'status'),
			page.heading(_('Link splitting'), _('How the Internet links are, what goes by which of them now, and what has changed lately.')),
			this.trouble.node,
			this.body
		]);

		return this.show(status).then(() => {
			live.every(PERIOD, () => this.look());

			return node;
		});
	},

	async look() {
		return this.show(await api.status());
	},

	async show(status) {
		const usable = Array.isArray(status?.links);

		/* One look without an answer is no news: the service may be starting anew, or the router busy. */
		this.missed = status ? 0 : this.missed + 1;

		if (this.missed === 1 && this.told)
			return;

		live.show(this.body, usable);

		if (!status)
			return this.trouble.absent();

		this.trouble.show(status);

		if (!usable)
			return;

		const now = Date.now();

		history.add(status, now);
		this.showLinks(status, now);
		this.showPolicies(status);

		const told = fingerprint(status);

		if (told !== this.told || this.looks % SELDOM === 0)
			this.changes.show(await api.events());

		this.told = told;
		this.looks++;
	},

	showLinks(status, now) {
		const names = status.links.map(link => link.name);
		const working = status.links.filter(link => [ 'ipv4', 'ipv6' ].some(key => link[key] && link[key].state !== 'down'));

		live.fill(this.summary, _('%d of %d links work.').format(working.length, names.length));
		names.filter(name => !this.cards.has(name)).forEach(name => this.cards.set(name, card.create(name)));
		live.fill(this.links, names, () => names.map(name => this.cards.get(name).node));
		status.links.forEach(link => this.cards.get(link.name).show(link, status, history.points(link.name), now));
	},

	showPolicies(status) {
		const names = status.links.map(link => link.name);
		const policies = status.policies ?? [];
		const titles = [ _('Policy'), _('Prefers'), _('Now by IPv4'), _('Now by IPv6') ];

		live.fill(this.policies, [ policies, names ], () => policies.length
			? E('table', { 'class': 'table cbi-section-table' }, [
				E('tr', { 'class': 'tr cbi-section-table-titles' }, titles.map(title => E('th', { 'class': 'th', 'scope': 'col' }, [ title ]))),
				...policies.map(policy => E('tr', { 'class': 'tr cbi-section-table-row' }, [
					E('td', { 'class': 'td', 'data-title': titles[0] }, [ E('strong', {}, [ policy.name ]) ]),
					E('td', { 'class': 'td', 'data-title': titles[1] }, [ ...preference(policy, names) ]),
					E('td', { 'class': 'td', 'data-title': titles[2] }, [ words.place(policy.now?.ipv4) ]),
					E('td', { 'class': 'td', 'data-title': titles[3] }, [ words.place(policy.now?.ipv6) ])
				]))
			])
			: E('p', {}, [ _('There is no policy: rules lead straight to links.') ]));

		const count = status.rules?.length ?? 0;

		live.fill(this.rules, count, () => [
			count ? _('Rules say what takes which policy or link. There are %d.').format(count) : _('There is no rule yet: everything takes the router\'s default way.'),
			' ',
			E('a', { 'href': L.url('admin/network/wansplit/rules') }, [ _('See the rules') ])
		]);
	},

	handleSaveApply: null,
	handleSave: null,
	handleReset: null
});
