//! Others' ip rules that stand before ours and leave nothing for them, and a main table that leads nowhere.

use super::{Case, warning};
use crate::config::diagnostics::Diagnostic;
use crate::config::model::{Family, Matches, Origin, Target};
use crate::kernel::netlink::route::{ForeignKind, ForeignRoute};
use crate::kernel::netlink::rule::{Action, ForeignRule};
use crate::plan::state::{IpRule, TABLE_MAIN};

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let routes = case.router.routes.as_deref().unwrap_or_default();
    let mut findings: Vec<Diagnostic> = case
        .router
        .rules
        .iter()
        .filter(|rule| takes_all(rule, routes))
        .filter_map(|rule| before_ours(case, rule))
        .collect();
    if case.router.routes.is_some() {
        findings.extend(leads_nowhere(case, routes));
    }
    findings
}

/// Whether no packet gets past a rule.
fn takes_all(foreign: &ForeignRule, routes: &[ForeignRoute]) -> bool {
    let rule = &foreign.rule;
    let plain = IpRule { action: rule.action, ..IpRule::lookup(rule.family, rule.priority, rule.table) };
    let is_default = |route: &&ForeignRoute| {
        (route.family, route.table, route.destination.1, route.source_length) == (rule.family, rule.table, 0, 0)
    };
    let whole = match foreign.action {
        Action::Lookup => routes.iter().find(is_default).is_some_and(|route| route.kind != ForeignKind::Throw),
        Action::Blackhole | Action::Unreachable | Action::Prohibit => true,
        Action::Goto | Action::Nop | Action::Other(_) => false,
    };
    foreign.complete && *rule == plain && whole
}

fn before_ours(case: &Case, foreign: &ForeignRule) -> Option<Diagnostic> {
    let (family, priority) = (foreign.rule.family, foreign.rule.priority);
    let ours = || case.plan.ip_rules.iter().filter(|rule| rule.family == family).map(|rule| rule.priority);
    let (first, last) = (ours().min()?, ours().max()?);
    (priority <= last).then(|| {
        warning(
            format!("the ip rule with priority {priority} of another program takes every {family} packet: what of ours stands behind it has no effect"),
            format!("move it behind priority {last}, or ours before it: a lower `rule_priority` (now {first})"),
        )
    })
}

/// Packets that no rule of ours takes have no way out.
fn leads_nowhere(case: &Case, routes: &[ForeignRoute]) -> Option<Diagnostic> {
    let leads = routes.iter().any(|route| {
        let is_whole = route.destination.1 <= 1 && route.source_length == 0;
        (route.family, route.table) == (Family::V4, TABLE_MAIN) && is_whole
    });
    let rest_is_ours =
        case.config.rules.iter().any(|rule| {
            rule.origin == Origin::Any && rule.matches == Matches::default() && rule.target != Target::Main
        });
    let usable = case.links().any(|(_, link)| link.v4.is_usable());
    (usable && !leads && !rest_is_ours).then(|| {
        warning(
            "table main has no IPv4 default route: what no rule takes has no way out, the router's own packets among it".into(),
            "leave `defaultroute` at '1' for one interface at least, or end with a rule for everything: option from 'any'".into(),
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::{Sample, says};
    use super::*;

    const NOWHERE: &str = "table main has no IPv4 default route";
    const EVERY: &str = "the ip rule with priority 100 of another program takes every IPv4 packet";

    fn rule(priority: u32, table: u32) -> ForeignRule {
        let rule = IpRule::lookup(Family::V4, priority, table);
        ForeignRule { rule, complete: true, action: Action::Lookup, protocol: 0 }
    }

    #[test]
    fn a_rule_before_ours_that_leaves_nothing_is_found() {
        let marked = IpRule { mark: Some((0x10, 0xff)), ..rule(100, TABLE_MAIN).rule };
        let suppressing = IpRule { suppress_prefixlength: Some(0), ..rule(100, TABLE_MAIN).rule };
        for (foreign, found) in [
            (rule(100, TABLE_MAIN), &[EVERY][..]),
            (rule(32766, TABLE_MAIN), &[]),
            (rule(100, 52), &[]),
            (ForeignRule { rule: marked, ..rule(100, 0) }, &[]),
            (ForeignRule { rule: suppressing, ..rule(100, 0) }, &[]),
            (ForeignRule { complete: false, ..rule(100, TABLE_MAIN) }, &[]),
            (ForeignRule { action: Action::Prohibit, ..rule(100, 0) }, &[EVERY]),
            (ForeignRule { action: Action::Nop, ..rule(100, 0) }, &[]),
        ] {
            let mut sample = Sample::new("");
            sample.router.rules = vec![rule(0, 255), foreign];
            says(&sample, found);
        }
    }

    #[test]
    fn the_main_table_has_a_way_out() {
        let all = |from: &str| format!("config rule 'rest'\n option from '{from}'\n option use 'A'\n");
        for (rules, found) in
            [(String::new(), &[NOWHERE][..]), (all("lan"), &[NOWHERE]), (all("router"), &[NOWHERE]), (all("any"), &[])]
        {
            let mut sample = Sample::new(&rules);
            says(&sample, &[]);
            sample.router.routes = Some(Vec::new());
            says(&sample, found);
            sample.router.routes = None;
            says(&sample, &[]);
        }
    }
}
