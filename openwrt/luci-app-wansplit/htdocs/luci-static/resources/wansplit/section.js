'use strict';
'require baseclass';
'require dom';
'require form';
'require uci';
'require wansplit.names as names';
'require wansplit.untouched as untouched';
'require wansplit.validate as validate';

/*
 * What tables of sections have in common: names that may be any text, and windows that are called by them.
 */

return baseclass.extend({
	/* All options of a section. */
	optionsOf(sid) {
		return Object.fromEntries(Object.entries(uci.get('wansplit', sid) ?? {}).filter(([ option ]) => !option.startsWith('.')));
	},

	/* A field for the name; `tab` may be null. */
	nameField(section, tab, description) {
		const field = tab
			? section.taboption(tab, form.Value, 'name', _('Name'), description)
			: section.option(form.Value, 'name', _('Name'), description);

		field.optional = true;
		field.cfgvalue = names.nameOf;
		field.write = (sid, value) => (value === sid) ? uci.unset('wansplit', sid, 'name') : uci.set('wansplit', sid, 'name', value);
		field.textvalue = sid => E('strong', {}, [ names.nameOf(sid) || _('without a name') ]);
		field.validate = validate.one('Name');

		return untouched.keep(field);
	},

	/* LuCI makes HTML of a window's title, in some of its versions after it has taken the escapes out of it. So the name comes later. */
	entitle(section, added, title) {
		const { renderMoreOptionsModal } = section;

		section.modaltitle = added;
		section.renderMoreOptionsModal = function(sid, ...more) {
			return renderMoreOptionsModal.call(this, sid, ...more).then(() => {
				if (this.map.addedSection !== sid)
					dom.content(document.querySelector('#modal_overlay .modal > h4'), [ title(names.nameOf(sid) || _('without a name')) ]);
			});
		};
	}
});
