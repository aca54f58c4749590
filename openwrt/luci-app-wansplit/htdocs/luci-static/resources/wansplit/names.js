'use strict';
'require baseclass';
'require form';
'require uci';
'require ui';
'require wansplit.uselist as uselist';
'require wansplit.validate as validate';

/*
 * Names of sections, and who uses them. A name is the section's own, or `option name`, which may hold what UCI's names may not.
 */

function nameOf(sid) {
	const section = uci.get('wansplit', sid);

	return section?.name ?? (section?.['.anonymous'] ? '' : sid);
}

function allOf(type) {
	return uci.sections('wansplit', type).map(section => nameOf(section['.name'])).filter(name => name !== '');
}

function entries(value) {
	return [ value ?? [] ].flat();
}

/* Each place that names a link or policy: { sid, option, members? }. */
function usesOf(name) {
	const links = allOf('link');
	const plain = (type, option) => uci.sections('wansplit', type)
		.filter(section => section[option] === name)
		.map(section => ({ sid: section['.name'], type, option }));
	const policies = uci.sections('wansplit', 'policy')
		.filter(section => entries(section.use).some(line => uselist.parse(line, links).name === name))
		.map(section => ({ sid: section['.name'], type: 'policy', option: 'use' }));

	return [ ...policies, ...plain('rule', 'use'), ...plain('link', 'via') ];
}

function rename(from, to) {
	const links = allOf('link');

	for (const { sid, type, option } of usesOf(from)) {
		if (type !== 'policy') {
			uci.set('wansplit', sid, option, to);
			continue;
		}

		uci.set('wansplit', sid, option, entries(uci.get('wansplit', sid, option)).map(line => {
			const member = uselist.parse(line, links);

			return (member.name === from) ? uselist.format({ ...member, name: to }, true) : line;
		}));
	}
}

function describe({ sid, type }) {
	const words = { policy: _('policy %s'), rule: _('rule %s'), link: _('link %s') };

	return words[type].format(nameOf(sid) || '–');
}

const RESERVED = [ 'main', 'unreachable', 'blackhole' ];

return baseclass.extend({
	nameOf,
	allOf,

	/* The name of a link or of a policy, which share one name space. Who uses it is told of a new one. `tab` may
	 * be null. */
	field(section, tab, description) {
		const given = [ form.Value, 'name', _('Name'), description ];
		const field = tab ? section.taboption(tab, ...given) : section.option(...given);

		field.rmempty = false;
		field.cfgvalue = nameOf;
		field.textvalue = sid => E('strong', {}, [ nameOf(sid) || _('without a name') ]);
		field.write = (sid, value) => {
			const before = nameOf(sid);

			if (before !== '' && before !== value)
				rename(before, value);

			return (value === sid) ? uci.unset('wansplit', sid, 'name') : uci.set('wansplit', sid, 'name', value);
		};
		field.validate = (sid, value) => {
			const others = [ 'link', 'policy' ].flatMap(type => uci.sections('wansplit', type))
				.filter(other => other['.name'] !== sid).map(other => nameOf(other['.name']));

			if (value === '')
				return _('A name is needed.');

			if (RESERVED.includes(value))
				return _('This name means something else: choose another.');

			return others.includes(value) ? _('Another link or policy has this name.') : validate.kinds.Name(value);
		};

		return field;
	},

	/* Lets a section's sections be deleted only after it was said who uses them. */
	guardRemoval(section) {
		section.handleRemove = function(sid, ev) {
			const name = nameOf(sid);
			const uses = usesOf(name);
			const remove = () => this.super('handleRemove', [ sid, ev ]);

			if (name === '' || uses.length === 0)
				return remove();

			return new Promise(resolve => {
				const answer = yes => () => {
					ui.hideModal();
					resolve(yes ? remove() : null);
				};

				ui.showModal(_('It is in use'), [
					E('p', {}, [ _('%s is used here:').format(name) ]),
					E('ul', {}, uses.map(use => E('li', {}, [ describe(use) ]))),
					E('p', {}, [ _('What leads to it will have no target, and be left out until you give it another.') ]),
					E('div', { 'class': 'button-row' }, [
						E('button', { 'class': 'btn cbi-button', 'click': answer(false) }, [ _('Keep it') ]), ' ',
						E('button', { 'class': 'btn cbi-button cbi-button-negative', 'click': answer(true) }, [ _('Delete it') ])
					])
				]);
			});
		};
	}
});
