'use strict';
'require baseclass';
'require wansplit.svg as svg';
'require wansplit.units as units';

/*
 * A chart of the last minutes: lines over time, drawn by ourselves. The legend shows the values of now, or of the moment under
 * the pointer or the cursor keys; for screen readers the drawing is a slider over time that speaks these values.
 */

/* What is shown, in milliseconds. */
const SPAN = 5 * 60 * 1000;
const HEIGHT = 132;
/* Room below for the times. */
const FOOT = 18;
/* Room above for the uppermost label. */
const HEAD = 14;

/* The next number of 1, 2, 5, 10, 20, … that is not smaller. */
function round(value) {
	const power = Math.pow(10, Math.floor(Math.log10(value)));

	return power * [ 1, 2, 5, 10 ].find(factor => factor * power >= value * (1 - 1e-9));
}

/* The lines of an axis from 0: round numbers, the last of them not below the largest value. */
function ticks(largest, least) {
	const step = round(Math.max(largest, least) / 3);
	const count = Math.max(2, Math.ceil(Math.max(largest, least) / step - 1e-9));

	return Array.from({ length: count + 1 }, (_unused, n) => n * step);
}

/* Runs of points without a gap, as path data. `floor`: down to there and closed, an area. */
function path(points, floor) {
	const runs = [];
	let run = null;

	for (const point of points) {
		if (point == null) {
			run = null;
			continue;
		}

		if (!run)
			runs.push(run = []);

		run.push(point);
	}

	return runs.map(run => {
		const line = run.map(([ x, y ]) => x.toFixed(1) + ' ' + y.toFixed(1));

		if (floor == null)
			/* A lonely point is a short stroke, else it would not be seen. */
			return 'M' + line.join('L') + (run.length === 1 ? 'h1' : '');

		return 'M%s %sL'.format(run[0][0].toFixed(1), floor) + line.join('L') + 'L%s %sZ'.format(run.at(-1)[0].toFixed(1), floor);
	}).join('');
}

/* For a line's `style`: what chart.css draws it with. */
function colour(one) {
	return '--ws-series: %s'.format(one.colour);
}

