/*
 * Words that are shown go through _(), so that they can be translated; and what goes through _() can be found by xgettext.
 */
import { childrenOf, isTranslation, nameOf } from './markup.js';

/* Attributes that are read, or read out. */
const SHOWN = new Set([ 'alt', 'aria-description', 'aria-label', 'data-title', 'placeholder', 'title' ]);

/* Something that reads differently in another language: more than a unit or a sign. */
function isWord(node) {
	return node.type === 'Literal' && typeof node.value === 'string' && /\p{L}{3}/u.test(node.value);
}

export const literal = {
	meta: {
		type: 'problem',
		messages: {
			literal: '{{name}}() takes a string as it stands, or it is not found when the strings are gathered; values go through .format()',
			blank: 'Blanks at the ends, or nothing: LuCI looks strings up without them'
		}
	},
	create(context) {
		return {
			CallExpression(call) {
				const name = nameOf(call.callee);
				const strings = name === '_' ? call.arguments.slice(0, 2) : name === 'N_' ? call.arguments.slice(1, 4) : [];
				if (name === '_' && !strings.length)
					context.report({ node: call, messageId: 'literal', data: { name } });
				for (const node of strings)
					if (node.type !== 'Literal' || typeof node.value !== 'string')
						context.report({ node, messageId: 'literal', data: { name } });
					else if (node.value !== node.value.trim().replace(/[ \t\n]+/g, ' ') || !node.value)
						context.report({ node, messageId: 'blank' });
			}
		};
	}
};

export const translated = {
	meta: {
		type: 'problem',
		messages: { translated: 'Words that are shown go through _()' }
	},
	create(context) {
		const report = node => context.report({ node, messageId: 'translated' });
		return {
			CallExpression(call) {
				for (const { node, title } of childrenOf(call))
					if (node.type === 'ArrayExpression')
						node.elements.filter(element => element && isWord(element)).forEach(report);
					else if (title && isWord(node) && !isTranslation(node))
						report(node);
			},
			Property(property) {
				if (SHOWN.has(property.key.name ?? property.key.value) && isWord(property.value))
					report(property.value);
			}
		};
	}
};
