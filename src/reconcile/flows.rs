//! Makes established connections choose their link anew, once the new routes are in: their conntrack entries are
//! deleted, and their next packets are classified like those of new ones.

use crate::config::model::{Config, Family, LinkId, Mark};
use crate::kernel::handle::Reset;
use crate::kernel::{Error, Kernel};
use crate::network::Facts;
use crate::plan::Plan;
use crate::plan::flows::{self, Alternatives, Doomed};
use crate::plan::memory;
use crate::plan::ruleset::TABLE;
use std::net::IpAddr;

/// The connections that sit on links which cannot carry them, while another link can.
pub fn doomed(kernel: &mut Kernel, config: &Config, plan: &Plan, facts: &Facts) -> Vec<Doomed> {
    if facts.all_usable() {
        // Reading main's routes takes long on a router that has many.
        return Vec::new();
    }
    let links = kernel.links().unwrap_or_default();
    let routes = kernel.foreign_routes(&links).unwrap_or_default();
    let main = Alternatives::from_routes(&routes, &links);
    let doomed = flows::doomed(config, &plan.paths, facts, &main);
    doomed.into_iter().filter(|doomed| config[doomed.link].flush.down).collect()
}

/// Deletes connections. `addresses` tells a link's own, for kernels that cannot delete by mark. Returns how many those
/// were, as far as that can be told: others come and go at the same time. What cannot be deleted is the error.
pub fn reset(
    kernel: &mut Kernel,
    doomed: &[Doomed],
    mask: u32,
    addresses: &dyn Fn(LinkId) -> Vec<IpAddr>,
) -> (Option<u64>, Result<(), Error>) {
    let mut count = None;
    for (link, mark, family) in walks(doomed) {
        match kernel.reset_flows(family, mark.bits(), mask, &addresses(link)) {
            Ok(Reset::Marked(flows)) => count = Some(count.unwrap_or(0) + u64::from(flows)),
            // The kernel does not say how many.
            Ok(Reset::Addressed) => {}
            Err(error) => return (count, Err(error)),
        }
    }
    (count, Ok(()))
}

/// Forgets the clients that were remembered on links which cannot carry them: they are drawn a new one, and stay there also
/// when the old one is back. Without this they would go back to it within their time, since their path leads there first.
pub fn forget(kernel: &mut Kernel, config: &Config, plan: &Plan, doomed: &[Doomed]) {
    for memory in plan.paths.sticky() {
        for one in doomed.iter().filter(|one| memory.paths.iter().any(|(.., link)| *link == one.link)) {
            // A set that is not there remembers nobody.
            let _ = kernel.nft_flush_set(TABLE, &memory::name(config, memory, one.link, one.family));
        }
    }
}

/// What to ask the kernel for. Each request makes it walk its whole table, a millisecond or two even if that is nearly
/// empty: a mark that is to go in both families is one request.
fn walks(doomed: &[Doomed]) -> Vec<(LinkId, Mark, Option<Family>)> {
    let mut walks: Vec<(LinkId, Mark, Option<Family>)> = Vec::new();
    for one in doomed {
        for mark in &one.marks {
            match walks.iter_mut().find(|(link, known, _)| (*link, *known) == (one.link, *mark)) {
                Some((_, _, family)) if *family != Some(one.family) => *family = None,
                Some(_) => {}
                None => walks.push((one.link, *mark, Some(one.family))),
            }
        }
    }
    walks
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::model::Mask;

    #[test]
    fn a_mark_that_goes_in_both_families_is_one_walk() {
        let mark = |n| Mask::new(0xff).unwrap().mark(n).unwrap();
        let doomed = |link, family, marks: &[u32]| Doomed {
            link: LinkId(link),
            family,
            marks: marks.iter().map(|n| mark(*n)).collect(),
        };
        let all = [
            doomed(0, Family::V4, &[1, 2]),
            doomed(0, Family::V6, &[1]),
            doomed(0, Family::V6, &[1]),
            doomed(1, Family::V6, &[3]),
        ];
        let expected = [
            (LinkId(0), mark(1), None),
            (LinkId(0), mark(2), Some(Family::V4)),
            (LinkId(1), mark(3), Some(Family::V6)),
        ];
        assert_eq!(walks(&all), expected);
    }
}
