//! The one function every verb and event ends in: compare what the kernel shall hold with what it holds, send only the
//! difference.
//!
//! Order: routes, ip rules, nftables; what is no longer wanted goes afterwards, in reverse. So a packet never meets a
//! mark without its rule, or a rule without its table. Only ways out of a table that holds back come last: see [`guard`].
//! If a step is refused, what was done is taken back, last step
//! first, and the old state works as before.

pub mod changes;
mod fill;
pub mod flows;
mod guard;
pub mod neighbours;
pub mod transactions;
mod undo;

use crate::kernel::netlink::rule::Rules;
use crate::kernel::sysctl::{self, Key, Sysctls};
use crate::kernel::{Error, Kernel, rt_tables};
use crate::plan::ruleset::{Fill, TABLE};
use crate::plan::state::Route;
use crate::plan::{Plan, Sysctl};
use changes::{Changes, World, changes};
use nix::errno::Errno;
use std::path::Path;
use transactions::Work;
use undo::Undo;

/// Rounds of "compare and send" after which we give up: somebody else keeps changing the same things.
const ROUNDS: u32 = 4;

/// What a run did.
#[derive(Debug, Default)]
pub struct Report {
    /// What was changed, a line each.
    pub changed: Vec<String>,
    /// What went wrong without harm: the new state works.
    pub warnings: Vec<String>,
    /// What is missing: the rest of the new state works.
    pub missing: Vec<String>,
    /// Sets that the resolver fills were made, and are empty.
    pub made_sets: bool,
}

impl Report {
    /// Adds what another part of the run did.
    pub fn add(&mut self, other: Self) {
        self.changed.extend(other.changed);
        self.warnings.extend(other.warnings);
        self.missing.extend(other.missing);
        self.made_sets |= other.made_sets;
    }
}

/// Why a run failed. The state from before is back, unless `left` says what could not be taken back.
#[derive(Debug)]
pub struct Failed {
    /// What the kernel refused.
    pub error: Error,
    /// What could not be taken back.
    pub left: Vec<Error>,
    /// Whether it is not known what `nft` did; then nothing was taken back that its work may stand on.
    pub unclear: bool,
}

/// The longest list of addresses whose length is looked at each time. Longer ones are compared when the configuration is
/// read.
const LONGEST: u32 = 1024;

/// Reads what the kernel holds of ours. Counting the entries of a map takes as long as reading them.
fn world(kernel: &mut Kernel, plan: Option<&Plan>, count_entries: bool) -> Result<World, Error> {
    let links = kernel.links()?;
    let ruleset = plan.map(|plan| &plan.ruleset);
    let counted = |name: &str| {
        let Some(map) = ruleset.and_then(|ruleset| ruleset.maps.iter().find(|map| map.name == name)) else {
            return false;
        };
        count_entries
            && match map.fill {
                Fill::Fixed => true,
                Fill::Resolver(..) | Fill::Learned(_) => false,
                Fill::Listed(..) => ruleset.is_some_and(|own| {
                    own.lists.iter().any(|list| list.name == name && list.listed().count <= LONGEST)
                }),
            }
    };
    let table = kernel.nft_table(TABLE, &counted)?;
    Ok(World { routes: kernel.routes(&links)?, rules: kernel.rules()?, table })
}

/// For a run that may come to [`apply`], before it reads what it shall apply: where our table is missing, `nft` will be
/// needed, and it may start meanwhile.
pub fn expect(kernel: &mut Kernel) {
    if matches!(kernel.nft_table(TABLE, &|_| false), Ok(None)) {
        kernel.nft_announce();
    }
}

/// Whether the kernel holds anything of ours.
///
/// # Errors
/// The kernel could not be asked.
pub fn is_applied(kernel: &mut Kernel) -> Result<bool, Error> {
    let held = |rules: &Rules| !rules.ours.is_empty() || !rules.odd.is_empty();
    Ok(held(&kernel.rules()?) || kernel.nft_table(TABLE, &|_| false)?.is_some())
}

