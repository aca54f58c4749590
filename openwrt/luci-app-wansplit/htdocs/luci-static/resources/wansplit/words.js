'use strict';
'require baseclass';

/*
 * What the daemon says, in the language of the page and in plain words. The daemon speaks English (src/daemon/words.rs,
 * src/explain, src/plan/moves.rs). Its sentences are recognised by patterns, and their values are kept; one that is not
 * known passes as it is. All functions are pure and give plain text, never markup.
 *
 * LuCI has one pool of words for all its pages: there Up and Down are the ways to move a line. The second word of _() keeps
 * ours apart.
 */

/* A sentence is [ what the daemon says, how the page says it ]; the groups of the first are the values of the second. */
const STATES = {
	'up': { level: 'good', word: _('Up', 'link'), hint: _('It works.') },
	'degraded': { level: 'poor', word: _('Degraded'),
		hint: _('It answers badly: it is used only where no better link is up.') },
	'used up': { level: 'poor', word: _('Used up'),
		hint: _('It has carried as much as its limit allows: it is used only where no other link is up.') },
	'unproven': { level: 'trial', word: _('On trial'),
		hint: _('It has just come back: it is used again when it has answered for a while.') },
	'held': { level: 'trial', word: _('Held back'),
		hint: _('It comes and goes: until it has been steady for a while, it is used only where no other link is up.') },
	'down': { level: 'bad', word: _('Down', 'link'), hint: _('Nothing can leave by it now.') }
};

const REASONS = [
	/* A link without a way out. */
	[ /^no carrier$/, _('no signal (is the cable plugged in, and the modem on?)') ],
	[ /^not offered$/, _('this link does not offer it') ],
	[ /^misconfigured$/, _('its settings are wrong') ],
	[ /^no such interface$/, _('the router has no such interface') ],
	[ /^interface down$/, _('the interface is down') ],
	[ /^no such device$/, _('the device is not there (is it plugged in?)') ],
	[ /^switched off$/, _('the device is switched off') ],
	[ /^no address yet$/, _('it has no address from the provider yet') ],
	[ /^IPv6 is off$/, _('IPv6 is switched off on its device') ],
	[ /^gateway is the router itself$/, _('its gateway is the router itself') ],

	/* Probes. */
	[ /^its probes are not answered$/, _('its tests get no answer') ],
	[ /^(\d+) of (\d+) probes lost to ([^;]+)$/, _('%s of %s tests got no answer from %s') ],
	[ /^in (\d+) rounds fewer than (\d+) of ([^;]+) answered$/, _('in %s rounds of tests fewer than %s of %s answered') ],
	[ /^(\d+) % of its probes are lost \(the limit is (\d+) %\)$/, _('%s %% of its tests get no answer (the limit is %s %%)') ],
	[ /^a round trip takes ([^;]+) \(the limit is ([^;]+)\)$/, _('an answer takes %s (the limit is %s)') ],
	[ /^dead by its probes$/, _('its tests get no answer') ],
	[ /^second choice now$/, _('only second choice now') ],

	/* What it has carried. */
	[ /^(?:used up: )?([^;]+) of ([^;]+) today$/, _('%s of %s used today') ],
	[ /^(?:used up: )?([^;]+) of ([^;]+) this week$/, _('%s of %s used this week') ],
	[ /^(?:used up: )?([^;]+) of ([^;]+) this month$/, _('%s of %s used this month') ],

	/* On trial, held. */
	[ /^it is back, and has to prove itself$/, _('it is back, and has to prove itself') ],
	[ /^it fell (\d+) times in the last minute$/, _('it went down %s times in the last minute') ],

	/* Up again. */
	[ /^its probes are answered again$/, _('its tests are answered again') ],
	[ /^carrier is back$/, _('the signal is back') ],
	[ /^it is there again$/, _('it is there again') ],
	[ /^it answers well again$/, _('it answers well again') ],
	[ /^it may carry more again$/, _('it may carry more again') ],
	[ /^it has been steady$/, _('it has been steady for a while') ],
	[ /^it is there$/, _('it is there') ]
];

/* What decided, of an explanation (src/explain/words.rs). */
const DECISIONS = [
	[ /^no rule matches$/, _('No rule matches.') ],
	[ /^rule '(.*)' matches$/s, _('Rule “%s” matches.') ],
	[ /^rule '(.*)' matches; its address is out of a prefix of link (.*), and no other provider takes it$/s,
		_('Rule “%s” matches; but the sender has an address of link %s, and no other provider takes that.') ],
	[ /^no rule matches; its address is out of a prefix of link (.*)$/s, _('No rule matches; the sender has an address of link %s.') ],
	[ /^it comes in by link (.*): its answers go back by the same link$/s,
		_('It comes in by link %s: its answers go back by the same link.') ],
	[ /^its address belongs to link (.*)$/s, _('Its address belongs to link %s.') ],
	[ /^a command bound to link (.*) sends it \(wansplit use\); by another link it never goes$/s,
		_('A command that is bound to link %s sends it: it never goes by another one.') ],
	[ /^link (.*) is a tunnel made of such packets: they never go into it$/s,
		_('Link %s is a tunnel that is made of such packets: they never go into it.') ]
];

const FALLBACKS = {
	'main': _('the router\'s default way'),
	'unreachable': _('refused'),
	'blackhole': _('dropped')
};

