'use strict';
'require baseclass';
'require wansplit.setup.answers as answering';
'require wansplit.setup.devices as devices';
'require wansplit.setup.fields as fields';
'require wansplit.setup.services as presets';

/*
 * The second step: what goes where. One card for each way of sharing, and below them what that one has to be told.
 */

function cards(lines, names, others) {
	const two = (names.length < 2) ? _('This takes two links.') : null;

	return [
		{ value: 'web_mail', why: two, title: _('Web by one, mail by the other'),
			text: _('Each gets a link for itself, so that a long upload of mail does not slow the pages down.') },
		(lines.length < 2)
			? { value: 'failover', title: _('Everything by the one link'), text: _('It is watched, and you see how it is.') }
			: { value: 'failover', title: _('One link, the other when it fails'), text: _('Everything by the better link. The other one waits.') },
		{ value: 'balance', why: (lines.length < 2) ? _('This takes two links.') : null, title: _('Both at once'),
			text: _('The devices of the house are shared out over the links.') },
		{ value: 'services', why: two, title: _('By service'),
			text: _('Choose a link for web, mail, calls, games and so on, one by one.') },
		{ value: 'devices', why: two, title: _('Some devices by another link'),
			text: _('The television or the office computer by one link, everybody else by the other.') },
		...others.map(({ program }) => ({ value: 'import:' + program, title: _('As %s had it').format(program),
			text: _('The configuration of %s was found on this router. It is translated, and you see what becomes of it.').format(program) }))
	];
}

/* The order for fail-over: the first works, the others wait in this order. */
function order(state, lines, redraw) {
	const said = state.answers;
	const up = link => {
		const names = lines.map(other => other.interface);
		const at = names.indexOf(link.interface);

		[ names[at - 1], names[at] ] = [ names[at], names[at - 1] ];
		said.order = [ ...names, ...said.order.filter(name => !names.includes(name)) ];
		redraw();
	};

	return E('ol', { 'class': 'ws-setup-order' }, lines.map((link, at) => E('li', {}, [
		E('strong', {}, [ said.links[link.interface].name ]), ' ',
		E('span', {}, [ at ? _('when the ones above fail') : _('first') ]), ' ',
		at ? fields.button(_('Move up'), () => up(link), 'neutral',
			{ 'aria-label': _('Move %s up').format(said.links[link.interface].name) }) : ''
	])));
}

function share(state, lines, redraw) {
	const said = state.answers;
	const of = link => said.links[link.interface];

	return [
		fields.select(_('How much each takes'), [
			[ 'equal', _('the same') ], [ 'speed', _('by their speeds') ], [ 'weight', _('by numbers of your own') ]
		], said.share, value => { said.share = value; redraw(); }),
		...((said.share === 'speed') ? lines.map(link => fields.text(_('Speed of %s in Mbit/s').format(of(link).name), of(link).speed,
			speed => { of(link).speed = speed; }, { placeholder: '100', mode: 'decimal', size: 6 })) : []),
		...((said.share === 'weight') ? lines.map(link => fields.text(_('Share of %s').format(of(link).name), of(link).weight,
			weight => { of(link).weight = weight; }, { mode: 'numeric', size: 6, help: _('3 and 1: of four, three go by the first.') })) : []),
		fields.cards(_('What stays together'), 'ws-setup-by', [
			{ value: 'client', title: _('Each device'), text: _('All that a device does leaves by one link. The safe choice: banks, shops and games see one address.') },
			{ value: 'connection', title: _('Each connection'), text: _('Spreads better, also for a single device. Web pages still keep a device on one link for as long as it is busy.') }
		], said.by, value => { said.by = value; })
	];
}

