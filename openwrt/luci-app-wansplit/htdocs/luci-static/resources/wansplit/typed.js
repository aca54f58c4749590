'use strict';
'require baseclass';

/*
 * What is typed into a list's line and not yet added to the list. LuCI drops it when the window is saved, where it is wrong without
 * a word. Here it is added, or refused.
 */

function line(field, sid) {
	return field.getUIElement(sid)?.node.querySelector('.add-item input[type="text"], .add-item .create-item-input');
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

			if (typed === '')
				return parse.call(this, sid);

			if (wrong(sid, typed) !== true) {
				/* In a list with choices the line is hidden until that is opened. */
				input.closest('.cbi-dropdown:not([open])')?.click();
				input.focus();

				return Promise.reject(new TypeError(wrong(sid, typed)));
			}

			const widget = this.getUIElement(sid);

			widget.setValue([ ...widget.getValue().filter(value => value !== typed), typed ]);
			input.value = '';

			return parse.call(this, sid);
		};

		return field;
	}
});
