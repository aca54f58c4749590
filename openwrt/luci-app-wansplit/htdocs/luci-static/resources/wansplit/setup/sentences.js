'use strict';
'require baseclass';
'require wansplit.setup.services as presets';

/*
 * What a configuration does, in sentences: [{ subject, detail, way }], from its sections alone, so that they are true of an imported
 * one too. Pure. Every sentence is whole: other languages order their words otherwise.
 */

function list(value) {
	return Array.isArray(value) ? value : (value ?? '').split(/\s+/).filter(word => word !== '');
}

function same(a, b) {
	return [ ...list(a) ].sort().join(' ') === [ ...list(b) ].sort().join(' ');
}

/* The preset that a rule is a part of, if it matches nothing else. */
function serviceOf(options) {
	const others = Object.keys(options).filter(option => ![ 'proto', 'dest_port', 'use', 'counter', 'name', 'enabled', 'sticky' ].includes(option));

	return (others.length > 0) ? null : presets.services.find(service =>
		service.matches.some(match => same(match.proto, options.proto) && same(match.dest_port, options.dest_port))) ?? null;
}

function ports(options) {
	const protocols = list(options.proto).join(', ').toUpperCase();
	const numbers = list(options.dest_port).join(', ');

	if (protocols !== '' && numbers !== '')
		return _('%s to port %s').format(protocols, numbers);

	return (numbers !== '') ? _('port %s').format(numbers) : protocols;
}

/* What of the rest a person recognises. */
function conditions(options) {
	const found = [ ports(options) ];
	const words = (option, text) => list(options[option]).length && found.push(text.format(list(options[option]).join(', ')));

	words('src_mac', _('from %s'));
	words('src_ip', _('from %s'));
	words('src_set', _('from the list %s'));
	words('src_iface', _('in by %s'));
	words('src_port', _('from port %s'));
	words('dest_ip', _('to %s'));
	words('dest_set', _('to the list %s'));
	words('dest_domain', _('to %s'));
	words('dscp', _('marked %s'));
	words('icmp_type', _('ICMP %s'));
	words('mark', _('mark %s'));
	words('uid', _('user %s'));
	words('weekdays', _('on %s'));
	words('start_time', _('beginning at %s'));
	words('stop_time', _('ending at %s'));

	if ([ 'ipv4', '4', 'inet' ].includes(options.family))
		found.push(_('IPv4 only'));
	else if ([ 'ipv6', '6', 'inet6' ].includes(options.family))
		found.push(_('IPv6 only'));

	if (options.from === 'router')
		found.push(_('from the router itself'));
	else if (options.from === 'any')
		found.push(_('from your network and the router itself'));

	return found.filter(text => text !== '');
}

/* In Mbit/s; without a unit it is that. */
function speed(text) {
	return (parseFloat(text) || 1) * ({ k: 0.001, G: 1000 }[/[kG]$/.exec(text ?? '')?.[0]] ?? 1);
}

/* '3', 'auto' or nothing behind a member's name, and its tier. A name may hold blanks in what was written by hand. */
function member(text, links) {
	const [ , head, tier ] = /^(.*?)(?:\s+tier\s+(\d+))?$/.exec(text);
	const [ , name, weight ] = links.has(head) ? [ head, head ] : /^(.*?)(?:\s+(\d+|auto))?$/.exec(head);

	return { name, weight: (weight === 'auto') ? speed(links.get(name)?.speed) : +(weight ?? 1), tier: +(tier ?? 1) };
}

/* A policy that balances: who takes how much. */
function sharing(options, links) {
	const members = [ options.use ?? [] ].flat().map(text => member(text, links));
	const first = Math.min(...members.map(({ tier }) => tier));
	const now = members.filter(({ tier }) => tier === first);
	const later = members.filter(({ tier }) => tier !== first).map(({ name }) => name);
	const sum = now.reduce((all, { weight }) => all + weight, 0);
	const parts = now.map(({ name, weight }) => _('%s (about %d%%)').format(name, Math.round(100 * weight / sum))).join(', ');
	const way = (options.balance_by === 'connection')
		? _('each connection by one of: %s; while one is down, by what is left.').format(parts)
		: _('each device by one of: %s; while one is down, by what is left.').format(parts);

	return later.length ? _('%s When none of them works: %s.').format(way, later.join(', ')) : way;
}

