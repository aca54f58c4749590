'use strict';
'require baseclass';
'require uci';
'require wansplit.api as api';
'require wansplit.live as live';
'require wansplit.problems as problems';

/*
 * What is not as it should be, each in a box: no service, a kernel that differs from what is wanted, problems that the daemon
 * tells of.
 */

const SETUP = () => L.url('admin/network/wansplit/setup');
const LOG = () => L.url('admin/status/logs/syslog');

function box(level, ...children) {
	return E('div', { 'class': 'alert-message %s'.format(level) }, [ ...children ]);
}

function way(url, text) {
	return E('a', { 'class': 'btn cbi-button cbi-button-action', 'href': url }, [ text ]);
}

/* What the configuration says while no daemon answers: unset, off, on. Null without the right to read it. */
async function configured() {
	uci.unload('wansplit');

	try {
		await uci.load('wansplit');
	}
	catch {
		return null;
	}

	if (!uci.sections('wansplit', 'link').length)
		return 'unset';

	const globals = uci.sections('wansplit', 'globals')[0];

	return [ '1', 'on', 'true', 'yes', 'enabled' ].includes(globals?.enabled) ? 'on' : 'off';
}

const Trouble = baseclass.extend({
	__init__(again) {
		this.again = again;
		this.differed = 0;
		this.absence = E('div');
		this.outcome = E('div', { 'role': 'status' });
		this.drift = E('div');
		this.problems = E('div');
		this.node = E('div', {}, [ this.absence, this.outcome, this.drift, this.problems ]);
	},

	/* No daemon answers. */
	async absent() {
		const state = await configured();

		live.show(this.drift, false);
		live.show(this.problems, false);
		live.fill(this.absence, [ 'absent', state ], () => this.explain(state));
	},

	/* What a state of the configuration means, and the way out of it for whom may take it. */
	explain(state) {
		const mayWrite = L.hasViewPermission();

		switch (state) {
		case 'unset':
			return box('notice',
				E('h4', {}, [ _('No Internet link is set up yet') ]),
				E('p', {}, [ _('Tell the router which Internet links it has, and what is to go by which. It takes a minute or two.') ]),
				...(mayWrite ? [ way(SETUP(), _('Set up')) ] : [])
			);

		case 'off':
			return box('notice',
				E('h4', {}, [ _('Link splitting is switched off') ]),
				E('p', {}, [ _('The links are configured, but the router does not use it: everything goes the way it would without.') ]),
				...(mayWrite ? [ way(SETUP(), _('Go to Set-up')) ] : [])
			);

		case 'on':
			return box('warning',
				E('h4', {}, [ _('Link splitting is switched on, but its service does not run') ]),
				E('p', {}, [ _('Routes that it has left still work, but nobody tests the links and nothing is switched over.') ]),
				...(mayWrite ? [ this.button(_('Start it'), () => this.start()), ' ' ] : []),
				way(LOG(), _('See the system log'))
			);

		default:
			return box('warning', E('p', {}, [ _('The service does not answer, and its configuration cannot be read with your rights.') ]));
		}
	},

	/* The daemon's status. */
	show(status) {
		live.fill(this.absence, [ status.error, status.enabled, status.resting ], () => this.halted(status));

		/* The kernel is a moment behind whenever a link changes: that is no drift yet. */
		this.differed = (status.in_sync === false) ? this.differed + 1 : 0;

		const drift = status.drift ?? [];

		live.show(this.drift, this.differed > 1);
		live.fill(this.drift, [ this.differed > 1, drift ], () => (this.differed > 1) ? this.differs(drift) : []);

		const told = status.problems ?? [];

		live.show(this.problems, told.length);
		live.fill(this.problems, told, () => told.map(text => {
			const problem = problems.problem(text);

			return box(problem.level, E('strong', {}, [ _('%s:').format(problem.word) ]), ' ', problem.text);
		}));
	},

	/* A daemon that runs, but has nothing to show. */
	halted(status) {
		if (status.error)
			return box('warning',
				E('h4', {}, [ _('Nothing is in force') ]),
				E('p', {}, [ status.error === 'nothing is applied'
					? _('The configuration could not be made to work. What is wrong with it stands below, or in the system log.')
					: _('The configuration could not be read yet.') ]),
				way(LOG(), _('See the system log'))
			);

		if (status.enabled === false)
			return this.explain('off');

		if (status.resting)
			return box('notice',
				E('h4', {}, [ _('Link splitting has been stopped') ]),
				E('p', {}, [ _('Somebody has stopped it by hand (wansplit stop): everything goes the way it would without.') ]),
				...(L.hasViewPermission() ? [ this.button(_('Go on'), () => this.repair(_('Link splitting works again.'))) ] : [])
			);

		return [];
	},

	differs(lines) {
		return box('warning',
			E('h4', {}, [ _('The router differs from what is configured') ]),
			E('p', {}, [ _('Routes or rules are not as they should be: another program may have changed them. Until it is repaired, some traffic may take another link.') ]),
			...(L.hasViewPermission() ? [ this.button(_('Repair'), () => this.repair(_('Repaired: the router does what is configured.'))) ] : []),
			E('details', {}, [
				E('summary', {}, [ _('What differs (%d)').format(lines.length) ]),
				E('p', {}, [ _('+ is missing, - is too much, ~ is different') ]),
				E('pre', { 'class': 'ws-lines' }, [ lines.join('\n') ])
			])
		);
	},

	/* A button that can be pressed once at a time. */
	button(text, task) {
		return E('button', {
			'class': 'btn cbi-button cbi-button-apply',
			'type': 'button',
			'click': async ev => {
				const button = ev.currentTarget;

				button.disabled = true;
				button.classList.add('spinning');
				live.fill(this.outcome, null, () => []);

				try {
					await task();
				}
				catch (error) {
					this.tell('error', _('That did not work: %s').format(error.message ?? error));
				}

				button.disabled = false;
				button.classList.remove('spinning');
				await this.again();
			}
		}, [ text ]);
	},

	/* What has come of it. Good news need not stay. */
	tell(level, text) {
		live.fill(this.outcome, [ level, text, Date.now() ], () => box(level, text));
		window.clearTimeout(this.fading);

		if (level === 'success')
			this.fading = window.setTimeout(() => live.fill(this.outcome, null, () => []), 20000);
	},

	async repair(success) {
		const status = await api.repair();

		if (status === null || typeof status !== 'object')
			this.tell('error', _('The service did not answer. Is it running?'));
		else if (status.in_sync)
			this.tell('success', success);
		else
			this.tell('warning', _('The router still differs from what is configured: see what differs, and the system log.'));
	},

	async start() {
		const result = await api.startService();

		if (result?.code)
			this.tell('error', _('The service could not be started: %s').format((result.stderr || result.stdout || result.code)));
		else
			this.tell('success', _('The service has been started. It may take a few seconds until it answers.'));
	}
});

return baseclass.extend({
	/* The boxes: { node, absent(), show(status) }; `again()` is called when a button has changed something. */
	create(again) {
		return new Trouble(again);
	}
});
