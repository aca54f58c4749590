//! What the kernel answers for a packet: in words, and compared with the plan.

use super::{Decision, Outcome, Reason, outcome};
use crate::config::model::{Fallback, Family};
use crate::kernel::netlink::lookup::{self, Answer};
use crate::network::Facts;
use crate::plan::Plan;
use crate::plan::path::PathId;
use crate::plan::state::{NextHop, RouteKind, TABLE_MAIN};

/// What the kernel says of a path that the packet may be on.
pub struct Asked {
    /// The mark it was asked for.
    pub mark: u32,
    /// Its answer, or why there is none.
    pub answer: Result<Answer, String>,
    /// How the answer compares with the plan.
    pub verdict: Option<Verdict>,
}

/// The kernel's answer in iproute2's words.
#[must_use]
pub fn answer(answer: &Answer) -> String {
    let table = match answer.table {
        Some(TABLE_MAIN) => " table main".into(),
        Some(table) => format!(" table {table}"),
        None => String::new(),
    };
    let hop = |hop: &NextHop| match hop.gateway {
        Some(gateway) => format!("via {gateway} dev {}", hop.device),
        None => format!("dev {}", hop.device),
    };
    let hops: Vec<String> = answer.hops.iter().map(hop).collect();
    match answer.verdict {
        lookup::Verdict::Forwarded => format!("{}{table}", hops.join(", ")),
        lookup::Verdict::Local => "it is for the router itself".into(),
        lookup::Verdict::Unreachable => format!("unreachable{table}"),
        lookup::Verdict::NoRoute => "no route".into(),
        lookup::Verdict::Blackhole => format!("blackhole{table}"),
        lookup::Verdict::Prohibit => format!("prohibited{table}"),
        lookup::Verdict::Other(kind) => format!("route of type {kind}{table}"),
    }
}

/// How the kernel's answer compares with the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the route the plan has for the path.
    Agrees,
    /// A route of the main table is more specific than any default route: connected, static, VPN, or the router itself.
    MoreSpecific,
    /// It is another one.
    Differs,
    /// The plan has no route to compare with: the main table decides.
    Main,
}

/// How the kernel's answer for a mark compares with the plan.
#[must_use]
pub fn compare(plan: &Plan, facts: &Facts, decision: &Decision, family: Family, mark: u32, answer: &Answer) -> Verdict {
    let on_path = |(path, _): &&(PathId, u16)| mark == 0 || plan.paths[*path].mark.bits() == mark;
    let Some((path, _)) = decision.paths.iter().find(on_path) else { return Verdict::Main };
    let table = plan.paths[*path].table;
    let routes: Vec<_> = plan.routes.iter().filter(|route| (route.table, route.family) == (table, family)).collect();
    let refused = matches!(answer.verdict, lookup::Verdict::Unreachable | lookup::Verdict::Blackhole);
    if answer.verdict == lookup::Verdict::Prohibit
        && decision.refused
        && outcome(&plan.paths[*path], facts, family) == Outcome::Fallback(Fallback::Main)
    {
        // Behind the path's table: without carrier there is a route in it, which the kernel passes over.
        return Verdict::Agrees;
    }
    let leads = matches!(outcome(&plan.paths[*path], facts, family), Outcome::Links(_));
    let matches = routes.iter().any(|route| match &route.kind {
        RouteKind::Via(hops) => answer.table == Some(table) && same_hops(hops, &answer.hops),
        // The last resort, which stands in the table all the time: with a link up, an answer from it is another one.
        RouteKind::Unreachable | RouteKind::Blackhole => refused && !leads,
        RouteKind::Prohibit => false,
    });
    // A command's link that is down: its packets are refused by a rule, without a table.
    let refused_by_rule = matches!(decision.reason, Reason::Used(_))
        && matches!(answer.verdict, lookup::Verdict::Unreachable | lookup::Verdict::NoRoute);
    let elsewhere = matches!(answer.verdict, lookup::Verdict::Local | lookup::Verdict::Other(_));
    // A route without carrier stands in the path's table, and the kernel passes over it.
    let left_to_main = outcome(&plan.paths[*path], facts, family) == Outcome::Fallback(Fallback::Main)
        && !decision.refused
        && (answer.table, answer.length) == (Some(TABLE_MAIN), 0);
    if matches || refused_by_rule {
        Verdict::Agrees
    } else if routes.is_empty() || left_to_main {
        Verdict::Main
    } else if elsewhere || (answer.table == Some(TABLE_MAIN) && answer.length > 0) {
        Verdict::MoreSpecific
    } else {
        Verdict::Differs
    }
}

fn same_hops(planned: &[NextHop], answered: &[NextHop]) -> bool {
    let known = |hop: &NextHop| planned.iter().any(|own| (&own.device, own.gateway) == (&hop.device, hop.gateway));
    !answered.is_empty() && answered.iter().all(known)
}
