//! Makes established connections choose their link anew, once the new routes are in: their conntrack entries are
//! deleted, and their next packets are classified like those of new ones.

use crate::config::model::Config;
use crate::kernel::handle::Reset;
use crate::kernel::{Error, Kernel};
use crate::network::Facts;
use crate::plan::Plan;
use crate::plan::flows::{self, Alternatives, Doomed};
use std::net::IpAddr;

/// The connections that sit on links which cannot carry them, while another link can.
pub fn doomed(kernel: &mut Kernel, config: &Config, plan: &Plan, facts: &Facts) -> Vec<Doomed> {
    let links = kernel.links().unwrap_or_default();
    let routes = kernel.foreign_routes(&links).unwrap_or_default();
    let main = Alternatives::from_routes(&routes, &links);
    let doomed = flows::doomed(config, &plan.paths, facts, &main);
    doomed.into_iter().filter(|doomed| config[doomed.link].flush.down).collect()
}

/// Deletes the connections of one link in one family. `addresses` are the link's own, for kernels that cannot delete by
/// mark. Returns how many those were, as far as that can be told: others come and go at the same time.
///
/// # Errors
/// The kernel can do neither, or refused.
pub fn reset(kernel: &mut Kernel, doomed: &Doomed, mask: u32, addresses: &[IpAddr]) -> Result<Option<u64>, Error> {
    let mut count = None;
    for mark in &doomed.marks {
        match kernel.reset_flows(Some(doomed.family), mark.bits(), mask, addresses)? {
            Reset::Marked(flows) => count = Some(count.unwrap_or(0) + u64::from(flows)),
            // All of the link's at once, whatever their mark; the kernel does not say how many.
            Reset::Addressed => break,
        }
    }
    Ok(count)
}
