'use strict';
'require form';
'require uci';
'require view';
'require wansplit.api as api';
'require wansplit.linkfields as fields';
'require wansplit.live as live';
'require wansplit.names as names';
'require wansplit.page as page';
'require wansplit.review as review';
'require wansplit.section as sections';
'require wansplit.words as words';

/*
 * The Internet links, and the switch of the whole.
 */

function attachmentField(section) {
	const field = section.taboption('link', form.DummyValue, '_attachment', _('Interface'));

	field.modalonly = false;
	field.textvalue = sid => E('span', {}, [ uci.get('wansplit', sid, 'interface') ?? uci.get('wansplit', sid, 'device') ?? '–' ]);
}

function watchField(section) {
	const field = section.taboption('link', form.DummyValue, '_watched', _('Tested by asking'));

	field.modalonly = false;
	field.textvalue = sid => E('span', {}, [ [ uci.get('wansplit', sid, 'track_ip') ?? [] ].flat().join(', ') || _('not tested') ]);
}

function stateField(section) {
	const field = section.taboption('link', form.DummyValue, '_state', _('State'));

	field.modalonly = false;
	field.textvalue = sid => E('div', { 'class': 'ws-link-state', 'data-link': names.nameOf(sid) }, [ '–' ]);
}

/* The states of each IP version that the link has, in words. */
function stateOf(link) {
	const sides = [ 'ipv4', 'ipv6' ].filter(family => link?.[family]).map(family => [ words.family(family), words.state(link[family].state).word ]);
	const same = new Set(sides.map(([ , word ]) => word)).size === 1;

	return (sides.length === 0) ? [ '–' ]
		: same ? [ sides[0][1] ]
		: sides.map(([ family, word ]) => '%s: %s'.format(family, word));
}

function watch(node) {
	live.every(5, async () => {
		const status = await api.status();

		for (const cell of node.querySelectorAll('.ws-link-state')) {
			const link = status?.links?.find(({ name }) => name === cell.dataset.link);

			live.fill(cell, stateOf(link), () => stateOf(link).map(text => E('div', {}, [ text ])));
		}
	});
}

return view.extend({
	load() {
		return uci.load('wansplit').then(() => {
			/* A file without globals is right, and needs a section to write into. */
			if (!uci.sections('wansplit', 'globals').length && L.hasViewPermission())
				uci.add('wansplit', 'globals', 'globals');
		});
	},

	render() {
		const map = new form.Map('wansplit', _('Links'), _('The router’s ways into the Internet: one for each provider, and for each VPN that is to carry traffic.'));
		const globals = uci.sections('wansplit', 'globals')[0];
		const section = map.section(form.GridSection, 'link', _('Links'));

		map.tabbed = true;
		section.anonymous = true;
		section.addremove = true;
		section.nodescriptions = true;
		section.addbtntitle = _('Add a link');
		sections.entitle(section, _('New link'), name => _('Link %s').format(name));
		names.guardRemoval(section);

		fields.tabs(section);
		names.field(section, 'link', _('What you want to call it: your provider’s name, for example.'));
		attachmentField(section);
		watchField(section);
		stateField(section);
		fields.add(section);

		if (globals)
			fields.globals(map.section(form.NamedSection, globals['.name'], 'globals', _('General')));

		return map.render().then(node => {
			watch(node);

			return E('div', {}, [ ...page.style('forms'), node ]);
		});
	},

	handleSave(ev) {
		return review.save(this, ev);
	},

	handleSaveApply(ev, mode) {
		return review.saveApply(this, ev, mode);
	}
});
