//! From configuration and facts to the state the kernel shall hold. Pure: no I/O, no clock.

pub mod allot;
pub mod classify;
pub mod compiler;
pub mod counters;
pub mod flows;
pub mod ip_rules;
pub mod iproute;
pub mod jhash;
pub mod log;
pub mod memory;
pub mod moves;
pub mod path;
pub mod refusal;
pub mod resolver;
pub mod review;
pub mod router;
pub mod routes;
pub mod ruleset;
#[cfg(test)]
pub(crate) mod sample;
pub mod state;
pub mod tiers;

use crate::config::model::{Config, Family, LinkId};
use crate::map::Set;
use crate::network::Facts;
use path::Paths;
use ruleset::Ruleset;
use state::{IpRule, Route};
use std::rc::Rc;

/// All that the kernel shall hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The paths, with their marks and tables.
    pub paths: Paths,
    /// Default routes in our tables.
    pub routes: Vec<Route>,
    /// ip rules.
    pub ip_rules: Vec<IpRule>,
    /// The nftables table. It is the largest part, and seldom changes: plans share it.
    pub ruleset: Rc<Ruleset>,
    /// Settings of the WAN devices.
    pub sysctls: Vec<Sysctl>,
    /// Names of our tables for `rt_tables`: for people only, the kernel gets the numbers.
    pub table_names: Vec<(u32, String)>,
}

impl Plan {
    /// The name of the counter of a rule, given by its place in [`Config::rules`]; none if the rule does not count.
    #[must_use]
    pub fn counter_of(&self, rule: usize) -> Option<&str> {
        let counters = &self.ruleset.counters;
        let place = counters.binary_search_by_key(&rule, |counter| counter.rule).ok()?;
        counters.get(place).map(|counter| counter.name.as_str())
    }
}

/// A setting of a device under `/proc/sys/net`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sysctl {
    /// Whether it is the IPv4 or the IPv6 setting.
    pub family: Family,
    /// The device.
    pub device: String,
    /// The setting's name.
    pub name: &'static str,
    /// The value it shall have.
    pub value: &'static str,
}

/// Computes all that the kernel shall hold.
///
/// # Errors
/// When the mask has fewer marks than the configuration needs.
pub fn plan(config: &Config, facts: &Facts) -> Result<Plan, allot::Shortage> {
    replan(config, facts, None)
}

/// The same where there are facts and a plan from before, of the same configuration. To compile the rules takes most of the
/// time, and what becomes of a link never touches them: then the table from before is taken over.
///
/// # Errors
/// When the mask has fewer marks than the configuration needs.
pub fn replan(config: &Config, facts: &Facts, before: Option<(&Facts, &Plan)>) -> Result<Plan, allot::Shortage> {
    let paths = Paths::new(config)?;
    let before = before.filter(|(old, plan)| plan.paths == paths && classify::has_same_ground(config, facts, old));
    let ruleset = match before {
        Some((_, plan)) => Rc::clone(&plan.ruleset),
        None => Rc::new(classify::ruleset(config, &paths, facts)),
    };
    let ip_rules = ip_rules::ip_rules(config, &paths, facts);
    let mut routes = routes::routes(&paths, facts);
    routes.extend(refusal::routes(&paths, &ip_rules));
    Ok(Plan {
        routes,
        ip_rules,
        ruleset,
        sysctls: sysctls(config, facts),
        table_names: paths.iter().map(|(_, path)| (path.table, path.name.clone())).collect(),
        paths,
    })
}

/// The settings the WAN devices need: the kernel shall skip a route whose device has no carrier, and where it checks
/// sources strictly it shall do so with the packet's mark. A loose check needs the mark for the answers to probes: without
/// it the kernel looks up a link's own table for them (by the rule `from` the router's address), and where that says
/// `unreachable` because the link is dead, they are dropped (`__fib_validate_source`).
fn sysctls(config: &Config, facts: &Facts) -> Vec<Sysctl> {
    let mut sysctls = Set::new();
    for (n, link) in config.links.iter().enumerate() {
        for family in Family::BOTH.into_iter().filter(|family| facts.speaks(*family)) {
            let Some(device) = facts.side(LinkId(n), family).and_then(|side| side.device.clone()) else { continue };
            let loose = link.tracking.is_some() && facts.loose_devices.contains(&device);
            if family == Family::V4 && (loose || facts.strict_devices.contains(&device)) {
                sysctls.insert(Sysctl { family, device: device.clone(), name: "src_valid_mark", value: "1" });
            }
            sysctls.insert(Sysctl { family, device, name: "ignore_routes_with_linkdown", value: "1" });
        }
    }
    sysctls.into_iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::clock::Now;
    use sample::{config, facts, links, policy};

    #[test]
    fn what_a_rule_has_gathered_outlives_the_times_when_it_does_not_hold() {
        let text = links(1, "")
            + "config rule 'tv'\n list weekdays 'thu'\n list dest_domain 'tv.example'\n option counter '1'\n option use 'A'\n"
            + "config rule 'late'\n option start_time '22:00'\n list dest_domain 'tv.example'\n option use 'main'\n";
        let config = config(&text, false);
        let held = |instant| {
            let facts = Facts { now: Now { instant, ..Now::default() }, ..facts("G") };
            let ruleset = plan(&config, &facts).unwrap().ruleset;
            let kept = ruleset.maps.iter().filter(|map| map.fill != ruleset::Fill::Fixed).map(|map| map.name.clone());
            (kept.collect::<Set<_>>(), ruleset.counters.clone())
        };
        let thursday = held(0);
        assert_eq!((thursday.0.iter().count(), thursday.1.len()), (4, 1));
        // Friday noon, when none holds; Friday night, when the other one does.
        assert_eq!(held(86_400 + 43_200), thursday);
        assert_eq!(held(86_400 + 82_800), thursday);
    }

    #[test]
    fn the_rules_are_compiled_anew_only_where_they_must_be() {
        let text = links(2, "")
            + &policy("web", &["A", "B"], " option mode 'balance'")
            + "config rule 'thursdays'\n list weekdays 'thu'\n option use 'B'\n"
            + "config rule 'r'\n list src_iface 'guests'\n list dest_port '80'\n list proto 'tcp'\n option use 'web'\n";
        let config = config(&text, true);
        let before = (facts("GG"), plan(&config, &facts("GG")).unwrap());
        let check = |facts: &Facts, shared: bool| {
            let replanned = replan(&config, facts, Some((&before.0, &before.1))).unwrap();
            assert_eq!(replanned, plan(&config, facts).unwrap());
            assert_eq!(Rc::ptr_eq(&replanned.ruleset, &before.1.ruleset), shared, "{facts:?}");
        };
        for states in ["GG", "DG", "-C", "PD", "--"] {
            check(&facts(states), true);
            check(&Facts { ipv6: false, ..facts(states) }, true);
        }
        let changed = |change: fn(&mut Facts)| {
            let mut facts = facts("GG");
            change(&mut facts);
            check(&facts, false);
        };
        changed(|facts| facts.links[1].v6.device = Some("ppp0".into()));
        changed(|facts| facts.links[0].v4.device = None);
        changed(|facts| facts.links[0].prefixes.push(("2001:db8::".parse().unwrap(), 48)));
        // The first second that it is not Thursday in UTC any more; a second before it is.
        let later = |instant| Facts { now: Now { instant, ..Now::default() }, ..facts("GG") };
        check(&later(86_399), true);
        check(&later(86_400), false);
        changed(|facts| drop(facts.interfaces.insert("guests".into(), "br-guests".into())));
    }
}
