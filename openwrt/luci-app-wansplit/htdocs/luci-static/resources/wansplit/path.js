'use strict';
'require baseclass';
'require wansplit.colours as colours';
'require wansplit.explained as explained';

/*
 * The way of a connection as a drawing: sender, rule, policy, link, Internet, with arrows between them. It is an ordered list,
 * so that it reads the same without the drawing; explain.css makes boxes and arrows of it, beside or below each other.
 */

/* A box: what it is, its name, and lines below. Each is text or an element. */
function box(kind, what, name, lines, attributes = {}) {
	return E('div', { ...attributes, 'class': 'ws-path-box ws-path-%s'.format(kind) }, [
		E('div', { 'class': 'ws-path-what' }, [ what ]),
		E('div', { 'class': 'ws-path-name' }, [ name ]),
		...lines.filter(line => line != null && line !== '').map(line => E('div', { 'class': 'ws-path-line' }, [ line ]))
	]);
}

/* A step of the way, with boxes beside each other where there is a choice. */
function step(...boxes) {
	return E('li', { 'class': 'ws-path-step' }, [ ...boxes ]);
}

function sender(answer, asked) {
	if (answer.from.router)
		return box('sender', _('From'), _('The router itself'), [ asked.sourceAddress ]);

	return box('sender', _('From'), asked.sourceName || asked.sourceAddress, [
		asked.sourceName ? asked.sourceAddress : null,
		answer.from.device ? _('comes in by %s').format(answer.from.device) : null
	]);
}

function rule(answer) {
	const page = L.url('admin/network/wansplit/rules');

	if (answer.rule)
		return box('rule', _('Rule'), E('a', { 'href': page }, [ answer.rule.name ]), [ answer.rule.matches ]);

	switch (answer.decided) {
	case 'no rule': return box('rule', _('Rule'), E('a', { 'href': page }, [ _('no rule matches') ]), []);
	case 'prefix': return box('rule', _('Rule'), E('a', { 'href': page }, [ _('no rule matches') ]), [ _('its address decides') ]);
	case 'came in by': return box('rule', _('Before the rules'), _('an answer'), [ _('goes back the way it came') ]);
	case 'own packet': return box('rule', _('Before the rules'), _('part of a tunnel'), []);
	default: return box('rule', _('Before the rules'), _('bound to a link'), []);
	}
}

function policy(policy) {
	return box('policy', _('Policy'), E('a', { 'href': L.url('admin/network/wansplit/policies') }, [ policy.name ]), [
		(policy.mode === 'failover') ? _('the first link that works') : _('shared out')
	]);
}

/* The paths, those that lead to the same links now as one. */
function merged(paths) {
	const byLinks = new Map();

	for (const path of paths) {
		const same = byLinks.get(path.links.join(' '));

		byLinks.set(path.links.join(' '), same ? { ...same, weight: same.weight + path.weight } : path);
	}

	return [ ...byLinks.values() ];
}

/* Where the links of a path lead; a share of the connections if there are several paths. */
function link(path, total) {
	const hops = path.hops.map(hop => explained.hop(hop));
	const share = (total > path.weight) ? _('%d of %d connections').format(path.weight, total) : null;

	if (!path.links.length)
		return box('none', _('Link'), _('none'), [ share, ...path.not_taken.map(link => _('%s is not up').format(link.link)) ]);

	return box('link', (path.links.length > 1) ? _('Links') : _('Link'), path.links.join(' + '), [ share, ...hops ],
		{ 'style': '--ws-link: %s'.format(colours.of(path.links[0])) });
}

/* What the kernel does where no path of ours, or a more exact route, decides. */
function byMain(asked, linkBy) {
	const hops = asked?.hops ?? [];
	const link = linkBy(hops[0]?.device);

	return box('link', _('Main routing table'), _('the default way'), [
		link ? _('now link %s').format(link) : null, ...hops.map(hop => explained.hop(hop))
	], link ? { 'style': '--ws-link: %s'.format(colours.of(link)) } : {});
}

function byRoute(asked) {
	return box('link', _('Main routing table'), _('a more exact route'), asked.hops.map(hop => explained.hop(hop)));
}

function end(answer, asked) {
	const service = explained.service(asked.protocol, asked.port);
	const kernel = answer.kernel[0];
	const leads = !answer.paths.length || answer.paths.some(path => path.links.length || path.fallback === 'main');

	if (kernel?.verdict === 'local')
		return box('end', _('To'), _('The router itself'), [ asked.destinationAddress, service ]);

	if (!leads)
		return box('stop', _('End'), (answer.paths[0].fallback === 'blackhole') ? _('Dropped') : _('Refused'),
			[ asked.destinationAddress, service ]);

	return box('end', (kernel?.compared === 'more specific') ? _('To') : _('Internet'),
		asked.destinationName || asked.destinationAddress,
		[ asked.destinationName ? asked.destinationAddress : null, service ]);
}

return baseclass.extend({
	/*
	 * Draws the answer of `explain`. `asked` holds what the page knows by itself: { sourceAddress, sourceName,
	 * destinationAddress, destinationName, protocol, port, linkBy(device) }.
	 */
	draw(answer, asked) {
		const total = answer.paths.reduce((sum, path) => sum + path.weight, 0);
		const elsewhere = explained.elsewhere(answer);
		const steps = [ step(sender(answer, asked)) ];

		if (elsewhere) {
			if (answer.decided === 'came in by')
				steps.push(step(...merged(answer.paths).map(path => link(path, total))));
			if (elsewhere.verdict !== 'local')
				steps.push(step(byRoute(elsewhere)));
		}
		else {
			steps.push(step(rule(answer)));

			if (answer.policy)
				steps.push(step(policy(answer.policy)));

			/* A target that is no link has no choice of links to show. */
			if (answer.paths.length && ![ 'unreachable', 'blackhole' ].includes(answer.target))
				steps.push(step(...merged(answer.paths).map(path => link(path, total))));

			if (!answer.paths.length || answer.paths.every(path => !path.links.length && path.fallback === 'main'))
				steps.push(step(byMain(answer.kernel[0], asked.linkBy)));
		}

		return E('ol', { 'class': 'ws-path', 'aria-label': _('The way of this connection') },
			[ ...steps, step(end(answer, asked)) ]);
	}
});
