'use strict';
'require view';
'require wansplit.api as api';
'require wansplit.chart as chart';
'require wansplit.colours as colours';
'require wansplit.history as history';
'require wansplit.live as live';
'require wansplit.page as page';
'require wansplit.units as units';

/* All links in one chart each for what comes in, what goes out, and how fast they answer: among LuCI's realtime graphs. */

const PERIOD = 3;

/* The mean answer time of both families; of the one that is tested. */
function answer({ rtt }) {
	const times = rtt.filter(time => time != null);

	return times.length ? times.reduce((sum, time) => sum + time, 0) / times.length : null;
}

const CHARTS = [
	{ title: _('Speed down'), least: 30000, format: units.rate, value: point => point.down },
	{ title: _('Speed up'), least: 30000, format: units.rate, value: point => point.up },
	{ title: _('Answer time'), least: 3, format: units.milliseconds, value: answer },
	{ title: _('Lost tests'), least: 3, format: units.percent, value: point => point.loss }
];

return view.extend({
	load() {
		return Promise.all([ api.status(), colours.load() ]);
	},

	render([ status ]) {
		this.place = E('div');
		this.absent = E('div', { 'class': 'alert-message notice' }, [
			_('The service that splits the links does not run.'), ' ',
			E('a', { 'href': L.url('admin/network/wansplit/status') }, [ _('Link splitting') ])
		]);
		this.show(status);
		live.every(PERIOD, async () => this.show(await api.status()));

		return E('div', { 'class': 'cbi-map' }, [
			...page.style('chart'),
			page.heading(_('Internet links'), _('What the links carry, and how fast the tested hosts answer by each.')),
			this.absent,
			this.place
		]);
	},

	show(status) {
		const links = status?.links ?? [];
		const names = links.map(link => link.name);
		const now = Date.now();

		live.show(this.absent, !links.length);
		live.show(this.place, links.length);

		if (!links.length)
			return;

		history.add(status, now);
		live.fill(this.place, names, () => {
			const series = names.map((name, n) => ({ name, colour: colours.of(name), kind: n % 2 ? 'dashed' : 'line' }));

			this.charts = CHARTS.map(options => chart.create({ ...options, series }));

			return this.charts.map(made => made.node);
		});

		const points = this.joined(names);

		CHARTS.forEach(({ value }, n) => this.charts[n].show(points.map(({ time, own }) =>
			({ time, values: own.map(point => point ? value(point) : null) })), now));
	},

	/* The points of all links by their time: all are of the same samples, but a link may have come later. */
	joined(names) {
		const all = names.map(name => new Map(history.points(name).map(point => [ point.time, point ])));
		const times = [ ...new Set(all.flatMap(points => [ ...points.keys() ])) ].sort((a, b) => a - b);

		return times.map(time => ({ time, own: all.map(points => points.get(time)) }));
	},

	handleSaveApply: null,
	handleSave: null,
	handleReset: null
});