function ordered(names, fallback) {
	const [ first, second, ...more ] = names;

	if (fallback === 'unreachable' || fallback === 'blackhole') {
		return (names.length === 1)
			? _('only by %s; while it is down, not at all.').format(first)
			: _('by the first of these that works: %s; never by another.').format(names.join(', '));
	}

	if (names.length === 1)
		return _('by %s.').format(first);

	return more.length
		? _('by %s; while it is down, by %s, then %s.').format(first, second, more.join(', '))
		: _('by %s; while it is down, by %s.').format(first, second);
}

function way(use, links, policies) {
	switch (use) {
	case 'main':
		return _('as if wansplit were not there.');

	case 'unreachable':
	case 'blackhole':
		return _('nowhere: it is refused.');
	}

	if (links.has(use))
		return ordered([ use ], links.get(use).fallback);

	const policy = policies.get(use) ?? { use: [ use ] };

	return (policy.mode === 'balance')
		? sharing(policy, links)
		: ordered(list(policy.use), policy.fallback);
}

function nameOf({ name, options }) {
	return options.name ?? name;
}

/* The options of links and of policies by their names. */
function targets(sections) {
	return [ 'link', 'policy' ].map(type => new Map(sections.filter(section => section.type === type)
		.map(section => [ nameOf(section), section.options ])));
}

return baseclass.extend({
	/* What a rule takes: the service's name, if it is one, and the conditions in words; both may be empty. */
	takes(options) {
		return { service: serviceOf(options)?.title ?? '', conditions: conditions(options).join('; ') };
	},

	/* Where what is led to a link or a policy goes, in a configuration. */
	way(use, sections) {
		return way(use, ...targets(sections));
	},

	/* One for what each rule does; rules of one service that do the same are one. */
	rules(sections) {
		const [ links, policies ] = targets(sections);
		const found = [];

		for (const section of sections.filter(({ type, options }) => type === 'rule' && options.enabled !== '0')) {
			const { options } = section;
			const service = serviceOf(options);
			const last = found[found.length - 1];
			const numbers = ports(options);
			const said = conditions(options).join('; ');

			if (service && last?.service === service && last.use === options.use) {
				last.numbers.push(numbers);
				continue;
			}

			let subject = service?.title;
			if (!subject && said === '')
				subject = found.length ? _('Everything else') : _('Everything');

			found.push({
				service, use: options.use, numbers: service ? [ numbers ] : [ said ].filter(text => text !== ''),
				subject: subject ?? nameOf(section) ?? _('A rule'),
				way: way(options.use, links, policies) +
					((options.sticky ?? '0') !== '0' ? ' ' + _('A device stays on the link it began with.') : '')
			});
		}

		return found.map(({ subject, numbers, way }) => ({ subject, detail: numbers.join('; '), way }));
	},

	/* One for each link: what it is, how it is watched, how much it may carry. */
	links(sections) {
		const [ links, policies ] = targets(sections);
		const periods = { day: _('a day'), week: _('a week'), month: _('a month') };

		return sections.filter(({ type }) => type === 'link').map(section => {
			const { options } = section;
			const hosts = list(options.track_ip);
			const parts = [ options.interface
				? _('the interface %s.').format(options.interface)
				: _('the device %s.').format(options.device ?? '?') ];

			parts.push(hosts.length
				? _('To find out whether it works, %s are asked again and again; it is down when none of them answers.').format(hosts.join(', '))
				: _('It counts as working while its connection stands.'));

			if (options.max)
				parts.push(_('When it has carried %sB %s, it is used only if nothing else works.')
					.format(options.max, periods[options.max_per ?? 'month'] ?? options.max_per));

			if (options.via)
				parts.push(_('Its own packets leave %s').format(way(options.via, links, policies)));

			return { subject: nameOf(section), detail: '', way: parts.join(' ') };
		});
	}
});
