//! The difference between what the kernel shall hold and what it holds. Pure.

use super::guard::{Late, guard};
use super::transactions::{self, Step};
use crate::kernel::netlink::nftables::Table;
use crate::kernel::netlink::route::{OddRoute, Routes};
use crate::kernel::netlink::rule::{OddRule, Rules};
use crate::plan::Plan;
use crate::plan::iproute;
use crate::sort;

use crate::plan::state::{IpRule, Route, RouteKind};

/// What the kernel holds of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// Our routes.
    pub routes: Routes,
    /// ip rules, ours and others'.
    pub rules: Rules,
    /// Our nftables table.
    pub table: Option<Table>,
}

/// What has to be sent.
#[derive(Debug, Default)]
pub struct Changes {
    /// Routes to add.
    pub new_routes: Vec<Route>,
    /// Routes to replace in place: `(old, new)`.
    pub changed_routes: Vec<(Route, Route)>,
    /// Routes to delete from tables that stay: a link was taken out of them.
    pub lost_routes: Vec<Route>,
    /// Routes that have to wait until nothing bears an old mark any more.
    pub late: Late,
    /// Routes to delete with their tables.
    pub old_routes: Vec<Route>,
    /// Routes with our number that are not of our making.
    pub odd_routes: Vec<OddRoute>,
    /// ip rules to add.
    pub new_rules: Vec<IpRule>,
    /// ip rules to delete, surplus copies among them.
    pub old_rules: Vec<IpRule>,
    /// ip rules with our number that are not of our making.
    pub odd_rules: Vec<OddRule>,
    /// nftables transactions, in order.
    pub transactions: Vec<Step>,
}

/// The difference; without a plan, everything of ours is to go.
#[must_use]
pub fn changes(plan: Option<&Plan>, world: &World) -> Changes {
    let mut changes = Changes::default();
    routes(plan.map_or(&[], |plan| &plan.routes), &world.routes, &mut changes);
    rules(plan.map_or(&[], |plan| &plan.ip_rules), &world.rules, &mut changes);
    changes.transactions = match (plan, &world.table) {
        (Some(plan), held) => transactions::steps(&plan.ruleset, held.as_ref()),
        (None, Some(_)) => vec![transactions::removal()],
        (None, None) => Vec::new(),
    };
    guard(&mut changes, plan.map_or(&[], |plan| &plan.routes), &world.routes);
    changes
}

pub(super) fn routes(wanted: &[Route], held: &Routes, changes: &mut Changes) {
    let held_routes: Vec<Route> = held.ours.iter().map(sorted).collect();
    let wanted: Vec<Route> = wanted.iter().map(sorted).collect();
    let same_place = |a: &Route, b: &Route| (a.family, a.table, a.metric) == (b.family, b.table, b.metric);
    for route in &wanted {
        // IPv6 can hold several routes in one place; then all but the right one are surplus.
        match held_routes.iter().find(|own| same_place(own, route)) {
            _ if held_routes.contains(route) => {}
            Some(old) => changes.changed_routes.push((old.clone(), route.clone())),
            None => changes.new_routes.push(route.clone()),
        }
    }
    let replaced: Vec<&Route> = changes.changed_routes.iter().map(|(old, _)| old).collect();
    let surplus = held_routes.iter().filter(|own| !wanted.contains(own) && !replaced.contains(own));
    let stays = |route: &Route| wanted.iter().any(|own| (own.family, own.table) == (route.family, route.table));
    (changes.lost_routes, changes.old_routes) = surplus.cloned().partition(stays);
    changes.odd_routes.clone_from(&held.odd);
}

fn rules(wanted: &[IpRule], held: &Rules, changes: &mut Changes) {
    let mut missing: Vec<&IpRule> = wanted.iter().collect();
    for rule in &held.ours {
        match missing.iter().position(|wanted| *wanted == rule) {
            Some(place) => {
                missing.remove(place);
            }
            None => changes.old_rules.push(rule.clone()),
        }
    }
    changes.new_rules = missing.into_iter().cloned().collect();
    changes.odd_rules.clone_from(&held.odd);
}

/// The next hops of a route have no order.
fn sorted(route: &Route) -> Route {
    let mut route = route.clone();
    if let RouteKind::Via(hops) = &mut route.kind {
        sort::by(hops, Ord::cmp);
    }
    route
}

impl Changes {
    /// Whether the kernel holds what it shall.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new_routes.is_empty()
            && self.changed_routes.is_empty()
            && self.lost_routes.is_empty()
            && self.late.new.is_empty()
            && self.late.changed.is_empty()
            && self.old_routes.is_empty()
            && self.odd_routes.is_empty()
            && self.new_rules.is_empty()
            && self.old_rules.is_empty()
            && self.odd_rules.is_empty()
            && self.transactions.is_empty()
    }

    /// The changes in words, a line each: `+` for what comes, `~` for what changes, `-` for what goes.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let route = |sign: char, route: &Route| format!("{sign} {} route {route}", iproute::ip(route.family));
        let rule = |sign: char, rule: &IpRule| format!("{sign} {} rule {rule}", iproute::ip(rule.family));
        let mut lines: Vec<String> = self.new_routes.iter().chain(&self.late.new).map(|new| route('+', new)).collect();
        lines.extend(self.changed_routes.iter().chain(&self.late.changed).map(|(_, new)| route('~', new)));
        lines.extend(self.lost_routes.iter().map(|old| route('-', old)));
        lines.extend(self.new_rules.iter().map(|new| rule('+', new)));
        let summaries = self.transactions.iter().map(|step| step.summary.clone());
        lines.extend(summaries.filter(|summary| !summary.is_empty()));
        lines.extend(self.old_rules.iter().map(|old| rule('-', old)));
        lines.extend(self.odd_rules.iter().map(|old| {
            format!("- {} rule pref {} (unknown, with our protocol number)", iproute::ip(old.family), old.priority)
        }));
        lines.extend(self.old_routes.iter().map(|old| route('-', old)));
        lines.extend(self.odd_routes.iter().map(|old| {
            let ip = iproute::ip(old.family);
            format!("- {ip} route in table {} metric {} (unknown, with our protocol number)", old.table, old.metric)
        }));
        lines
    }
}
