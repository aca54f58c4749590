//! The kill switch: what is bound to a link leaves by it or not at all, ever; only `stop` lifts it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Counter, Dial, Flow, INTERNET, Knocker, LAN, Lab, Setup, Wan, Wansplit, Way};
use packet_support::{applied, links, rule};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The port of a rule whose target is a link, and of one whose target is a policy.
const BY_LINK: u16 = 6000;
const BY_POLICY: u16 = 6100;

/// Everything to 6000 and 6100 is bound to link 1 (EMB); link 2 is `main`'s default, where it would leak to.
fn config(fallback: &str, more: &str) -> String {
    let policy = format!("config policy 'bound'\n  list use 'EMB'\n  option fallback '{fallback}'\n");
    links(&format!("option fallback '{fallback}'"))
        + &policy
        + &rule("by_link", &BY_LINK.to_string(), "EMB")
        + &rule("by_policy", &BY_POLICY.to_string(), "bound")
        + more
}

struct Bound {
    lab: Lab,
}

impl Bound {
    fn new() -> Self {
        Self { lab: Lab::with(&Setup { main_default: vec![2], prefixes: true, ..Setup::default() }) }
    }

    fn leaks(&self) -> Counter<'_> {
        self.lab.provider(2).count("meta l4proto { tcp, udp } th dport 6000-6199")
    }

    /// Own addresses to send from: NATed IPv4 and ULA, and global IPv6 out of link 1's prefix, which nothing NATs.
    fn sources() -> [(IpAddr, IpAddr); 3] {
        [(LAN[0], INTERNET[0]), (LAN[1], INTERNET[1]), (Wan(1).lan_host(), INTERNET[1])]
    }

    fn established(&self) -> Vec<Flow> {
        let targets = Self::sources().into_iter().flat_map(|source| [BY_LINK, BY_POLICY].map(|port| (source, port)));
        let start = |((from, to), port)| Flow::udp_from(&self.lab.lan, Some(from), to, port, Duration::from_millis(2));
        let flows: Vec<Flow> = targets.map(start).collect();
        for flow in &flows {
            assert_eq!(flow.so_far().ways(), vec![Way::Link(1)]);
        }
        flows
    }

    fn knocker(&self) -> Knocker {
        let sources = Self::sources().into_iter();
        let targets = sources.flat_map(|(from, to)| [BY_LINK, BY_POLICY].map(|port| (Some(from), to, port)));
        Knocker::start(&self.lab.lan, targets.collect())
    }

    /// What a new UDP flow of each source meets, for each rule.
    fn ways(&self) -> Vec<Way> {
        let targets = Self::sources().into_iter().flat_map(|source| [BY_LINK, BY_POLICY].map(|port| (source, port)));
        let ask = |((from, to), port)| {
            let dial = Dial { from: Some(from), patience: Duration::from_millis(300), ..Dial::default() };
            self.lab.lan.run(|| dial.udp(SocketAddr::new(to, port)))
        };
        targets.map(ask).collect()
    }

    /// While much is refused at once, the kernel limits how often it says so: silence is as good.
    fn assert_held(&self) {
        let held = |way: &Way| matches!(way, Way::Refused | Way::Silence);
        let ways = self.ways();
        assert!(ways.iter().all(held), "{ways:?}");
    }

    /// All of them meet this, once the kernel has noticed that the link is away.
    fn assert_ways(&self, expected: Way) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.ways() != vec![expected; 6] {
            assert!(Instant::now() < deadline, "not all {expected:?}: {:?}", self.ways());
        }
    }
}

/// Ends the flows and the knocker; nothing of either may ever have left by link 2.
fn assert_no_leak(leaks: &Counter<'_>, flows: Vec<Flow>, knocker: Knocker) {
    assert!(knocker.stop() > 10);
    for flow in flows {
        let report = flow.stop();
        assert_eq!(report.ways(), vec![Way::Link(1)], "{report:?}");
    }
    assert_eq!(leaks.packets(), 0, "packets that left by the other link");
}

#[test]
fn nothing_leaks_while_the_carrier_is_away() {
    lab::isolated(|| {
        let bound = Bound::new();
        let wansplit = applied(&bound.lab, &config("unreachable", ""));
        let (leaks, flows, knocker) = (bound.leaks(), bound.established(), bound.knocker());
        for _ in 0..3 {
            bound.lab.provider(1).carrier(false);
            knocker.wait_for(20);
            bound.assert_held();
            for _ in 0..5 {
                wansplit.apply();
            }
            knocker.wait_for(20);
            bound.lab.provider(1).carrier(true);
            knocker.wait_for(20);
        }
        for flow in &flows {
            assert!(flow.goes_on(10), "the flow goes on when the link is back: {:?}", flow.so_far());
        }
        assert_no_leak(&leaks, flows, knocker);
    });
}

