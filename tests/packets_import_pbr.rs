//! Policies as pbr's documentation has them, imported and switched on as their owner would, and where packets then go.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, INTERNET, Lab, Setup, Wansplit, Way, client_address};
use packet_support::configured;
use std::net::{IpAddr, SocketAddr};

/// The main link is the first; policies name the second, with pbr's documented kinds of matches.
fn pbr(mac: &str) -> String {
    format!(
        "
config pbr 'config'
	option enabled '1'
	option strict_enforcement '1'
	option ipv6_enabled '1'
	option icmp_interface 'wanb'
	option wanb_dscp '10'
	list supported_interface 'wanb'

config policy
	option name 'Ignore Local Requests by Destination'
	option interface 'ignore'
	option dest_addr '192.0.2.77 2001:db8:ffff::77'

config policy
	option name 'SIP Ports'
	option interface 'wanb'
	option dest_port '5060'
	option proto 'tcp udp'

config policy
	option name 'Plex Local Server'
	option interface 'wanb'
	option src_port '32400'

config policy
	option name 'Local IP'
	option interface 'wanb'
	option src_addr '192.168.1.14'
	option dest_port '7000'

config policy
	option name 'all hosts but one'
	option interface 'wanb'
	option proto 'tcp'
	option src_addr '!192.168.1.10'
	option dest_port '7001'

config policy
	option name 'network without a host'
	option interface 'wanb'
	option src_addr '192.168.1.0/24 !192.168.1.10'
	option dest_port '7002'

config policy
	option name 'all ports but two'
	option interface 'wanb'
	option proto 'tcp'
	option dest_addr '192.0.2.99'
	option dest_port '!25 587'

config policy
	option name 'Local MAC Address'
	option interface 'wanb'
	option src_addr '{mac}'
	option dest_port '7100'

config policy
	option name 'Local Device'
	option interface 'wanb'
	option src_addr '@eth3'
	option dest_port '7200-7210'

config policy
	option name 'the router itself'
	option interface 'wanb'
	option chain 'output'
	option proto 'tcp'
	option dest_addr '192.0.2.55'
	option dest_port '853'

config policy
	option name 'by the main link'
	option interface 'wan'
	option dest_port '7300'
"
    )
}

