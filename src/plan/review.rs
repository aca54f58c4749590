//! What a configuration says that its owner probably did not mean: rules that can never match, rules that cost much.

use super::compiler::region::Region;
use super::{allot, router};
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Config, Rule};
use crate::network::Facts;

/// More ip rules than this for one rule of the router's own traffic are worth a warning: every packet walks past them.
const MANY_IP_RULES: usize = 32;

/// Findings about a valid configuration.
#[must_use]
pub fn review(config: &Config, facts: &Facts) -> Vec<Diagnostic> {
    let mut findings = shadowed(config, facts);
    findings.extend(config.rules.iter().filter_map(costly));
    findings.extend(config.rules.iter().flat_map(unnoted));
    findings.extend(shared_numbers(config));
    findings
}

/// Rules of which an earlier rule takes every packet.
fn shadowed(config: &Config, facts: &Facts) -> Vec<Diagnostic> {
    let device = |name: &str| facts.device_of(name).to_string();
    let regions: Vec<Vec<Region>> =
        config.rules.iter().map(|rule| Region::of_rule(&rule.matches, &config.sets, &device)).collect();
    let mut findings = Vec::new();
    for (n, rule) in config.rules.iter().enumerate() {
        let covering = |earlier: &usize| {
            let other = &config.rules[*earlier];
            let same_origin = (other.origin.includes_lan() || !rule.origin.includes_lan())
                && (other.origin.includes_router() || !rule.origin.includes_router());
            // Regions know nothing of users.
            let same_users = match (&other.matches.users, &rule.matches.users) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(users), Some(own)) => users.covers(own),
            };
            // One that holds at times leaves the rest of the time to the others.
            let same_time = other.schedule.is_none() || other.schedule == rule.schedule;
            // What has no region is a rule for a set without a single address.
            same_origin
                && same_time
                && same_users
                && !regions[n].is_empty()
                && regions[n].iter().all(|region| regions[*earlier].iter().any(|own| own.covers(region)))
        };
        if let Some(earlier) = (0..n).find(covering) {
            let earlier = &config.rules[earlier];
            findings.push(
                Diagnostic::new(Severity::Warning, rule.at, "no packet reaches this rule")
                    .in_section(format!("rule '{}'", rule.name))
                    .help(format!(
                        "rule '{}' in line {} stands before it and takes all of its packets: move this rule up, or remove it",
                        earlier.name, earlier.at.line
                    )),
            );
        }
    }
    findings
}

/// Rules for the router's own traffic that take many ip rules.
fn costly(rule: &Rule) -> Option<Diagnostic> {
    let count = if rule.origin.includes_router() { router::cost(&rule.matches) } else { 0 };
    (count > MANY_IP_RULES).then(|| {
        Diagnostic::new(Severity::Warning, rule.at, format!("it takes {count} ip rules for the router's own traffic"))
            .in_section(format!("rule '{}'", rule.name))
            .help("every packet walks past all ip rules: name fewer addresses or ports, or say `from 'lan'`")
    })
}

/// Rules that count or log, but not all that they take.
fn unnoted(rule: &Rule) -> impl Iterator<Item = Diagnostic> {
    let lan = rule.origin.includes_lan();
    let notes = [
        (rule.counter, "counter", "counted", "so this counter stays empty"),
        (rule.log, "log", "logged", "so this rule logs nothing"),
    ];
    let asked = notes.into_iter().filter(|(on, ..)| *on && rule.origin.includes_router());
    asked.map(move |(_, option, done, empty)| {
        let nothing = if lan { String::new() } else { format!(", {empty}") };
        let message = format!("the router's own connections are not {done}{nothing}");
        Diagnostic::new(Severity::Note, rule.at, message)
            .in_section(format!("rule '{}'", rule.name))
            .on_option(option)
            .help("ip rules steer them, and those neither count nor log")
    })
}

/// Paths whose numbers depend on each other, because their names hash to one slot.
fn shared_numbers(config: &Config) -> Vec<Diagnostic> {
    let unpinned: Vec<&str> =
        config.links.iter().filter(|link| link.mark.is_none()).map(|link| link.name.as_str()).collect();
    let pairs = allot::collisions(config.globals.mask, &unpinned);
    let place = |name: &str| config.links.iter().find(|link| link.name == name).map(|link| link.at).unwrap_or_default();
    let pairs = pairs.into_iter().map(|(one, other)| {
        Diagnostic::new(
            Severity::Note,
            place(other),
            format!("its name leads to the same mark as link '{one}'; it got the next free one"),
        )
        .in_section(format!("link '{other}'"))
        .help("pin `mark` on one of them, so that neither number changes when the other is removed")
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample::{config, facts, links};

    #[test]
    fn a_rule_that_holds_at_times_shadows_only_what_holds_at_the_same_times() {
        let rule = |name: &str, times: &str| format!("config rule '{name}'\n{times} option use 'A'\n");
        let (mon, tue) = (" list weekdays 'mon'\n", " list weekdays 'tue'\n");
        let said = |rules: [String; 2]| {
            let config = config(&(links(1, "") + &rules.concat()), false);
            review(&config, &facts("G")).iter().filter(|finding| finding.message.contains("no packet")).count()
        };
        assert_eq!(said([rule("a", mon), rule("b", "")]), 0);
        assert_eq!(said([rule("a", mon), rule("b", tue)]), 0);
        assert_eq!(said([rule("a", mon), rule("b", mon)]), 1);
        assert_eq!(said([rule("a", ""), rule("b", mon)]), 1);
    }
}
