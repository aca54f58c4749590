'use strict';
'require baseclass';
'require wansplit.services as services';
'require wansplit.words as words';

/*
 * What `explain` answers, as sentences and as the steps of a drawing. The sentences are composed of the names and words in the
 * answer; the daemon's own ones, which are English, are taken where this page does not know a word of it. Plain text only.
 */

const MISSES = {
	'family': _('it is for the other IP version'),
	'protocol': _('it is for another protocol'),
	'source': _('it is for other senders'),
	'destination': _('it is for other destinations'),
	'source port': _('it is for other ports of the sender'),
	'destination port': _('it is for other services (ports)'),
	'device': _('it is for what comes in by another interface'),
	'mac': _('it is for another Ethernet address, or none is known'),
	'dscp': _('it is for another DSCP value'),
	'icmp type': _('it is for another type of ICMP'),
	'mark': _('it is for another packet mark'),
	'user': _('it is for programs of another user'),
	'time': _('it does not hold at this time')
};

const FALLBACKS = {
	'main': _('the router\'s default way is taken (main routing table)'),
	'unreachable': _('the connection is refused: the sender gets an error at once'),
	'blackhole': _('the connection is dropped without an answer')
};

const VERDICTS = {
	'local': _('it is for the router itself'),
	'unreachable': _('refused (unreachable)'),
	'no route': _('refused (no route)'),
	'blackhole': _('dropped (blackhole)'),
	'prohibited': _('refused (prohibited)')
};

/* Why a rule does not match. */
function whyNot(missed, fromRouter) {
	const why = (missed.miss === 'origin')
		? (fromRouter ? _('it is for the devices of the network') : _('it is for the router\'s own connections'))
		: MISSES[missed.miss] ?? missed.why;

	return missed.learns
		? _('%s (the addresses of a domain are known only after a device has asked this router for its name)').format(why) : why;
}

/* Names in a row: EMB, OI. */
const listed = (names, between = ', ') => names.join(between);

/* The next hop: by gateway 198.51.100.1, device eth1. */
function hop(hop) {
	return hop.gateway ? _('gateway %s, device %s').format(hop.gateway, hop.device) : _('device %s').format(hop.device);
}

/* What decided. */
function decision(answer) {
	const rule = answer.rule?.name;
	const link = answer.decided_link;

	switch (answer.decided) {
	case 'rule': return _('Rule “%s” is the first that matches: %s.').format(rule, answer.rule.matches);
	case 'rule and prefix':
		return _('Rule “%s” is the first that matches, but the sender has an IPv6 address of link “%s”, which no other provider takes.')
			.format(rule, link);
	case 'prefix':
		return _('No rule matches. The sender has an IPv6 address of link “%s”, so that link carries it.').format(link);
	case 'came in by': return _('It comes in by link “%s”, so its answers go back by the same link.').format(link);
	case 'bound to': return _('The router sends it from an address of link “%s”, so that link carries it.').format(link);
	case 'used': return _('A program that is bound to link “%s” sends it: it never leaves by another one.').format(link);
	case 'own packet':
		return _('Link “%s” is a tunnel that is made of such packets: they never go into the tunnel.').format(link);
	case 'no rule': return _('No rule matches.');
	default: return words.decision(answer.reason);
	}
}

/* A policy: how it chooses, and from what. */
function policy(policy) {
	const names = policy.tiers.map(tier =>
		tier.map(one => (tier.length > 1) ? '%s %d'.format(one.link, one.weight) : one.link).join(' + '));
	const order = (names.length > 0) ? names.join(' → ') : _('no link', 'policy');

	if (policy.mode === 'failover')
		return _('Policy “%s” takes the first link that works: %s.').format(policy.name, order);

	if (policy.sticky)
		return _('Policy “%s” shares newcomers out over the links, in these shares: %s. Who was here lately stays on the same link.')
			.format(policy.name, order);

	return (policy.per === 'client')
		? _('Policy “%s” shares the devices of the network out over the links, in these shares: %s. Each device stays on one link.')
			.format(policy.name, order)
		: _('Policy “%s” shares connections out over the links, in these shares: %s.').format(policy.name, order);
}

/* What happens to a path's connections now, and when its link fails. */
function path(path, isAlone) {
	const sentences = path.not_taken.map(link =>
		_('Link “%s” is passed over: %s.').format(link.link, words.reason(link.why)));
	const fallback = FALLBACKS[path.fallback] ?? path.fallback;
	const [ now, next ] = path.order;

	if (!now)
		return [ ...sentences, (path.not_taken.length > 0)
			? _('No link is left: %s.').format(fallback) : _('It leads to no link: %s.').format(fallback) ];

	if (isAlone)
		sentences.push((now.length > 1)
			? _('Links “%s” carry it together.').format(listed(now)) : _('Link “%s” carries it.').format(now[0]));

	if (now.length > 1)
		sentences.push(_('If one of them fails, the others go on.'));
	else if (next)
		sentences.push(_('If “%s” fails, “%s” takes over.').format(now[0], listed(next)));
	else
		sentences.push(_('If “%s” fails, no link is left: %s.').format(now[0], fallback));

	return sentences;
}

