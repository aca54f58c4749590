'use strict';
'require baseclass';
'require wansplit.live as live';
'require wansplit.svg as svg';
'require wansplit.units as units';
'require wansplit.words as words';

/* The last changes of the links, the newest first. */

/* How many are shown at first. */
const FEW = 20;

function line(event) {
	const change = words.change(event);

	return E('li', {}, [
		E('time', { 'datetime': new Date(event.time * 1000).toISOString() }, [ units.moment(event.time) ]), ' ',
		E('span', { 'class': 'ws-change ws-level-%s'.format(change.level) }, [ svg.mark(change.level), change.title ]), ' ',
		E('span', { 'class': 'ws-why' }, [ change.reason ]),
		...change.then.flatMap(then => [ ' ', E('span', { 'class': 'ws-then' }, [ then ]) ])
	]);
}

const Changes = baseclass.extend({
	__init__() {
		this.all = false;
		this.events = [];
		this.list = E('ul', { 'class': 'ws-changes' });
		this.none = E('p', {}, [ _('No link has changed since the service was started.') ]);
		this.more = E('button', { 'class': 'btn cbi-button', 'type': 'button', 'click': () => {
			this.all = !this.all;
			this.draw();
		} });
		this.node = E('div', {}, [ this.none, this.list, this.more ]);
		this.draw();
	},

	/* Shows these events, the oldest first as the daemon has them. */
	show(events) {
		this.events = [ ...events ].reverse();
		this.draw();
	},

	draw() {
		const shown = this.all ? this.events : this.events.slice(0, FEW);

		/* Without its day a time becomes another one at midnight. */
		live.fill(this.list, [ new Date().toDateString(), shown ], () => shown.map(line));
		live.show(this.none, !this.events.length);
		live.show(this.more, this.events.length > FEW);
		live.fill(this.more, this.all ? _('Show only the last %d').format(FEW) : _('Show all %d').format(this.events.length));
	}
});

return baseclass.extend({
	/* A list: { node, show(events) }. */
	create() {
		return new Changes();
	}
});
