'use strict';
'require baseclass';

/* Numbers as people read them, in the language of the page. All functions are pure. */

const GAP = '\xa0';

/* The page's language; the browser's own, where LuCI's name of it is none that browsers know. */
function language() {
	try {
		return Intl.getCanonicalLocales(document.documentElement.lang.replace('_', '-'))[0];
	}
	catch {
		return undefined;
	}
}

/* Up to 10 with one digit behind the point, above without. */
function number(value) {
	return value.toLocaleString(language(), { maximumFractionDigits: (value < 10 && value % 1) ? 1 : 0 });
}

function scaled(value, units, first) {
	let unit = 0;

	/* 999.6 k would be rounded to 1000 k. */
	while (value >= 999.5 && unit + 1 < units.length) {
		value /= 1000;
		unit++;
	}

	return number((unit === 0 && first) ? Math.round(value) : value) + GAP + units[unit];
}

return baseclass.extend({
	number,

	/* Bytes: 3.2 GB. Units of a thousand, as providers count and as the daemon does. */
	bytes(bytes) {
		return (bytes == null) ? '–' : scaled(bytes, [ 'B', 'kB', 'MB', 'GB', 'TB', 'PB' ], true);
	},

	/* Bits a second, as providers sell links: 12.5 Mbit/s. */
	rate(bits) {
		return (bits == null) ? '–' : scaled(bits, [ _('bit/s'), _('kbit/s'), _('Mbit/s'), _('Gbit/s') ], true);
	},

	/* Milliseconds. */
	milliseconds(time) {
		return (time == null) ? '–' : _('%s ms').format(number(time)).replace(' ', GAP);
	},

	percent(value) {
		return (value == null) ? '–' : _('%s %%').format(number(value)).replace(' ', GAP);
	},

	/* Seconds in the two largest units: 3 d 4 h. */
	duration(seconds) {
		if (seconds == null)
			return '–';

		const days = Math.floor(seconds / 86400);
		const hours = Math.floor(seconds / 3600) % 24;
		const minutes = Math.floor(seconds / 60) % 60;

		let text = minutes ? _('%d min %d s').format(minutes, seconds % 60) : _('%d s').format(seconds);

		if (days)
			text = _('%d d %d h').format(days, hours);
		else if (hours)
			text = _('%d h %d min').format(hours, minutes);

		return text.replaceAll(' ', GAP);
	},

	/* A time of the router's clock, seconds since 1970: without the day if it is today. */
	moment(seconds) {
		const then = new Date(seconds * 1000);
		const time = then.toLocaleTimeString(language());

		return (then.toDateString() === new Date().toDateString()) ? time : then.toLocaleDateString(language()) + ' ' + time;
	}
});
