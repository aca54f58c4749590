//! `wansplit check`.

use super::{Exit, Loaded, Place, apply, complain, facts, say};
use crate::bus::Caller;
use crate::config::diagnostics::Diagnostic;
use crate::config::model::Config;
use crate::doctor;
use crate::json;
use crate::kernel::Kernel;
use crate::map::Set;
use crate::network::netifd::Dump;
use crate::plan;
use crate::resolver::Resolver;
use crate::sort;
use crate::survey::{self, Depth, Survey, Trust, rivals};
use argh::FromArgs;
use std::path::Path;

/// Says all that is wrong with the configuration, and what is probably not meant. Changes nothing.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "check",
    example = "wansplit --config /tmp/new check",
    error_code(1, "the configuration has errors"),
    error_code(3, "the kernel could not be asked"),
    error_code(4, "with --enabled: switched off, or no link")
)]
pub struct Check {
    /// print the findings as JSON
    #[argh(switch)]
    json: bool,

    /// only say whether there is anything to do by this configuration: exit code 4 if it is switched off, or has no link
    #[argh(switch)]
    enabled: bool,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Check) -> Exit {
    let mut loaded = match Loaded::read(place) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    if verb.enabled {
        return enabled(&loaded);
    }
    if let Err(exit) = look_around(place, &mut loaded) {
        return exit;
    }
    if verb.json {
        let records: Vec<_> = loaded.diagnostics.iter().map(|finding| finding.record(&loaded.file)).collect();
        say(&json::pretty(&records));
    } else {
        loaded.print_findings();
        if loaded.diagnostics.iter().all(Diagnostic::is_harmless) {
            say(&summary(&loaded));
        }
    }
    loaded.exit()
}

/// Adds what is found when the configuration is held against the world.
pub(super) fn look_around(place: &Place, loaded: &mut Loaded) -> Result<(), Exit> {
    let Some(config) = &loaded.config else { return Ok(()) };
    let mut kernel = Kernel::new();
    let world = facts::world(config, place)?;
    let survey = facts::survey(&mut kernel, config, &world, Trust::File)?;
    let running = rivals::running(&mut Caller::new(None));
    let around = Around { dump: world.account.dump(), place, depth: Depth::Thorough };
    loaded.diagnostics.extend(findings(&mut kernel, config, survey, &running, &around));
    sort::by_key(&mut loaded.diagnostics, |finding| finding.at);
    Ok(())
}

/// Who starts the daemon asks this. An empty configuration, and one of no use, are not "switched off": as long as there
/// is nothing better, the daemon holds what the kernel has, or what it knew before.
fn enabled(loaded: &Loaded) -> Exit {
    match loaded.config.as_ref().filter(|_| !loaded.is_blank).and_then(apply::nothing_to_do) {
        Some(why) => {
            complain(why);
            Exit::Nothing
        }
        None => Exit::Done,
    }
}

/// Where else to look for what is wrong.
pub(crate) struct Around<'a> {
    /// netifd's account.
    pub dump: Option<&'a Dump>,
    /// Where our configuration is, and others beside it.
    pub place: &'a Place,
    /// Whether other programs may be asked.
    pub depth: Depth,
}

/// What is odd about the world, and what is probably not meant. `running` are those other programs that run for sure.
pub(crate) fn findings(
    kernel: &mut Kernel,
    config: &Config,
    survey: Survey,
    running: &Set<&'static str>,
    around: &Around,
) -> Vec<Diagnostic> {
    let mut findings = survey.findings;
    findings.extend(rivals::rivals(Path::new(rivals::STARTED_AT_BOOT), running));
    findings.extend(plan::review::review(config, &survey.facts));
    match plan::plan(config, &survey.facts) {
        Ok(plan) => {
            findings.extend(survey::neighbours(kernel, config, &survey.facts, &plan));
            findings.extend(Resolver::default().findings(config, &plan));
            let folder = Path::new(&around.place.config).parent().unwrap_or(Path::new("/"));
            let router = survey::router(kernel, config, &survey.facts, &plan, around.dump, folder, around.depth);
            findings.extend(doctor::findings(config, &survey.facts, &plan, &router));
        }
        Err(shortage) => findings.push(survey::shortage(&shortage)),
    }
    findings
}

fn summary(loaded: &Loaded) -> String {
    let Some(config) = &loaded.config else { return String::new() };
    let count = |n: usize, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
    format!(
        "{}: {}, {}, {}{}",
        loaded.file,
        count(config.links.len(), "link", "links"),
        count(config.policies.len(), "policy", "policies"),
        count(config.rules.len(), "rule", "rules"),
        if config.globals.enabled {
            ": no errors"
        } else {
            ": no errors, but it is switched off (globals: enabled '0')"
        },
    )
}