/* The kernel's answer, if a route of its own wins over every rule. */
function elsewhere(answer) {
	return answer.kernel.find(asked => asked.compared === 'more specific');
}

/* How the kernel's answers for a way compare: those of one kind in one sentence. */
function kernel(answer) {
	const kinds = [ ...new Set(answer.kernel.map(asked => asked.compared)) ];

	return kinds.map(compared => compares(compared, answer.kernel.filter(asked => asked.compared === compared)));
}

function compares(compared, answers) {
	const each = answers.map(asked => VERDICTS[asked.verdict] ?? (asked.hops.length ? asked.hops.map(hop).join('; ') : asked.answer));
	const says = listed([ ...new Set(each) ], '; ');

	switch (compared) {
	case 'agrees': return { tone: 'good', text: _('The router\'s kernel was asked and says the same: %s.').format(says) };
	case 'more specific':
		return (answers[0].verdict === 'local')
			? { tone: 'good', text: _('The router\'s kernel was asked and says: %s.').format(says) }
			: { tone: 'note', text: _('The kernel has a more exact route for this destination, and that wins over every rule: %s.').format(says) };
	case 'differs':
		return { tone: 'bad', text: _('The kernel does otherwise: %s. The Status page can repair that.').format(says) };
	case 'main': return { tone: 'note', text: _('The router\'s default way decides: %s.').format(says) };
	default: return { tone: 'bad', text: _('The kernel could not be asked: %s.').format(says) };
	}
}

/* The reasons in order: sentences, and one that is an object holds the rules that were passed over. */
function reasons(answer) {
	const said = [];

	/* Then nobody asks the rules; but the answers to what came in by a link go back by it. */
	if (elsewhere(answer))
		return (answer.decided === 'came in by') ? [ decision(answer) ] : said;

	if (answer.passed_over.length)
		said.push({
			text: (answer.passed_over.length === 1) ? _('One rule is looked at first, and does not match.')
				: _('%d rules are looked at first, and do not match.').format(answer.passed_over.length),
			rules: answer.passed_over.map(missed => ({
				name: missed.rule,
				why: whyNot(missed, answer.from.router)
			}))
		});

	said.push(decision(answer));

	for (const { side, sets } of answer.held)
		said.push((side === 'source')
			? _('The sender is in the list: %s.').format(sets) : _('The destination is in the list: %s.').format(sets));

	if (answer.policy)
		said.push(policy(answer.policy));

	for (const one of answer.paths)
		said.push(...path(one, answer.paths.length === 1));

	if (!answer.paths.length && !answer.kernel.length)
		said.push(_('The router\'s default way decides.'));

	/* Paths that lead to the same link now say the same. */
	return [ ...new Set(said) ];
}

return baseclass.extend({
	reasons, kernel, hop, elsewhere,

	/* In one sentence: where it goes. `linkBy(device)` is the name of the link that has this device, if there is one. */
	summary(answer, linkBy) {
		const other = elsewhere(answer);
		const links = [ ...new Set(answer.paths.flatMap(path => path.links)) ];

		if (other)
			return (other.verdict === 'local')
				? (answer.decided === 'came in by')
					? _('It is for the router itself; the answers leave by link “%s”.').format(answer.decided_link)
					: _('It is for the router itself.')
				: _('It goes where a more exact route leads.');

		if (links.length > 1)
			return _('It leaves by one of these links: %s.').format(listed(links));

		if (links.length === 1)
			return _('It leaves by link “%s”.').format(links[0]);

		const main = linkBy(answer.kernel[0]?.hops[0]?.device);

		switch (answer.paths[0]?.fallback ?? 'main') {
		case 'unreachable': return _('It is refused.');
		case 'blackhole': return _('It is dropped.');
		default:
			return main ? _('It leaves by the router\'s default way, which is link “%s” now.').format(main)
				: _('It leaves by the router\'s default way.');
		}
	},

	/* The service asked for: https (tcp 443). */
	service(protocol, port) {
		const name = services.nameOf(protocol, port);
		const plain = services.hasPorts(protocol) ? '%s %s'.format(protocol.toUpperCase(), port) : protocol.toUpperCase();

		return name ? _('%s (%s)').format(name, plain) : plain;
	}
});
