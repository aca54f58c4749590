//! A configuration of mwan3, imported and switched on as its owner would, and where packets then go.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, INTERNET, Lab, Setup, Wansplit, Way, client_address};
use packet_support::configured;
use std::net::SocketAddr;

/// Web by the second link, DNS refused, one host by the main table, the rest by the first link; each link stands in for
/// the other one, and when none is up nothing leaves. Port 7000 is shared 3 to 1, port 7001 alone on a link.
const MWAN3: &str = "
config globals 'globals'
	option mmx_mask '0x3F00'

config interface 'wan'
	option enabled '1'
	option family 'ipv4'

config interface 'wan6'
	option enabled '1'
	option family 'ipv6'

config interface 'wanb'
	option enabled '1'
	option family 'ipv4'

config interface 'wanb6'
	option enabled '1'
	option family 'ipv6'

config member 'a1'
	option interface 'wan'
	option metric '1'
	option weight '3'

config member 'a1_6'
	option interface 'wan6'
	option metric '1'
	option weight '3'

config member 'a2'
	option interface 'wan'
	option metric '2'

config member 'a2_6'
	option interface 'wan6'
	option metric '2'

config member 'b1'
	option interface 'wanb'
	option metric '1'

config member 'b1_6'
	option interface 'wanb6'
	option metric '1'

config member 'b2'
	option interface 'wanb'
	option metric '2'

config member 'b2_6'
	option interface 'wanb6'
	option metric '2'

config policy 'first'
	list use_member 'a1'
	list use_member 'a1_6'
	list use_member 'b2'
	list use_member 'b2_6'

config policy 'second'
	list use_member 'a2'
	list use_member 'a2_6'
	list use_member 'b1'
	list use_member 'b1_6'

config policy 'shared'
	list use_member 'a1'
	list use_member 'a1_6'
	list use_member 'b1'
	list use_member 'b1_6'

config policy 'alone'
	list use_member 'b1'
	list use_member 'b1_6'
	option last_resort 'default'

config rule 'web'
	option proto 'tcp'
	option dest_port '80,443'
	option use_policy 'second'

config rule 'dns'
	option proto 'udp'
	option dest_port '53'
	option use_policy 'unreachable'

config rule 'by_main'
	option proto 'tcp'
	option dest_port '8000:8100'
	option use_policy 'default'

config rule 'shared_7000'
	option proto 'tcp'
	option dest_port '7000'
	option use_policy 'shared'

config rule 'sticky_7003'
	option proto 'tcp'
	option dest_port '7003'
	option sticky '1'
	option timeout '300'
	option use_policy 'shared'

config rule 'alone_7001'
	option proto 'tcp'
	option dest_port '7001'
	option use_policy 'alone'

config rule 'missing'
	option proto 'tcp'
	option dest_port '7002'
	option use_policy 'nowhere'

config rule 'rest4'
	option dest_ip '0.0.0.0/0'
	option use_policy 'first'

config rule 'rest6'
	option dest_ip '::/0'
	option family 'ipv6'
	option use_policy 'first'
";

