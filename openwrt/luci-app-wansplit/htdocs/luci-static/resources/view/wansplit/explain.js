'use strict';
'require view';
'require ui';
'require network';
'require wansplit.api as api';
'require wansplit.colours as colours';
'require wansplit.explained as explained';
'require wansplit.fields as fields';
'require wansplit.hosts as hosts';
'require wansplit.page as page';
'require wansplit.path as path';
'require wansplit.question as question';
'require wansplit.services as services';
'require wansplit.trouble as trouble';

const OTHER = 'other';

/* Addresses that are no client's: the router's own, and its gateways'. */
function notClients(networks) {
	const addresses = networks.flatMap(net =>
		[ ...net.getIPAddrs(), ...net.getIP6Addrs(), net.getGatewayAddr(), net.getGateway6Addr() ]);

	return new Set(addresses.filter(Boolean).map(address => address.split('/')[0]));
}

return view.extend({
	handleSaveApply: null,
	handleSave: null,
	handleReset: null,

	load() {
		return Promise.all([
			api.status(),
			api.hostHints(),
			L.resolveDefault(network.getNetworks(), []),
			colours.load()
		]);
	},

	render([ status, hints, networks ]) {
		this.hosts = hosts.of(hints);
		this.trouble = trouble.create(async () => this.know(await api.status()));
		this.know(status);

		const form = this.form(networks);
		this.answer = E('div', { 'aria-live': 'polite', 'class': 'ws-answer' });

		const asked = question.fromQuery(location.search);
		this.fill(asked ?? { protocol: 'tcp', destination_port: '443' });

		/* Links to this page ask at once; its rows are not in the document yet. */
		if (asked && status != null)
			requestAnimationFrame(() => this.ask());

		return E('div', { 'class': 'ws-explain' }, [
			...page.style('explain'),
			page.heading(_('Explain'),
				_('Why does a connection take the link it takes? Say who asks whom for what: the rules are followed for it step by step, and nothing is sent.')),
			this.trouble.node,
			form,
			this.answer
		]);
	},

	/* Takes note of a status; null if no daemon answers. */
	know(status) {
		this.links = status?.links ?? [];

		if (status)
			this.trouble.show(status);
		else
			this.trouble.absent();
	},

	/* The fields, by the names that question.js has for them. */
	form(networks) {
		const clients = this.hosts.clients(notClients(networks)).map(host => [ host.address, host.name || host.mac ]);
		const interfaces = networks.map(net => net.getName()).filter(name => name !== 'loopback');
		const choices = services.choices();
		const update = () => this.update();

		this.input = {
			router: fields.select([ [ '', _('A device in the network') ], [ 'router', _('The router itself') ] ], update),
			source: fields.text('192.168.1.10', 'ws-clients'),
			destination: fields.text('example.com'),
			protocol: fields.text('tcp', 'ws-protocols'),
			destination_port: fields.text('443'),
			source_port: fields.text('40000'),
			iface: fields.text('lan', 'ws-interfaces'),
			mac: fields.text('02:00:00:00:00:01'),
			dscp: fields.text('46'),
			icmp_type: fields.text('8'),
			mark: fields.text('0x10000'),
			uid: fields.text('1000')
		};
		this.service = fields.select([ ...choices.map(choice => [ choice.id, choice.label ]), [ OTHER, _('Another one…') ] ], update);
		this.input.protocol.addEventListener('input', update);

		const input = this.input;
		const button = E('button', { 'class': 'btn cbi-button cbi-button-action important', 'type': 'submit' }, [ _('Explain') ]);
		const submit = ui.createHandlerFn(this, 'ask');

		return E('form', { 'class': 'cbi-section', 'submit': event => { event.preventDefault(); submit({ currentTarget: button }); } }, [
			fields.suggestions('ws-clients', clients),
			fields.suggestions('ws-interfaces', interfaces.map(name => [ name, '' ])),
			fields.suggestions('ws-protocols', [ 'tcp', 'udp', 'icmp', 'sctp', 'gre', 'esp' ].map(name => [ name, '' ])),
			E('h3', {}, [ _('The connection') ]),
			fields.row(_('Who asks'), input.router, _('Rules for devices and rules for the router\'s own connections are different ones.')),
			fields.row(_('Device'), input.source, _('The address of the device that asks. Devices that the router knows are suggested.')),
			fields.row(_('Destination'), input.destination, _('The name or address that is asked for, for example example.com or 1.1.1.1.')),
			fields.row(_('Service'), this.service, _('What is asked for there.')),
			fields.row(_('Protocol'), input.protocol, _('A name or a number: tcp, udp, icmp (ping), gre …')),
			fields.row(_('Port'), input.destination_port, _('The port that is asked for: 443 is the web.')),
			E('details', {}, [
				E('summary', {}, [ _('More, seldom needed') ]),
				fields.row(_('Port of the sender'), input.source_port, _('Only needed if a rule looks at it.')),
				fields.row(_('Comes in by'), input.iface, _('The interface it comes in by. Left empty, the one by which the device is reached.')),
				fields.row(_('Ethernet address'), input.mac, _('Of the device that asks. Only needed if a rule looks at it.')),
				fields.row(_('DSCP'), input.dscp, _('The class of service that the device asks for, 0 to 63.')),
				fields.row(_('Type of ICMP'), input.icmp_type, _('As a number. Left empty, it is a ping.')),
				fields.row(_('Mark'), input.mark, _('The packet mark that another program on the router sets.')),
				fields.row(_('User'), input.uid, _('The number of the user whose program on the router sends it.'))
			]),
			E('div', { 'class': 'ws-actions' }, [ button ])
		]);
	},

	/* Fills the fields. A protocol and port that are no service of the list stand in fields of their own. */
	fill(asked) {
		for (const [ name, input ] of Object.entries(this.input))
			input.value = (name === 'router') ? (asked.router ? 'router' : '') : asked[name] ?? '';

		const isPing = services.isIcmp(asked.protocol) && !asked.icmp_type;
		const choice = services.choices().find(choice => isPing ? choice.protocol === 'icmp'
			: choice.protocol === asked.protocol && String(choice.port) === asked.destination_port);

		this.service.value = choice?.id ?? OTHER;
		this.update();
		this.input.uid.closest('details').open = [ 'iface', 'mac', 'dscp', 'icmp_type', 'mark', 'uid' ].some(name => asked[name]);
	},

	/* Shows the fields that mean something, and takes protocol and port from the service. */
	update() {
		const choice = services.choices().find(choice => choice.id === this.service.value);
		const input = this.input;
		const router = input.router.value === 'router';

		if (choice) {
			input.protocol.value = choice.protocol;
			input.destination_port.value = choice.port ?? '';
		}

		const protocol = input.protocol.value.trim().toLowerCase();

		fields.show(input.protocol, !choice);
		fields.show(input.destination_port, !choice && services.hasPorts(protocol));
		fields.show(input.source, !router);
		fields.show(input.source_port, services.hasPorts(protocol));
		fields.show(input.iface, !router);
		fields.show(input.mac, !router);
		fields.show(input.icmp_type, services.isIcmp(protocol));
		fields.show(input.uid, router);
	},

	/* What the fields say. */
	asked() {
		const asked = Object.fromEntries(Object.entries(this.input).map(([ name, input ]) => [ name, input.value.trim() ]));

		return { ...asked, router: asked.router === 'router', protocol: asked.protocol.toLowerCase() };
	},

	async ask() {
		const asked = this.asked();

		this.complain(question.complaints(asked));

		if (this.isWrong)
			return L.dom.content(this.answer, []);

		window.history.replaceState(null, '', question.url(question.arguments(asked)));

		const addresses = await this.addresses(asked);

		if (addresses)
			await this.askFor(asked, addresses);
	},

	/* The addresses to ask for: the one that is written, or those behind the name. Null if there are none. */
	async addresses(asked) {
		const name = question.hostName(asked.destination);

		if (name == null)
			return [ asked.destination ];

		const addresses = await api.resolve(name);

		if (question.addressFor(asked, addresses) != null)
			return addresses;

		this.complain({ destination: addresses.length
			? _('This name has no address of the same kind (IPv4 or IPv6) as the sender\'s.')
			: _('The router cannot find an address for this name.') });
		L.dom.content(this.answer, []);

		return null;
	},

	/* Asks for one of these addresses, the first that will do if none is chosen. */
	async askFor(asked, addresses, chosen = question.addressFor(asked, addresses)) {
		const answer = await api.explain(question.arguments({ ...asked, destination: chosen }));

		if (answer?.error) {
			const field = question.blamed(answer.error, asked);

			this.complain(field ? { [field]: answer.error } : {});
			return L.dom.content(this.answer, [
				field ? null : E('div', { 'class': 'alert-message error', 'role': 'alert' }, [ answer.error ])
			]);
		}

		L.dom.content(this.answer, [
			...answer ? this.show(answer, asked, chosen) : [ await this.silence() ],
			...(addresses.length > 1) ? [ this.choice(asked, addresses, chosen) ] : []
		]);
		this.answer.scrollIntoView({ behavior: 'smooth', block: 'nearest' });
	},

	/* The addresses behind a name, each to be asked for: rules may take them differently. */
	choice(asked, addresses, chosen) {
		const ask = address => ui.createHandlerFn(this, 'askFor', asked, addresses, address);

		return E('div', { 'class': 'ws-addresses' }, [
			E('h4', {}, [ _('The addresses of this name') ]),
			...addresses.filter(address => question.addressFor(asked, [ address ]) != null).map(address => E('button', {
				'type': 'button', 'class': 'btn cbi-button', 'aria-pressed': String(address === chosen), 'disabled': (address === chosen) ? '' : null,
				'click': ask(address)
			}, [ address ]))
		]);
	},

	complain(wrong) {
		this.isWrong = Object.keys(wrong).length > 0;

		for (const [ name, input ] of Object.entries(this.input))
			fields.complain(input, wrong[name]);

		const first = Object.keys(this.input).find(name => wrong[name]);

		if (first) {
			const details = this.input[first].closest('details');

			if (details)
				details.open = true;
			/* A hidden field is wrong only if an address bar says so: then it must be seen. */
			fields.show(this.input[first], true);
			this.input[first].focus();
		}
	},

	/* There is no answer; why, stands above. */
	async silence() {
		this.know(await api.status());
		this.trouble.node.scrollIntoView({ behavior: 'smooth', block: 'nearest' });

		return E('div', { 'class': 'alert-message warning', 'role': 'alert' }, [
			_('There is no answer: the service that splits the links does not run, or has no configuration in force.')
		]);
	},

	/* The answer: a sentence, the drawing, the reasons. */
	show(answer, asked, destination) {
		const known = {
			sourceAddress: asked.router ? '' : asked.source, sourceName: this.hosts.nameOf(asked.source),
			destinationAddress: destination,
			destinationName: (asked.destination !== destination) ? asked.destination : this.hosts.nameOf(destination),
			protocol: asked.protocol, port: asked.destination_port,
			linkBy: device => device ? this.links.find(link => [ link.ipv4?.device, link.ipv6?.device ].includes(device))?.name : undefined
		};
		const sentence = said => (typeof said === 'string') ? E('li', {}, [ said ]) : E('li', {}, [
			E('details', { 'open': (said.rules.length <= 5) ? '' : null }, [
				E('summary', {}, [ said.text ]),
				E('ul', {}, said.rules.map(rule => E('li', {}, [ _('“%s”: %s').format(rule.name, rule.why) ])))
			])
		]);
		const kernel = explained.kernel(answer);
		const reasons = explained.reasons(answer);

		return [
			E('h3', {}, [ explained.summary(answer, known.linkBy) ]),
			path.draw(answer, known),
			E('h4', {}, [ _('Why') ]),
			...reasons.length ? [ E('ol', { 'class': 'ws-reasons' }, reasons.map(sentence)) ] : [],
			...kernel.map(said => E('p', { 'class': 'ws-kernel ws-kernel-%s'.format(said.tone) }, [ said.text ]))
		];
	}
});
