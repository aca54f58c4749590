'use strict';
'require baseclass';
'require dom';
'require uci';

/*
 * What nobody has touched is not written.
 *
 * LuCI's forms write what a widget makes of a value wherever that looks different from what is in the file: `option proto 'tcp udp'`
 * becomes a list, `option from 'lan'` vanishes because it is the default, an option that depends on another one vanishes while it is
 * hidden. All of that means the same, or is the owner's business: a window that was opened and saved leaves the file as it was.
 */

/* By field, by section: what its widget said when it was drawn. */
const drawn = new WeakMap();

function value(field, sid) {
	return JSON.stringify(field.getUIElement(sid)?.getValue() ?? null);
}

function isTouched(field, sid) {
	return drawn.get(field)?.get(sid) !== value(field, sid);
}

/* The fields that a field's presence depends on. */
function masters(field) {
	const names = new Set(field.deps.flatMap(condition => Object.keys(condition)));

	return field.section.children.filter(({ option }) => names.has(option));
}

return baseclass.extend({
	/*
	 * Makes a field so. LuCI copies a field's own properties into the window of a section, so these hold there too; `this` is then
	 * the copy.
	 */
	keep(field) {
		const { parse, renderWidget } = field;

		field.renderWidget = function(sid, ...more) {
			const node = renderWidget.call(this, sid, ...more);
			const all = drawn.get(this) ?? new Map();

			all.set(sid, JSON.stringify(dom.findClassInstance(node)?.getValue() ?? null));
			drawn.set(this, all);

			return node;
		};

		field.parse = function(sid) {
			const isWritten = uci.get('wansplit', sid, this.option) != null;
			const changed = this.isActive(sid) ? isTouched(this, sid) : masters(this).some(master => isTouched(master, sid));

			return (isWritten && !changed) ? Promise.resolve() : parse.call(this, sid);
		};

		return field;
	},

	/* Shows the first of some words for what may be written in several. */
	words(field, synonyms) {
		field.load = function(sid) {
			const written = uci.get('wansplit', sid, this.option);
			const [ word ] = Object.entries(synonyms).find(([ , others ]) => others.includes(written)) ?? [ written ];

			return word;
		};

		return field;
	},

	/* The words that OpenWrt takes for yes and no. */
	flag(field) {
		return this.words(field, { 1: [ 'on', 'true', 'yes', 'enabled' ], 0: [ 'off', 'false', 'no', 'disabled' ] });
	},

	/* A choice of its own for each value that is written and not among the choices; `label` makes its text. */
	others(field, label) {
		const { renderWidget } = field;

		field.renderWidget = function(sid, index, written) {
			const keys = this.keylist, labels = this.vallist;

			/* For this window alone: the copies of a field share these two. */
			this.keylist = [ ...keys ?? [] ];
			this.vallist = [ ...labels ?? [] ];

			for (const one of L.toArray(written))
				if (!this.keylist.includes(one))
					this.value(one, label(one));

			const node = renderWidget.call(this, sid, index, written);

			this.keylist = keys;
			this.vallist = labels;

			return node;
		};

		return field;
	}
});
