//! What docs/troubleshooting.md says one sees is what one sees: each symptom is made in the lab. See `symptom_support`.
//!
//! `SHOW=1 cargo test --test troubleshooting -- --nocapture` prints what there is to be seen.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod symptom_support;

use lab::{Direction, Families, INTERNET, Lab, Setup, Wansplit, Way};
use std::thread::sleep;
use std::time::{Duration, Instant};
use symptom_support::Symptom;

const PATIENCE: Duration = Duration::from_secs(30);
const FAST: &str = "list track_ip '192.0.2.10'\n list track_ip '2001:db8:ffff::10'\n option interval '200ms'\n option timeout '600ms'\n";

/// Two links, `web` by EMB and else OI, `mail` the other way round, with these further options of EMB and further sections.
fn office(emb: &str, more: &str) -> String {
    format!(
        "config globals 'globals'
           option enabled '1'
         config link 'EMB'
           option device 'eth1'
           option gateway '198.51.100.1'
           option gateway6 '2001:db8:1::1'
           {emb}
         config link 'OI'
           option device 'eth2'
           option gateway '203.0.113.1'
           option gateway6 '2001:db8:2::1'
         config policy 'web'
           list use 'EMB'
           list use 'OI'
         config policy 'mail'
           list use 'OI'
           list use 'EMB'
         {more}"
    )
}

const RULES: &str = "config rule 'browsing'\n list dest_port '80'\n list dest_port '443'\n option use 'web'
                     config rule 'post'\n list dest_port '25'\n list dest_port '587'\n option use 'mail'\n";

fn lab() -> Lab {
    Lab::with(&Setup { main_default: vec![1, 2], ..Setup::default() })
}

fn program<'a>(lab: &'a Lab, config: &str) -> Wansplit<'a> {
    Wansplit::new(env!("CARGO_BIN_EXE_wansplit"), &lab.router, config)
}

/// What a host behind the router asks for.
fn fetches(lab: &Lab, port: u16) -> Way {
    lab.tcp(&lab.lan, INTERNET[0], port)
}

#[test]
fn a_gateway_that_is_none() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let config = office("", RULES).replace("'198.51.100.1'", "'198.51.100.77'");
        let wansplit = program(&lab, &config);
        wansplit.apply();
        assert_ne!(fetches(&lab, 443), Way::Link(1));
        let symptom = Symptom::of("a gateway that is none", &lab, &wansplit);
        symptom.types("wansplit use EMB ping -4 -c 2 -W 1 192.0.2.10");
        symptom.types("ip neigh show 198.51.100.77");
        // The kernel asks three times, a second apart, and then begins anew with the next packet.
        let since = Instant::now();
        while !symptom.types("wansplit status").contains("nobody answers") && since.elapsed() < PATIENCE {
            sleep(Duration::from_millis(200));
        }
        symptom.types("wansplit check");
        symptom.types("wansplit stop");
        assert_eq!(fetches(&lab, 443), Way::Link(1));
    });
}

#[test]
fn a_firewall_that_knows_one_link() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let wansplit = program(&lab, &office("", RULES));
        wansplit.apply();
        lab.router
            .nft("table inet zone { chain forward { type filter hook forward priority 10; oifname eth2 reject; }; }");
        assert_ne!(fetches(&lab, 25), Way::Link(2));
        let symptom = Symptom::of("a firewall that knows one link", &lab, &wansplit);
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:25");
        symptom.types("wansplit use OI ping -4 -c 2 192.0.2.10");
    });
}

#[test]
fn connections_that_are_shared_out() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let config = office("", "config policy 'both'\n option mode 'balance'\n option balance_by 'connection'\n list use 'EMB'\n list use 'OI'
                                 config rule 'browsing'\n list dest_port '443'\n option use 'both'\n");
        let wansplit = program(&lab, &config);
        wansplit.apply();
        let symptom = Symptom::of("connections that are shared out", &lab, &wansplit);
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:443");
        wansplit.apply_config(&config.replace("option balance_by 'connection'", ""));
        let by_client = Symptom::of("clients that are shared out", &lab, &wansplit);
        by_client.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:443");
        by_client.types("wansplit status");
    });
}

#[test]
fn a_host_that_answers_no_ping() {
    lab::isolated_as_root(|| {
        let lab = lab();
        lab.internet
            .nft("table inet quiet { chain in { type filter hook input priority 0; ip daddr 192.0.2.77 drop; }; }");
        let config = office(&FAST.replace("192.0.2.10", "192.0.2.77"), RULES);
        let wansplit = program(&lab, &config);
        let daemon = wansplit.daemon(&[]);
        daemon.wait_for_state("EMB", &["ipv4"], "down", PATIENCE);
        sleep(Duration::from_millis(500));
        let symptom = Symptom::of("a host that answers no ping", &lab, &wansplit);
        symptom.sees("logread -e wansplit", &daemon.log_text());
        symptom.types("wansplit status");
        symptom.types("ping -I eth1 -c 2 -W 1 192.0.2.77");
        symptom.types("ping -I eth1 -c 2 192.0.2.10");
        symptom.types("wansplit use EMB ping -4 -c 2 192.0.2.10");
    });
}

