//! A VPN server on the router: it answers by the link it was called on, and its clients are hosts like those of a LAN.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{INTERNET, Lab, Setup, Vpn, WIREGUARD_PORT, Wan, Way, Wireguard, openvpn, wait_for};
use packet_support::{applied, links};
use std::net::IpAddr;
use std::time::{Duration, Instant};

const SERVER: [&str; 2] = ["10.30.0.1", "fd30::1"];
const CLIENT: [&str; 2] = ["10.30.0.2", "fd30::2"];

/// Main prefers link 1. What the server's clients send to port 443 goes by OI.
fn lab() -> Lab {
    let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
    lab.router.nft(
        "insert rule inet fw4 input udp dport { 51820, 1194 } accept
         insert rule inet fw4 input tcp dport 1194 accept
         insert rule inet fw4 input iifname server accept
         insert rule inet fw4 forward iifname server accept",
    );
    lab
}

fn config() -> String {
    links("") + "config rule\n list src_iface 'server'\n list dest_port '443'\n option use 'OI'\n"
}

fn addresses(text: [&str; 2]) -> [IpAddr; 2] {
    text.map(|text| text.parse().unwrap())
}

/// The client, somewhere in the Internet, reaches the router in the tunnel, and the Internet by the router.
fn client_is_served(lab: &Lab, client: &Vpn) {
    for address in addresses(SERVER) {
        wait_for(&format!("{address} in the tunnel"), || client.host.ping(address, &[]));
    }
    for to in INTERNET {
        client.host.ip(&format!("route replace {to} dev client"));
        assert_eq!(lab.udp(&client.host, to, 443), Way::Link(2), "by the rule");
        assert_eq!(lab.tcp(&client.host, to, 443), Way::Link(2), "by the rule");
        assert_eq!(lab.udp(&client.host, to, 80), Way::Link(1), "by main");
        client.host.ip(&format!("route del {to} dev client"));
    }
    // And a host in the LAN, which it reaches without any link.
    let lan = lab::LAN[0];
    client.host.ip(&format!("route replace {lan} dev client"));
    assert_eq!(lab.tcp(&client.host, lan, 22), Way::Direct(CLIENT[0].parse().unwrap()));
    client.host.ip(&format!("route del {lan} dev client"));
}

#[test]
fn wireguard_answers_by_the_link_it_was_called_on_and_follows_a_client_that_changes_it() {
    lab::isolated(|| {
        let lab = lab();
        let vpn = Vpn::new(&lab);
        let server = Wireguard::new(&lab.router, "server", Some(WIREGUARD_PORT));
        lab.router.ip("addr add 10.30.0.1/24 dev server\naddr add fd30::1/64 dev server nodad\nlink set server up");
        let client = Wireguard::new(&vpn.host, "client", None);
        vpn.host.ip("addr add 10.30.0.2/24 dev client\naddr add fd30::2/64 dev client nodad\nlink set client up");
        server.peer(&client, "10.30.0.2/32,fd30::2/128", None);
        applied(&lab, &config());
        for family in [0, 1] {
            // It calls link 2, then link 1, then link 2 again.
            for link in [2, 1, 2] {
                let answers = [1, 2].map(|link| lab.provider(link).count(&format!("udp sport {WIREGUARD_PORT}")));
                client.peer(&server, "0.0.0.0/0,::/0", Some((Wan(link).router()[family], WIREGUARD_PORT)));
                client_is_served(&lab, &vpn);
                let [wrong, right] = if link == 2 { [0, 1] } else { [1, 0] };
                assert!(answers[right].packets() > 5, "by link {link}");
                // A keepalive may still have gone to where the client was a moment ago.
                assert!(answers[wrong].packets() <= 2, "{} not by link {link}", answers[wrong].packets());
            }
        }
        assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    });
}

#[test]
fn openvpn_answers_by_the_link_it_was_called_on() {
    lab::isolated(|| {
        let lab = lab();
        let vpn = Vpn::new(&lab);
        applied(&lab, &config());
        let (own, other) = (addresses(SERVER), addresses(CLIENT));
        for (protocol, peer, options, served) in [
            ("udp", "udp", "--multihome", true),
            ("udp6", "udp6", "--multihome", true),
            ("tcp-server", "tcp-client", "", true),
            ("tcp6-server", "tcp6-client", "", true),
            // Without, it answers with the address that main's default gives it.
            ("udp", "udp", "", false),
            ("udp6", "udp6", "", false),
        ] {
            let answers = [1, 2].map(|link| lab.provider(link).count("meta l4proto { tcp, udp } th sport 1194"));
            let called = Wan(2).router()[usize::from(protocol.contains('6'))];
            let _server =
                openvpn(&lab.router, "server", [own, other], &format!("--proto {protocol} --port 1194 {options}"));
            let to = format!("--proto {peer} --remote {called} 1194 --nobind --connect-retry 1");
            let _client = openvpn(&vpn.host, "client", [other, own], &to);
            if served {
                client_is_served(&lab, &vpn);
                assert!(answers[1].packets() > 5);
            } else {
                let since = Instant::now();
                while since.elapsed() < Duration::from_secs(4) {
                    assert!(!vpn.host.ping(own[0], &[]), "{protocol}: then `multihome` is not needed any more");
                }
            }
            assert_eq!(answers[0].packets() == 0, served, "{protocol} {options}: answers by link 1");
            // What was still to be said to the client when the device went finds no other way than main's default.
            let late = |stray: &String| CLIENT.iter().any(|own| stray.contains(own));
            let strays: Vec<String> = lab.strays().into_iter().filter(|stray| !late(stray)).collect();
            assert!(strays.is_empty(), "{strays:?}");
        }
    });
}
