'use strict';
'require dom';
'require rpc';
'require uci';
'require view';
'require wansplit.api as api';
'require wansplit.page as page';
'require wansplit.setup.answers as answering';
'require wansplit.setup.apply as applying';
'require wansplit.setup.facts as facts';
'require wansplit.setup.fields as fields';
'require wansplit.setup.goal as goal';
'require wansplit.setup.links as links';
'require wansplit.setup.plan as plan';
'require wansplit.setup.summary as summary';
'require wansplit.setup.text as text';
'require wansplit.setup.watch as watch';

/*
 * The wizard: from nothing to links that are used. It finds and asks; what it makes of the answers is in wansplit/setup/*.js.
 */

const callDump = rpc.declare({ object: 'network.interface', method: 'dump', expect: { 'interface': [] } });

const STEPS = [ [ 'links', links ], [ 'goal', goal ], [ 'watch', watch ], [ 'summary', summary ] ];

return view.extend({
	/* Only the last step writes, by a button of its own. */
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load() {
		if (L.hasViewPermission() !== true)
			return null;

		return Promise.all([
			L.resolveDefault(callDump(), []),
			L.resolveDefault(uci.load('firewall').then(() => facts.zones(uci.sections('firewall'))), null),
			api.hostHints(),
			api.others(),
			uci.load('wansplit')
		]);
	},

	/* `found` is null for somebody who may only look. */
	render(found) {
		this.root = E('div', {
			'class': 'ws-setup',
			/* Return in a field goes on, as in any form. */
			'keydown': ev => {
				if (ev.key === 'Enter' && ev.target.matches('input[type="text"]'))
					this.go(this.step + 1);
			}
		});

		if (found == null)
			dom.content(this.root, [ fields.box('notice', [ _('You may look at this router, but not change it. Sign in as somebody who may, to set the links up.') ]) ]);
		else if (applying.isFinishing())
			this.finish();
		else
			this.begin(found);

		return E([], [
			...page.style('setup'),
			page.heading(_('Set-up'), _('A few questions, and each kind of traffic leaves by the link you want. Nothing is changed before the last step.')),
			this.root
		]);
	},

	begin([ dump, zones, hints, others ]) {
		const found = facts.findLinks(dump, zones);

		this.step = 0;
		this.state = {
			links: found, others,
			hosts: facts.clients(hints, dump),
			answers: answering.start(found),
			present: text.fromUci(uci.sections('wansplit')),
			imported: {},
			readImport: program => this.readImport(program)
		};
		this.draw();
	},

	/* Another program's configuration, read once. */
	readImport(program) {
		return api.importFrom(program).then(found => {
			this.state.imported[program] = found ?? { error: _('The router could not read it.') };
		});
	},

	/* The sections that the answers make, as soon as the last step is shown; and what the router says of them. */
	prepare() {
		const { answers, imported, present } = this.state;
		const globals = present.find(({ type }) => type === 'globals')?.options ?? {};
		this.state.sections = (answers.goal === 'import')
			? plan.takenOver(imported[answers.source].sections, globals)
			: plan.sections(this.state.links, answers, globals);
		this.state.checked = null;

		const asked = this.state.sections;

		api.check(text.uci(asked)).then(checked => {
			if (this.state.sections !== asked)
				return;

			this.state.checked = checked ?? false;
			this.draw(true);
		});
	},

	problems() {
		const { links: found, answers, imported } = this.state;
		const name = STEPS[this.step][0];

		if (name === 'goal' && answers.goal === 'import')
			return imported[answers.source]?.sections ? [] : [ _('This configuration cannot be taken over. Choose another card.') ];

		return answering.problems(name, found, answering.settled(found, answers));
	},

	go(step) {
		const found = (step > this.step) ? this.problems() : [];

		if (found.length > 0) {
			dom.content(this.root.querySelector('.ws-setup-problems'), [ fields.box('warning', found) ]);
			return;
		}

		/* Another program's configuration says itself how links are watched. */
		if (STEPS[step][0] === 'watch' && this.state.answers.goal === 'import')
			step += (step > this.step) ? 1 : -1;

		this.step = step;
		if (STEPS[step][0] === 'summary')
			this.prepare();

		this.draw();
		this.root.querySelector('h3').focus();
	},

	/* `again`: something else of the same step is shown; what had the focus has it afterwards. */
	draw(again) {
		const [ name, module ] = STEPS[this.step];
		const last = this.step === STEPS.length - 1;
		const place = again ? this.focused() : -1;

		dom.content(this.root, [
			E('ol', { 'class': 'ws-setup-steps' }, STEPS.map(([ , { title } ], i) =>
				E('li', { 'aria-current': (i === this.step) ? 'step' : null }, [ title ]))),
			E('h3', { 'tabindex': '-1' }, [ module.title ]),
			E('p', {}, [ module.intro ]),
			E('div', { 'class': 'ws-setup-step', 'data-step': name }, [ ...module.draw(this.state, () => this.draw(true)) ]),
			E('div', { 'class': 'ws-setup-problems', 'aria-live': 'polite' }),
			E('div', { 'class': 'cbi-page-actions ws-setup-actions' }, [
				this.step ? fields.button(_('Back'), () => this.go(this.step - 1), 'neutral') : '',
				last
					? fields.button(_('Save & Apply'), () => this.write(), 'apply important', { 'disabled': summary.ready(this.state) ? null : '' })
					: fields.button(_('Next'), () => this.go(this.step + 1), 'positive important')
			])
		]);

		if (place >= 0)
			this.focusable()[place]?.focus();
	},

	focusable() {
		return [ ...this.root.querySelectorAll('input, select, textarea, button, summary') ];
	},

	focused() {
		return this.focusable().indexOf(document.activeElement);
	},

	write() {
		const button = this.root.querySelector('.cbi-button-apply');

		/* Pressed twice it would write twice. */
		button.disabled = true;

		return applying.write(this.state.sections).catch(error => {
			button.disabled = false;
			dom.content(this.root.querySelector('.ws-setup-problems'), [
				fields.box('warning', [ _('It could not be saved: %s').format(error?.message ?? error) ])
			]);
		});
	},

	/* After the changes were confirmed: the daemon, and then what it says. */
	finish() {
		const status = L.url('admin/network/wansplit/status');

		dom.content(this.root, [ E('p', { 'class': 'spinning' }, [ _('Saved. The links are being taken into use…') ]) ]);

		applying.finish().then(answer => {
			if (answer) {
				window.location = status;
				return;
			}

			dom.content(this.root, [
				fields.box('warning', [ _('The configuration is saved, but wansplit does not answer. Look at Status → System Log for what it says.') ]),
				E('p', {}, [ E('a', { 'class': 'btn cbi-button', 'href': status }, [ _('Go to the status page') ]) ])
			]);
		});
	}
});
