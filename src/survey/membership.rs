//! Which of our sets an address is in now: by the kernel's own word, and by the entries of the configuration.

use crate::config::model::{Config, Family, SetId};
use crate::interval::{from_ipv4, from_ipv6};
use crate::kernel::Kernel;
use crate::plan::Plan;
use crate::plan::ruleset::{Fill, TABLE};
use std::net::IpAddr;

/// The sets that rules look addresses up in and that hold this one. A kernel that cannot be asked, or to which nothing
/// has been applied yet, has none; but what the configuration itself lists is known without it.
pub fn sets_with(kernel: &mut Kernel, config: &Config, plan: &Plan, address: IpAddr) -> Vec<SetId> {
    let number = match address {
        IpAddr::V4(address) => from_ipv4(address),
        IpAddr::V6(address) => from_ipv6(address),
    };
    let listed = |set: SetId, family| config.sets.get(set.0).is_some_and(|set| set.entries(family).contains(number));
    let mut within = Vec::new();
    for map in &plan.ruleset.maps {
        let (Fill::Listed(set, family) | Fill::Resolver(set, family)) = map.fill else { continue };
        if family == Family::of(address)
            && !within.contains(&set)
            && (listed(set, family) || kernel.nft_set_has(TABLE, &map.name, address).unwrap_or(false))
        {
            within.push(set);
        }
    }
    within
}