#[test]
fn nothing_leaks_while_the_device_is_off_and_has_no_address() {
    lab::isolated(|| {
        let bound = Bound::new();
        let wansplit = applied(&bound.lab, &config("unreachable", ""));
        let (leaks, flows, knocker) = (bound.leaks(), bound.established(), bound.knocker());
        for _ in 0..3 {
            bound.lab.interface_down(1);
            knocker.wait_for(20);
            bound.assert_held();
            for _ in 0..5 {
                wansplit.apply();
            }
            bound.assert_held();
            bound.lab.interface_up(1);
            wansplit.apply();
            knocker.wait_for(20);
        }
        let to = INTERNET[0];
        assert!((0..100).any(|_| bound.lab.tcp(&bound.lab.lan, to, BY_LINK) == Way::Link(1)), "it works again");
        assert_no_leak(&leaks, flows, knocker);
    });
}

/// Applies configurations in turn that have the kill switch in common and differ in much else.
fn apply_many(wansplit: &Wansplit<'_>, times: usize) {
    let balance = "config policy 'shared'
          list use 'EMB 2'
          list use 'OI'
          option mode 'balance'
        config rule 'everything'
          option use 'shared'\n";
    let many: String = (0..50).map(|n| rule(&format!("r{n}"), &(10_000 + n).to_string(), "mail")).collect();
    let reversed =
        "config policy 'reversed'\n list use 'OI'\n list use 'EMB'\n".to_owned() + &rule("z", "1-5999", "reversed");
    for round in 0..times {
        wansplit.apply_config(&config("unreachable", [balance, &many, &reversed, ""][round % 4]));
    }
}

#[test]
fn nothing_leaks_while_configurations_change() {
    lab::isolated(|| {
        let bound = Bound::new();
        let wansplit = applied(&bound.lab, &config("unreachable", ""));
        let (leaks, flows, knocker) = (bound.leaks(), bound.established(), bound.knocker());
        apply_many(&wansplit, 12);
        bound.lab.provider(1).carrier(false);
        apply_many(&wansplit, 12);
        bound.assert_held();
        bound.lab.interface_down(1);
        apply_many(&wansplit, 12);
        bound.assert_held();
        assert_no_leak(&leaks, flows, knocker);
    });
}

/// Two names may want the same number; then the one that sorts first has it, and the other moves on.
#[test]
fn nothing_leaks_while_another_section_takes_its_number() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { links: 3, main_default: vec![2], ..Setup::default() });
        // Not the link's own fallback as well: then the policy would be the link, and have its pinned number.
        let bound = "config policy 'bound'\n  list use 'EMB'\n  option fallback 'unreachable'\n";
        let alone = links("") + bound + &rule("by_policy", &BY_POLICY.to_string(), "bound");
        let taken = alone.clone()
            + "config link 'A35'
                 option device 'eth4'
                 option gateway '198.18.3.1'
                 option gateway6 '2001:db8:3::1'\n"
            + &rule("by_third", "7", "A35");
        let wansplit = applied(&lab, &alone);
        let mark = || {
            let to = SocketAddr::new(INTERNET[0], BY_POLICY).to_string();
            let output = wansplit.run(&["explain", "--json", "tcp", "192.168.1.10:4000", &to]);
            let answer: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
            answer["paths"][0]["mark"].as_u64().unwrap()
        };
        let leaks: Vec<Counter> = [2, 3].map(|link| lab.provider(link).count("th dport 6000-6199")).into();
        let targets = INTERNET.map(|to| (None, to, BY_POLICY));
        let knocker = Knocker::start(&lab.lan, targets.to_vec());
        for _ in 0..15 {
            let before = mark();
            wansplit.apply_config(&taken);
            assert_ne!(mark(), before, "this test needs names that want the same number");
            knocker.wait_for(5);
            wansplit.apply_config(&alone);
            assert_eq!(mark(), before);
        }
        assert!(knocker.stop() > 0);
        let leaked: Vec<u64> = leaks.iter().map(Counter::packets).collect();
        assert_eq!(leaked, [0, 0], "packets bound to EMB that left by another link");
    });
}

