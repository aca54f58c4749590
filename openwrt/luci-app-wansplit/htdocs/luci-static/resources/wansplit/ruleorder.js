'use strict';
'require baseclass';
'require uci';
'require wansplit.names as names';
'require wansplit.section as sections';

/*
 * The order of rules, which is what they mean: beside LuCI's handle for dragging there are buttons, for keyboards and for whoever
 * has no mouse. As after dragging, the new order is there at once and written by Save.
 */

/* The rows are moved and not drawn anew, so the button keeps the focus. */
function move(button, step) {
	const row = button.closest('tr');
	const other = (step < 0) ? row.previousElementSibling : row.nextElementSibling;

	if (!other)
		return;

	row.parentNode.insertBefore(row, (step < 0) ? other : other.nextElementSibling);
	uci.move('wansplit', row.dataset.sid, other.dataset.sid, step > 0);
	button.focus();
	row.scrollIntoView({ block: 'nearest' });
}

function copy(section, sid) {
	const added = uci.add('wansplit', 'rule');

	for (const [ option, value ] of Object.entries(sections.optionsOf(sid)))
		uci.set('wansplit', added, option, value);
	uci.set('wansplit', added, 'name', _('Copy of %s').format(names.nameOf(sid) || _('a rule')));
	uci.move('wansplit', added, sid, true);

	return section.map.save(null, true);
}

function button(label, title, kind, action) {
	return E('button', {
		'class': 'btn cbi-button cbi-button-neutral ' + kind, 'title': title, 'aria-label': title,
		'click': ev => {
			ev.preventDefault();

			return action(ev.currentTarget);
		}
	}, [ label ]);
}

return baseclass.extend({
	/* The buttons of each row: handle, up, down; edit, copy, delete. Who may only read has the window alone, to look. */
	add(section) {
		/* LuCI sorts a sortable table by a click on a heading: with rules that would turn what they mean upside down. */
		section.handleSort = () => null;

		section.renderRowActions = function(sid) {
			const cell = this.super('renderRowActions', [ sid, _('Edit') ]);
			const name = names.nameOf(sid) || _('a rule');
			const row = cell.firstElementChild;
			const handle = row.querySelector('.drag-handle');
			const remove = row.querySelector('.cbi-button-remove');

			row.classList.add('ws-rule-actions');

			if (this.map.readonly) {
				handle?.remove();
				remove?.remove();

				return cell;
			}

			row.prepend(E('span', { 'class': 'ws-rule-order' }, [
				handle,
				button('▲', _('Move %s up').format(name), 'ws-up', pressed => move(pressed, -1)),
				button('▼', _('Move %s down').format(name), 'ws-down', pressed => move(pressed, 1))
			]));
			remove.before(button(_('Copy'), _('Make another rule like %s').format(name), '', () => copy(this, sid)));

			return cell;
		};
	}
});
