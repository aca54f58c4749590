'use strict';
'require baseclass';

/*
 * Fields of a form that is no UCI: in LuCI's own markup, so that the theme lays them out, each with its label, its help and a
 * place for what is wrong with it.
 */
let count = 0;

return baseclass.extend({
	/* A row with an input or select; `help` is text below it. */
	row(label, input, help) {
		const id = 'ws-field-%d'.format(++count);

		input.id = id;
		input.setAttribute('aria-describedby', '%s-wrong %s-help'.format(id, id));

		return E('div', { 'class': 'cbi-value' }, [
			E('label', { 'class': 'cbi-value-title', 'for': id }, [ label ]),
			E('div', { 'class': 'cbi-value-field' }, [
				input,
				E('div', { 'class': 'ws-wrong', 'id': id + '-wrong', 'role': 'alert' }),
				E('div', { 'class': 'cbi-value-description', 'id': id + '-help' }, [ help ])
			])
		]);
	},

	/* A select with choices [ [ value, label ] ]. */
	select(choices, change) {
		return E('select', { 'class': 'cbi-input-select', 'change': change },
			choices.map(([ value, label ]) => E('option', { 'value': value }, [ label ])));
	},

	/* A line of text, for example like the placeholder; `list` is the id of its suggestions. */
	text(placeholder, list) {
		return E('input', {
			'type': 'text', 'class': 'cbi-input-text', 'placeholder': placeholder, 'list': list, 'autocomplete': 'off',
			'autocapitalize': 'none', 'spellcheck': 'false'
		});
	},

	/* Suggestions [ [ value, label ] ] for lines of text. */
	suggestions(id, choices) {
		return E('datalist', { 'id': id }, choices.map(([ value, label ]) => E('option', { 'value': value, 'label': label })));
	},

	/* Puts a sentence below an input, or takes it away. */
	complain(input, sentence) {
		L.dom.content(document.getElementById(input.id + '-wrong'), sentence ? [ sentence ] : []);
		input.classList.toggle('cbi-input-invalid', !!sentence);
		input.setAttribute('aria-invalid', sentence ? 'true' : 'false');
	},

	/* Shows or hides the row of an input. */
	show(input, shown) {
		input.closest('.cbi-value').hidden = !shown;
	}
});
