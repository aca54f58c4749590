/*
 * What becomes markup in LuCI, and must therefore never be a string of the router's.
 *
 * `E(tag, attributes, children)` makes text nodes of the strings in an array, but HTML of a string that comes alone; so do
 * `dom.content`, `dom.append`, and the functions of `ui` that hand their arguments on to them.
 */

/* By function: which arguments are children, and which are titles (children too, but a plain literal may stand there). */
const SINKS = {
	'dom.append': { children: [ 1 ] },
	'dom.content': { children: [ 1 ] },
	'dom.create': { element: true },
	'E': { element: true },
	'L.dom.append': { children: [ 1 ] },
	'L.dom.content': { children: [ 1 ] },
	'L.dom.create': { element: true },
	'ui.addNotification': { titles: [ 0 ], children: [ 1 ] },
	'ui.addTimeLimitedNotification': { titles: [ 0 ], children: [ 1 ] },
	'ui.showModal': { titles: [ 0 ], children: [ 1 ] }
};

/* Methods whose result is an array, whatever they are called on. */
const ARRAYS = new Set([ 'concat', 'filter', 'flat', 'flatMap', 'map', 'slice', 'sort' ]);

/* Functions whose result is an element. */
const ELEMENTS = new Set([ 'E', 'document.createElement', 'document.createElementNS', 'document.createTextNode' ]);

/* `ui.showModal` of the callee of `ui.showModal(…)`; null of anything that is not so plain. */
export function nameOf(callee) {
	if (callee.type === 'Identifier')
		return callee.name;
	if (callee.type !== 'MemberExpression' || callee.computed)
		return null;
	const object = callee.object.type === 'ThisExpression' ? 'this' : nameOf(callee.object);
	return object && `${object}.${callee.property.name}`;
}

export function isTranslation(node) {
	if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression' && node.callee.property.name === 'format')
		return false;
	return node.type === 'CallExpression' && [ '_', 'N_' ].includes(nameOf(node.callee));
}

/* Which argument of E() holds the children: LuCI takes the second for them if it is no plain object. */
function childrenOfElement(args) {
	if (args.length >= 3)
		return args[2];
	return args.length === 2 && args[1].type !== 'ObjectExpression' ? args[1] : null;
}

/* The children that a call gives, with a word on what may stand there besides arrays and elements. */
export function childrenOf(call) {
	const sink = SINKS[nameOf(call.callee)];
	if (!sink)
		return [];
	if (sink.element)
		return [ childrenOfElement(call.arguments) ].filter(Boolean).map(node => ({ node, title: false }));
	const at = (positions, title) => (positions ?? [])
		.map(position => call.arguments[position])
		.filter(Boolean)
		.map(node => ({ node, title }));
	return [ ...at(sink.titles, true), ...at(sink.children, false) ];
}

/* What the only assignment of a constant gives it. */
function constant(identifier, scope) {
	for (let at = scope; at; at = at.upper) {
		const variable = at.set.get(identifier.name);
		if (variable) {
			const [ definition, ...more ] = variable.defs;
			const plain = !more.length && definition?.type === 'Variable' && definition.parent.kind === 'const' &&
				definition.node.id.type === 'Identifier';
			return plain ? definition.node.init : null;
		}
	}
	return null;
}

/* Whether this is surely an array, an element or nothing; it need not be known what its words are, they become text. */
function isSafe(node, scope) {
	switch (node.type) {
	case 'ArrayExpression':
		return true;
	case 'Literal':
		return node.value === null || node.value === '';
	case 'ConditionalExpression':
		return isSafe(node.consequent, scope) && isSafe(node.alternate, scope);
	case 'LogicalExpression':
		return isSafe(node.right, scope) && (node.operator === '&&' || isSafe(node.left, scope));
	case 'AwaitExpression':
		return false;
	case 'Identifier': {
		const value = constant(node, scope);
		return value != null && isSafe(value, scope);
	}
	case 'CallExpression': {
		const { callee } = node;
		if (callee.type === 'MemberExpression' && !callee.computed && ARRAYS.has(callee.property.name))
			return callee.property.name !== 'concat' && callee.property.name !== 'slice' || isSafe(callee.object, scope);
		return ELEMENTS.has(nameOf(callee));
	}
	default:
		return false;
	}
}

export default {
	meta: {
		type: 'problem',
		messages: {
			children: 'A string here becomes HTML: write [ … ] around it, then it is text',
			title: 'A string here becomes HTML: it must be _(\'…\') as it stands, or [ … ]',
			handler: 'No inline handlers: {{name}} as an attribute is code in a string; give a function under the event\'s name'
		}
	},
	create(context) {
		return {
			CallExpression(call) {
				const scope = context.sourceCode.getScope(call);
				for (const { node, title } of childrenOf(call)) {
					const plain = title && (isTranslation(node) || node.type === 'Literal');
					if (!plain && !isSafe(node, scope))
						context.report({ node, messageId: title ? 'title' : 'children' });
				}
			},
			Property(property) {
				const name = property.key.name ?? property.key.value;
				const inAttributes = property.parent.parent.type === 'CallExpression' &&
					SINKS[nameOf(property.parent.parent.callee)]?.element;
				if (inAttributes && /^on[a-z]/i.test(name))
					context.report({ node: property, messageId: 'handler', data: { name } });
			}
		};
	}
};
