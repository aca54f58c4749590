//! Has dnsmasq fill the sets of domains: a file of ours beside its configuration, and a restart when that changes.
//!
//! Order: the sets are in the kernel before dnsmasq is told of them, and it is restarted last. Between the two it may
//! complain of a set for an answer or two; the answers themselves are given all the same.

mod file;
mod places;
mod program;
pub mod restart;
mod run;

use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Config, SetId};
use crate::config::source::Position;
use crate::plan::Plan;
use crate::plan::resolver::{Crowded, Snippet, snippet};
use crate::plan::ruleset::Fill;
use crate::reconcile::Report;
use places::Places;
use program::{Ability, Program};
use std::path::{Path, PathBuf};

/// What we are to dnsmasq.
#[derive(Debug, Default)]
pub struct Resolver {
    program: Program,
}

/// What shall be where.
struct Wanted {
    text: String,
    domains: usize,
    directories: Vec<PathBuf>,
    /// Why that is not all that the configuration asks for.
    missing: Vec<String>,
    /// Nothing is known of dnsmasq: what is in place stays.
    unknown: bool,
    /// The dnsmasq here does not even start with our lines.
    fatal: bool,
}

/// Whether a plan has sets that dnsmasq is to fill.
#[must_use]
pub fn is_needed(plan: &Plan) -> bool {
    plan.ruleset.maps.iter().any(|map| matches!(map.fill, Fill::Resolver(..)))
}

impl Resolver {
    /// Tells dnsmasq what a plan says. `sets_are_new`: the kernel has only just got them, or some, and they are empty.
    /// What this changes counts when dnsmasq has been restarted: see [`restart`].
    pub fn tell(&mut self, config: &Config, plan: &Plan, sets_are_new: bool) -> Report {
        let wanted = self.want(config, plan);
        let mut report = Report { missing: wanted.missing.clone(), ..Report::default() };
        if wanted.unknown {
            return report;
        }
        let stale = self.stale(&wanted.directories);
        take_away(&stale, wanted.fatal, &mut report);
        let outdated = outdated(&wanted, &mut report);
        let mut told = true;
        for path in &outdated {
            match file::note(&wanted.directories).and_then(|()| self.write(path, &wanted.text)) {
                Ok(()) => report.changed.push(line('+', path, wanted.domains)),
                Err(why) => {
                    told = false;
                    report.missing.push(why);
                }
            }
        }
        // What dnsmasq answers out of its memory fills nothing: it has to forget.
        if sets_are_new && told && outdated.is_empty() && !wanted.directories.is_empty() {
            restart::owe(false).unwrap_or_else(|why| report.missing.push(why));
        }
        report
    }

    /// Whether dnsmasq is another program than the one that was asked last.
    #[must_use]
    pub fn has_another_program(&self) -> bool {
        self.program.is_another()
    }

    /// Takes back everything dnsmasq was told.
    pub fn forget(&mut self) -> Report {
        let mut report = Report::default();
        take_away(&self.stale(&[]), false, &mut report);
        report
    }

    /// What [`Resolver::tell`] would change, or without a plan [`Resolver::forget`].
    pub fn difference(&mut self, wanted: Option<(&Config, &Plan)>) -> Vec<String> {
        let Some((config, plan)) = wanted else {
            return self.stale(&[]).iter().map(|path| line('-', path, 0)).collect();
        };
        let wanted = self.want(config, plan);
        if wanted.unknown {
            return Vec::new();
        }
        let mut lines: Vec<String> =
            self.stale(&wanted.directories).iter().map(|path| line('-', path, wanted.domains)).collect();
        let outdated = outdated(&wanted, &mut Report::default());
        lines.extend(outdated.iter().map(|path| line('+', path, wanted.domains)));
        lines
    }

    /// Why dnsmasq will not fill all sets, at the first place in the configuration that wants it to.
    pub fn findings(&mut self, config: &Config, plan: &Plan) -> Vec<Diagnostic> {
        let first = plan.ruleset.maps.iter().find_map(|map| match map.fill {
            Fill::Resolver(set, _) => Some(set),
            _ => None,
        });
        let at = first.map_or(Position::default(), |set| config[set].at);
        let finding = |message: String| {
            let (message, help) = message.split_once(": ").unwrap_or((&message, ""));
            let finding = Diagnostic::new(Severity::Warning, at, message);
            let finding = match first {
                Some(set) => finding.in_section(owner(config, set)),
                None => finding,
            };
            finding.help(help)
        };
        self.want(config, plan).missing.into_iter().map(finding).collect()
    }

