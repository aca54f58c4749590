//! What the probes have shown of a link: routes follow it, nothing else does, and the probes themselves get through.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, Lab, Setup, Wan, Way};
use packet_support::{links, rule};
use std::time::Duration;
use wansplit::config;
use wansplit::config::model::{Config, Family, LinkId, Method, Tracking};
use wansplit::kernel::Kernel;
use wansplit::map::Set;
use wansplit::network::firewall::Firewall;
use wansplit::network::gather::{Absent, Sources, gather};
use wansplit::network::known::Known;
use wansplit::network::{Facts, Standing};
use wansplit::plan::flows::{Alternatives, Doomed, doomed, returning};
use wansplit::plan::path::Paths;
use wansplit::plan::plan;
use wansplit::reconcile;

use Standing::{Dead, Good, Poor};

/// The classic recipe with both links watched.
fn watched(options: &str, more: &str) -> Config {
    let mut config = config::read((links(options) + more).as_bytes()).config.unwrap();
    for link in &mut config.links {
        link.tracking = Some(Tracking {
            method: Method::Arp,
            hosts: Vec::new(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            down: 3,
            up: 3,
            reliability: 1,
            max_loss: None,
            max_latency: None,
        });
    }
    config
}

/// What the router's kernel tells, with these standings of its links.
fn facts(kernel: &mut Kernel, config: &Config, rp_filter: u8, standings: [Standing; 2]) -> Facts {
    let (devices, addresses) = (kernel.links().unwrap(), kernel.addresses().unwrap());
    let sources = Sources {
        netifd: None,
        devices: &devices,
        addresses: &addresses,
        ipv6: true,
        without_ipv6: &Set::new(),
        absent: Absent::Missing,
        known: &Known::nothing(),
        firewall: &Firewall::silent(),
    };
    let mut facts = gather(config, &sources);
    for (link, standing) in facts.links.iter_mut().zip(standings) {
        (link.v4.standing, link.v6.standing) = (standing, standing);
        let checked = match rp_filter {
            1 => &mut facts.strict_devices,
            2 => &mut facts.loose_devices,
            _ => continue,
        };
        if let Some(device) = &link.v4.device {
            checked.insert(device.clone());
        }
    }
    // In the tests' user namespace few users exist.
    facts.absent_users = wansplit::kernel::users::absent();
    facts
}

/// Makes the router's kernel hold the plan for these standings; returns what changed.
fn apply(lab: &Lab, config: &Config, rp_filter: u8, standings: [Standing; 2]) -> Vec<String> {
    lab.router.run(|| {
        let mut kernel = Kernel::new();
        let facts = facts(&mut kernel, config, rp_filter, standings);
        let report = reconcile::apply(&mut kernel, &plan(config, &facts).unwrap()).unwrap();
        assert_eq!((&report.missing, &report.warnings), (&vec![], &vec![]));
        report.changed
    })
}

/// Whether an echo request by a link's device is answered, with this mark on its socket.
fn answered(lab: &Lab, link: u8, family: usize, mark: u32) -> bool {
    lab.router.ping(INTERNET[family], &["-I", Wan(link).device(), "-m", &mark.to_string()])
}

fn probes_get_through(rp_filter: u8, fallback: &str) {
    let lab = Lab::with(&Setup { main_default: vec![2], rp_filter, ..Setup::default() });
    let config = watched(&format!("option fallback '{fallback}'"), &rule("alone", "6000", "EMB"));
    let paths = Paths::new(&config).unwrap();
    let [mark, other] = [0, 1].map(|n| paths[paths.probe(LinkId(n)).unwrap()].mark.bits());
    let own = paths[paths.of_link(LinkId(0))].mark.bits();
    apply(&lab, &config, rp_filter, [Good, Good]);
    for (family, to) in INTERNET.into_iter().enumerate() {
        assert_eq!(lab.udp(&lab.lan, to, 6000), Way::Link(1));
        assert!(answered(&lab, 1, family, mark) && answered(&lab, 2, family, other), "{to}: while all is well");
    }
    apply(&lab, &config, rp_filter, [Dead, Good]);
    let expected = if fallback == "main" { Way::Link(2) } else { Way::Refused };
    let at_isp = lab.provider(1).count("meta l4proto { icmp, ipv6-icmp }");
    for (family, to) in INTERNET.into_iter().enumerate() {
        assert_eq!(lab.udp(&lab.lan, to, 6000), expected, "{to}: a client, by the fallback");
        assert!(answered(&lab, 1, family, mark), "{to}: a probe of the dead link");
        assert!(answered(&lab, 2, family, other), "{to}: a probe of the other link");
        // That it is not the device alone, nor the link's own mark, which leads a probe out; but in IPv6, what the router
        // sends from the link's address may leave by no other.
        let bound = to.is_ipv6() && fallback == "main";
        assert_eq!(answered(&lab, 1, family, own), bound, "{to}: with the link's own mark");
    }
    assert!(at_isp.packets() >= 2);
    assert_eq!(lab.spoofed(), 0);
}

#[test]
fn a_dead_link_is_probed_without_rp_filter() {
    lab::isolated(|| ["main", "unreachable"].into_iter().for_each(|fallback| probes_get_through(0, fallback)));
}

#[test]
fn a_dead_link_is_probed_with_loose_rp_filter() {
    lab::isolated(|| ["main", "unreachable"].into_iter().for_each(|fallback| probes_get_through(2, fallback)));
}

#[test]
fn a_dead_link_is_probed_with_strict_rp_filter() {
    lab::isolated(|| ["main", "unreachable"].into_iter().for_each(|fallback| probes_get_through(1, fallback)));
}

#[test]
fn new_connections_follow_the_standings_and_running_ones_of_the_other_link_do_not_notice() {
    lab::isolated(|| {
        let lab = Lab::new();
        let config = watched("", &(rule("navegacao", "443", "web") + &rule("correio", "25", "mail")));
        apply(&lab, &config, 0, [Good, Good]);
        let streams = INTERNET.map(|to| Flow::udp(&lab.lan, to, 25, Duration::from_millis(1)));
        for (standings, web, mail) in [
            ([Good, Good], 1, 2),
            ([Poor, Good], 2, 2),
            ([Poor, Poor], 1, 2),
            ([Dead, Poor], 2, 2),
            ([Dead, Good], 2, 2),
            ([Poor, Good], 2, 2),
            ([Good, Good], 1, 2),
        ] {
            let changed = apply(&lab, &config, 0, standings);
            assert!(changed.iter().all(|line| line.contains(" route ")), "{changed:#?}");
            for to in INTERNET {
                assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(web), "web: {standings:?}");
                assert_eq!(lab.tcp(&lab.lan, to, 25), Way::Link(mail), "mail: {standings:?}");
            }
        }
        for stream in streams {
            assert!(stream.goes_on(10));
            stream.stop().assert_whole(Way::Link(2));
        }
        for (standings, mail) in [([Good, Poor], 1), ([Poor, Dead], 1), ([Poor, Poor], 2), ([Good, Good], 2)] {
            apply(&lab, &config, 0, standings);
            for to in INTERNET {
                assert_eq!(lab.tcp(&lab.lan, to, 25), Way::Link(mail), "mail: {standings:?}");
            }
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

/// Deletes connections as the daemon does, once the routes are in.
fn reset(lab: &Lab, config: &Config, standings: [Standing; 2], found: impl Fn(&Paths, &Facts) -> Vec<Doomed> + Sync) {
    lab.router.run(|| {
        let mut kernel = Kernel::new();
        let facts = facts(&mut kernel, config, 0, standings);
        let found = found(&Paths::new(config).unwrap(), &facts);
        assert!(!found.is_empty());
        for doomed in found {
            for mark in doomed.marks {
                kernel.reset_flows(Some(doomed.family), mark.bits(), config.globals.mask.bits(), &[]).unwrap();
            }
        }
    });
}

#[test]
fn flows_of_a_dead_link_move_and_come_back_and_the_others_do_not_notice() {
    lab::isolated(|| {
        for options in ["", "option fallback 'unreachable'"] {
            // A kill switch stamps connections with the policies' own paths.
            let policies = "config policy 'web2'\n list use 'EMB'\n list use 'OI'\n ".to_owned()
                + options
                + "\nconfig policy 'mail2'\n list use 'OI'\n list use 'EMB'\n "
                + options
                + "\n";
            let rules = rule("navegacao", "443", "web2") + &rule("correio", "25", "mail2");
            let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
            let mut config = watched("", &(policies + &rules));
            config.links[0].flush.up = true;
            apply(&lab, &config, 0, [Good, Good]);
            let often = Duration::from_millis(5);
            let web = INTERNET.map(|to| Flow::udp(&lab.lan, to, 443, often));
            // A TCP connection does not survive that its entry is deleted.
            let [mail, other] = [25, 999].map(|port| INTERNET.map(|to| Flow::tcp(&lab.lan, to, port, 64, often)));
            let on = |flows: &[Flow], link| {
                flows.iter().all(|flow| {
                    let before = flow.so_far().ways.get(&Way::Link(link)).copied().unwrap_or(0);
                    flow.goes_on(20) && flow.so_far().ways.get(&Way::Link(link)).copied().unwrap_or(0) > before
                })
            };
            assert!(on(&web, 1) && on(&mail, 2));

            apply(&lab, &config, 0, [Dead, Good]);
            let main = Alternatives::default();
            reset(&lab, &config, [Dead, Good], |paths, facts| doomed(&config, paths, facts, &main));
            assert!(on(&web, 2) && on(&mail, 2), "{options}: {:?}", web[0].so_far());

            apply(&lab, &config, 0, [Good, Good]);
            assert!(on(&web, 2), "they stay where they are");
            let back = |paths: &Paths, facts: &Facts| {
                Family::BOTH.map(|family| returning(&config, paths, facts, LinkId(0), family)).concat()
            };
            reset(&lab, &config, [Good, Good], back);
            assert!(on(&web, 1), "{options}: {:?}", web[0].so_far());
            for flow in mail.into_iter().chain(other) {
                flow.stop().assert_whole(Way::Link(2));
            }
            for flow in web {
                assert_eq!(flow.stop().ways(), [Way::Link(1), Way::Link(2)]);
            }
        }
    });
}
