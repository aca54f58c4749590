//! The lab proved with hand-made rules: what the checks say is what the packets do.

use lab::{Flow, INTERNET, LAN_GATEWAY, LAN2, Lab, Monitor, Setup, Wan, Way, assert_same, snapshot};
use std::time::{Duration, Instant};

/// Web by link 1, mail by link 2, as one would write it by hand.
const NFT: &str = "
    table inet hand {
      map restore { type mark : verdict; elements = { 1 : goto use_1, 2 : goto use_2 } }
      map wan_in { type ifname : verdict; elements = { eth1 : goto in_1, eth2 : goto in_2 } }
      map wan_out { type ifname : verdict; elements = { eth1 : goto pin_1, eth2 : goto pin_2 } }
      map services { type inet_proto . inet_service : verdict; elements = {
        tcp . 80 : goto use_1, tcp . 443 : goto use_1, udp . 53 : goto use_1, tcp . 25 : goto use_2, udp . 2525 : goto use_2 } }
      chain use_1 { meta mark set meta mark & 0xffffff00 | 1 accept; }
      chain use_2 { meta mark set meta mark & 0xffffff00 | 2 accept; }
      chain pin_1 { ct mark set ct mark & 0xffffff00 | 1; }
      chain pin_2 { ct mark set ct mark & 0xffffff00 | 2; }
      chain in_1 { ct mark set ct mark & 0xffffff00 | 1 meta mark set meta mark & 0xffffff00 | 1 accept; }
      chain in_2 { ct mark set ct mark & 0xffffff00 | 2 meta mark set meta mark & 0xffffff00 | 2 accept; }
      chain prerouting { type filter hook prerouting priority -149; policy accept;
        ct mark & 0xff vmap @restore
        ct state != new accept
        iifname vmap @wan_in
        meta l4proto . th dport vmap @services
      }
      chain output { type route hook output priority -149; policy accept; ct mark & 0xff vmap @restore; }
      chain postrouting { type filter hook postrouting priority -149; policy accept; ct state new oifname vmap @wan_out; }
    }";

fn apply_by_hand(lab: &Lab) {
    let rules = "rule add pref 5 lookup main suppress_prefixlength 0
        rule add pref 8 oif eth1 lookup 100
        rule add pref 10 fwmark 1/0xff lookup 100
        rule add pref 18 oif eth2 lookup 200
        rule add pref 20 fwmark 2/0xff lookup 200\n";
    let ([one4, one6], [two4, two6]) = (Wan(1).router(), Wan(2).router());
    lab.router.ip(&format!(
        "{rules}rule add pref 30 from {one4} iif lo lookup 100\nrule add pref 31 from {two4} iif lo lookup 200"
    ));
    lab.router.ip6(&format!(
        "{rules}rule add pref 30 from {one6} iif lo lookup 100\nrule add pref 31 from {two6} iif lo lookup 200"
    ));
    for (table, first, second) in [(100, Wan(1), Wan(2)), (200, Wan(2), Wan(1))] {
        for (metric, wan) in [(1, first), (2, second)] {
            for gateway in wan.gateway() {
                lab.router.ip(&format!(
                    "route add default via {gateway} dev {} table {table} metric {metric} onlink",
                    wan.device()
                ));
            }
        }
    }
    for wan in lab.wans() {
        for family in ["ipv4", "ipv6"] {
            lab.router.sysctl(&format!("net/{family}/conf/{}/ignore_routes_with_linkdown", wan.device()), "1");
        }
    }
    lab.router.nft(NFT);
}

#[test]
fn without_policy_everything_goes_by_the_default_of_main() {
    lab::isolated(|| {
        for link in [1, 2] {
            let lab = Lab::with(&Setup { main_default: vec![link], ..Setup::default() });
            for to in INTERNET {
                assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(link));
                assert_eq!(lab.udp(&lab.lan, to, 53), Way::Link(link));
                assert_eq!(lab.tcp(&lab.router, to, 25), Way::Link(link));
                // The other link's answer goes out by main, with the wrong source: what wansplit is to mend.
                let other = 3 - link;
                let address = Wan(other).router()[usize::from(to.is_ipv6())];
                assert_eq!(lab.tcp(&lab.internet, address, 22), Way::Silence);
            }
            assert!(lab.spoofed() > 0, "the providers notice");
        }
    });
}

