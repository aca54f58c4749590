'use strict';
'require baseclass';
'require form';
'require uci';
'require wansplit.validate as validate';

/*
 * Lists of addresses, which rules name.
 */

function nameOf(sid) {
	return uci.get('wansplit', sid, 'name') ?? sid;
}

return baseclass.extend({
	add(map) {
		const section = map.section(form.GridSection, 'set', _('Lists of addresses'),
			_('A list costs the same whatever is in it. Rules name it under “To lists” or “From lists”.'));

		section.anonymous = false;
		section.addremove = true;
		section.nodescriptions = true;
		section.addbtntitle = _('Add a list');
		section.modaltitle = sid => '%h'.format(_('List %s').format(nameOf(sid)));
		section.sectiontitle = nameOf;

		const list = (option, title, description, kind) => {
			const field = section.option(form.DynamicList, option, title, description);

			field.optional = true;
			field.validate = validate.one(kind);
			field.textvalue = sid => {
				const values = L.toArray(uci.get('wansplit', sid, option));
				const more = values.length - 3;

				return E('span', {}, [ values.slice(0, 3).join(', ') + (more > 0 ? ' ' + _('and %d more').format(more) : '') || '–' ]);
			};
		};

		list('entry', _('Addresses'), _('Addresses, networks (192.0.2.0/24) or ranges, IPv4 and IPv6.'), 'Entry');
		list('file', _('Files'), _('Files on the router with more of them, one a line; for lists that a program downloads.'), 'Path');
		list('domain', _('Domains'), _('As example.com, with everything below it. This needs dnsmasq-full.'), 'Domain');
	}
});
