/* How `scripts/lint-luci` reads the pages' JavaScript. The rules of our own are in lint/. */
import js from '@eslint/js';
import layout from './lint/layout.js';
import markup from './lint/markup.js';
import { literal, translated } from './lint/words.js';

/* What LuCI gives every module, and what of the browser the pages use. */
const GLOBALS = [
	'E', 'L', 'N_', '_',
	'Blob', 'CSS', 'CustomEvent', 'Event', 'MouseEvent', 'Node', 'ResizeObserver', 'URL', 'URLSearchParams', 'clearInterval',
	'clearTimeout', 'console', 'document', 'getComputedStyle', 'history', 'localStorage', 'location', 'navigator', 'performance',
	'requestAnimationFrame', 'sessionStorage', 'setInterval', 'setTimeout', 'window'
];

const readonly = names => Object.fromEntries(names.map(name => [ name, 'readonly' ]));

/* Ways to make markup or code of a string. */
const FORBIDDEN = [
	'innerHTML', 'outerHTML', 'insertAdjacentHTML', 'createContextualFragment', 'setHTMLUnsafe', 'parseFromString', 'srcdoc'
].map(property => ({ property, message: 'It makes markup of a string: use E() with arrays' }));

/* `'require view'` and `'require wansplit.api as api'` at the top of a module are given to it as arguments. */
const required = {
	processors: {
		module: {
			preprocess(text) {
				const names = [ ...text.matchAll(/^'require ([\w.]+)(?: as (\w+))?';$/gm) ]
					.map(([ , module, name ]) => name ?? module.replace(/[^a-zA-Z0-9_]/g, '_'));
				/* On the first line, so that every line keeps its number. */
				return [ names.length ? `/* global ${names.join(', ')} */ ${text}` : text ];
			},
			postprocess: ([ messages ]) => messages
		}
	}
};

export default [
	{
		files: [ '**/*.js' ],
		plugins: { required, wansplit: { rules: { layout, literal, markup, translated } } },
		processor: 'required/module',
		linterOptions: { reportUnusedDisableDirectives: 'error' },
		languageOptions: {
			/* A module is the body of a function: it ends with `return`. */
			ecmaVersion: 2022,
			sourceType: 'commonjs',
			globals: { ...readonly(GLOBALS), exports: 'off', global: 'off', module: 'off', require: 'off' }
		},
		rules: {
			...js.configs.recommended.rules,
			'max-lines': [ 'error', 300 ],
			'no-control-regex': 'off',
			'no-empty': [ 'error', { allowEmptyCatch: true } ],
			'no-eval': 'error',
			'no-implied-eval': 'error',
			'no-new-func': 'error',
			'no-redeclare': [ 'error', { builtinGlobals: false } ],
			'no-restricted-properties': [ 'error', ...FORBIDDEN,
				{ object: 'document', property: 'write', message: 'It makes markup of a string' },
				{ object: 'document', property: 'writeln', message: 'It makes markup of a string' } ],
			'no-script-url': 'error',
			'no-unused-vars': [ 'error', { args: 'after-used', argsIgnorePattern: '^_', caughtErrors: 'none' } ],
			'no-var': 'error',
			'prefer-const': 'error',
			'strict': [ 'error', 'global' ],
			'wansplit/layout': 'error',
			'wansplit/literal': 'error',
			'wansplit/markup': 'error',
			'wansplit/translated': 'error'
		}
	}
];
