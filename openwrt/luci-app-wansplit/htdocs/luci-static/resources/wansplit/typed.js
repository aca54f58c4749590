'use strict';
'require baseclass';

/*
 * What is typed into a list's line and not yet added to the list. LuCI drops it when the window is saved, where it is wrong without
 * a word. Here it is added, or refused.
 */

function line(field, sid) {
	return field.getUIElement(sid)?.node.querySelector('.add-item input[type="text"], .add-item .create-item-input');
}

/* Below a list: why what was typed is not in it. */
function complain(node, sentence) {
	node?.parentNode.querySelector('.ws-typed')?.remove();

	if (sentence)
		node.after(E('div', { 'class': 'ws-typed ws-level-bad', 'role': 'alert', 'style': 'color: var(--ws-level)' }, [ sentence ]));
}

return baseclass.extend({
	/* For fields of the kind form.DynamicList whose `validate` is set. */
	heed(field) {
		const { isValid, getValidationError, parse } = field;
		const wrong = (sid, typed) => (typed === '') ? true : field.validate(sid, typed);

		field.isValid = function(sid) {
			return isValid.call(this, sid) && wrong(sid, line(this, sid)?.value.trim() ?? '') === true;
		};

		field.getValidationError = function(sid) {
			return getValidationError.call(this, sid) || wrong(sid, line(this, sid)?.value.trim() ?? '');
		};

		field.parse = function(sid) {
			const input = this.isActive(sid) ? line(this, sid) : null;
			const typed = input?.value.trim() ?? '';

			complain(this.getUIElement(sid)?.node, '');

			if (typed === '')
				return parse.call(this, sid);

			if (wrong(sid, typed) !== true) {
				const sentence = wrong(sid, typed);

				/* In a list with choices the line is hidden while that is closed: it is said below, once. */
				if (input.classList.contains('create-item-input')) {
					complain(this.getUIElement(sid).node, '%s: %s'.format(typed, sentence));
					input.value = '';
				}
				else {
					input.focus();
				}

				return Promise.reject(new TypeError(sentence));
			}

			const widget = this.getUIElement(sid);

			widget.setValue([ ...widget.getValue().filter(value => value !== typed), typed ]);
			input.value = '';

			return parse.call(this, sid);
		};

		return field;
	}
});
