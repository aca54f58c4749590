'use strict';
'require baseclass';
'require uci';
'require ui';
'require wansplit.api as api';

/*
 * Writing: by LuCI's own way, so that its rollback guards it, and what comes after.
 *
 * LuCI loads the page anew when the changes are confirmed. What was going on is remembered over that in the tab's session
 * storage.
 */

const FINISHING = 'wansplit-setup-finishing';

/* Longer than a confirmation takes at most; a tab that was left open does not begin to finish days later. */
const FRESH = 180000;

return baseclass.extend({
	/* Replaces the sections, and saves and applies them with LuCI's rollback. */
	write(sections) {
		/* What an attempt before left behind, or somebody else has changed since this page was opened. */
		uci.unload('wansplit');

		return uci.load('wansplit').then(() => {
			this.replace(sections);

			return uci.save();
		}).then(() => {
			document.addEventListener('uci-applied', () => sessionStorage.setItem(FINISHING, String(Date.now())), { once: true });
			return Promise.resolve(ui.changes.init()).then(() => ui.changes.apply(true));
		});
	},

	replace(sections) {
		for (const section of uci.sections('wansplit'))
			if (section['.type'] !== 'globals')
				uci.remove('wansplit', section['.name']);

		for (const { type, name, options } of sections) {
			const sid = (type === 'globals')
				? uci.sections('wansplit', 'globals')[0]?.['.name'] ?? uci.add('wansplit', 'globals', 'globals')
				: uci.add('wansplit', type, name ?? undefined);

			for (const [ option, value ] of Object.entries(options))
				uci.set('wansplit', sid, option, value);
		}
	},

	/* Whether this page was loaded anew after what `write` did; asked once. */
	isFinishing() {
		const since = +(sessionStorage.getItem(FINISHING) ?? 0);

		sessionStorage.removeItem(FINISHING);

		return Date.now() - since < FRESH;
	},

	/* Sees to it that the daemon runs, now and at the next start of the router; resolves to its status, null if it does not answer.
	 * The change of the configuration has usually started it already. */
	finish() {
		const pause = () => new Promise(resolve => window.setTimeout(resolve, 1000));
		const ask = tries => api.status().then(status => (status || tries === 0) ? status : pause().then(() => ask(tries - 1)));

		return api.startService().catch(() => null).then(() => ask(20));
	}
});
