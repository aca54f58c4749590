//! `wansplit status`.

use super::{Exit, Loaded, Place, apply, facts, say};
use crate::config::diagnostics::Diagnostic;
use crate::config::model::{Config, Family, LinkId};
use crate::daemon::control::Request;
use crate::daemon::control::client;
use crate::json;
use crate::kernel::Kernel;
use crate::kernel::netlink::link::Link as Device;
use crate::map::Map;
use crate::plan::Plan;
use crate::plan::ruleset::TABLE;
use crate::reconcile;
use crate::report::status::{Seen, Status as Report};
use crate::report::table::Paint;
use crate::report::text;
use crate::resolver::Resolver;
use crate::survey::{self, Survey, Trust};
use argh::FromArgs;
use serde_json::Value;

/// Shows the links, what each policy and rule uses now, and whether the kernel holds the wanted state.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "status",
    note = "Below the tables: what is odd, and where the kernel differs from what is wanted.",
    error_code(1, "the configuration has errors"),
    error_code(3, "the kernel could not be asked")
)]
pub struct Status {
    /// print it as JSON
    #[argh(switch)]
    json: bool,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Status) -> Exit {
    match attempt(place, verb) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn attempt(place: &Place, verb: &Status) -> Result<Exit, Exit> {
    let loaded = Loaded::read(place)?;
    let config = loaded.usable()?;
    // The daemon knows more: since when, round-trip times, rates.
    let status = match of_daemon(place) {
        Some(status) => status,
        None => by_ourselves(config, place)?,
    };
    if verb.json {
        say(&json::pretty(&status));
    } else {
        say(&text::text(&status, Paint::for_stdout()));
    }
    Ok(loaded.exit())
}

fn of_daemon(place: &Place) -> Option<Value> {
    let health = client::health().ok().flatten()?;
    let status = if health.runs_with(place) { client::ask(Request::Status).ok().flatten() } else { None };
    // It may not have come to its first look yet.
    status.filter(|status| status["links"].is_array())
}

fn by_ourselves(config: &Config, place: &Place) -> Result<Value, Exit> {
    let mut kernel = Kernel::new();
    let world = facts::world(config, place)?;
    let (survey, plan) = facts::plan(&mut kernel, config, &world, Trust::Kernel)?;
    let wanted = config.globals.enabled.then_some(&plan);
    let mut drift = reconcile::difference(&mut kernel, wanted).map_err(apply::refused)?.changed;
    let mut resolver = Resolver::default();
    drift.extend(resolver.difference(wanted.map(|plan| (config, plan))));
    Ok(collect(&mut kernel, &mut resolver, config, &survey, &plan, &drift, |_| Watched::default()))
}

/// What only the daemon knows: what it has seen.
#[derive(Default)]
pub(crate) struct Watched {
    /// Of each link.
    pub seen: Map<(LinkId, Family), Seen>,
    /// Its process number.
    pub daemon: Option<u32>,
    /// Whether it keeps away until `wansplit apply`, since `wansplit stop` was said.
    pub resting: bool,
    /// Bytes a second of each device.
    pub rates: Map<String, (u64, u64)>,
    /// Bytes that each metered link has carried in its period.
    pub used: Map<LinkId, u64>,
}

/// Asks the kernel for the rest of a status. `watched` is given the devices with their counters.
pub(crate) fn collect(
    kernel: &mut Kernel,
    resolver: &mut Resolver,
    config: &Config,
    survey: &Survey,
    plan: &Plan,
    drift: &[String],
    watched: impl FnOnce(&[Device]) -> Watched,
) -> Value {
    let mut problems: Vec<String> = survey.findings.iter().map(Diagnostic::in_words).collect();
    problems.extend(survey::neighbours(kernel, config, &survey.facts, plan).iter().map(Diagnostic::in_words));
    problems.extend(resolver.findings(config, plan).iter().map(Diagnostic::in_words));
    let devices = kernel.links().unwrap_or_default();
    let flows = kernel.tally_flows(config.globals.mask.bits()).ok();
    let counters = kernel.nft_counters(TABLE).ok();
    let Watched { seen, daemon, resting, rates, used } = watched(&devices);
    let report = Report {
        config,
        facts: &survey.facts,
        plan,
        devices: &devices,
        drift,
        problems: &problems,
        seen: &seen,
        daemon,
        resting,
        flows: flows.as_ref(),
        counters: counters.as_ref(),
        rates: &rates,
        used: &used,
    };
    report.json()
}