/// The program with what `import` prints for the file, switched on and applied.
fn imported(lab: &Lab) -> Wansplit<'_> {
    let wansplit = configured(lab, "").with_network(&lab.network_dump(&[]));
    let link = lab.lan.command("ip", &["-o", "link", "show", "eth0"]);
    let mac = link.split_whitespace().skip_while(|word| *word != "link/ether").nth(1).unwrap();
    std::fs::write("/run/pbr", pbr(mac)).unwrap();
    let output = wansplit.run(&["import", "pbr", "/run/pbr"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let config = output.stdout.replacen("option enabled '0'", "option enabled '1'", 1);
    wansplit.configure(&config);
    let check = wansplit.run(&["check"]);
    assert_eq!(check.code, 0, "{}", check.stderr);
    assert!(!check.stderr.contains("warning"), "{}", check.stderr);
    wansplit.apply();
    wansplit
}

const MAIN: Way = Way::Link(1);
const OTHER: Way = Way::Link(2);

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn documented_policies_send_packets_where_they_say() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { clients: 5, ..Setup::default() });
        let _wansplit = imported(&lab);
        let from_port = |from, to, port| {
            let dial = Dial { from: Some(from), port: 32400, ..Dial::default() };
            lab.lan.run(move || dial.tcp(SocketAddr::new(to, port)))
        };
        for to in INTERNET {
            for from in [&lab.lan, &lab.lan2] {
                let name = from.name();
                assert_eq!(lab.tcp(from, to, 5060), OTHER, "SIP from {name} to {to}");
                assert_eq!(lab.udp(from, to, 5060), OTHER, "SIP from {name} to {to}");
                assert_eq!(lab.tcp(from, to, 5061), MAIN, "no policy, from {name} to {to}");
                assert_eq!(lab.tcp(from, to, 7300), MAIN, "wan from {name} to {to}");
            }
            assert_eq!(lab.tcp(&lab.lan, to, 7100), OTHER, "Ethernet address, to {to}");
            assert_eq!(lab.tcp(&lab.lan2, to, 7100), MAIN, "Ethernet address, to {to}");
            assert_eq!(lab.tcp(&lab.lan, to, 7205), MAIN, "device, to {to}");
            assert_eq!(lab.tcp(&lab.lan2, to, 7205), OTHER, "device, to {to}");
        }
        for (from, to) in lab::LAN.into_iter().zip(INTERNET) {
            assert_eq!(from_port(from, to, 9000), OTHER, "Plex to {to}");
        }
        // What is ignored goes by the main table, whatever policies behind it say.
        for to in ["192.0.2.77", "2001:db8:ffff::77"].map(address) {
            assert_eq!(lab.tcp(&lab.lan, to, 5060), MAIN, "ignored: {to}");
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn documented_exceptions_and_single_hosts_hold() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { clients: 5, ..Setup::default() });
        let _wansplit = imported(&lab);
        let from_client = |number, port| {
            let dial = Dial { from: Some(client_address(number)[0]), ..Dial::default() };
            lab.lan.run(move || dial.tcp(SocketAddr::new(INTERNET[0], port)))
        };
        // 192.168.1.14 is the client of number 3.
        assert_eq!([2, 3, 4].map(|number| from_client(number, 7000)), [MAIN, OTHER, MAIN]);
        assert_eq!([lab.tcp(&lab.lan, INTERNET[0], 7001), from_client(0, 7001)], [MAIN, OTHER]);
        assert_eq!(lab.tcp(&lab.lan2, INTERNET[0], 7001), OTHER);
        assert_eq!([lab.tcp(&lab.lan, INTERNET[0], 7002), from_client(0, 7002)], [MAIN, OTHER]);
        assert_eq!(lab.tcp(&lab.lan2, INTERNET[0], 7002), MAIN);
        let ways = [25, 587, 443].map(|port| lab.tcp(&lab.lan, address("192.0.2.99"), port));
        assert_eq!(ways, [MAIN, MAIN, OTHER]);
        // The chain output is the router's own.
        let secure = address("192.0.2.55");
        assert_eq!([lab.tcp(&lab.router, secure, 853), lab.tcp(&lab.lan, secure, 853)], [OTHER, MAIN]);
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn dscp_and_the_routers_icmp_go_by_their_interface() {
    lab::isolated(|| {
        let lab = Lab::new();
        let _wansplit = imported(&lab);
        let pings = [1, 2].map(|link| lab.provider(link).count("icmp type echo-request"));
        let counts = || [pings[0].packets(), pings[1].packets()];
        assert!(lab.lan.ping(INTERNET[0], &[]));
        assert_eq!(counts(), [1, 0]);
        // The byte holds the DSCP value in its upper six bits: 10 is 40.
        assert!(lab.lan.ping(INTERNET[0], &["-Q", "40"]));
        assert_eq!(counts(), [1, 1]);
        assert!(lab.router.ping(INTERNET[0], &[]));
        assert_eq!(counts(), [1, 2]);
    });
}

#[test]
fn strict_enforcement_holds_what_is_meant_for_a_link_that_is_down() {
    lab::isolated(|| {
        let lab = Lab::new();
        let _wansplit = imported(&lab);
        let strays = lab.provider(1).count("udp dport 5060");
        lab.provider(2).carrier(false);
        for to in INTERNET {
            let mut ways = (0..200).map(|_| lab.udp(&lab.lan, to, 5060));
            assert!(ways.any(|way| way == Way::Refused), "to {to}");
            assert_eq!(lab.udp(&lab.lan, to, 5061), MAIN, "no policy, to {to}");
        }
        assert_eq!(strays.packets(), 0);
    });
}