#[test]
fn hand_made_policy_routing_passes_every_check() {
    lab::isolated(|| {
        let lab = Lab::new();
        apply_by_hand(&lab);
        for (family, to) in INTERNET.into_iter().enumerate() {
            for from in [&lab.lan, &lab.lan2] {
                assert_eq!(lab.tcp(from, to, 443), Way::Link(1));
                assert_eq!(lab.udp(from, to, 53), Way::Link(1));
                assert_eq!(lab.tcp(from, to, 25), Way::Link(2));
                assert_eq!(lab.udp(from, to, 9), Way::Link(1));
            }
            for link in [1, 2] {
                let address = Wan(link).router()[family];
                for port in [22, 80, 8022] {
                    assert_eq!(lab.tcp(&lab.internet, address, port), Way::Direct(to), "port {port} of link {link}");
                }
                assert!(lab.internet.ping(address, &[]));
                assert!(lab.router.ping(to, &["-I", Wan(link).device()]));
            }
            assert_eq!(lab.tcp(&lab.lan, LAN2[family], 22), Way::Direct(lab::LAN[family]));
            assert_eq!(lab.tcp(&lab.lan, LAN_GATEWAY[family], 80), Way::Direct(lab::LAN[family]));
        }
        assert_eq!(lab.spoofed(), 0);
        assert!(lab.provider(2).passed() > 0);
    });
}

#[test]
fn a_lost_carrier_moves_new_connections_and_nothing_else() {
    lab::isolated(|| {
        let lab = Lab::new();
        apply_by_hand(&lab);
        for to in INTERNET {
            let other = Flow::udp(&lab.lan, to, 2525, Duration::from_millis(2));
            let bulk = Flow::tcp(&lab.lan, to, 25, 8192, Duration::from_millis(2));
            let since = Instant::now();
            lab.provider(1).carrier(false);
            let (took, way) = lab.time_to_connect(since, &lab.lan, to, 443).expect("a connection");
            println!("a new connection after {took:?}");
            assert_eq!(way, Way::Link(2));
            assert!(other.goes_on(50));
            lab.provider(1).carrier(true);
            let back = (0..100).any(|_| lab.tcp(&lab.lan, to, 443) == Way::Link(1));
            assert!(back, "the link is used again");
            assert!(other.goes_on(50) && bulk.goes_on(50));
            let (other, bulk) = (other.stop(), bulk.stop());
            other.assert_whole(Way::Link(2));
            bulk.assert_whole(Way::Link(2));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_flow_without_a_network_is_lost() {
    lab::isolated(|| {
        let lab = Lab::new();
        let flow = Flow::udp(&lab.lan, INTERNET[0], 9, Duration::from_millis(2));
        let watched = lab.provider(1).count("udp dport 9");
        assert!(flow.goes_on(20));
        assert!(watched.packets() >= 19);
        lab.provider(1).carrier(false);
        std::thread::sleep(Duration::from_millis(200));
        assert!(flow.stop().lost() > 0);
        assert_eq!(lab.tcp(&lab.lan, INTERNET[0], 443), Way::Silence);
    });
}

#[test]
fn monitors_see_changes_and_snapshots_tell_states_apart() {
    lab::isolated(|| {
        let lab = Lab::new();
        let before = snapshot(&lab.router);
        assert_same(&snapshot(&lab.router), &before, "nothing happened");
        let (ip, nft) = (Monitor::ip(&lab.router), Monitor::nft(&lab.router));
        apply_by_hand(&lab);
        assert!(ip.stop().iter().any(|line| line.contains("fwmark 0x1/0xff")));
        assert!(nft.stop().iter().any(|line| line.contains("table inet hand")));
        let (ip, nft) = (Monitor::ip(&lab.router), Monitor::nft(&lab.router));
        assert!(snapshot(&lab.router).since(&before).iter().any(|line| line.starts_with("+ nft: table inet hand")));
        assert_eq!((ip.stop(), nft.stop()), (vec![], vec![]));
    });
}

#[test]
fn nothing_else_runs_on_a_quiet_router() {
    lab::isolated(|| {
        let lab = Lab::new();
        assert_eq!(lab.router.processes(), vec![]);
        let mut sleeper = lab.router.start(std::process::Command::new("sleep").arg("60"));
        assert_eq!(lab.router.processes(), vec![(sleeper.id(), "sleep".to_owned())]);
        sleeper.kill().expect("our own child");
        sleeper.wait().expect("our own child");
        assert_eq!(lab.router.processes(), vec![]);
    });
}
