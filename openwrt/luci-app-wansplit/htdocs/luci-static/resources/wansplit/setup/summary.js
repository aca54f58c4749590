'use strict';
'require baseclass';
'require wansplit.findings as findings';
'require wansplit.setup.fields as fields';
'require wansplit.setup.sentences as sentences';
'require wansplit.setup.text as text';

/*
 * The last step: what it will do, in sentences and as the text of the configuration; what the router thinks of it; what it
 * replaces. Nothing is written before its button is pressed.
 */

function told(title, said) {
	return [
		E('h4', {}, [ title ]),
		E('ul', { 'class': 'ws-setup-sentences' }, said.map(({ subject, detail, way }) =>
			E('li', {}, [ E('strong', {}, [ subject ]), detail ? ' (' + detail + ')' : '', ': ', way ])))
	];
}

function lines(config) {
	return E('textarea', {
		'class': 'ws-setup-text', 'readonly': '', 'rows': Math.min(config.split('\n').length, 24), 'wrap': 'off', 'spellcheck': 'false',
		'aria-label': _('Configuration text'), 'focus': ev => ev.target.select()
	}, [ config ]);
}

/* What `check` says of it. */
function checked(state) {
	if (state.checked == null)
		return E('p', { 'class': 'spinning' }, [ _('The router is checking it…') ]);

	if (state.checked === false)
		return fields.box('warning', [ _('The router could not be asked whether this is right. It can be saved all the same.') ]);

	const found = state.checked.findings ?? [];

	return found.length
		? fields.box(state.checked.valid ? 'notice' : 'warning', [
			_('The router has checked it, and says:'),
			findings.list(found)
		])
		: fields.box('success', [ _('The router has checked it: it is right.') ]);
}

function count(sections, type) {
	return sections.filter(section => section.type === type).length;
}

/* What there was, to be kept; and the question whether it may go. */
function replaced(state, redraw) {
	if (text.isInert(state.present))
		return '';

	const old = text.uci(state.present);

	return E('div', { 'class': 'ws-card' }, [
		E('h4', {}, [ _('Your present configuration is replaced') ]),
		E('p', {}, [ _('What is there already is taken out. Links: %d, policies: %d, rules: %d, lists: %d.')
			.format(...[ 'link', 'policy', 'rule', 'set' ].map(type => count(state.present, type))) ]),
		fields.folded(_('The present configuration, to keep a copy'), [
			lines(old),
			E('a', {
				'class': 'btn cbi-button', 'download': 'wansplit-backup.uci',
				'href': 'data:text/plain;charset=utf-8,' + encodeURIComponent(old)
			}, [ _('Download') ])
		]),
		fields.checkbox(_('Yes, replace it'), state.answers.replace, replace => {
			state.answers.replace = replace;
			redraw();
		})
	]);
}

return baseclass.extend({
	title: _('What it will do'),
	intro: _('Nothing has been changed yet. Read it; if it is not what you meant, go back.'),

	/* Whether the button may be pressed. */
	ready(state) {
		return state.sections.length > 1 && (text.isInert(state.present) || state.answers.replace) && state.checked != null &&
			!(state.checked && state.checked.valid === false);
	},

	draw(state, redraw) {
		return [
			...told(_('Traffic'), sentences.rules(state.sections)),
			...told(_('Links'), sentences.links(state.sections)),
			checked(state),
			replaced(state, redraw),
			fields.folded(_('The configuration (/etc/config/wansplit)'), [ lines(text.uci(state.sections)) ]),
			E('p', {}, [ _('After saving, the router waits for a sign of life from this page. If it does not come, because you have lost your way to it, everything is put back as it was.') ])
		];
	}
});
