//! What `show` prints, done by hand, is what `apply` would do; and what others undo is seen.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Host, Lab, Setup, Wansplit};
use nix::mount::{MsFlags, mount};
use packet_support::{TWO_LINKS, applied, configured, links, rule};
use serde_json::Value;
use std::fs;

/// Runs what was printed; every command must succeed.
fn by_hand(router: &Host, script: &str) {
    fs::write("/run/by-hand", format!("set -e\n{script}")).unwrap();
    let output = router.output("sh", &["/run/by-hand"]);
    assert_eq!(output.code, 0, "{script}\n{}", output.stderr);
}

fn drift(wansplit: &Wansplit) -> Vec<Value> {
    let status: Value = serde_json::from_str(&wansplit.run(&["status", "--json"]).stdout).unwrap();
    assert_eq!(status["in_sync"], status["drift"].as_array().unwrap().is_empty());
    status["drift"].as_array().unwrap().clone()
}

/// Three links, so that a member's path ends in a route with several next hops; rules of every kind.
fn everything() -> String {
    links("option fallback 'unreachable'")
        + "config link 'third'
             option device 'eth4'
             option gateway '198.18.3.1'
             option gateway6 '2001:db8:3::1'
           config policy 'all'
             list use 'EMB 3'
             list use 'OI 2'
             list use 'third'
             option mode 'balance'
           config policy 'each'
             list use 'EMB'
             list use 'third'
             option mode 'balance'
             option balance_by 'connection'
             option fallback 'blackhole'
           config rule 'own'
             option from 'any'
             list proto 'tcp'
             list dest_ip '203.0.113.0/24'
             list dest_ip '2001:db8:ffff::/48'
             list dest_port '8000-8100'
             option use 'each'
             option counter '1'
           config rule 'wild'
             list src_mac '!02:00:00:00:00:01'
             list src_iface '!eth3'
             list dscp 'ef'
             option use 'OI'
           config rule
             option name 'nft has no letters for this: Ärger'
             list src_ip '192.168.1.7'
             option use 'all'
             option counter '1'
           config rule 'hosts'
             list src_ip '192.168.1.10-192.168.1.99'
             list src_ip '!192.168.1.42'
             list src_ip 'fd00:1::/64'
             option use 'unreachable'\n"
        + &rule("rest", "1-65535", "all")
}

#[test]
fn shown_is_applied() {
    lab::isolated(|| {
        for (number, config) in [TWO_LINKS, &everything()].into_iter().enumerate() {
            for form in [&["show"][..], &["show", "all", "--text"]] {
                let lab = Lab::with(&Setup { links: 3, ..Setup::default() });
                let wansplit = configured(&lab, config);
                let shown = wansplit.run(form);
                assert_eq!(shown.code, 0, "{}", shown.stderr);
                by_hand(&lab.router, &shown.stdout);
                assert!(drift(&wansplit).is_empty(), "{number} {form:?}: {:#?}", drift(&wansplit));
            }
        }
    });
}

/// Puts a `/dev` in place that has what OpenWrt's has and this test needs; `/dev/stdin` is not among it.
fn dev_as_on_openwrt() {
    let bind = |from: &str, to: &str| mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    fs::create_dir("/run/dev").unwrap();
    fs::write("/run/dev/null", "").unwrap();
    bind("/dev/null", "/run/dev/null");
    // With what is mounted below it.
    mount(Some("/run/dev"), "/dev", None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>).unwrap();
    assert!(!fs::exists("/dev/stdin").unwrap());
}

#[test]
fn no_file_of_standard_input_is_needed() {
    lab::isolated(|| {
        let lab = Lab::new();
        let wansplit = configured(&lab, TWO_LINKS);
        dev_as_on_openwrt();
        for form in [&["show"][..], &["show", "all", "--text"]] {
            by_hand(&lab.router, &wansplit.run(form).stdout);
            assert!(drift(&wansplit).is_empty(), "{form:?}: {:#?}", drift(&wansplit));
            wansplit.stop();
        }
        wansplit.apply();
        assert!(drift(&wansplit).is_empty(), "{:#?}", drift(&wansplit));
    });
}

#[test]
fn what_others_undo_is_seen_and_mended() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { links: 3, ..Setup::default() });
        let wansplit = applied(&lab, &everything());
        assert!(drift(&wansplit).is_empty());
        let undone = [
            "nft add table inet wansplit '{ flags dormant; }'",
            "nft delete table inet wansplit",
            "nft flush chain inet wansplit prerouting",
            "nft add rule inet wansplit postrouting counter",
            "nft add chain inet wansplit stray",
            "nft add counter inet wansplit stray",
            "nft flush chain inet wansplit count_own; nft delete counter inet wansplit count_own",
            "ip rule del pref 801",
            "ip -6 rule flush; ip -6 rule add pref 0 lookup local; ip -6 rule add pref 32766 lookup main",
            "ip route flush table 100",
            "ip route replace default via 203.0.113.1 dev eth2 table 100 metric 1 proto 119 onlink",
            "sysctl -qw net.ipv4.conf.eth1.ignore_routes_with_linkdown=0",
        ];
        for undo in undone {
            by_hand(&lab.router, undo);
            assert!(!drift(&wansplit).is_empty(), "unseen: {undo}");
            wansplit.apply();
            assert!(drift(&wansplit).is_empty(), "not mended: {undo}");
        }
    });
}