/// What `import` prints for the file, switched on.
fn imported(wansplit: &Wansplit) -> String {
    std::fs::write("/run/mwan3", MWAN3).unwrap();
    let output = wansplit.run(&["import", "mwan3", "/run/mwan3"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("option enabled '0'"), "{}", output.stdout);
    assert!(output.stderr.contains("there is no policy 'nowhere'"), "{}", output.stderr);
    assert!(!output.stderr.contains("by its name"), "netifd has told that wan and wan6 are one: {}", output.stderr);
    output.stdout.replacen("option enabled '0'", "option enabled '1'", 1)
}

#[test]
fn imported_rules_send_packets_where_they_went() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        let wansplit = configured(&lab, "").with_network(&lab.network_dump(&[]));
        let config = imported(&wansplit);
        wansplit.apply_config(&config);
        for to in INTERNET {
            // The rules hold for the router's own packets too.
            for from in [&lab.lan, &lab.lan2, &lab.router] {
                let name = from.name();
                assert_eq!(lab.tcp(from, to, 443), Way::Link(2), "web from {name} to {to}");
                assert_eq!(lab.tcp(from, to, 25), Way::Link(1), "rest from {name} to {to}");
                assert_eq!(lab.udp(from, to, 443), Way::Link(1), "rest from {name} to {to}");
                assert_eq!(lab.tcp(from, to, 8080), Way::Link(2), "main from {name} to {to}");
                assert_eq!(lab.tcp(from, to, 7001), Way::Link(2), "alone from {name} to {to}");
            }
            assert_eq!(lab.udp(&lab.lan, to, 53), Way::Refused, "dns to {to}");
        }
        assert_eq!(lab.spoofed(), 0);

        lab.provider(2).carrier(false);
        for to in INTERNET {
            let mut ways = (0..200).map(|_| lab.tcp(&lab.lan, to, 443));
            assert!(ways.any(|way| way == Way::Link(1)), "the other link takes over");
            assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(1));
        }
        // The last resort. TCP does not end at once when it hears of it; UDP does.
        lab.provider(1).carrier(false);
        for to in INTERNET {
            let mut ways = (0..20).map(|_| lab.udp(&lab.lan, to, 443));
            assert!(ways.any(|way| way == Way::Refused), "udp to {to}");
            assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Silence);
        }
    });
}

#[test]
fn imported_weights_share_connections() {
    lab::isolated(|| {
        const CONNECTIONS: usize = 400;
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        let wansplit = configured(&lab, "").with_network(&lab.network_dump(&[]));
        let config = imported(&wansplit);
        wansplit.apply_config(&config);
        for to in INTERNET {
            let first = (0..CONNECTIONS).filter(|_| lab.tcp(&lab.lan, to, 7000) == Way::Link(1)).count();
            // 3 in 4, within five standard deviations.
            assert!((256..=344).contains(&first), "{first} of {CONNECTIONS} to {to} by link 1");
        }
    });
}

#[test]
fn imported_stickiness_keeps_clients_on_their_links() {
    lab::isolated(|| {
        const CLIENTS: u8 = 60;
        let lab = Lab::with(&Setup { main_default: vec![2], clients: CLIENTS, ..Setup::default() });
        let wansplit = configured(&lab, "").with_network(&lab.network_dump(&[]));
        wansplit.apply_config(&imported(&wansplit));
        let way = |from, to| {
            let dial = Dial { from: Some(from), ..Dial::default() };
            lab.lan.run(move || dial.tcp(SocketAddr::new(to, 7003)))
        };
        for (family, to) in INTERNET.into_iter().enumerate() {
            let firsts: Vec<Way> = (0..CLIENTS).map(|number| way(client_address(number)[family], to)).collect();
            // 3 in 4 have the first link; that all 60 have one is out of the question.
            for link in [Way::Link(1), Way::Link(2)] {
                assert!(firsts.contains(&link), "nobody has {link:?} to {to}");
            }
            for _ in 0..5 {
                let again: Vec<Way> = (0..CLIENTS).map(|number| way(client_address(number)[family], to)).collect();
                assert_eq!(again, firsts, "to {to}");
            }
        }
    });
}

#[test]
fn check_warns_while_mwan3_starts_at_boot() {
    lab::isolated(|| {
        let lab = Lab::new();
        let wansplit = configured(&lab, "").with_network(&lab.network_dump(&[]));
        wansplit.configure(&imported(&wansplit));
        let warned = || wansplit.run(&["check"]).stderr.contains("service mwan3 stop; service mwan3 disable");
        // Its configuration alone is no reason.
        lab.router.command("mount", &["-t", "tmpfs", "none", "/etc"]);
        std::fs::create_dir_all("/etc/rc.d").unwrap();
        std::fs::create_dir_all("/etc/config").unwrap();
        std::fs::write("/etc/config/mwan3", MWAN3).unwrap();
        assert!(!warned());
        std::os::unix::fs::symlink("../init.d/mwan3", "/etc/rc.d/S19mwan3").unwrap();
        assert!(warned());
    });
}
