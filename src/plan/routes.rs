//! The routes of every path's table: one default route for each of its tiers now, and the fallback's.

use super::path::{Path, Paths, Tier};
use super::state::{NextHop, Route, RouteKind};
use super::tiers::tiers_now;
use crate::config::model::{Fallback, Family};
use crate::network::Facts;
use crate::sort;

/// The metric of a fallback's route: behind every tier, and a number that the kernel takes in both families.
pub const FALLBACK_METRIC: u32 = 4_278_198_272;

/// All routes of all paths.
#[must_use]
pub fn routes(paths: &Paths, facts: &Facts) -> Vec<Route> {
    let families = Family::BOTH.into_iter().filter(|family| facts.speaks(*family));
    families.flat_map(|family| paths.iter().flat_map(move |(_, path)| of_path(path, facts, family))).collect()
}

/// The routes of one path's table in one family. An empty table falls through to main, which is what `fallback 'main'` means.
#[must_use]
pub fn of_path(path: &Path, facts: &Facts, family: Family) -> Vec<Route> {
    let table = path.table;
    let tiers = tiers_now(path, facts, family).into_iter().filter_map(|tier| {
        let hops = next_hops(&tier.members, facts, family);
        (!hops.is_empty()).then_some(Route { family, table, metric: tier.metric, kind: RouteKind::Via(hops) })
    });
    let fallback = match path.course.fallback {
        Fallback::Main => None,
        Fallback::Unreachable => Some(RouteKind::Unreachable),
        Fallback::Blackhole => Some(RouteKind::Blackhole),
    };
    tiers.chain(fallback.map(|kind| Route { family, table, metric: FALLBACK_METRIC, kind })).collect()
}

/// The ways out of a tier.
fn next_hops(tier: &Tier, facts: &Facts, family: Family) -> Vec<NextHop> {
    let mut hops: Vec<NextHop> = tier
        .iter()
        .filter_map(|member| {
            let hop = facts.side(member.link, family)?.hop()?;
            Some(NextHop { device: hop.device.clone(), gateway: hop.gateway, weight: member.weight })
        })
        .collect();
    sort::by(&mut hops, Ord::cmp);
    if let [only] = hops.as_mut_slice() {
        only.weight = 1;
    }
    hops
}
