'use strict';
'require baseclass';

/*
 * The problems that a status tells of, in plain words: `warning: link 'EMB': …; what to do`. The daemon's advice is for its command
 * line; here it is for these pages. The sentences are those of src/survey, src/reconcile/neighbours.rs and src/daemon; one that is
 * not known passes as it is. Pure functions that give plain text.
 */

/* [ what the daemon says, up to its advice; how the page says it ]. The groups of the first are the values of the second. */
const PROBLEMS = [
	/* Links that cannot be used. */
	[ /^netifd has no interface '(.*)'$/s, _('the router has no interface “%s”. Choose another one under Links, or make it under Network, Interfaces.') ],
	[ /^interface '(.*)' is down: its traffic takes the fallback$/s, _('interface “%s” is down. It is used as soon as it is up.') ],
	[ /^there is no device '(.*)': its traffic takes the fallback$/s, _('there is no device “%s”. It is used as soon as it is there.') ],
	[ /^device '(.*)' is switched off: its traffic takes the fallback$/s, _('device “%s” is switched off. It is used as soon as it is on.') ],
	[ /^device '(.*)' has no IPv4 address: its traffic takes the fallback$/s, _('device “%s” has no address yet. It is used as soon as it has one.') ],
	[ /^the device of interface '(.*)' does not exist here: its traffic takes the fallback$/s, _('the device of interface “%s” is not there.') ],
	[ /^nothing is known of interface '(.*?)': (.*)$/s, _('nothing is known of interface “%s”: the router\'s network service does not answer (%s).') ],
	[ /^its gateway is one of the router's own addresses: its traffic takes the fallback$/,
		_('its gateway is one of the router\'s own addresses. Give the address of the provider\'s router.') ],
	[ /^it has no gateway, and its device is not point to point: nothing can leave by it$/, _('nothing can leave by it: it has no gateway. Give one under Links.') ],
	[ /^it cannot be used now: its traffic takes the fallback$/, _('it cannot be used now.') ],

	/* Other programs. */
	[ /^(\S+) runs, and steers the same packets: its marks and ip rules collide with ours$/,
		_('The program “%s” runs too, and steers the same traffic. Use one of the two: switch the other off under System, Startup.') ],
	[ /^(\S+) starts at boot, and steers the same packets: its marks and ip rules collide with ours$/,
		_('The program “%s” starts at boot, and steers the same traffic. Use one of the two: switch the other off under System, Startup.') ],
	[ /^table main has (\S+) routes that cover everything \((.*)\): they win over every policy$/,
		_('Another program, most likely a VPN, has taken all %s traffic for itself (%s): that wins over every policy. Tell it not to be the only way out, and make its interface a link.') ],
	[ /^the best (\S+) default route of table main refuses packets: it stops every policy too$/,
		_('Another program has a rule that refuses all %s traffic: it stops every policy too.') ],
	[ /^the ip rule with priority (\d+) of another program reads bits of our mark mask (\S+): fwmark (.*)$/,
		_('Another program (rule %s) uses the same marks on packets as this one (%s): %s. Choose another mark mask for one of the two.') ],

	/* The configuration. */
	[ /^no safe state can be computed from (.*?); the one from before stays in force$/s, _('The configuration (%s) cannot be used: the one from before stays in force.') ],
	[ /^(.*?) is empty; the one from before stays in force$/s, _('The configuration (%s) is empty: the one from before stays in force.') ],
	[ /^there is no configuration (.*?); the one from before stays in force$/s, _('There is no configuration (%s): the one from before stays in force.') ]
];

const SECTIONS = {
	'link': _('Link “%s”: %s'),
	'policy': _('Policy “%s”: %s'),
	'rule': _('Rule “%s”: %s'),
	'set': _('Set “%s”: %s')
};

const SEVERITIES = {
	'note': { level: 'notice', word: _('Note') },
	'warning': { level: 'warning', word: _('Warning') },
	'error': { level: 'error', word: _('Error') },
	'fatal': { level: 'error', word: _('Error') }
};

/* The sentence as the page says it; null if it is none of these. */
function translated(text) {
	for (const [ pattern, words ] of PROBLEMS) {
		const match = pattern.exec(text);

		if (match)
			return words.format(...match.slice(1));
	}

	return null;
}

/* With or without advice behind a semicolon, of which a name may have some of its own. */
function message(text) {
	for (let end = text.length; end > 0; end = text.lastIndexOf('; ', end - 1)) {
		const known = translated(text.slice(0, end));

		if (known !== null)
			return known;
	}

	return text;
}

return baseclass.extend({
	/* A problem: { level, word, text }; the levels are LuCI's of boxes: notice, warning, error. */
	problem(text) {
		const [ , severity, rest ] = /^(note|warning|error|fatal): (.*)$/s.exec(text) ?? [ null, 'warning', String(text) ];
		const section = /^(link|policy|rule|set) '(.*?)': (.*)$/s.exec(rest);

		return {
			...SEVERITIES[severity],
			text: section ? SECTIONS[section[1]].format(section[2], message(section[3])) : message(rest)
		};
	}
});
