'use strict';
'require baseclass';
'require form';
'require network';

/* The picker of interfaces, as a plain list. */
const NetworkSelect = form.ListValue.extend({
	async load(id) {
		for (const each of await network.getNetworks())
			if (each.getName() !== 'loopback')
				this.value(each.getName());
		return this.super('load', [ id ]);
	}
});

return baseclass.extend({ NetworkSelect });
