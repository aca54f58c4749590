//! What a verb starts from: the interfaces, the kernel's account, and what a running daemon's probes have shown.

use super::{Exit, Place, apply, complain};
use crate::bus::Caller;
use crate::config::model::Config;
use crate::daemon::control::client;
use crate::kernel::Kernel;
use crate::network::firewall::Firewall;
use crate::plan::{self, Plan};
use crate::survey::{self, Account, Standings, Survey, Trust};

/// What is to be joined with the kernel's account.
pub struct World {
    /// netifd's account.
    pub account: Account,
    /// What a running daemon's probes have shown.
    pub standings: Standings,
    /// What the firewall's configuration says.
    pub firewall: Firewall,
}

/// Asks netifd, or reads the file that stands in for it, and asks the daemon, if one runs.
pub fn world(config: &Config, place: &Place) -> Result<World, Exit> {
    let account = match &place.network {
        Some(file) => Account::Known(survey::account_in(file).map_err(|error| {
            complain(&error);
            Exit::Config
        })?),
        None => survey::account_of_netifd(config, &mut Caller::new(None)),
    };
    Ok(World { account, standings: standings(place), firewall: survey::firewall(&place.firewall()) })
}

/// What a daemon's probes have shown, if it runs with the same files. A daemon that does not answer has nothing to say:
/// it is about to look by itself.
fn standings(place: &Place) -> Standings {
    match client::health() {
        Ok(Some(health)) if health.runs_with(place) => health.standings,
        _ => Standings::new(),
    }
}

/// Gathers the facts; where that fails, says why.
pub fn survey(kernel: &mut Kernel, config: &Config, world: &World, trust: Trust) -> Result<Survey, Exit> {
    let known = survey::remembered(kernel, config);
    let mut survey =
        survey::survey(kernel, config, &world.account, trust, &known, &world.firewall).map_err(apply::refused)?;
    survey::judge(config, &mut survey.facts, &world.standings);
    Ok(survey)
}

/// Gathers the facts and computes the wanted state; where that fails, says why.
pub fn plan(kernel: &mut Kernel, config: &Config, world: &World, trust: Trust) -> Result<(Survey, Plan), Exit> {
    let survey = survey(kernel, config, world, trust)?;
    let plan = plan::plan(config, &survey.facts).map_err(|shortage| {
        complain(&format!("nothing was changed: {shortage}; choose a mask with more bits"));
        Exit::Config
    })?;
    Ok((survey, plan))
}

/// Prints what is odd about the world, a line each.
pub fn print_findings(survey: &Survey) {
    for finding in &survey.findings {
        complain(&finding.in_words());
    }
}