#[test]
fn a_link_that_nobody_asks() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let wansplit = program(&lab, &office("", RULES));
        let _daemon = wansplit.daemon(&[]);
        lab.provider(1).silence(Direction::Both);
        let symptom = Symptom::of("a link that nobody asks", &lab, &wansplit);
        symptom.types("wansplit status");
        // Its gateway answers.
        assert!(!symptom.types("wansplit check").contains("nobody answers"));
        symptom.types("wansplit use EMB ping -4 -c 2 -W 1 192.0.2.10");
    });
}

#[test]
fn a_link_that_flaps() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let wansplit = program(&lab, &office("", RULES));
        let daemon = wansplit.daemon(&[]);
        lab.provider(1).flap(Duration::from_millis(300), Duration::from_secs(4));
        daemon.wait_for_state("EMB", &["ipv4"], "held", PATIENCE);
        let symptom = Symptom::of("a link that flaps", &lab, &wansplit);
        symptom.sees("logread -e wansplit", &daemon.log_text());
        symptom.types("wansplit status");
    });
}

#[test]
fn a_link_that_loses() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let wansplit = program(&lab, &office(&format!("{FAST} option max_loss '20'\n option down '10'\n"), RULES));
        let daemon = wansplit.daemon(&[]);
        daemon.wait_for_state("EMB", &["ipv4"], "up", PATIENCE);
        // One family: both together are one line.
        lab.provider(1).drop_forwarded("meta nfproto ipv4 iifname customer numgen random mod 100 < 50");
        daemon.wait_for_state("EMB", &["ipv4"], "degraded", PATIENCE);
        let symptom = Symptom::of("a link that loses", &lab, &wansplit);
        let line = daemon.wait_for_line(Instant::now() - PATIENCE, &["EMB", "degraded"], PATIENCE);
        assert!(line.is_some());
        symptom.sees("logread -e wansplit", &daemon.log_text());
        symptom.types("wansplit status");
    });
}

#[test]
fn a_link_that_dies_and_comes_back() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let wansplit = program(&lab, &office(FAST, RULES));
        let daemon = wansplit.daemon(&[]);
        let flow = lab::Flow::tcp(&lab.lan, INTERNET[0], 443, 64, Duration::from_millis(50));
        let udp = lab::Flow::udp(&lab.lan, INTERNET[0], 443, Duration::from_millis(50));
        assert!(udp.goes_on(3) && flow.goes_on(3));
        lab.provider(1).silence_families(Families::V4, Direction::Both);
        daemon.wait_for_state("EMB", &["ipv4"], "down", PATIENCE);
        assert!(udp.comes_by(Way::Link(2), PATIENCE).is_some());
        lab.provider(1).speak();
        daemon.wait_for_state("EMB", &["ipv4"], "up", PATIENCE);
        let symptom = Symptom::of("a link that dies and comes back", &lab, &wansplit);
        assert!(daemon.wait_for_line(Instant::now() - PATIENCE, &["EMB", "up"], PATIENCE).is_some());
        symptom.sees("logread -e wansplit", &daemon.log_text());
        symptom.types("wansplit status");
        assert_eq!(fetches(&lab, 443), Way::Link(1));
        assert!(udp.goes_on(3));
    });
}

#[test]
fn a_rule_that_does_nothing() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let more = "config rule 'all_web'\n list dest_port '443'\n option use 'web'
                    config rule 'camera'\n list src_ip '192.168.1.10'\n list dest_port '443'\n option use 'OI'
                    config rule 'from_router'\n option from 'router'\n list dest_port '25'\n option use 'OI'
                    config rule 'old'\n option enabled '0'\n list dest_port '22'\n option use 'OI'\n";
        let wansplit = program(&lab, &office("", more));
        wansplit.apply();
        let symptom = Symptom::of("a rule that does nothing", &lab, &wansplit);
        symptom.types("wansplit check");
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:443");
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:25");
        symptom.types("wansplit explain tcp router 192.0.2.10:25");
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:22");
    });
}

#[test]
fn a_rule_of_one_ip_version() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let more = "config rule 'films'\n list dest_ip '192.0.2.0/24'\n option use 'OI'\n";
        let wansplit = program(&lab, &office("", more));
        wansplit.apply();
        let symptom = Symptom::of("a rule of one IP version", &lab, &wansplit);
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:443");
        symptom.types("wansplit explain tcp '[fd00:1::10]:40000' '[2001:db8:ffff::10]:443'");
        symptom.types("wansplit status");
    });
}