function services(state, settled, names, redraw) {
	const said = state.answers.services;
	const row = (id, title) => {
		const choice = () => (said[id] ??= { link: '', only: false });

		return E('div', { 'class': 'ws-card ws-setup-service' }, [
			fields.select(title, [ [ '', _('as everything else') ], ...names ], settled.services[id]?.link ?? '',
				link => { choice().link = link; redraw(); }),
			settled.services[id] ? only(settled.services[id].only, value => { choice().only = value; }) : ''
		]);
	};

	return [ E('div', { 'class': 'ws-cards' }, presets.services.map(({ id, title }) => row(id, title))) ];
}

function rest(state, settled, names) {
	return fields.select(_('Everything else by'), names, settled.rest, link => { state.answers.rest = link; });
}

function only(value, ticked) {
	return fields.checkbox(_('only by this link'), value, ticked, _('While it is down, this does not go out at all.'));
}

function form(state, settled, chosen, redraw) {
	const names = chosen.map(link => [ link.interface, settled.links[link.interface].name ]);
	const lines = answering.lines(state.links, state.answers);
	const restOnly = only(settled.restOnly, value => { state.answers.restOnly = value; });
	const pick = (label, key) => fields.select(label, names, settled[key], link => { state.answers[key] = link; redraw(); });

	switch (settled.goal) {
	case 'web_mail':
		return [ pick(_('Web pages by'), 'web'), pick(_('Mail by'), 'mail'), rest(state, settled, names) ];

	case 'failover':
		return [ (lines.length > 1) ? order(state, lines, redraw) : '' ];

	case 'balance':
		return share(state, lines, redraw);

	case 'services':
		return [ ...services(state, settled, names, redraw), rest(state, settled, names), restOnly ];

	case 'devices':
		return [ ...devices.draw(state, names, redraw), rest(state, settled, names), restOnly ];

	default:
		return [];
	}
}

/* What an import was told by the router: shown here, because it is what the person chooses by. */
function imported(state) {
	const found = state.imported[state.answers.source];
	const other = state.others.find(({ program }) => program === state.answers.source);

	if (!found)
		return [ E('p', { 'class': 'spinning' }, [ _('Reading its configuration…') ]) ];

	if (found.error)
		return [ fields.box('warning', [ found.error ]) ];

	return [
		found.remarks?.length ? E('h4', {}, [ _('What you should know') ]) : '',
		E('ul', { 'class': 'ws-setup-remarks' }, (found.remarks ?? []).map(remark => E('li', {}, [ remark ]))),
		fields.box(other?.running ? 'warning' : 'notice', [
			other?.running
				? _('%s is running, and two programs would steer the same traffic. Stop it and switch it off before you save: System → Startup.').format(state.answers.source)
				: _('The next step shows what becomes of it. See to it that %s does not start again: System → Startup.').format(state.answers.source)
		])
	];
}

return baseclass.extend({
	title: _('What goes where'),
	intro: _('Whatever you choose: when a link fails, the other takes over, unless you say “only by this link”.'),

	draw(state, redraw) {
		const settled = answering.settled(state.links, state.answers);
		const chosen = answering.chosen(state.links, state.answers);
		const names = chosen.map(link => [ link.interface, settled.links[link.interface].name ]);
		const value = (settled.goal === 'import') ? 'import:' + settled.source : settled.goal;
		const choose = key => {
			const [ goal, source ] = key.split(':');

			state.answers.goal = goal;
			state.answers.source = source ?? null;
			/* A line that was added and never filled in. */
			state.answers.devices = state.answers.devices.filter(device => device.host !== '');
			if (source)
				state.readImport(source).then(redraw);
			redraw();
		};
		const extra = ![ 'devices', 'import' ].includes(settled.goal) && chosen.length > 1;

		return [
			fields.cards(_('How the links are used'), 'ws-setup-goal',
				cards(answering.lines(state.links, state.answers), names, state.others), value, choose),
			E('div', { 'class': 'ws-setup-form' },
				[ ...((settled.goal === 'import') ? imported(state) : form(state, settled, chosen, redraw)) ]),
			extra ? fields.folded(_('Some devices by another link'), devices.draw(state, names, redraw), settled.devices.length > 0) : ''
		];
	}
});