/// Makes the kernel hold the plan.
///
/// # Errors
/// The kernel refused something.
pub fn apply(kernel: &mut Kernel, plan: &Plan) -> Result<Report, Failed> {
    run(kernel, Some(plan))
}

/// Makes the kernel hold the plan's routes and ip rules, and leaves nftables alone: where `nft` does not work, links still
/// come and go. Only for a plan whose marks the kernel's table knows, as far as it has one: that of a configuration which
/// was applied before.
///
/// # Errors
/// The kernel refused something.
pub fn apply_routing(kernel: &mut Kernel, plan: &Plan) -> Result<Report, Failed> {
    bring_about(kernel, Some(plan), Scope::Routing)
}

/// Removes everything of ours, and nothing else.
///
/// # Errors
/// The kernel refused something.
pub fn remove(kernel: &mut Kernel) -> Result<Report, Failed> {
    run(kernel, None)
}

/// What [`apply`] would do, or without a plan what [`remove`] would.
///
/// # Errors
/// The kernel could not be asked.
pub fn difference(kernel: &mut Kernel, plan: Option<&Plan>) -> Result<Report, Error> {
    let mut report = Report::default();
    let settings = Sysctls::default().difference(&settings(plan))?;
    report.changed = changes(plan, &world(kernel, plan, true)?).lines();
    report.changed.extend(settings.iter().map(setting_line));
    Ok(report)
}

/// The kernel's state proper, then what only goes along with it: settings of devices, and names for people.
fn run(kernel: &mut Kernel, plan: Option<&Plan>) -> Result<Report, Failed> {
    let outcome = bring_about(kernel, plan, Scope::All);
    kernel.nft_dismiss();
    let mut report = outcome?;
    let settings = Sysctls::default().apply(&settings(plan));
    report.changed.extend(settings.changed.iter().map(setting_line));
    report.missing.extend(settings.errors.iter().map(ToString::to_string));
    let names = plan.map_or(&[][..], |plan| &plan.table_names);
    report.warnings.extend(rt_tables::update(Path::new(rt_tables::PATH), names));
    Ok(report)
}

fn settings(plan: Option<&Plan>) -> Vec<(Key, String)> {
    let sysctls = plan.map_or(&[][..], |plan| &plan.sysctls).iter();
    sysctls
        .map(|sysctl| {
            let Sysctl { family, device, name, value } = sysctl.clone();
            (Key { family, device, name: name.into() }, value.into())
        })
        .collect()
}

fn setting_line(change: &sysctl::Change) -> String {
    format!("~ {change}")
}

/// What is compared and sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    /// Not nftables.
    Routing,
}

fn bring_about(kernel: &mut Kernel, plan: Option<&Plan>, scope: Scope) -> Result<Report, Failed> {
    let mut report = Report::default();
    let mut undo = Undo::default();
    for round in 0..ROUNDS {
        // nft loads all entries of a map or none: after the first round they need no counting.
        let outcome = world(kernel, plan, round == 0).and_then(|world| {
            if scope == Scope::All && transactions::are_needed(plan.map(|plan| &*plan.ruleset), world.table.as_ref()) {
                kernel.nft_announce();
            }
            let mut changes = changes(plan, &world);
            if scope == Scope::Routing {
                changes.transactions.clear();
            }
            if changes.is_empty() {
                return Ok(true);
            }
            report.changed.extend(changes.lines());
            let wanted = plan.filter(|_| scope == Scope::All).map(|plan| &*plan.ruleset);
            report.made_sets |= wanted.is_some_and(|wanted| transactions::make_sets(wanted, world.table.as_ref()));
            send(kernel, plan, &changes, &mut undo, &mut report)?;
            Ok(false)
        });
        match outcome {
            Ok(true) => return Ok(report),
            // What was sent is read again: the kernel may have understood something else.
            Ok(false) => {}
            // Nothing old is deleted before nft has ended, so the old state works whatever nft did. Look again.
            Err(error) if error.is_unclear() && round == 0 => {
                undo.forget();
                report.warnings.push(error.to_string());
            }
            Err(error) if error.is_unclear() => return Err(Failed { error, left: Vec::new(), unclear: true }),
            Err(error) => return Err(Failed { error, left: undo.run(kernel), unclear: false }),
        }
    }
    report.missing.push(
        "another program keeps changing our rules or routes; run `wansplit status` to see what is missing".into(),
    );
    Ok(report)
}

