'use strict';
'require baseclass';

/*
 * What the person has said so far: what it is before anything is said, and what is wrong with it. Pure.
 */

/* Big resolvers of two owners: they answer pings from everywhere, and one of them down is not the link down. */
const HOSTS = [ '1.1.1.1', '9.9.9.9', '2606:4700:4700::1111', '2620:fe::fe' ];

/* Names that links cannot have: other words of the configuration. */
const RESERVED = [ 'auto', 'blackhole', 'globals', 'main', 'tier', 'unreachable' ];

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

function isIpv6(text) {
	if (!/^[0-9a-f:]+$/i.test(text) || text.includes(':::') || text.split('::').length > 2)
		return false;

	const groups = text.split(':').filter(group => group !== '');

	return groups.every(group => group.length <= 4) && (text.includes('::') ? groups.length < 8 : groups.length === 8) &&
		!/(^:[^:]|[^:]:$)/.test(text);
}

/* A number above 0, as people write it: with a comma too. */
function amount(text) {
	const value = /^\d{1,7}([.,]\d{1,3})?$/.test(text ?? '') ? +text.replace(',', '.') : 0;

	return value > 0 ? value : null;
}

return baseclass.extend({
	isMac(text) { return MAC.test(text); },
	amount,

	words(text) {
		return text.split(/[\s,;]+/).filter(word => word !== '');
	},

	/* What the wizard begins with: all lines of providers that are switched on, and watched. null: not said yet. */
	start(links) {
		return {
			links: Object.fromEntries(links.map(link => [ link.interface, {
				use: link.kind === 'wan' && link.autostart,
				name: RESERVED.includes(link.interface) ? link.interface + '_link' : link.interface,
				speed: '', weight: '1',
				metered: false, max: '50', unit: 'G', per: 'month'
			} ])),
			order: links.map(link => link.interface),
			goal: null, web: null, mail: null, rest: null, restOnly: false,
			services: {}, devices: [],
			share: 'equal', by: 'client',
			watch: true, hosts: HOSTS.join(' '),
			source: null, replace: false
		};
	},

	/* The links the person wants, in their order of preference. */
	chosen(links, answers) {
		return answers.order.map(name => links.find(link => link.interface === name))
			.filter(link => link && answers.links[link.interface].use);
	},

	/* Those of them that lead to a provider: what takes over for another link. A tunnel is up only while one of them is. */
	lines(links, answers) {
		const chosen = this.chosen(links, answers);
		const lines = chosen.filter(link => link.kind !== 'vpn');

		return lines.length ? lines : chosen;
	},

	/* The answers with what was not said, or is not possible any more, as it is usually wanted: web by the first line, mail by
	 * the second. What was said stays in `answers`, so that a link that is ticked again finds it. */
	settled(links, answers) {
		const chosen = this.chosen(links, answers);
		const names = chosen.map(link => link.interface);
		const lines = this.lines(links, answers).map(link => link.interface);
		const known = (name, otherwise) => names.includes(name) ? name : otherwise;
		const [ one ] = lines;
		const web = known(answers.web, one);
		const few = goal => (goal === 'balance') ? lines.length < 2 : goal !== 'failover' && goal !== 'import' && names.length < 2;

		return {
			...answers,
			goal: (answers.goal == null || few(answers.goal)) ? ((lines.length < 2) ? 'failover' : 'web_mail') : answers.goal,
			web,
			mail: known(answers.mail, [ ...lines, ...names ].find(name => name !== web) ?? web),
			rest: known(answers.rest, (answers.goal === 'web_mail' || answers.goal == null) ? web : one),
			services: Object.fromEntries(Object.entries(answers.services)
				.filter(([ , choice ]) => names.includes(choice.link))),
			devices: answers.devices.map(device => ({ ...device, link: known(device.link, '') }))
		};
	},

	/* What is wrong with what was said in a step: sentences. */
	problems(step, links, answers) {
		const chosen = this.chosen(links, answers);
		const of = link => answers.links[link.interface];

		switch (step) {
		case 'links':
			return this.wrongLinks(chosen, of);

		case 'goal':
			return [ ...this.wrongShares(chosen, of, answers), ...this.wrongDevices(answers) ];

		case 'watch':
			return this.wrongWatching(chosen, of, answers);

		default:
			return [];
		}
	},

	wrongLinks(chosen, of) {
		const found = [];
		const names = chosen.map(link => of(link).name);

		if (chosen.length === 0)
			found.push(_('Choose at least one link.'));

		for (const link of chosen) {
			const name = of(link).name;

			if (!/^[A-Za-z]\w*$/.test(name))
				found.push(_('The name of %s may have letters, digits and _ only, and begins with a letter.').format(link.interface));
			else if (RESERVED.includes(name))
				found.push(_('%s cannot be a name: the word has a meaning of its own. Choose another one.').format(name));
			else if (names.indexOf(name) !== names.lastIndexOf(name))
				found.push(_('Two links are called %s. Give each a name of its own.').format(name));
		}

		return [ ...new Set(found) ];
	},

	wrongShares(chosen, of, answers) {
		if (answers.goal !== 'balance' || answers.share === 'equal')
			return [];

		const lines = chosen.filter(link => link.kind !== 'vpn');

		if (answers.share === 'speed')
			return lines.filter(link => amount(of(link).speed) == null)
				.map(link => _('Say how fast %s is, in Mbit/s: 100, for example.').format(of(link).name));

		return lines.filter(link => !/^\d{1,3}$/.test(of(link).weight) || +of(link).weight < 1 || +of(link).weight > 256)
			.map(link => _('The share of %s is a whole number from 1 to 256.').format(of(link).name));
	},

	wrongDevices(answers) {
		const found = [];
		const hosts = answers.devices.map(device => device.host.toLowerCase());

		for (const device of answers.devices) {
			if (!MAC.test(device.host) && !IPV4.test(device.host) && !isIpv6(device.host))
				found.push(_('Choose each device, or type its address: 192.168.1.20, or 02:00:5e:00:53:01. Or take the line away.'));
			else if (device.link === '')
				found.push(_('Choose a link for each device, or take the line away.'));
			else if (hosts.indexOf(device.host.toLowerCase()) !== hosts.lastIndexOf(device.host.toLowerCase()))
				found.push(_('A device is there twice.'));
		}

		if (answers.goal === 'devices' && answers.devices.length === 0)
			found.push(_('Add at least one device.'));

		return [ ...new Set(found) ];
	},

	wrongWatching(chosen, of, answers) {
		const found = [];
		const hosts = this.words(answers.hosts);

		if (answers.watch && hosts.length === 0)
			found.push(_('Name at least one address that is asked, or do not watch the links.'));

		for (const host of answers.watch ? hosts : [])
			if (!IPV4.test(host) && !isIpv6(host))
				found.push(_('%s is no address. One looks like 1.1.1.1 or 2620:fe::fe.').format(host));

		for (const link of chosen)
			if (of(link).metered && amount(of(link).max) == null)
				found.push(_('Say how much %s may carry, as a number.').format(of(link).name));

		return found;
	}
});
