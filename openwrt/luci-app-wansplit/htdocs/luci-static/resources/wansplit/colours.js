'use strict';
'require baseclass';
'require uci';

/*
 * A link's colour, the same on all pages: by its place among the links of the configuration. style.css has the colours themselves.
 */
const COLOURS = 6;

return baseclass.extend({
	/* Once before `of`: the order of the links is the configuration's, whether the daemon runs or not. */
	load() {
		return L.resolveDefault(uci.load('wansplit'), null);
	},

	/* A link's colour as a value for CSS. */
	of(link) {
		const place = uci.sections('wansplit', 'link').findIndex(section => (section.name ?? section['.name']) === link);

		return (place < 0) ? 'var(--ws-link-none)' : 'var(--ws-link-%d)'.format(place % COLOURS + 1);
	}
});