    fn want(&mut self, config: &Config, plan: &Plan) -> Wanted {
        let mut wanted = Wanted {
            text: String::new(),
            domains: 0,
            directories: Vec::new(),
            missing: Vec::new(),
            unknown: false,
            fatal: false,
        };
        if !is_needed(plan) {
            return wanted;
        }
        match self.program.ability() {
            Ability::Fills => {}
            Ability::Lacks => wanted.fatal = true,
            Ability::Absent => {}
            Ability::Unknown(_) => wanted.unknown = true,
        }
        if let Some(why) = self.program.ability().complaint() {
            wanted.missing.push(why);
            return wanted;
        }
        let Snippet { text, domains, crowded } = snippet(config, &plan.ruleset);
        let Places { directories, complaints } = places::places(&config.globals.dnsmasq_dirs);
        wanted.missing.extend(complaints);
        wanted.missing.extend(crowded.iter().map(|crowded| too_many(config, crowded)));
        Wanted { text, domains, directories, ..wanted }
    }

    /// Files of ours that are not among the wanted ones.
    fn stale(&self, wanted: &[PathBuf]) -> Vec<PathBuf> {
        let mut known = file::noted();
        known.extend(places::of_openwrt().directories);
        let mut stale: Vec<PathBuf> = Vec::new();
        for directory in known.into_iter().filter(|directory| !wanted.contains(directory)) {
            let path = file::path(&directory);
            if !stale.contains(&path) && file::read(&path).is_ok_and(|text| file::is_ours(&text)) {
                stale.push(path);
            }
        }
        stale
    }

    /// Puts the lines in place, if dnsmasq understands them: else it would not start.
    fn write(&self, path: &Path, text: &str) -> Result<(), String> {
        let draft = file::draft(path, text)?;
        self.program.test(draft.path())?;
        with_restart(false, || draft.put(path))
    }
}

/// The wanted files that are not there, or not as they should be.
fn outdated(wanted: &Wanted, report: &mut Report) -> Vec<PathBuf> {
    let mut outdated = Vec::new();
    for path in wanted.directories.iter().map(|directory| file::path(directory)) {
        match file::read(&path) {
            Ok(text) if text == wanted.text => {}
            Ok(text) if text.is_empty() || file::is_ours(&text) => outdated.push(path),
            Ok(_) => report.missing.push(format!("{} is not wansplit's: move it out of the way", path.display())),
            Err(error) => report.missing.push(format!("cannot read {}: {error}", path.display())),
        }
    }
    outdated
}

fn take_away(stale: &[PathBuf], even_if_dead: bool, report: &mut Report) {
    for path in stale {
        match with_restart(even_if_dead, || file::remove(path)) {
            Ok(()) => report.changed.push(line('-', path, 0)),
            Err(why) => report.missing.push(why),
        }
    }
}

/// Changes what dnsmasq reads. The restart is due before: if we are ended in between, one too many does no harm. And it
/// is due after: another run may have done it meanwhile, too early.
fn with_restart(even_if_dead: bool, change: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    restart::owe(even_if_dead)?;
    change()?;
    restart::owe(even_if_dead)
}

fn line(sign: char, path: &Path, domains: usize) -> String {
    let about = match (sign, domains) {
        ('-', _) => String::new(),
        (_, 1) => ": 1 domain".into(),
        (_, n) => format!(": {n} domains"),
    };
    format!("{sign} dnsmasq {}{about}", path.display())
}

fn too_many(config: &Config, crowded: &Crowded) -> String {
    let names: Vec<String> = crowded.left_out.iter().map(|set| owner(config, *set)).collect();
    format!(
        "too many sets want {}, dnsmasq cannot fill those of {}: put the domain into one `config set`, and name that in the rules",
        crowded.domain,
        names.join(", ")
    )
}

/// Whose domains a set holds, for people.
fn owner(config: &Config, set: SetId) -> String {
    let set = &config[set];
    match (set.is_of_rule, set.name.as_str()) {
        (true, "") => format!("the rule in line {}", set.at.line),
        (true, name) => format!("rule '{name}'"),
        (false, name) => format!("set '{name}'"),
    }
}
