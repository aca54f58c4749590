'use strict';
'require baseclass';

/*
 * What the steps of the wizard are drawn with: fields that hold plain text, each with a label that belongs to it.
 */

let fields = 0;

function labelled(label, field, help) {
	const id = field.id || 'ws-setup-%d'.format(++fields);

	field.id = id;
	if (help)
		field.setAttribute('aria-describedby', id + '-help');

	return E('div', { 'class': 'ws-setup-field' }, [
		E('label', { 'for': id }, [ label ]),
		field,
		help ? E('div', { 'class': 'ws-setup-help', 'id': id + '-help' }, [ help ]) : ''
	]);
}

return baseclass.extend({
	/* A drop-down of [ value, text ]; `chosen(value)` is called for each change. */
	select(label, choices, value, chosen, help) {
		return labelled(label, E('select', {
			'class': 'cbi-input-select',
			'change': ev => chosen(ev.target.value)
		}, choices.map(([ key, text ]) => E('option', { 'value': key, 'selected': (key === value) ? '' : null }, [ text ]))), help);
	},

	text(label, value, typed, { help, placeholder, mode, size } = {}) {
		return labelled(label, E('input', {
			'class': 'cbi-input-text', 'type': 'text', 'value': value, 'placeholder': placeholder ?? null,
			'inputmode': mode ?? null, 'autocapitalize': 'none', 'spellcheck': 'false',
			'style': size ? 'width:%dem'.format(size) : null,
			'input': ev => typed(ev.target.value.trim())
		}), help);
	},

	/* A box to tick, its text beside it and what it means below. */
	checkbox(text, value, ticked, help) {
		const id = 'ws-setup-%d'.format(++fields);

		return E('div', { 'class': 'ws-setup-check' }, [
			E('input', {
				'type': 'checkbox', 'id': id, 'checked': value ? '' : null,
				'aria-describedby': help ? id + '-help' : null,
				'change': ev => ticked(ev.target.checked)
			}),
			E('label', { 'for': id }, [ text ]),
			help ? E('div', { 'class': 'ws-setup-help', 'id': id + '-help' }, [ help ]) : ''
		]);
	},

	/* Cards of which one is chosen: [{ value, title, text, why: why it cannot be chosen }]. */
	cards(legend, name, choices, value, chosen) {
		return E('fieldset', { 'class': 'ws-setup-cards' }, [
			E('legend', {}, [ legend ]),
			...choices.map(choice => E('label', { 'class': 'ws-card ws-setup-choice' + (choice.why ? ' ws-setup-impossible' : '') }, [
				E('input', {
					'type': 'radio', 'name': name, 'value': choice.value,
					'checked': (choice.value === value) ? '' : null,
					'disabled': choice.why ? '' : null,
					'change': () => chosen(choice.value)
				}),
				E('strong', {}, [ choice.title ]),
				E('span', {}, [ choice.why ?? choice.text ])
			]))
		]);
	},

	button(text, pressed, kind, attributes = {}) {
		return E('button', { 'type': 'button', 'class': 'btn cbi-button cbi-button-' + (kind ?? 'neutral'), 'click': pressed, ...attributes },
			[ text ]);
	},

	/* What the person should know: note | warning. */
	box(kind, texts) {
		return E('div', { 'class': 'alert-message ' + kind, 'role': (kind === 'warning') ? 'alert' : 'status' },
			texts.map(text => (typeof text === 'string') ? E('p', {}, [ text ]) : text));
	},

	/* Something for those who want to see it: folded. */
	folded(title, children, open) {
		return E('details', { 'class': 'ws-setup-folded', 'open': open ? '' : null }, [ E('summary', {}, [ title ]), ...children ]);
	}
});
