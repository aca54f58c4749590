//! `wansplit check`.

use super::{Exit, Loaded, Place, facts, say};
use crate::config::diagnostics::Diagnostic;
use crate::kernel::Kernel;
use crate::plan;
use crate::sort;
use argh::FromArgs;

/// Validates the configuration: all that is wrong with it, and what is probably not meant. Changes nothing.
#[derive(FromArgs)]
#[argh(subcommand, name = "check")]
pub struct Check {
    /// print the findings as JSON
    #[argh(switch)]
    json: bool,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Check) -> Exit {
    let mut loaded = match Loaded::read(place) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    if let Some(config) = &loaded.config {
        let mut kernel = Kernel::new();
        match facts::gather(&mut kernel, config, place, facts::Trust::File) {
            Ok(gathered) => {
                loaded.diagnostics.extend(gathered.findings);
                loaded.diagnostics.extend(plan::review::review(config, &gathered.facts));
                match plan::plan(config, &gathered.facts) {
                    Ok(plan) => loaded.diagnostics.extend(facts::neighbours(&mut kernel, config, &plan)),
                    Err(shortage) => loaded.diagnostics.push(facts::shortage(&shortage)),
                }
            }
            Err(exit) => return exit,
        }
        sort::by_key(&mut loaded.diagnostics, |finding| finding.at);
    }
    if verb.json {
        let records: Vec<_> = loaded.diagnostics.iter().map(|finding| finding.record(&loaded.file)).collect();
        say(&serde_json::to_string_pretty(&records).unwrap_or_default());
    } else {
        loaded.print_findings();
        if loaded.diagnostics.iter().all(Diagnostic::is_harmless) {
            say(&summary(&loaded));
        }
    }
    loaded.exit()
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