/* Private part of a chart: its numbers of now, and where they are on the drawing. */
const Chart = baseclass.extend({
	__init__(options) {
		this.options = options;
		this.points = [];
		this.now = Date.now();
		this.cursor = null;
		this.width = 0;
		this.build();
	},

	build() {
		const { title, series } = this.options;

		this.axis = svg.node('g', { 'class': 'ws-chart-axis' });
		this.lines = series.map(one => svg.node('path', { 'class': 'ws-chart-%s'.format(one.kind ?? 'line'), 'style': colour(one) }));
		this.fills = series.map(one => (one.kind === 'area') ? svg.node('path', { 'class': 'ws-chart-fill', 'style': colour(one) }) : null);
		this.mark = svg.node('line', { 'class': 'ws-chart-cursor', 'y1': HEAD, 'y2': HEIGHT - FOOT });
		this.drawing = svg.node('svg', {
			'class': 'ws-chart-drawing', 'height': HEIGHT, 'tabindex': 0, 'role': 'slider', 'aria-label': title,
			'aria-valuemin': -SPAN / 1000, 'aria-valuemax': 0, 'aria-valuenow': 0
		}, [ this.axis, ...this.fills.filter(fill => fill), ...this.lines, this.mark ]);

		this.values = series.map(() => E('span', { 'class': 'ws-chart-value' }));
		this.moment = E('span', { 'class': 'ws-chart-moment' });
		this.node = E('figure', { 'class': 'ws-chart' }, [
			E('figcaption', {}, [
				E('span', { 'class': 'ws-chart-title' }, [ title ]),
				...series.map((one, n) => E('span', { 'class': 'ws-chart-entry' }, [ this.sample(one), one.name, ' ', this.values[n] ])),
				this.moment
			]),
			this.drawing
		]);

		this.drawing.addEventListener('pointermove', ev => this.point(ev));
		this.drawing.addEventListener('pointerdown', ev => this.point(ev));
		/* What a finger has pointed at stays when the finger is lifted. */
		this.drawing.addEventListener('pointerleave', ev => ev.pointerType !== 'touch' && this.move(null));
		this.drawing.addEventListener('blur', () => this.move(null));
		this.drawing.addEventListener('keydown', ev => this.key(ev));

		/* The drawing is as wide as its place, and its letters are as large as those of the page. */
		new ResizeObserver(() => this.draw()).observe(this.drawing);
	},

	/* A piece of a line, for the legend. */
	sample(one) {
		return svg.node('svg', { 'class': 'ws-chart-sample', 'viewBox': '0 0 18 10', 'aria-hidden': 'true' }, [
			(one.kind === 'bars')
				? svg.node('path', { 'class': 'ws-chart-bars', 'style': colour(one), 'd': 'M3 10V3h4v7zM10 10V0h4v10z' })
				: svg.node('path', { 'class': 'ws-chart-%s'.format(one.kind ?? 'line'), 'style': colour(one), 'd': 'M0 5H18' })
		]);
	},

	/* Shows other points: [ { time, values: [ one for each series, null for nothing ] } ]. */
	show(points, now) {
		this.now = now;
		this.points = points.filter(point => point.time > now - SPAN);
		this.draw();
	},

	x(time) {
		return this.width * (1 - (this.now - time) / SPAN);
	},

	draw() {
		const width = this.drawing.clientWidth;

		if (!width)
			return;

		this.width = width;
		this.drawing.setAttribute('viewBox', '0 0 %d %d'.format(width, HEIGHT));

		const { series, format, least } = this.options;
		const floor = HEIGHT - FOOT;
		const own = this.points.flatMap(point => point.values.filter((value, n) => value != null && series[n].kind !== 'bars'));
		const levels = ticks(Math.max(0, ...own), least);
		const y = (value, top) => floor - (floor - HEAD) * value / top;

		this.axis.replaceChildren(
			...levels.flatMap((level, n) => [
				svg.node('line', { 'x1': 0, 'x2': width, 'y1': y(level, levels.at(-1)), 'y2': y(level, levels.at(-1)) }),
				...(n ? [ svg.node('text', { 'x': 2, 'y': y(level, levels.at(-1)) - 3 }, [ format(level) ]) ] : [])
			]),
			...this.times(width)
		);

		series.forEach((one, n) => {
			const top = (one.kind === 'bars') ? 100 : levels.at(-1);
			const places = this.points.map(({ time, values }) => (values[n] == null) ? null : [ this.x(time), y(values[n], top) ]);

			this.lines[n].setAttribute('d', (one.kind === 'bars') ? this.bars(places, floor) : path(places));
			this.fills[n]?.setAttribute('d', path(places, floor));
		});
		this.tell();
	},

	/* A bar for each value above nothing. */
	bars(places, floor) {
		const wide = Math.max(2, this.width * 3000 / SPAN - 1);

		return places.filter(place => place && place[1] < floor - 0.5)
			.map(([ x, y ]) => 'M%s %sV%sh%sV%sZ'.format((x - wide).toFixed(1), floor, y.toFixed(1), wide.toFixed(1), floor)).join('');
	},

	/* The minutes along the foot. */
	times(width) {
		const minutes = Math.round(SPAN / 60000);
		const every = (width < 300) ? 2 : 1;
		const texts = [];

		for (let minute = 0; minute < minutes; minute += every)
			texts.push(svg.node('text', {
				'x': this.x(this.now - minute * 60000) - (minute ? 0 : 2), 'y': HEIGHT - 4, 'text-anchor': minute ? 'middle' : 'end'
			}, [ minute ? _('−%d min').format(minute) : _('now') ]));

		return texts;
	},

	/* The point that the cursor stands at; without one, the last. */
	current() {
		if (this.cursor == null)
			return this.points.at(-1);

		return this.points.reduce((best, point) =>
			(!best || Math.abs(point.time - this.cursor) < Math.abs(best.time - this.cursor)) ? point : best, null);
	},

	/* The values in the legend, and for screen readers. */
	tell() {
		const { series, format } = this.options;
		const current = this.current();
		const moment = (this.cursor == null || !current) ? _('now') : units.moment(Math.round(current.time / 1000));
		const values = series.map((one, n) => (current?.values[n] == null) ? '–' : (one.format ?? format)(current.values[n]));

		this.values.forEach((node, n) => node.textContent = values[n]);
		this.moment.textContent = moment;
		this.drawing.setAttribute('aria-valuenow', current ? Math.round((current.time - this.now) / 1000) : 0);
		this.drawing.setAttribute('aria-valuetext', [ moment, ...series.map((one, n) => one.name + ' ' + values[n]) ].join(', '));

		const x = (this.cursor == null || !current) ? -10 : this.x(current.time);

		this.mark.setAttribute('x1', x);
		this.mark.setAttribute('x2', x);
	},

	move(time) {
		this.cursor = time;
		this.tell();
	},

	point(ev) {
		const box = this.drawing.getBoundingClientRect();

		this.move(this.now - SPAN * (1 - (ev.clientX - box.left) / box.width));
	},

	/* The cursor keys go from point to point. */
	key(ev) {
		const at = this.points.indexOf(this.current());
		const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: this.points.length - 1 }[ev.key];

		if (ev.key === 'Escape')
			this.move(null);
		else if (to == null)
			return;
		else if (this.points[to])
			this.move(this.points[to].time);

		ev.preventDefault();
	}
});

return baseclass.extend({
	ticks,
	path,

	/*
	 * A chart: { node, show(points, now) }. Options: title; format(value) for labels and values; least, the smallest top of the axis;
	 * series: [ { name, colour (CSS), kind: line (default) | dashed | area | bars (0 to 100 percent of the height), format } ].
	 */
	create(options) {
		return new Chart(options);
	}
});
