'use strict';
'require baseclass';
'require form';
'require uci';
'require ui';
'require wansplit.names as names';
'require wansplit.section as sections';
'require wansplit.untouched as untouched';
'require wansplit.validate as validate';

/*
 * Lists of addresses, which rules name.
 */

const NAMING = [ 'dest_set', 'src_set' ];

/* What LuCI saves goes through uhttpd and rpcd in one piece of 64 KB at most; beyond that it fails without a word. */
const MOST_BYTES = 50000;

/* A single string is one name: names may hold blanks. */
function namesIn(rule, option) {
	return [ rule[option] ?? [] ].flat();
}

/* The rules that name a list. */
function usersOf(name) {
	return uci.sections('wansplit', 'rule').filter(rule => NAMING.some(option => namesIn(rule, option).includes(name)));
}

function rename(old, name) {
	for (const rule of usersOf(old))
		for (const option of NAMING)
			if (namesIn(rule, option).includes(old))
				uci.set('wansplit', rule['.name'], option, namesIn(rule, option).map(one => (one === old) ? name : one));
}

function nameField(section) {
	const field = sections.nameField(section, null, _('What rules call it. Rules that name it already follow when it changes.'));
	const { write } = field;

	field.optional = false;
	field.rmempty = false;
	field.validate = function(sid, value) {
		const isTaken = uci.sections('wansplit', 'set').some(other => other['.name'] !== sid && names.nameOf(other['.name']) === value);

		return isTaken ? _('Another list has this name.') : (value === '' || validate.kinds.Name(value));
	};
	field.write = function(sid, value) {
		const old = names.nameOf(sid);

		if (old && old !== value)
			rename(old, value);

		return write.call(this, sid, value);
	};
}

/* Lines of text: a field for each of some thousand addresses would stop the browser for minutes. */
function linesField(section, option, rows, title, description, kind, placeholder) {
	const field = section.option(form.TextValue, option, title, description);

	field.optional = true;
	field.rows = rows;
	field.monospace = true;
	field.placeholder = placeholder;
	field.load = sid => L.toArray(uci.get('wansplit', sid, option)).join('\n');
	field.validate = (sid, text) => {
		const lines = (text ?? '').split('\n');
		const bytes = new Blob([ JSON.stringify(lines) ]).size;

		if (bytes > MOST_BYTES)
			return _('This is too much to be saved from here: at most %d lines as long as these. Put them into a file on the router, and name it under “Files”.')
				.format(Math.floor(lines.length * MOST_BYTES / bytes / 100) * 100);

		for (const [ index, line ] of lines.entries()) {
			const verdict = (line.trim() === '') ? true : validate.kinds[kind](line.trim());

			if (verdict !== true)
				return _('Line %d: %s').format(index + 1, verdict);
		}

		return true;
	};
	field.write = (sid, text) => {
		const entries = text.split('\n').map(line => line.trim()).filter(line => line !== '');

		return entries.length ? uci.set('wansplit', sid, option, [ ...new Set(entries) ]) : uci.unset('wansplit', sid, option);
	};
	field.textvalue = sid => summary(L.toArray(uci.get('wansplit', sid, option)));
	untouched.keep(field);
}

function summary(values) {
	const more = values.length - 3;
	const shown = values.slice(0, 3).join(', ');

	return E('span', { 'class': 'ws-rule-takes' }, [
		(values.length === 0) ? '–' : (more > 0) ? _('%s and %d more').format(shown, more) : shown
	]);
}

/* Rules without their list are left out by the program, so this is asked first. */
function askToRemove(users, remove) {
	ui.showModal(_('This list is in use'), [
		E('p', {}, [ _('These rules name it, and do not work without it:') ]),
		E('ul', {}, users.map(rule => E('li', {}, [ names.nameOf(rule['.name']) || _('without a name') ]))),
		E('div', { 'class': 'button-row' }, [
			E('button', { 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Back') ]), ' ',
			E('button', {
				'class': 'btn cbi-button cbi-button-negative',
				'click': () => {
					ui.hideModal();
					remove();
				}
			}, [ _('Delete all the same') ])
		])
	]);
}

return baseclass.extend({
	add(map) {
		const section = map.section(form.GridSection, 'set', _('Lists of addresses'),
			_('A list costs the same whatever is in it. Rules name it under “To lists” or “From lists”.'));

		section.anonymous = true;
		section.addremove = true;
		section.nodescriptions = true;
		section.addbtntitle = _('Add a list');
		sections.entitle(section, _('New list'), name => _('List %s').format(name));

		nameField(section);
		linesField(section, 'entry', 8, _('Addresses'),
			_('Addresses, networks (192.0.2.0/24) or ranges, IPv4 and IPv6, one a line. Thousands of them are better kept in a file.'),
			'Entry', '192.0.2.0/24');
		linesField(section, 'file', 3, _('Files'), _('Files on the router with more of them, one a line; for lists that a program downloads.'),
			'Path', '/etc/wansplit/streams.list');
		linesField(section, 'domain', 4, _('Domains'), _('As example.com, with everything below it, one a line. This needs dnsmasq-full.'),
			'Domain', 'example.com');

		const { handleRemove } = section;

		section.handleRemove = function(sid, ev) {
			const name = names.nameOf(sid);
			const users = name ? usersOf(name) : [];
			const remove = () => handleRemove.call(this, sid, ev);

			return users.length ? askToRemove(users, remove) : remove();
		};
	}
});
