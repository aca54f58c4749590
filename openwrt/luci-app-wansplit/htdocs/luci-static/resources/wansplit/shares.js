'use strict';
'require baseclass';
'require wansplit.colours as colours';
'require wansplit.units as units';

/*
 * Which link carries how many connections: a bar, and a legend that says the same in words. A click on a link shows only its
 * connections.
 */
/* What the router calls the connections that leave by no link: its main routing table sends them. No link may have this name. */
const MAIN = 'main';

function parts(reply) {
	return (reply.main?.connections > 0) ? [ ...reply.links, { ...reply.main, name: MAIN } ] : reply.links;
}

return baseclass.extend({
	MAIN,

	/* A link's name, or what stands for none. */
	label(link) {
		return (link == null || link === MAIN) ? _('default way') : link;
	},

	/* Fills `bar` and `legend`. `chosen` is the link that is filtered for; `choose(name)` is called by a click. */
	fill(bar, legend, reply, chosen, choose) {
		const shown = parts(reply);
		const total = shown.reduce((sum, part) => sum + part.connections, 0);
		const percent = part => total ? Math.round(part.connections * 100 / total) : 0;
		const words = shown.map(part => {
			const carries = _('%s: %d connections (%d %%)').format(this.label(part.name), part.connections, percent(part));

			return (part.bytes != null) ? _('%s, %s').format(carries, units.bytes(part.bytes)) : carries;
		});

		bar.setAttribute('aria-label', words.join('; '));
		L.dom.content(bar, shown.filter(part => part.connections > 0).map(part => E('div', {
			'class': 'ws-share',
			'title': words[shown.indexOf(part)],
			'style': 'flex-grow: %d; background: %s'.format(part.connections, colours.of(part.name))
		})));

		/* The buttons stay the same ones while the links do: whoever is about to press one must not miss it. */
		if (legend.childElementCount !== shown.length)
			L.dom.content(legend, shown.map(() => E('li', {}, [ E('button', { 'type': 'button', 'class': 'ws-legend' }) ])));

		shown.forEach((part, place) => {
			const button = legend.children[place].firstElementChild;

			L.dom.content(button, [ this.dot(part.name), words[place] ]);
			button.setAttribute('aria-pressed', String(part.name === chosen));
			button.onclick = () => choose((part.name === chosen) ? '' : part.name);
		});
	},

	/* A dot in a link's colour. */
	dot(link) {
		return E('span', { 'class': 'ws-dot', 'aria-hidden': 'true', 'style': 'background: %s'.format(colours.of(link)) });
	}
});
