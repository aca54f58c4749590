//! The user ids that commands bound to a link run under (`wansplit use`), and the ip rules that steer them.
//!
//! A socket belongs to the user who opened it, and ip rules can ask for him (`uidrange`) before a source address is
//! chosen. So a command is right in both families and with every protocol, without a mark, a namespace or a cgroup.

use super::path::Paths;
use super::state::{IpRule, RuleAction};
use crate::config::model::{Config, Family, LinkId};
use crate::interval::{Interval, IntervalSet};
use crate::network::Facts;

/// The first of our user ids: `WS` in ASCII and two zero bytes. Far above those of people, services and containers that
/// are handed out from 1000, 65536 or 100000 upwards.
const FIRST: u32 = 0x5753_0000;
/// The last of them.
const LAST: u32 = 0x5753_ffff;

/// The user that commands bound to a link run as. It goes with the link's mark, and so with its name. None if the owner
/// pinned a mark that is too large for our range.
#[must_use]
pub fn of_link(config: &Config, paths: &Paths, link: LinkId) -> Option<u32> {
    let slot = config.globals.mask.slot(paths[paths.of_link(link)].mark);
    Some(FIRST + slot).filter(|user| *user <= LAST)
}

/// The link that a user's commands are bound to, if he is one of ours.
#[must_use]
pub fn link_of(config: &Config, paths: &Paths, user: u32) -> Option<LinkId> {
    (0..config.links.len()).map(LinkId).find(|link| of_link(config, paths, *link) == Some(user))
}

/// Whether there can be such users here. Not so in a container that was lent a few thousand user ids only: its kernel
/// refuses rules for the others.
#[must_use]
pub fn are_possible(facts: &Facts) -> bool {
    let ours: IntervalSet = [Interval::new(FIRST.into(), LAST.into())].into_iter().collect();
    !facts.absent_users.overlaps(&ours)
}

/// Whether a rule is one of those that steer one of our users: by his link's table, or nowhere.
#[must_use]
pub fn is_for(rule: &IpRule, user: u32) -> bool {
    rule.users == Some((user, user)) || (rule.users == Some((FIRST, LAST)) && rule.action == RuleAction::Unreachable)
}

/// The rules: each link's user by the link's table, and behind them nobody of ours by anything else. So a command is
/// refused while its link is down, instead of leaving by another one.
#[must_use]
pub fn rules(config: &Config, paths: &Paths, facts: &Facts, family: Family, priority: u32) -> Vec<IpRule> {
    if config.links.is_empty() || !are_possible(facts) {
        return Vec::new();
    }
    let of = |users, rule| IpRule { iif: Some("lo".into()), users: Some(users), ..rule };
    let link = |n| {
        let table = paths[paths.of_link(LinkId(n))].table;
        let user = of_link(config, paths, LinkId(n))?;
        Some(of((user, user), IpRule::lookup(family, priority, table)))
    };
    let all = of((FIRST, LAST), IpRule::unreachable(family, priority + 1));
    (0..config.links.len()).filter_map(link).chain([all]).collect()
}
