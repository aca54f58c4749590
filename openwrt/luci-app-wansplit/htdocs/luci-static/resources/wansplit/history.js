'use strict';
'require baseclass';
'require wansplit.words as words';

/*
 * The last minutes of each link: what the charts show. The samples are kept in the browser's session, so that they survive
 * a change of page.
 *
 * Rates are counted from the byte counters of successive samples and our own clock. The daemon's `rx_rate` counts from
 * whenever anybody asked for the status the last time, be it another page a moment ago.
 */
const STORE = 'wansplit.history';

/* How long samples are kept. */
const KEPT = 6 * 60 * 1000;
/* Two samples farther apart say nothing about the time between them. */
const LONGEST = 12 * 1000;
/* A rate over less is noise. */
const SHORTEST = 1000;

const SIDES = [ 'ipv4', 'ipv6' ];

/* What is kept of one link: [ { device: [ received, sent ] }, round trip by IPv4, by IPv6, loss by IPv4, by IPv6 ]. */
function extract(link) {
	const counters = {};

	for (const side of SIDES.map(key => link[key]).filter(side => side?.device != null && side.rx_bytes != null))
		counters[side.device] = [ side.rx_bytes, side.tx_bytes ];

	const measured = (key, of, value) => (link[key] && words.measured(link[key])[of]) ? link[key][value] ?? null : null;

	return [ counters, ...SIDES.map(key => measured(key, 'rtt', 'rtt_ms')), ...SIDES.map(key => measured(key, 'loss', 'loss_percent')) ];
}

/* Bits a second between two samples of a link: [ down, up ]; nulls if they are of other devices, or a counter began anew. */
function rates(before, after, milliseconds) {
	const devices = Object.keys(after);
	const total = [ 0, 0 ];

	if (!devices.length || Object.keys(before).length !== devices.length)
		return [ null, null ];

	for (const device of devices) {
		for (const way of [ 0, 1 ]) {
			const bytes = after[device][way] - (before[device]?.[way] ?? Infinity);

			if (!(bytes >= 0))
				return [ null, null ];

			total[way] += bytes * 8000 / milliseconds;
		}
	}

	return total;
}

return baseclass.extend({
	/* All samples, the oldest first: [ time, { link: … } ]. */
	samples: null,

	/* Takes a status in, as of `time` (milliseconds since 1970, by the browser's clock). */
	add(status, time) {
		this.samples ??= this.load();

		const last = this.samples.at(-1);

		/* The browser's clock was put back: nothing can be said of what was before. */
		if (last && time < last[0])
			this.samples = [];
		else if (last && time - last[0] < SHORTEST)
			return;

		/* A list of pairs: a link may be called `__proto__`. */
		this.samples.push([ time, (status.links ?? []).map(link => [ link.name, extract(link) ]) ]);
		this.samples = this.samples.filter(sample => sample[0] > time - KEPT);
		this.store();
	},

	/*
	 * The points of a link's charts: { time, down, up, rtt: [ IPv4, IPv6 ], loss }, rates in bits a second, null where
	 * nothing is known. Where samples are missing there is a point without anything, so that lines end before it.
	 */
	points(name) {
		const points = [];
		const nothing = time => ({ time, down: null, up: null, rtt: [ null, null ], loss: null });
		let before = null;

		for (const [ time, links ] of this.samples ?? []) {
			const own = links.find(link => link[0] === name)?.[1];
			const passed = before ? time - before.time : 0;

			if (!own)
				continue;

			if (passed > LONGEST)
				points.push(nothing(before.time + 1));

			const [ counters, rtt4, rtt6, loss4, loss6 ] = own;
			const [ down, up ] = (before && passed <= LONGEST) ? rates(before.counters, counters, passed) : [ null, null ];
			const loss = (loss4 == null && loss6 == null) ? null : Math.max(loss4 ?? 0, loss6 ?? 0);

			points.push({ time, down, up, rtt: [ rtt4, rtt6 ], loss });
			before = { time, counters };
		}

		return points;
	},

	/* Private: what an earlier page has left. */
	load() {
		try {
			const kept = JSON.parse(sessionStorage.getItem(STORE));

			return Array.isArray(kept) ? kept.filter(sample => Array.isArray(sample) && Array.isArray(sample[1])) : [];
		}
		catch {
			return [];
		}
	},

	/* Private. A browser without storage, or with a full one, keeps the chart of this page alone. */
	store() {
		try {
			sessionStorage.setItem(STORE, JSON.stringify(this.samples));
		}
		catch {
			/* Then not. */
		}
	}
});
