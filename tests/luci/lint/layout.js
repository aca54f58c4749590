/* Tabs, no blanks at the ends of lines, single quotes: as LuCI's own sources are written. */

export default {
	meta: {
		type: 'layout',
		messages: {
			tabs: 'Indented by tabs',
			end: 'Blanks at the end of the line',
			quotes: 'Single quotes'
		}
	},
	create(context) {
		const { sourceCode } = context;
		return {
			Program() {
				sourceCode.lines.forEach((text, index) => {
					const at = column => ({ start: { line: index + 1, column }, end: { line: index + 1, column: text.length } });
					/* The second and later lines of a comment have one blank before their star. */
					if (/^\t* /.test(text) && !/^\t* \*/.test(text))
						context.report({ loc: at(0), messageId: 'tabs' });
					if (/\s$/.test(text))
						context.report({ loc: at(text.trimEnd().length), messageId: 'end' });
				});
			},
			Literal(node) {
				if (typeof node.value === 'string' && node.raw.startsWith('"') && !node.value.includes("'"))
					context.report({ node, messageId: 'quotes' });
			}
		};
	}
};
