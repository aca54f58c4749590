'use strict';
'require baseclass';

/*
 * The lines of a policy, `LINK [WEIGHT | auto] [tier N]`, and what they say. Pure.
 */
return baseclass.extend({
	/* { name, weight, tier } of a line, the latter two as texts, empty if not written. `known` are the links' names: they may hold
	 * blanks and numbers, and a whole line that is one of them is that link. */
	parse(line, known) {
		const text = String(line).trim();

		if (known.includes(text))
			return { name: text, weight: '', tier: '' };

		const [ , head, tier ] = /^(.*?)(?:\s+tier\s+(\d+))?$/.exec(text);

		if (known.includes(head))
			return { name: head, weight: '', tier: tier ?? '' };

		const [ , name, weight ] = /^(.*?)(?:\s+(\d+|auto))?$/.exec(head);

		return { name, weight: weight ?? '', tier: tier ?? '' };
	},

	/* The line of a member. In mode failover the order alone counts: weights and tiers are left out. */
	format({ name, weight, tier }, balances) {
		return [
			name,
			...(balances && weight !== '' ? [ weight ] : []),
			...(balances && tier !== '' && tier !== '1' ? [ 'tier', tier ] : [])
		].join(' ');
	},

	/* What is wrong with members, as a sentence; true if nothing is. */
	verdict(members, known, balances) {
		if (members.length === 0)
			return _('Name one link at least.');

		const names = members.map(({ name }) => name);
		const twice = names.find((name, n) => names.indexOf(name) !== n);
		const unknown = names.find(name => !known.includes(name));

		if (twice !== undefined)
			return _('%s is there twice.').format(twice);

		if (unknown !== undefined)
			return _('There is no link %s.').format(unknown);

		if (!balances)
			return true;

		if (!members.every(({ weight }) => weight === '' || weight === 'auto' || (/^[0-9]+$/.test(weight) && +weight >= 1 && +weight <= 256)))
			return _('A share is a number from 1 to 256, or “auto”.');

		if (!members.every(({ tier }) => tier === '' || (/^[0-9]+$/.test(tier) && +tier >= 1 && +tier <= 256)))
			return _('A stage is a number from 1 to 256.');

		const stages = new Map();
		for (const { weight, tier } of members)
			stages.set(tier || '1', new Set([ ...(stages.get(tier || '1') ?? []), weight === 'auto' ]));

		return [ ...stages.values() ].every(kinds => kinds.size === 1) ||
			_('In one stage “auto” stands behind each link, or behind none.');
	}
});