const FAMILIES = { 'ipv4': 'IPv4', 'ipv6': 'IPv6' };

const ACTIONS = {
	'up': _('%s is up'),
	'down': _('%s is down'),
	'degraded': _('%s is second choice now'),
	'held': _('%s is held back')
};

/* The sentence as the page says it; null if it is none of these. */
function translated(sentences, text) {
	for (const [ pattern, words ] of sentences) {
		const match = pattern.exec(text);

		if (match)
			return words.format(...match.slice(1));
	}

	return null;
}

/* Where a phrase of `moved` stops being names. Names may hold any letter, so from the end. */
const MOVED = /^(.*) moved to (.*?)(?: \((IPv4|IPv6)\))?$/s;
const BECAME = /^(.*): (unreachable|blackhole)(?: \((IPv4|IPv6)\))?$/s;

return baseclass.extend({
	/* A state's { level, word, hint }. Levels: good, poor, trial, bad; unknown for a state this page has never heard of. */
	state(state) {
		return STATES[state] ?? { level: 'unknown', word: String(state ?? _('Unknown')), hint: '' };
	},

	/* Why a link is in its state. Two families may have a reason each, with a semicolon between them. */
	reason(text) {
		text = String(text ?? '');

		return translated(REASONS, text)
			?? text.split('; ').map(part => translated(REASONS, part) ?? part).join('; ');
	},

	/*
	 * Whether what a family's tests have measured is of now. Nobody tests a link that has no way out, and one that is silent has no
	 * answers to take the time of.
	 */
	measured(side) {
		const silent = side.state === 'down' && /^its probes|^\d+ of \d+ probes|^in \d+ rounds/.test(side.why ?? '');

		return { rtt: side.state !== 'down', loss: side.state !== 'down' || silent };
	},

	/* What decided where a packet goes. */
	decision(text) {
		return translated(DECISIONS, String(text ?? '')) ?? String(text ?? '');
	},

	/* `ipv4` as people write it. */
	family(family) {
		return FAMILIES[family] ?? String(family ?? '');
	},

	/* Where something goes when none of its links is up: main, unreachable, blackhole. Any other word passes. */
	fallback(word) {
		return FALLBACKS[word] ?? String(word ?? '');
	},

	/* Where connections go now: `EMB + OI`, or a fallback; null is a rule that does not hold now. */
	place(now) {
		return now == null ? _('not now') : this.fallback(now);
	},

	/* `web, mail moved to OI (IPv6)`, `voip: unreachable`. */
	moved(phrase) {
		const about = (words, family, ...values) =>
			(family ? _('%s (%s)').format(words.format(...values), family) : words.format(...values));
		let match = BECAME.exec(phrase);

		if (match)
			return (match[2] === 'unreachable')
				? about(_('%s: now refused'), match[3], match[1])
				: about(_('%s: now dropped'), match[3], match[1]);

		match = MOVED.exec(phrase);

		return match ? about(_('%s moved to %s'), match[3], match[1], this.fallback(match[2])) : String(phrase);
	},

	/*
	 * A change of a link, out of the fields of an event: { level, title, reason, then: [...] }. The daemon's own line (`text`) says
	 * the same in English.
	 */
	change(event) {
		const name = event.family ? _('%s (%s)').format(event.link, this.family(event.family)) : event.link;
		const then = (event.moved ?? []).map(phrase => this.moved(phrase));

		if (event.flows_reset > 0)
			then.push((event.flows_reset === 1)
				? _('one running connection had to start again')
				: _('%d running connections had to start again').format(event.flows_reset));

		return {
			level: this.state(event.action).level,
			title: (ACTIONS[event.action] ?? '%s: ' + String(event.action)).format(name),
			reason: this.reason(event.reason),
			then: then
		};
	},

	/* The same in one line. */
	changeLine(event) {
		const change = this.change(event);
		const line = change.reason ? _('%s: %s').format(change.title, change.reason) : change.title;

		return change.then.length ? _('%s; %s').format(line, change.then.join(', ')) : line;
	},

	/*
	 * A policy's order, `EMB > OI, else main` or `EMB 3 + OI 2, then LTE per connection, else main`:
	 * { tiers: [ [ { link, weight } ] ], perConnection, fallback }. Names may hold blanks and signs: so the links' names
	 * must be given. Null if it is not understood.
	 */
	order(text, links) {
		const end = /^(.*?)( per connection)?, else (main|unreachable|blackhole)$/s.exec(String(text ?? ''));

		if (!end)
			return null;

		const longestFirst = [ ...links ].sort((a, b) => b.length - a.length);
		const tiers = [];
		let rest = end[1];
		let tier = null;

		while (rest !== '') {
			/* The longest name behind which the order goes on as it may. */
			const next = longestFirst.filter(name => rest.startsWith(name))
				.map(name => ({ name, then: /^(?: (\d+))?( \+ | > |, then |$)/.exec(rest.slice(name.length)) }))
				.find(found => found.then);

			if (!next)
				return null;

			if (!tier)
				tiers.push(tier = []);

			tier.push({ link: next.name, weight: next.then[1] ? Number(next.then[1]) : null });
			rest = rest.slice(next.name.length + next.then[0].length);

			if (next.then[2] !== ' + ')
				tier = null;
		}

		return { tiers, perConnection: !!end[2], fallback: end[3] };
	}
});
