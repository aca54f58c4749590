'use strict';
'require baseclass';
'require uci';
'require ui';
'require wansplit.api as api';
'require wansplit.findings as findings';
'require wansplit.setup.text as text';

/*
 * Between saving and applying stands the router's own check: of the configuration as it would be, with all that is saved and not
 * yet applied. Without an answer nothing is held up: the program checks again when it applies.
 */

/* Asks whether to go on; resolves to whether. With a fatal finding nothing would be applied, so there is nothing to go on with. */
function ask(found) {
	const fatal = found.some(({ severity }) => severity === 'fatal');
	const wrong = found.some(({ severity }) => severity === 'error');

	return new Promise(resolve => {
		const answer = goOn => () => {
			ui.hideModal();
			resolve(goOn);
		};

		ui.showModal(_('The router has looked it through'), [
			E('p', {}, [ fatal
				? _('With this mistake nothing can be applied. What is saved is kept, for you to put it right.')
				: wrong
					? _('What is wrong is left out, and the rest holds. It is better to put it right first.')
					: _('It can be applied. Perhaps it is not what you mean.') ]),
			findings.list(found),
			E('div', { 'class': 'button-row' }, [
				E('button', { 'class': 'btn cbi-button', 'click': answer(false) }, [ _('Back') ]),
				' ',
				fatal ? '' : E('button', { 'class': 'btn cbi-button cbi-button-negative', 'click': answer(true) }, [ _('Apply all the same') ])
			])
		], 'cbi-modal');
	});
}

const TOLD = 'ws-review-told';

/* Only the last look counts. */
function tell(found) {
	document.getElementById(TOLD)?.closest('.alert-message')?.remove();

	if (found.length)
		ui.addNotification(_('It is saved. The router has looked it through'), E('div', { 'id': TOLD }, [ findings.list(found) ]), 'warning');
}

/* LuCI's own way to save, which the views put this module in front of. */
function keep(view, ev) {
	return view.super('handleSave', [ ev ]);
}

return baseclass.extend({
	/* What the router thinks of what is saved: its findings, or null if it could not be asked. */
	check() {
		return uci.load('wansplit')
			.then(() => api.check(text.uci(text.fromUci(uci.sections('wansplit')))))
			.then(reply => reply?.findings ?? null);
	},

	/* Checks, and asks if there is something to ask about; resolves to whether to apply. Where nothing of wansplit's waits to be
	 * applied there is nothing to look through. */
	async mayApply() {
		const changes = await L.resolveDefault(uci.changes(), {});

		if (!changes.wansplit?.length)
			return true;

		const found = await this.check();

		if (found === null)
			ui.addNotification(null, E('p', {}, [ _('The router could not be asked whether this is right. It is applied all the same.') ]), 'info');

		const serious = findings.serious(found ?? []);

		return serious.length ? ask(serious) : true;
	},

	/* For a view's handleSave: what is wrong is said, and nothing is held up. */
	save(view, ev) {
		return keep(view, ev)
			.then(() => this.check())
			.then(found => tell(findings.serious(found ?? [])));
	},

	/* For a view's handleSaveApply. */
	saveApply(view, ev, mode) {
		return keep(view, ev)
			.then(() => this.mayApply())
			.then(goOn => goOn ? ui.changes.apply(mode == '0') : null);
	}
});
