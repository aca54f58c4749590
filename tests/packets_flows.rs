//! Established flows choose their link anew when their conntrack entries are deleted by mark; nobody else's notice.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, Lab, Way};
use packet_support::{applied, links, rule};
use std::time::Duration;
use wansplit::config::model::Family;
use wansplit::kernel::Kernel;
use wansplit::kernel::handle::Reset;

/// The links' marks are 1 and 2 of this mask.
const MASK: u32 = 0xff;

#[test]
fn flows_move_one_family_at_a_time_and_no_others_with_them() {
    lab::isolated(|| {
        let lab = Lab::new();
        let config = |policy| links("") + &rule("some", "5060", policy) + &rule("others", "2525", "mail");
        let wansplit = applied(&lab, &config("web"));
        let often = Duration::from_millis(1);
        let open =
            |port| INTERNET.map(|to| [Flow::udp(&lab.lan, to, port, often), Flow::tcp(&lab.lan, to, port, 512, often)]);
        let (some, others) = (open(5060), open(2525));
        // From now on new flows of the first kind go by link 2; those that are there stay.
        wansplit.apply_config(&config("mail"));
        lab.router.run(|| {
            let mut kernel = Kernel::new();
            let counted = |kernel: &mut Kernel, link| {
                let tally = kernel.tally_flows(MASK).unwrap();
                Family::BOTH.map(|family| tally.get(&(family, link)).copied().unwrap_or(0))
            };
            assert_eq!((counted(&mut kernel, 1), counted(&mut kernel, 2)), ([2, 2], [2, 2]));
            let ways = |place: usize| some[place][0].so_far().ways();
            for (place, family) in Family::BOTH.into_iter().enumerate() {
                assert!(some[place][0].goes_on(20));
                assert_eq!(ways(place), [Way::Link(1)], "{family}");
                assert!(matches!(kernel.reset_flows(Some(family), 1, MASK, &[]), Ok(Reset::Marked(_))));
                // A packet asked before may still be answered.
                assert!(some[place][0].goes_on(100));
                assert_eq!(ways(place), [Way::Link(1), Way::Link(2)], "{family}");
                assert_eq!(kernel.count_flows(Some(family), 1, MASK).unwrap(), 0);
                assert_eq!(counted(&mut kernel, 1), if family == Family::V4 { [0, 2] } else { [0, 0] });
            }
        });
        for [udp, tcp] in some {
            assert!(tcp.stop().error.is_some(), "its server knows nothing of the new address, and says so");
            assert_eq!(udp.stop().error, None);
        }
        for flow in others.into_iter().flatten() {
            assert!(flow.goes_on(20));
            flow.stop().assert_whole(Way::Link(2));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}
