'use strict';
'require baseclass';
'require rpc';

/* Files and programs of the router, by rpcd's object `file`. */

const NAMES = [ null, 'InvalidCommandError', 'InvalidArgumentError', 'MethodNotFoundError', 'NotFoundError', 'NoDataError', 'PermissionError' ];

function call(method, ...params) {
	const declared = rpc.declare({ object: 'file', method, params });
	return async (...args) => {
		const reply = await declared(...args);
		if (typeof reply === 'number' && reply !== 0)
			throw Object.assign(new Error(rpc.getStatusText(reply)), { name: NAMES[reply] ?? 'Error' });
		return reply;
	};
}

const read = call('read', 'path');
const list = call('list', 'path');
const exec = call('exec', 'command', 'params', 'env');

return baseclass.extend({
	stat: call('stat', 'path'),
	write: call('write', 'path', 'data', 'mode'),
	remove: call('remove', 'path'),
	list: path => list(path).then(reply => reply.entries),
	read: path => read(path).then(reply => reply.data),
	trimmed(path) {
		return L.resolveDefault(this.read(path), '').then(text => text.trim());
	},
	lines(path) {
		return this.trimmed(path).then(text => text ? text.split('\n').map(line => line.trim()) : []);
	},
	exec: (command, params, env) => exec(command, params ?? null, env ?? null),
	exec_direct: (command, params) => exec(command, params ?? null, null).then(reply => reply.stdout ?? '')
});
