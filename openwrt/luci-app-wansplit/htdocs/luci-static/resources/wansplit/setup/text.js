'use strict';
'require baseclass';

/*
 * Sections as UCI text, and the present configuration as sections. Pure.
 */

function quoted(value) {
	return "'%s'".format(String(value).replace(/'/g, "'\\''"));
}

function section({ type, name, options }) {
	const lines = [ name ? "config %s '%s'".format(type, name) : 'config %s'.format(type) ];

	for (const [ option, value ] of Object.entries(options)) {
		if (Array.isArray(value))
			lines.push(...value.map(entry => '\tlist %s %s'.format(option, quoted(entry))));
		else
			lines.push('\toption %s %s'.format(option, quoted(value)));
	}

	return lines.join('\n') + '\n';
}

return baseclass.extend({
	/* A configuration as it would stand in /etc/config/wansplit. */
	uci(sections) {
		return sections.map(section).join('\n');
	},

	/* The same shape from what LuCI's uci.sections() gives. A name that uci made up itself is none. */
	fromUci(sections) {
		return sections.map(raw => ({
			type: raw['.type'],
			name: raw['.anonymous'] ? null : raw['.name'],
			options: Object.fromEntries(Object.entries(raw).filter(([ option ]) => !option.startsWith('.')))
		}));
	},

	/* Whether the owner has said nothing yet: as installed there are globals alone. */
	isInert(sections) {
		return sections.every(({ type }) => type === 'globals');
	}
});