#[test]
fn a_kernel_that_differs() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let wansplit = program(&lab, &office("", RULES));
        wansplit.apply();
        lab.router.ip("route add 192.0.2.0/28 via 203.0.113.1");
        let symptom = Symptom::of("a route that wins", &lab, &wansplit);
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:443");
        drop(symptom);
        lab.router.ip("route del 192.0.2.0/28 via 203.0.113.1");
        lab.router.nft("delete table inet wansplit");
        let symptom = Symptom::of("a kernel that differs", &lab, &wansplit);
        symptom.types("wansplit status");
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:443");
        symptom.types("wansplit apply");
        symptom.types("wansplit status");
    });
}

#[test]
fn a_connection_that_runs() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let config = office("", RULES);
        let wansplit = program(&lab, &config);
        wansplit.apply();
        let call = lab::Flow::udp(&lab.lan, INTERNET[0], 443, Duration::from_millis(20));
        assert!(call.goes_on(3));
        wansplit.apply_config(&config.replace("option use 'web'", "option use 'OI'"));
        let symptom = Symptom::of("a connection that runs", &lab, &wansplit);
        symptom.types("wansplit explain udp 192.168.1.10:40000 192.0.2.10:443");
        assert!(call.goes_on(3));
        assert_eq!(call.stop().ways(), vec![Way::Link(1)]);
    });
}

#[test]
fn a_port_forward() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let wansplit = program(&lab, &office("", RULES));
        wansplit.apply();
        let symptom = Symptom::of("a port forward", &lab, &wansplit);
        symptom.types("wansplit explain tcp 192.0.2.10:50000 192.168.1.10:8080 --iface eth2");
    });
}

#[test]
fn a_kill_switch() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let more = "config policy 'office_only'\n list use 'OI'\n option fallback 'unreachable'
                    config rule 'everything'\n option use 'office_only'\n";
        let wansplit = program(&lab, &office("", more));
        wansplit.apply();
        lab.provider(2).carrier(false);
        let symptom = Symptom::of("a kill switch", &lab, &wansplit);
        symptom.types("wansplit status");
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:443");
        symptom.types("wansplit use OI true");
    });
}

#[test]
fn an_interface_that_is_not_there() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let config = office("", RULES).replace(
            "option device 'eth2'\n           option gateway '203.0.113.1'\n           option gateway6 '2001:db8:2::1'",
            "option interface 'wan2'",
        );
        let wansplit = program(&lab, &config).with_network(&lab.network_dump(&[]));
        wansplit.apply();
        let symptom = Symptom::of("an interface that is not there", &lab, &wansplit);
        symptom.types("wansplit check");
        symptom.types("wansplit status");
        wansplit.configure(&config.replace("'wan2'", "'wanb'").replace("option use 'mail'", "option use 'male'"));
        let typo = Symptom::of("a typing error", &lab, &wansplit);
        typo.types("wansplit check");
        typo.types("wansplit apply");
    });
}

#[test]
fn a_vpn_that_takes_everything() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let wansplit = program(&lab, &office("", RULES));
        wansplit.apply();
        lab.router.ip("route add 0.0.0.0/1 via 198.51.100.1\nroute add 128.0.0.0/1 via 198.51.100.1");
        let symptom = Symptom::of("a VPN that takes everything", &lab, &wansplit);
        symptom.types("wansplit check");
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:25");
    });
}

#[test]
fn a_domain_that_nobody_asked_for() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let more = "config rule 'films'\n list dest_domain 'example.com'\n option use 'OI'\n";
        let wansplit = program(&lab, &office("", more));
        let _ = wansplit.run(&["apply"]);
        let symptom = Symptom::of("a domain that nobody asked for", &lab, &wansplit);
        symptom.types("wansplit check");
        symptom.types("wansplit explain tcp 192.168.1.10:40000 192.0.2.10:443");
        symptom.types("nft list set inet wansplit rule_domains4_films");
        symptom.types("wansplit set show films");
    });
}

#[test]
fn switched_off() {
    lab::isolated_as_root(|| {
        let lab = lab();
        let config = office("", RULES);
        let wansplit = program(&lab, &config);
        let _daemon = wansplit.daemon(&[]);
        wansplit.stop();
        let symptom = Symptom::of("stopped", &lab, &wansplit);
        symptom.types("wansplit status");
        wansplit.configure(&config.replace("enabled '1'", "enabled '0'"));
        let off = Symptom::of("switched off", &lab, &wansplit);
        off.types("wansplit check");
        off.types("wansplit status");
        off.types("wansplit apply");
    });
}
