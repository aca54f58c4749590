'use strict';
'require view';
'require poll';
'require wansplit.api as api';
'require wansplit.colours as colours';
'require wansplit.flows as flows';
'require wansplit.flowtable as flowtable';
'require wansplit.hosts as hosts';
'require wansplit.page as page';
'require wansplit.shares as shares';

/* How often the connections are looked at, and the names of hosts and the links: seconds, and looks. */
const SECONDS = 5;
const LOOKS_BETWEEN_NAMES = 12;

return view.extend({
	handleSaveApply: null,
	handleSave: null,
	handleReset: null,

	load() {
		return colours.load();
	},

	render() {
		const asked = new URLSearchParams(location.search);

		this.filter = Object.fromEntries([ 'link', 'rule', 'text', 'kind' ].map(name => [ name, asked.get(name) ?? '' ]));
		this.sort = { column: 'bytes', down: true };
		this.hosts = hosts.of({});
		this.looks = 0;
		this.paused = false;
		this.table = flowtable.create(column => this.sortBy(column));

		this.bar = E('div', { 'class': 'ws-shares', 'role': 'img' });
		this.legend = E('ul', { 'class': 'ws-legends' });
		this.count = E('p', { 'class': 'ws-count' }, [ E('em', { 'class': 'spinning' }, [ _('Looking …') ]) ]);
		this.hint = E('div', {});

		poll.add(() => (document.hidden || this.paused) ? null : this.look(), SECONDS);

		return E('div', { 'class': 'ws-connections' }, [
			...page.style('connections'),
			page.heading(_('Connections'),
				_('Which connection runs over which link now. The data of a connection is that of both directions since it began.')),
			this.hint,
			E('div', { 'class': 'cbi-section' }, [
				this.bar,
				this.legend,
				this.filters(),
				this.count,
				this.table.node
			])
		]);
	},

	filters() {
		const change = name => event => this.refilter(name, event.target.value);
		const select = name => E('select', { 'class': 'cbi-input-select', 'change': change(name) });
		const text = E('input', {
			'type': 'text', 'class': 'cbi-input-text', 'placeholder': _('name, address, port or service'), 'value': this.filter.text,
			'input': () => {
				clearTimeout(this.typing);
				this.typing = setTimeout(() => this.refilter('text', text.value.trim()), 400);
			}
		});
		const label = (name, input) => E('label', { 'class': 'ws-filter-%s'.format(input.type) }, [ E('span', {}, [ name ]), input ]);

		this.inputs = { link: select('link'), rule: select('rule'), kind: select('kind') };
		this.choices('kind', [ [ 'tcp', 'TCP' ], [ 'udp', 'UDP' ], [ 'icmp', 'ICMP' ], [ 'ipv4', 'IPv4' ], [ 'ipv6', 'IPv6' ] ]);
		this.pause = E('button', {
			'type': 'button', 'class': 'btn cbi-button', 'aria-pressed': 'false', 'click': () => this.setPaused(!this.paused)
		}, [ _('Pause') ]);

		return E('div', { 'class': 'ws-filters', 'role': 'search' }, [
			label(_('Link'), this.inputs.link),
			label(_('Rule'), this.inputs.rule),
			label(_('Kind'), this.inputs.kind),
			label(_('Search'), text),
			this.pause
		]);
	},

	/* What a filter can be set to, if that is new: [ [ value, label ] ]. What it is set to stays among them. */
	choices(name, choices) {
		const input = this.inputs[name];
		const chosen = this.filter[name];

		if (chosen && !choices.some(([ value ]) => value === chosen))
			choices.push([ chosen, chosen ]);

		const all = [ [ '', _('all') ], ...choices ];

		if (all.length !== input.length || all.some(([ value ], place) => input.options[place].value !== value))
			L.dom.content(input, all.map(([ value, label ]) => E('option', { 'value': value }, [ label ])));

		input.value = chosen;
	},

	setPaused(paused) {
		this.paused = paused;
		this.pause.setAttribute('aria-pressed', String(paused));
		L.dom.content(this.pause, [ paused ? _('Go on') : _('Pause') ]);

		if (!paused)
			this.look();
	},

	refilter(name, value) {
		this.filter[name] = value;

		const asked = new URLSearchParams(Object.entries(this.filter).filter(([ , value ]) => value));

		window.history.replaceState(null, '', location.pathname + (asked.size ? '?' + asked : ''));

		return this.look();
	},

	sortBy(column) {
		this.sort = (this.sort.column === column) ? { column, down: !this.sort.down } : { column, down: flows.isNumeric(column) };
		this.show();
	},

	/* Asks the router and shows what it says. Of answers that overtake each other the last question's counts. */
	async look() {
		const turn = ++this.looks;

		if (turn % LOOKS_BETWEEN_NAMES === 1)
			Promise.all([ api.hostHints(), api.status() ]).then(([ hints, status ]) => {
				this.hosts = hosts.of(hints);
				this.links = status?.links;
				this.show();
			});

		const filter = { ...this.filter };
		const reply = await api.connections(flows.query(filter));

		if (turn !== this.looks)
			return;

		this.reply = reply;
		this.show();
	},

	show() {
		const reply = this.reply;

		if (reply === undefined)
			return;

		if (reply == null || reply.error || !Array.isArray(reply.connections))
			return L.dom.content(this.hint, [ E('div', { 'class': 'alert-message warning', 'role': 'alert' }, [
				reply?.error ?? _('The router did not say which connections there are. It will be asked again.')
			]) ]);

		this.showHint(reply);
		this.choices('link', [
			...reply.links.map(link => [ link.name, link.name ]),
			[ shares.MAIN, shares.label(shares.MAIN) ],
			[ flows.LOCAL, _('what stays in the house') ]
		]);
		this.choices('rule', reply.rules.map(rule => [ rule.name, rule.name ]));
		shares.fill(this.bar, this.legend, reply, this.filter.link, name => this.refilter('link', name));

		const passed = flows.filtered(reply.connections, this.filter, this.hosts);
		const list = flows.sorted(passed, this.sort, this.hosts).slice(0, flows.SHOWN);

		this.table.show(list, { hosts: this.hosts, links: this.links, sort: this.sort });
		this.showCount(reply, passed.length, list.length);
	},

	showCount(reply, passed, shown) {
		const isLocal = flows.isLocal(this.filter);
		const matching = isLocal ? passed : reply.matching;
		const inside = reply.local?.connections ?? 0;
		const all = (this.filter.link === flows.LOCAL) ? inside : reply.total - inside;
		const said = [ matching ? _('%d of %d shown').format(shown, matching) : _('There is no such connection now') ];

		if (matching !== all)
			said.push(_('%d connections in all').format(all));
		if (isLocal && reply.matching > reply.connections.length)
			said.push(_('searched were the %d largest').format(reply.connections.length));
		if (this.filter.link !== flows.LOCAL && inside > 0)
			said.push(_('%d more stay in the house').format(inside));

		L.dom.content(this.count, [ said.join('; ') ]);
	},

	/* Without accounting the kernel counts no bytes. Who turns it on sees those of connections that begin after that. */
	showHint(reply) {
		const text = reply.accounting ? ''
			: _('This router does not count the data of connections. It does with the line “net.netfilter.nf_conntrack_acct=1” in the file /etc/sysctl.conf, after a restart.');

		if (this.hint.textContent !== text)
			L.dom.content(this.hint, text ? [ E('div', { 'class': 'alert-message notice' }, [ text ]) ] : []);
	}
});
