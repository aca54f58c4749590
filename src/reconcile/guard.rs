//! Tables that hold packets back, while their numbers change owners. Pure.
//!
//! A path's number, which is its mark and its table, comes from its name; where two names want the same number, another
//! section may take it over from one that had it. From the moment the new owner's routes are in the table until nftables
//! marks by the new numbers, packets that bear the mark still belong to the old owner. Where that is a kill switch, they
//! must not find a way out that is not theirs: what the table did not allow before comes only afterwards.

use super::changes::Changes;
use crate::kernel::netlink::route::Routes;
use crate::plan::state::{Route, RouteKind};

/// Routes to be sent when nftables and the ip rules are as wanted.
#[derive(Debug, Default)]
pub struct Late {
    /// To add.
    pub new: Vec<Route>,
    /// To replace in place: `(old, new)`.
    pub changed: Vec<(Route, Route)>,
}

/// Puts off what would open a table that holds back, if marks may change with this run.
pub fn guard(changes: &mut Changes, wanted: &[Route], held: &Routes) {
    if changes.transactions.is_empty() && changes.new_rules.is_empty() {
        return;
    }
    let guarded = |route: &Route| held.ours.iter().any(|own| same_table(own, route) && !is_way(own));
    let known = |route: &Route| leads_only_by(route, &held.ours);
    let (late, now) = std::mem::take(&mut changes.new_routes)
        .into_iter()
        .partition(|route| is_way(route) && guarded(route) && !known(route));
    (changes.late.new, changes.new_routes) = (late, now);
    for (old, new) in std::mem::take(&mut changes.changed_routes) {
        if !guarded(&old) || !is_way(&new) || known(&new) {
            changes.changed_routes.push((old, new));
        } else if leads_only_by(&old, wanted) {
            changes.late.changed.push((old, new));
        } else {
            // Neither owner may have both: for a moment there is no way at all.
            changes.lost_routes.push(old);
            changes.late.new.push(new);
        }
    }
    // What holds back goes last.
    let (barriers, lost) = std::mem::take(&mut changes.lost_routes).into_iter().partition(|route| !is_way(route));
    changes.lost_routes = lost;
    let barriers: Vec<Route> = barriers;
    changes.old_routes.extend(barriers);
}

fn is_way(route: &Route) -> bool {
    matches!(route.kind, RouteKind::Via(_))
}

fn same_table(a: &Route, b: &Route) -> bool {
    (a.family, a.table) == (b.family, b.table)
}

/// Whether a route leads by devices only by which one of these in its table leads too. What holds back leads by none.
fn leads_only_by(route: &Route, routes: &[Route]) -> bool {
    let devices = |route: &Route| match &route.kind {
        RouteKind::Via(hops) => hops.iter().map(|hop| hop.device.clone()).collect(),
        _ => Vec::new(),
    };
    let allowed: Vec<String> = routes.iter().filter(|own| same_table(own, route)).flat_map(devices).collect();
    devices(route).iter().all(|device| allowed.contains(device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::Family;
    use crate::plan::state::{IpRule, NextHop};

    fn way(metric: u32, device: &str) -> Route {
        let hop = NextHop { device: device.into(), gateway: None, weight: 1 };
        Route { family: Family::V4, table: 20_230, metric, kind: RouteKind::Via(vec![hop]) }
    }

    fn barrier() -> Route {
        Route { metric: 4_278_198_272, kind: RouteKind::Unreachable, ..way(0, "") }
    }

    /// What is sent from one state of a table to another, if marks change too.
    fn sent(held: &[Route], wanted: &[Route]) -> Changes {
        let routes = Routes { ours: held.to_vec(), ..Routes::default() };
        let mut changes = Changes::default();
        super::super::changes::routes(wanted, &routes, &mut changes);
        changes.new_rules.push(IpRule::lookup(Family::V4, 803, 20_231));
        guard(&mut changes, wanted, &routes);
        changes
    }

    #[test]
    fn a_table_that_changes_owners_has_no_way_until_the_marks_have_changed() {
        let changes = sent(&[way(1, "two"), barrier()], &[way(1, "three"), way(2, "four")]);
        assert_eq!(changes.lost_routes, [way(1, "two")]);
        assert_eq!(changes.late.new, [way(2, "four"), way(1, "three")]);
        assert_eq!(changes.old_routes, [barrier()]);
        assert!(changes.new_routes.is_empty() && changes.changed_routes.is_empty());
    }

    #[test]
    fn one_that_has_lost_its_link_gets_none_either() {
        let changes = sent(&[barrier()], &[way(1, "three"), barrier()]);
        assert_eq!(changes.late.new, [way(1, "three")]);
        assert!(changes.new_routes.is_empty() && changes.old_routes.is_empty());
    }

    #[test]
    fn what_it_may_use_before_and_after_stays_in_use() {
        let changes = sent(&[way(1, "two"), barrier()], &[way(1, "one"), way(2, "two"), barrier()]);
        assert_eq!(changes.new_routes, [way(2, "two")]);
        assert_eq!(changes.late.changed, [(way(1, "two"), way(1, "one"))]);
        assert!(changes.lost_routes.is_empty());
    }

    #[test]
    fn what_holds_nothing_back_is_changed_at_once() {
        let changes = sent(&[way(1, "two")], &[way(1, "three"), barrier()]);
        assert_eq!(changes.changed_routes, [(way(1, "two"), way(1, "three"))]);
        assert_eq!(changes.new_routes, [barrier()]);
    }
}
