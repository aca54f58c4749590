//! The counters of the rules, and what they are called.
//!
//! A count must survive whatever happens to the other rules, so a counter's name hangs on nothing but its rule's name.

use super::ruleset::Counter;
use super::ruleset::digest::Digest;
use crate::config::model::Rule;
use crate::sort;

/// The longest part of a rule's name that stands in its counter's name.
const LONGEST: usize = 40;

/// The counters of the rules that count, in their order. ip rules count nothing, so only those rules have one that look
/// at more than the router's own connections.
#[must_use]
pub fn counters(rules: &[Rule]) -> Vec<Counter> {
    let counts = |n: &usize| rules[*n].counter && rules[*n].origin.includes_lan();
    let mut places: Vec<usize> = (0..rules.len()).filter(counts).collect();
    // Namesakes come together, in their order.
    sort::by(&mut places, |a, b| rules[*a].name.cmp(&rules[*b].name));
    let (mut counters, mut earlier) = (Vec::with_capacity(places.len()), 0);
    for (n, place) in places.iter().enumerate() {
        let own = &rules[*place].name;
        let is_namesake = n > 0 && rules[places[n - 1]].name == *own;
        earlier = if is_namesake { earlier + 1 } else { 0 };
        counters.push(Counter { name: name("count", own, earlier), rule: *place });
    }
    sort::by_key(&mut counters, |counter| counter.rule);
    counters
}

/// The role, `_`, and the rule's name. If nft's language would not have that as an identifier, if it is long, or if there were
/// `earlier` rules of the same name, other letters become `_`, and a digest of the name follows behind a dot: no name
/// without a digest has one.
pub(super) fn name(role: &str, rule: &str, earlier: u32) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let plain: String = rule.chars().map(|c| if fits(c) { c } else { '_' }).take(LONGEST).collect();
    if earlier == 0 && plain == rule {
        return format!("{role}_{plain}");
    }
    let mut digest = Digest::default();
    digest.add(rule.as_bytes());
    digest.number(earlier.into());
    format!("{role}_{plain}.{:x}", digest.value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::{Matches, Origin, Target};
    use crate::config::source::Position;

    fn rules(names: &[&str]) -> Vec<Rule> {
        let rule = |name: &&str| Rule {
            name: (*name).into(),
            section: String::new(),
            at: Position::default(),
            origin: Origin::Lan,
            matches: Matches::default(),
            target: Target::Main,
            sticky: None,
            schedule: None,
            counter: true,
            log: false,
        };
        names.iter().map(rule).collect()
    }

    fn names_of(rules: &[Rule]) -> Vec<String> {
        counters(rules).into_iter().map(|counter| counter.name).collect()
    }

    #[test]
    fn a_plain_name_is_a_counters_name() {
        assert_eq!(names_of(&rules(&["web", "80", "tcp"])), ["count_web", "count_80", "count_tcp"]);
    }

    #[test]
    fn no_two_rules_share_a_counter_and_none_moves_with_others() {
        let long = "x".repeat(LONGEST);
        let longer = format!("{long}x");
        let all = ["a b", "a_b", "a-b", "", "ä", "ö", "a b", "a_b", "a_b", &long, &longer, "光"];
        let names = names_of(&rules(&all));
        assert_eq!(crate::map::Set::from_iter(&names).len(), all.len(), "{names:?}");
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        assert!(names.iter().all(|name| name.len() < 64 && name.chars().all(fits)), "{names:?}");
        for (n, name) in all.iter().enumerate() {
            let first = all.iter().position(|other| other == name);
            if first == Some(n) {
                assert_eq!(names_of(&rules(&[name])), [names[n].as_str()]);
            }
        }
    }

    #[test]
    fn who_does_not_count_has_no_counter() {
        let mut rules = rules(&["off", "router", "any", "lan"]);
        rules[0].counter = false;
        rules[1].origin = Origin::Router;
        rules[2].origin = Origin::Any;
        let counters: Vec<_> = counters(&rules).into_iter().map(|counter| (counter.rule, counter.name)).collect();
        assert_eq!(counters, [(2, "count_any".to_string()), (3, "count_lan".to_string())]);
    }
}
