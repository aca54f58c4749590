'use strict';
'require baseclass';

/*
 * What the pages look alike by.
 *
 * Names, hosts and words of the router are never markup: `E(tag, attributes, [ text ])` with an array makes text of a string,
 * `E(tag, attributes, text)` without one makes HTML of it. So always the array; `scripts/lint-luci` refuses the other form.
 */
return baseclass.extend({
	/* Our style sheet, and those of a page's own: style('status') is wansplit/status.css. To be put into what a page renders. */
	style(...more) {
		return [ 'style', ...more ].map(name => E('link', {
			'rel': 'stylesheet',
			'href': L.resource('wansplit/%s.css'.format(name)) + '?v=' + (L.env.pkgs_update_time ?? '')
		}));
	},

	/* A page's heading and what it is for, in a sentence or two. */
	heading(title, text) {
		return E('div', {}, [
			E('h2', { 'name': 'content' }, [ title ]),
			E('div', { 'class': 'cbi-map-descr' }, [ text ])
		]);
	}
});
