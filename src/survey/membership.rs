//! Which of our sets an address is in now, by the kernel's own word.

use crate::config::model::{Family, SetId};
use crate::kernel::Kernel;
use crate::plan::Plan;
use crate::plan::ruleset::{Fill, TABLE};
use std::net::IpAddr;

/// The sets that rules look addresses up in and that hold this one. A kernel that cannot be asked has none.
pub fn sets_with(kernel: &mut Kernel, plan: &Plan, address: IpAddr) -> Vec<SetId> {
    let mut within = Vec::new();
    for map in &plan.ruleset.maps {
        let (Fill::Listed(set, family) | Fill::Resolver(set, family)) = map.fill else { continue };
        if family == Family::of(address)
            && !within.contains(&set)
            && kernel.nft_set_has(TABLE, &map.name, address).unwrap_or(false)
        {
            within.push(set);
        }
    }
    within
}
