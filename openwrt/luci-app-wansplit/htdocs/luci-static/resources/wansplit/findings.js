'use strict';
'require baseclass';

/*
 * What `check` finds, as a list to read. The router's sentences are in English, whatever the language of the pages.
 */

const PAGES = { globals: 'links', link: 'links', policy: 'policies', rule: 'rules', set: 'rules' };

const LEVELS = { note: 'unknown', warning: 'poor', error: 'bad', fatal: 'bad' };

function level(severity) {
	const words = { note: _('Note'), warning: _('Warning'), error: _('Error'), fatal: _('Error') };

	return E('strong', { 'class': 'ws-level-%s'.format(LEVELS[severity] ?? 'unknown'), 'style': 'color: var(--ws-level)' }, [
		words[severity] ?? severity
	]);
}

/* Where it can be put right: a link to the page, in the words of the finding. */
function where({ section, option, line }) {
	const page = PAGES[/^\w+/.exec(section ?? '')?.[0]];
	const text = [ section, option, (section == null && line > 0) ? _('line %d').format(line) : null ].filter(part => part).join(', ');

	if (text === '')
		return '';

	return (page && !location.pathname.endsWith('/' + page))
		? E('a', { 'href': L.url('admin/network/wansplit', page) }, [ text ])
		: E('span', {}, [ text ]);
}

function item(finding) {
	const place = where(finding);

	return E('li', {}, [
		level(finding.severity), ' ', place, place ? ': ' : '', finding.message, finding.help ? E('div', {}, [ finding.help ]) : ''
	]);
}

const WORST_FIRST = [ 'fatal', 'error', 'warning', 'note' ];

return baseclass.extend({
	/* The findings, the worst first. */
	list(findings) {
		const sorted = [ ...findings ].sort((a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity));

		return E('ul', { 'class': 'ws-findings' }, sorted.map(item));
	},

	/* Those that say that something is wrong or probably not meant. */
	serious(findings) {
		return findings.filter(({ severity }) => severity !== 'note');
	}
});
