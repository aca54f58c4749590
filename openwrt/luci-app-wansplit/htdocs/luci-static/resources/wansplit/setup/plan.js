'use strict';
'require baseclass';
'require wansplit.setup.answers as answering';
'require wansplit.setup.services as presets';

/*
 * From what was found and what was said to the sections of a configuration: [{ type, name, options }]. Pure.
 * An option's value is a string, or an array for a list.
 */

/* Links, policies and the sections of UCI share one name space here, and some words are taken. */
function namer() {
	const taken = new Set([ 'auto', 'blackhole', 'globals', 'main', 'tier', 'unreachable' ]);

	return wanted => {
		const base = wanted.replace(/\W+/g, '_').replace(/^_+|_+$/g, '') || 'rule';
		let name = base;

		for (let i = 2; taken.has(name); i++)
			name = '%s_%d'.format(base, i);

		taken.add(name);

		return name;
	};
}

/* One configuration that is being made: links, then policies as they are asked for, then rules. */
class Draft {
	constructor(chosen, answers) {
		this.answers = answers;
		this.chosen = chosen;
		this.claim = namer();
		this.names = new Map(chosen.map(link => [ link.interface, this.claim(answers.links[link.interface].name) ]));
		this.links = chosen.map(link => ({ type: 'link', name: this.names.get(link.interface), options: this.linkOptions(link) }));
		this.policies = new Map();
		this.rules = [];
	}

	linkOptions(link) {
		const said = this.answers.links[link.interface];
		const options = { interface: link.interface };

		/* A tunnel may lead to an office only, where those hosts never answer: it counts as up while it stands. */
		if (this.answers.watch && link.kind !== 'vpn') {
			options.track_ip = answering.words(this.answers.hosts);

			/* Two hosts asked each second are a gigabyte a month. When one does not answer, it is asked faster all the same. */
			if (said.metered)
				options.interval = '10s';
		}

		if (this.answers.goal === 'balance' && this.answers.share === 'speed' && link.kind !== 'vpn')
			options.speed = '%sM'.format(answering.amount(said.speed));

		if (said.metered) {
			options.max = '%s%s'.format(answering.amount(said.max), said.unit);
			options.max_per = said.per;
		}

		return options;
	}

	/* The lines that take over for a link. No tunnel: it is up only while one of them is. */
	others(first) {
		return this.chosen.filter(link => link.interface !== first && link.kind !== 'vpn').map(link => link.interface);
	}

	policy(key, wanted, options) {
		if (!this.policies.has(key))
			this.policies.set(key, { type: 'policy', name: this.claim(wanted), options });

		return this.policies.get(key).name;
	}

	/* What a rule's `use` is for a link that the others stand in for; or for one without which nothing goes. */
	by(first, only) {
		const name = this.names.get(first);
		const order = [ name, ...(only ? [] : this.others(first).map(other => this.names.get(other))) ];

		if (only)
			return this.policy('only ' + first, name + '_only', { use: order, fallback: 'unreachable' });

		return (order.length > 1) ? this.policy('first ' + first, name + '_first', { use: order }) : name;
	}

	/* All lines at once. */
	shared() {
		const member = link => ({
			equal: this.names.get(link.interface),
			speed: this.names.get(link.interface) + ' auto',
			weight: '%s %d'.format(this.names.get(link.interface), +this.answers.links[link.interface].weight)
		})[this.answers.share];

		return this.policy('shared', 'shared', {
			mode: 'balance',
			use: this.chosen.filter(link => link.kind !== 'vpn').map(member),
			balance_by: this.answers.by
		});
	}

	/* Counted: a count is one more rule in the kernel, for the first packet of a connection only. */
	rule(wanted, matches, use, more = {}) {
		this.rules.push({ type: 'rule', name: this.claim(wanted), options: { ...matches, use, counter: '1', ...more } });
	}

	service(id, use) {
		const service = presets.services.find(preset => preset.id === id);

		service.matches.forEach((match, i) => this.rule(i ? '%s_%s'.format(id, match.proto?.[0] ?? i + 1) : id, match, use));
	}

	device(device) {
		const key = answering.isMac(device.host) ? 'src_mac' : 'src_ip';
		/* A host may call itself what it likes. */
		const given = (device.name ?? '').replace(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ').trim();
		const plain = given.replace(/\W+/g, '_').replace(/^_+|_+$/g, '');
		const options = (given !== '' && given !== plain) ? { name: given } : {};

		this.rule(plain || 'device', { ...options, [key]: [ device.host ] }, this.by(device.link, device.only));
	}

	/* What carries a tunnel's own packets: when that line dies they move, and the connections in the tunnel go on. */
	carryTunnels(rest) {
		const lines = this.chosen.filter(link => link.kind !== 'vpn');
		const tunnels = this.chosen.filter(link => link.kind === 'vpn');

		if (lines.length === 0)
			return;

		for (const tunnel of tunnels) {
			const way = tunnels.some(other => other.interface === rest) ? null : rest;

			this.links.find(link => link.name === this.names.get(tunnel.interface)).options.via =
				this.by(way ?? lines[0].interface, false);
		}
	}

	sections(globals) {
		return [
			{ type: 'globals', name: 'globals', options: { ...globals, enabled: '1' } },
			...this.links, ...this.policies.values(), ...this.rules
		];
	}
}

return baseclass.extend({
	/* Another program's configuration, translated, with what ours is told of the router. */
	takenOver(sections, globals) {
		const theirs = sections.find(({ type }) => type === 'globals')?.options ?? {};

		return [
			{ type: 'globals', name: 'globals', options: { ...globals, ...theirs, enabled: '1' } },
			...sections.filter(({ type }) => type !== 'globals')
		];
	},

	/* `links` as facts.findLinks gives them; `globals`: options of the present configuration that stay (mask, log_level…). */
	sections(links, said, globals = {}) {
		const answers = answering.settled(links, said);
		const draft = new Draft(answering.chosen(links, answers), answers);
		let rest = answers.rest;

		/* Devices before services: "this one by the other link" means all that it does. */
		answers.devices.filter(device => device.link !== '').forEach(device => draft.device(device));

		switch (answers.goal) {
		case 'web_mail':
			draft.service('mail', draft.by(answers.mail, false));
			draft.service('web', draft.by(answers.web, false));
			break;

		case 'services':
			for (const { id } of presets.services)
				if (answers.services[id])
					draft.service(id, draft.by(answers.services[id].link, answers.services[id].only));
			break;

		case 'failover':
			rest = answering.lines(links, answers)[0]?.interface;
			break;

		case 'balance':
			/* A bank or a shop wants to see one address for as long as somebody is logged in. */
			if (answers.by === 'connection')
				for (const match of presets.services.find(preset => preset.id === 'web').matches)
					draft.rule('web', match, draft.shared(), { sticky: '1' });

			draft.rule('everything', {}, draft.shared());
			rest = null;
			break;
		}

		if (rest != null)
			draft.rule('everything', {}, draft.by(rest, answers.restOnly && [ 'services', 'devices' ].includes(answers.goal)));

		draft.carryTunnels(rest);

		return draft.sections(globals);
	}
});