fn send(
    kernel: &mut Kernel,
    plan: Option<&Plan>,
    changes: &Changes,
    undo: &mut Undo,
    report: &mut Report,
) -> Result<(), Error> {
    if plan.is_none() {
        // Marks go before what they lead to.
        load(kernel, plan, changes, undo, report)?;
    }
    let add = |kernel: &mut Kernel, undo: &mut Undo, routes: &[Route]| {
        routes.iter().try_for_each(|route| {
            kernel.add_route(route)?;
            undo.delete_route(route);
            Ok(())
        })
    };
    let replace = |kernel: &mut Kernel, undo: &mut Undo, routes: &[(Route, Route)]| {
        routes.iter().try_for_each(|(old, new)| {
            kernel.replace_route(new)?;
            undo.replace_route(old);
            Ok(())
        })
    };
    add(kernel, undo, &changes.new_routes)?;
    replace(kernel, undo, &changes.changed_routes)?;
    // Before nftables hears of it: a connection that still left by a device we no longer know would never be stamped.
    for route in &changes.lost_routes {
        gone(kernel.delete_route(route))?;
        undo.add_route(route);
    }
    for rule in &changes.new_rules {
        kernel.add_rule(rule)?;
        undo.delete_rule(rule);
    }
    if plan.is_some() {
        load(kernel, plan, changes, undo, report)?;
    }
    for rule in &changes.old_rules {
        gone(kernel.delete_rule(rule))?;
        undo.add_rule(rule);
    }
    for rule in &changes.odd_rules {
        gone(kernel.delete_odd_rule(rule))?;
    }
    add(kernel, undo, &changes.late.new)?;
    replace(kernel, undo, &changes.late.changed)?;
    for route in &changes.old_routes {
        gone(kernel.delete_route(route))?;
        undo.add_route(route);
    }
    for route in &changes.odd_routes {
        gone(kernel.delete_odd_route(route))?;
    }
    Ok(())
}

/// What was deleted by somebody else in the meantime is gone too.
fn gone(outcome: Result<(), Error>) -> Result<(), Error> {
    outcome.or_else(|error| match error.errno() {
        Some(Errno::ENOENT | Errno::ESRCH | Errno::ENODEV) => Ok(()),
        _ => Err(error),
    })
}

/// The nftables transactions.
fn load(
    kernel: &mut Kernel,
    plan: Option<&Plan>,
    changes: &Changes,
    undo: &mut Undo,
    report: &mut Report,
) -> Result<(), Error> {
    for step in &changes.transactions {
        let document = match &step.work {
            Work::Nft(document) => document,
            Work::Fill(names) => {
                fill_all(kernel, plan, names, undo, report)?;
                continue;
            }
        };
        match kernel.nft_apply(step.purpose, document) {
            Ok(()) => match &step.undo {
                Some(document) => undo.nft(document),
                // There is no way back from here: the new rules are in use.
                None => undo.forget(),
            },
            // The new rules work; what is left lies unused until the next run.
            Err(error) if step.is_cleaning => report.warnings.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills these sets with what they list.
fn fill_all(
    kernel: &mut Kernel,
    plan: Option<&Plan>,
    names: &[String],
    undo: &mut Undo,
    report: &mut Report,
) -> Result<(), Error> {
    let lists = plan.map_or(&[][..], |plan| &plan.ruleset.lists).iter();
    for list in lists.filter(|list| names.contains(&list.name)) {
        if let Some(filled) = fill::fill(kernel, list)? {
            report.changed.push(filled.line());
            undo.filled(filled);
        }
    }
    Ok(())
}
