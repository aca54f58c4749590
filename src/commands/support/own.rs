//! What wansplit makes of its configuration: its findings, its status, and what the kernel lacks.

use crate::bus::Caller;
use crate::commands::status::{self, Watched};
use crate::commands::{Loaded, Place};
use crate::config::diagnostics::Diagnostic;
use crate::config::model::Config;
use crate::daemon::control::Request;
use crate::daemon::control::client::{self, Health};
use crate::kernel::Kernel;
use crate::plan::{self, Plan};
use crate::reconcile;
use crate::report::table::Paint;
use crate::report::text;
use crate::resolver::Resolver;
use crate::support::report::{Section, beginning, without_comments};
use crate::survey::{self, Account, Standings, Survey, Trust};
use std::io;

/// How much of a configuration is shown.
const KEPT: usize = 48 * 1024;

/// The sections, and the configuration's text.
pub fn sections(kernel: &mut Kernel, place: &Place) -> (Vec<Section>, String) {
    let mut sections = Vec::new();
    let loaded = match Loaded::load(place) {
        Ok(loaded) => loaded,
        Err(why) => {
            sections.push(Section::new("configuration", why));
            sections.push(Section::new("daemon", daemon(&client::health(), place)));
            return (sections, String::new());
        }
    };
    let text = String::from_utf8_lossy(&loaded.text).into_owned();
    sections.push(Section::new(
        format!("configuration {} (without its comments)", place.config),
        beginning(&without_comments(&text), KEPT),
    ));
    sections.push(Section::new("what is wrong with it", findings(&loaded.diagnostics)));
    let health = client::health();
    sections.push(Section::new("daemon", daemon(&health, place)));
    if let Some(config) = &loaded.config {
        let health = health.ok().flatten().filter(|health| health.runs_with(place));
        sections.extend(state(kernel, config, place, health));
    }
    (sections, text)
}

fn findings(diagnostics: &[Diagnostic]) -> String {
    let line = |finding: &Diagnostic| match finding.at.line {
        0 => format!("{}\n", finding.in_words()),
        line => format!("line {line}: {}\n", finding.in_words()),
    };
    diagnostics.iter().map(line).collect()
}

fn daemon(health: &io::Result<Option<Health>>, place: &Place) -> String {
    match health {
        Ok(None) => "none runs".into(),
        Ok(Some(health)) if health.runs_with(place) => format!("process {}", health.pid),
        Ok(Some(health)) => format!("process {}, with another configuration: {}", health.pid, health.config),
        Err(error) => format!("one runs, but does not answer: {error}"),
    }
}

/// The daemon's status, or else our own; and the difference, always by our own eyes.
fn state(kernel: &mut Kernel, config: &Config, place: &Place, health: Option<Health>) -> Vec<Section> {
    let told = health.as_ref().and_then(|_| client::ask(Request::Status).ok().flatten());
    let told = told.filter(|status| status["links"].is_array());
    let standings = health.map_or_else(Standings::new, |health| health.standings);
    let (survey, plan) = match wanted(kernel, config, place, &standings) {
        Ok(wanted) => wanted,
        Err(why) => {
            let status = told.map_or_else(|| why.clone(), |status| text::text(&status, Paint::none()));
            return vec![Section::new("status", status), Section::new("what the kernel lacks", why)];
        }
    };
    let difference = reconcile::difference(kernel, config.globals.enabled.then_some(&plan));
    let difference = difference.map(|report| report.changed);
    let lacks = match (&told, &difference) {
        (_, Err(error)) => error.to_string(),
        (_, Ok(lines)) if lines.is_empty() => "nothing: it holds the wanted state".into(),
        (Some(_), Ok(lines)) => beginning(&lines.join("\n"), KEPT),
        (None, Ok(_)) => "see the status".into(),
    };
    let drift = difference.unwrap_or_default();
    let mut resolver = Resolver::default();
    let status = told.unwrap_or_else(|| {
        status::collect(kernel, &mut resolver, config, &survey, &plan, &drift, |_| Watched::default())
    });
    vec![
        Section::new("status", beginning(&text::text(&status, Paint::none()), KEPT)),
        Section::new("what the kernel lacks", lacks),
    ]
}

fn wanted(
    kernel: &mut Kernel,
    config: &Config,
    place: &Place,
    standings: &Standings,
) -> Result<(Survey, Plan), String> {
    let account = match &place.network {
        Some(file) => Account::Known(survey::account_in(file)?),
        None => survey::account_of_netifd(config, &mut Caller::new(None)),
    };
    let known = survey::remembered(kernel, config);
    let firewall = survey::firewall(&place.firewall());
    let survey = survey::survey(kernel, config, &account, Trust::Kernel, &known, &firewall);
    let mut survey = survey.map_err(|error| error.to_string())?;
    survey::judge(config, &mut survey.facts, standings);
    let plan = plan::plan(config, &survey.facts).map_err(|shortage| shortage.to_string())?;
    Ok((survey, plan))
}
