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

/* Those of them that strings have as well. */
const STRINGS_HAVE = new Set([ 'concat', 'slice' ]);

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

function definition(identifier, scope) {
	for (let at = scope; at; at = at.upper) {
		const variable = at.set.get(identifier.name);
		if (variable)
			return variable.defs.length === 1 ? variable.defs[0] : null;
	}
	return null;
}

/* What a function of this module may return; null if that is not a matter of a look. */
function results(declaration) {
	const found = [];
	const pending = [ ...declaration.body.body ];
	while (pending.length) {
		const node = pending.pop();
		if (node.type === 'ReturnStatement')
			found.push(node.argument);
		else if (!/Function|Class/.test(node.type))
			for (const [ key, value ] of Object.entries(node))
				if (key !== 'parent')
					pending.push(...[ value ].flat().filter(each => each && typeof each.type === 'string'));
	}
	return declaration.async || declaration.generator || found.includes(null) ? null : found;
}

/* Whether this is surely an array, an element or nothing; it need not be known what its words are, they become text. */
function isSafe(node, scope, seen = []) {
	const safe = other => isSafe(other, scope, seen);
	switch (node.type) {
	case 'ArrayExpression':
		return true;
	case 'Literal':
		return node.value === null || node.value === '';
	case 'ConditionalExpression':
		return safe(node.consequent) && safe(node.alternate);
	case 'LogicalExpression':
		return safe(node.right) && (node.operator === '&&' || safe(node.left));
	case 'Identifier': {
		const known = definition(node, scope);
		if (known?.type === 'Parameter')
			return known.node.params.some(parameter => parameter.type === 'RestElement' && parameter.argument === known.name);
		const plain = known?.type === 'Variable' && known.parent.kind === 'const' && known.node.id.type === 'Identifier';
		return plain && known.node.init != null && safe(known.node.init);
	}
	case 'CallExpression':
		return isSafeCall(node, scope, seen);
	default:
		return false;
	}
}

function isSafeCall({ callee }, scope, seen) {
	if (callee.type === 'MemberExpression' && !callee.computed && ARRAYS.has(callee.property.name))
		return !STRINGS_HAVE.has(callee.property.name) || isSafe(callee.object, scope, seen);
	if (ELEMENTS.has(nameOf(callee)))
		return true;
	const known = callee.type === 'Identifier' ? definition(callee, scope) : null;
	if (known?.type !== 'FunctionName' || seen.includes(known.node))
		return false;
	const own = results(known.node);
	/* Names within it are not looked up: what they are is known only there. */
	return own !== null && own.length > 0 && own.every(result => isSafe(result, null, [ ...seen, known.node ]));
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
