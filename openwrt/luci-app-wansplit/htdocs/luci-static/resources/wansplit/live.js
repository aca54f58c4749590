'use strict';
'require baseclass';
'require dom';
'require poll';

/* What is shown of each node, to leave alone what has not changed: the focus, a selection and opened details stay. */
const shown = new WeakMap();

return baseclass.extend({
	/*
	 * Puts into a node what `make()` returns, if `key` is another one than the last time. Without `make` the key itself is
	 * the text.
	 */
	fill(node, key, make) {
		const known = JSON.stringify(key ?? null);

		if (shown.get(node) === known)
			return false;

		shown.set(node, known);
		dom.content(node, make ? [].concat(make()) : [ key ]);

		return true;
	},

	/* Shows or hides a node. */
	show(node, visible) {
		if (node.hidden === !visible)
			return;

		node.hidden = !visible;
		/* Themes that give their boxes a `display` win over `hidden`. */
		node.style.display = visible ? '' : 'none';
	},

	/*
	 * Calls an asynchronous function every few seconds, but not for a tab that nobody sees (LuCI goes on polling for it); once it is
	 * seen, at once.
	 */
	every(seconds, task) {
		poll.add(async () => {
			if (!document.hidden)
				await task();
		}, seconds);
		document.addEventListener('visibilitychange', () => {
			if (!document.hidden && poll.active())
				task();
		});
	}
});
