'use strict';
'require baseclass';
'require wansplit.setup.answers as answering';
'require wansplit.setup.fields as fields';

/*
 * The third step: how it is known that a link works, and which links cost by the gigabyte.
 */

function metered(said, redraw) {
	return E('div', { 'class': 'ws-card' }, [
		fields.checkbox(_('%s is paid by the gigabyte').format(said.name), said.metered, value => { said.metered = value; redraw(); },
			_('When it has carried so much, it is used only if nothing else works. It is watched less often, every ten seconds.')),
		...(said.metered ? [
			fields.text(_('It may carry'), said.max, max => { said.max = max; }, { mode: 'decimal', size: 6 }),
			fields.select(_('Unit'), [ [ 'M', _('megabytes') ], [ 'G', _('gigabytes') ], [ 'T', _('terabytes') ] ], said.unit,
				unit => { said.unit = unit; }),
			fields.select(_('in'), [ [ 'day', _('a day') ], [ 'week', _('a week') ], [ 'month', _('a month') ] ], said.per,
				per => { said.per = per; })
		] : [])
	]);
}

return baseclass.extend({
	title: _('How links are watched'),
	intro: _('A plugged-in cable says little: a line can be dead further away. So each link is asked again and again whether it works.'),

	draw(state, redraw) {
		const said = state.answers;
		const chosen = answering.chosen(state.links, said);

		return [
			fields.checkbox(_('Watch the links (recommended)'), said.watch, watch => { said.watch = watch; redraw(); },
				_('Once a second a small packet (a ping) goes to these addresses by each link. When none of them answers three times in a row, the link is down, and the other takes over within three seconds.')),
			said.watch ? fields.text(_('Addresses that are asked'), said.hosts, hosts => { said.hosts = hosts; }, {
				help: _('Well-known servers that always answer. Leave them, unless your provider blocks them. With blanks between them; those with colons are for IPv6.'),
				size: 40
			}) : '',
			E('h4', {}, [ _('Links that cost by the gigabyte') ]),
			E('div', { 'class': 'ws-cards' }, chosen.map(link => metered(said.links[link.interface], redraw)))
		];
	}
});