#[test]
fn nothing_leaks_when_apply_is_killed() {
    lab::isolated(|| {
        let bound = Bound::new();
        let wansplit = applied(&bound.lab, &config("unreachable", ""));
        let (leaks, flows, knocker) = (bound.leaks(), bound.established(), bound.knocker());
        bound.lab.provider(1).carrier(false);
        for round in 0..30 {
            let more = if round % 2 == 0 { rule("other", "1-5999", "mail") } else { rule("else", "7000-7999", "web") };
            wansplit.configure(&config("unreachable", &more));
            let mut apply = wansplit.start(&["apply"]);
            std::thread::sleep(Duration::from_millis(round));
            let _ = apply.kill();
            apply.wait().unwrap();
        }
        knocker.wait_for(20);
        assert_no_leak(&leaks, flows, knocker);
    });
}

#[test]
fn a_blackhole_is_silent() {
    lab::isolated(|| {
        let bound = Bound::new();
        applied(&bound.lab, &config("blackhole", ""));
        let leaks = bound.leaks();
        bound.assert_ways(Way::Link(1));
        bound.lab.provider(1).carrier(false);
        bound.assert_ways(Way::Silence);
        assert_eq!(leaks.packets(), 0);
    });
}

#[test]
fn rules_to_unreachable_and_blackhole_hold_always() {
    lab::isolated(|| {
        let lab = Lab::new();
        applied(&lab, &(links("") + &rule("refused", "6000", "unreachable") + &rule("dropped", "6100", "blackhole")));
        for to in INTERNET {
            assert_eq!(lab.udp(&lab.lan, to, 6000), Way::Refused);
            assert_eq!(lab.udp(&lab.lan, to, 6100), Way::Silence);
            assert_eq!(lab.udp(&lab.lan, to, 6200), Way::Link(1));
            // connect() does not give up on an unreachable host, so both look the same to TCP.
            assert_eq!([6000, 6100].map(|port| lab.tcp(&lab.lan, to, port)), [Way::Silence; 2]);
        }
    });
}

#[test]
fn only_stop_lifts_it() {
    lab::isolated(|| {
        let bound = Bound::new();
        let wansplit = applied(&bound.lab, &config("unreachable", ""));
        let leaks = bound.leaks();
        bound.lab.provider(1).carrier(false);
        bound.assert_ways(Way::Refused);
        wansplit.configure("config link 'EMB'\n  option devize 'eth1'\nnonsense\n");
        assert_ne!(wansplit.run(&["apply"]).code, 0, "a file that cannot be read is an error");
        bound.assert_ways(Way::Refused);
        assert_eq!(leaks.packets(), 0);
        wansplit.configure(&config("unreachable", ""));
        wansplit.stop();
        for (from, to) in [(LAN[0], INTERNET[0]), (LAN[1], INTERNET[1])] {
            let dial = Dial { from: Some(from), ..Dial::default() };
            assert_eq!(bound.lab.lan.run(|| dial.tcp(SocketAddr::new(to, BY_LINK))), Way::Link(2), "from {from}");
        }
        assert!(leaks.packets() > 0);
    });
}

/// Refused an IPv6 packet without a source, the kernel picks an address and asks again.
#[test]
fn the_routers_own_traffic_is_held_too() {
    lab::isolated(|| {
        let own = |name: &str, port: u16, target: &str| {
            format!("config rule '{name}'\n option from 'router'\n list dest_port '{port}'\n option use '{target}'\n")
        };
        let rules = own("by_link", BY_LINK, "EMB") + &own("refused", 6200, "unreachable") + &own("free", 6300, "OI");
        let lab = Lab::with(&Setup { links: 3, main_default: vec![2, 1], ..Setup::default() });
        let text =
            links("").replacen("option device 'eth1'", "option device 'eth1'\n option fallback 'unreachable'", 1);
        let wansplit = applied(&lab, &(text + &rules));
        let leaks = [2, 3].map(|link| lab.provider(link).count("meta l4proto { tcp, udp } th dport 6000-6299"));
        let ways = |port| INTERNET.map(|to| (lab.udp(&lab.router, to, port), lab.tcp(&lab.router, to, port)));
        let held = |(udp, tcp): (Way, Way)| !matches!((udp, tcp), (Way::Link(_), _) | (_, Way::Link(_)));
        assert_eq!(ways(BY_LINK), [(Way::Link(1), Way::Link(1)); 2]);
        assert!(ways(6200).into_iter().all(held), "{:?}", ways(6200));
        lab.interface_down(1);
        for _ in 0..2 {
            assert!(ways(BY_LINK).into_iter().all(held), "{:?}", ways(BY_LINK));
            assert!(ways(6200).into_iter().all(held), "{:?}", ways(6200));
            assert_eq!(ways(6300), [(Way::Link(2), Way::Link(2)); 2]);
            wansplit.apply();
        }
        assert_eq!(leaks.map(|leak| leak.packets()), [0, 0]);
    });
}
