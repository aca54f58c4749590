'use strict';
'require baseclass';
'require request';

/* Calls over ubus, each a request of its own. The server of the tests answers them out of what was recorded. */

const STATUS = [
	'Command OK', 'Invalid command', 'Invalid argument', 'Method not found', 'Resource not found', 'No data received',
	'Permission denied', 'Request timeout', 'Not supported', 'Unspecified error', 'Connection lost'
];

const kind = value => Object.prototype.toString.call(value);

function named(declared, args) {
	if (Array.isArray(declared))
		return [ Object.fromEntries(declared.map((name, at) => [ name, args[at] ])), args.slice(declared.length) ];
	const given = Object.entries(args[0] ?? {}).filter(([ name ]) => name in (declared ?? {}));
	return declared ? [ Object.fromEntries(given), args.slice(1) ] : [ {}, args ];
}

/* What a caller expects of a reply; something of another kind becomes what it gave as default. */
function expected(reply, expect) {
	const [ [ key, otherwise ] = [] ] = Object.entries(expect ?? {});
	if (key === undefined)
		return reply;
	const value = key === '' ? reply : reply?.[key];
	return value == null || kind(value) !== kind(otherwise) ? otherwise : value;
}

return baseclass.extend({
	declare(options) {
		return async (...args) => {
			const [ params, own ] = named(options.params, args);
			const answer = (await request.post('/ubus', { object: options.object, method: options.method, params })).json();
			const { object, method } = options;
			if (answer.error)
				L.raise('RPCError', 'RPC call to %s/%s failed with error %d: %s', object, method, answer.error.code, answer.error.message);
			if (options.reject && answer.result[0] !== 0)
				L.raise('RPCError', 'RPC call to %s/%s failed with ubus code %d: %s', object, method, answer.result[0], STATUS[answer.result[0]]);
			const reply = expected(answer.result.length > 1 ? answer.result[1] : answer.result[0], options.expect);
			return options.filter ? options.filter.call(this, reply, params, ...own) : reply;
		};
	},
	list() {
		return Promise.resolve([]);
	},
	getSessionID: () => 'session',
	getBaseURL: () => '/ubus',
	getStatusText: code => STATUS[code] ?? 'Unknown error code',
	addInterceptor: fn => fn
});
