'use strict';
'require baseclass';

/* Drawings. `E()` makes HTML elements alone, which no browser draws inside of an <svg>. */
const NAMESPACE = 'http://www.w3.org/2000/svg';

function node(tag, attributes = {}, children = []) {
	const made = document.createElementNS(NAMESPACE, tag);

	for (const [ name, value ] of Object.entries(attributes))
		if (value != null)
			made.setAttribute(name, value);

	made.append(...children);

	return made;
}

/* A shape for each level of words.state(): who sees no colours knows them by it. All fit into 16 by 16. */
const SHAPES = {
	good: () => [ node('circle', { cx: 8, cy: 8, r: 7 }), node('path', { d: 'M4.5 8.5 7 11l4.5-5.5', class: 'ws-mark-line' }) ],
	poor: () => [ node('path', { d: 'M8 1 15.5 14.5H.5Z' }), node('path', { d: 'M8 6v4.2M8 12v1', class: 'ws-mark-line' }) ],
	trial: () => [ node('path', { d: 'M8 .5 15.5 8 8 15.5.5 8Z' }), node('path', { d: 'M8 4.5V8l2.2 2.2', class: 'ws-mark-line' }) ],
	bad: () => [ node('path', { d: 'M1 1H15V15H1Z' }), node('path', { d: 'm5 5 6 6m0-6-6 6', class: 'ws-mark-line' }) ],
	unknown: () => [ node('circle', { cx: 8, cy: 8, r: 7, class: 'ws-mark-open' }) ]
};

return baseclass.extend({
	/* node('path', { d: … }, [ children ]). */
	node,

	/* The sign of a level. The word must stand beside it: it is hidden from screen readers. */
	mark(level) {
		return node('svg', {
			'class': 'ws-mark ws-level-%s'.format(SHAPES[level] ? level : 'unknown'),
			'viewBox': '0 0 16 16',
			'aria-hidden': 'true'
		}, (SHAPES[level] ?? SHAPES.unknown)());
	}
});
