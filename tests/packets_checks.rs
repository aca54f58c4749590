//! `wansplit check` on a router with which nothing is wrong says nothing; each thing that is then broken in its kernel, or in
//! the files beside ours, it names.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Lab, Setup, Wansplit};
use packet_support::configured;
use serde_json::{Value, json};
use std::fs;

/// As netifd's interfaces; every IPv6 sender is translated, as in the lab's own firewall.
const CONFIG: &str = "config globals 'globals'\n option enabled '1'\nconfig link 'EMB'\n option interface 'wan'\n\
    config link 'OI'\n option interface 'wanb'\nconfig policy 'shared'\n list use 'EMB'\n list use 'OI'\n option mode 'balance'\n\
    config rule 'all'\n option use 'shared'\n";
/// What OpenWrt 22.03 to 24.10 install, as far as it is of interest, with the second link put in.
const FIREWALL: &str = "config defaults\n option syn_flood 1\n option input REJECT\n option output ACCEPT\n option forward REJECT\n\
    config zone\n option name lan\n list network 'lan'\n list network 'lan2'\n option input ACCEPT\n option output ACCEPT\n option forward ACCEPT\n\
    config zone\n option name wan\n list network 'wan'\n list network 'wan6'\n list network 'wanb'\n list network 'wanb6'\n\
    option input REJECT\n option output ACCEPT\n option forward REJECT\n option masq 1\n option masq6 1\n option mtu_fix 1\n\
    config forwarding\n option src lan\n option dest wan\n\
    config rule\n option name Allow-ICMPv6-Forward\n option src wan\n option dest *\n option proto icmp\n option family ipv6\n option target ACCEPT\n\
    config rule\n option name Allow-IPSec-ESP\n option src wan\n option dest lan\n option proto esp\n option target ACCEPT\n";
const DHCP: &str = "config dnsmasq\n option domainneeded '1'\n option local '/lan/'\n option resolvfile '/tmp/resolv.conf.d/resolv.conf.auto'\n\
    config dhcp 'lan'\n option interface 'lan'\n";

fn lab(rp_filter: u8) -> Lab {
    Lab::with(&Setup { main_default: vec![1, 2], rp_filter, ..Setup::default() })
}

/// Both providers give a name server.
fn dump(lab: &Lab, servers: [&str; 2]) -> Value {
    let mut dump = lab.network_dump(&[]);
    for interface in dump["interface"].as_array_mut().unwrap() {
        for (name, server) in ["wan", "wanb"].into_iter().zip(servers) {
            if interface["interface"] == name && !server.is_empty() {
                interface["dns-server"] = json!([server]);
            }
        }
    }
    dump
}

fn sane(lab: &Lab) -> Wansplit<'_> {
    let wansplit = configured(lab, CONFIG).with_network(&dump(lab, ["198.51.100.53", "203.0.113.53"]));
    wansplit.report_firewall(FIREWALL);
    fs::write("/run/dhcp", DHCP).unwrap();
    wansplit
}

/// What is found: the messages, and where there is a command to type, it is complete.
fn found(wansplit: &Wansplit<'_>) -> Vec<String> {
    let output = wansplit.run(&["check", "--json"]);
    assert_eq!(output.code, 0, "{output:?}");
    let findings: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|finding| {
            assert!(!text(&finding["help"]).is_empty(), "{finding}");
            text(&finding["message"])
        })
        .collect()
}

#[track_caller]
fn says(wansplit: &Wansplit<'_>, beginnings: &[&str]) {
    let found = found(wansplit);
    let fits =
        found.len() == beginnings.len() && found.iter().zip(beginnings).all(|(own, start)| own.starts_with(start));
    assert!(fits, "{found:#?} instead of {beginnings:#?}");
}

#[test]
fn nothing_is_wrong_with_a_sane_router() {
    lab::isolated(|| {
        for rp_filter in [0, 1, 2] {
            let lab = lab(rp_filter);
            let wansplit = sane(&lab);
            says(&wansplit, &[]);
            wansplit.apply();
            says(&wansplit, &[]);
            wansplit.stop();
        }
    });
}

#[test]
fn what_is_broken_in_the_kernel_is_named() {
    lab::isolated(|| {
        let lab = lab(1);
        let wansplit = sane(&lab);
        wansplit.apply();
        let router = &lab.router;
        let broken = |breaks: &dyn Fn(), mends: &dyn Fn(), beginnings: &[&str]| {
            breaks();
            says(&wansplit, beginnings);
            mends();
            says(&wansplit, &[]);
        };
        let sysctl = |key: &'static str, value: &'static str| move || router.sysctl(key, value);
        let ip = |lines: &'static str| move || router.ip(lines);
        broken(
            &sysctl("net/ipv4/conf/eth2/src_valid_mark", "0"),
            &sysctl("net/ipv4/conf/eth2/src_valid_mark", "1"),
            &["eth2 checks senders (rp_filter)"],
        );
        broken(
            &sysctl("net/ipv4/ip_forward", "0"),
            &sysctl("net/ipv4/ip_forward", "1"),
            &["the router does not forward IPv4"],
        );
        // Switching it changes settings of all devices.
        router.sysctl("net/ipv4/conf/eth1/src_valid_mark", "1");
        broken(
            &sysctl("net/ipv4/fib_multipath_hash_policy", "1"),
            &sysctl("net/ipv4/fib_multipath_hash_policy", "0"),
            &["net.ipv4.fib_multipath_hash_policy is not 0"],
        );
        broken(
            &ip("addr add 198.51.100.77/24 dev eth2"),
            &ip("addr del 198.51.100.77/24 dev eth2"),
            &["it is in the same network 198.51.100.0/24 as link 'EMB'"],
        );
        broken(
            &ip("addr add 198.51.100.77/24 dev eth3"),
            &ip("addr del 198.51.100.77/24 dev eth3"),
            &["its network 198.51.100.0/24 is that of eth3 too"],
        );
        broken(
            &ip("rule add pref 100 lookup main"),
            &ip("rule del pref 100"),
            &["the ip rule with priority 100 of another program takes every IPv4 packet"],
        );
        broken(
            &ip("rule add pref 100 fwmark 0x1000000/0x1000000 lookup main"),
            &ip("rule del pref 100"),
            &["the ip rule with priority 100 of another program reads bits of our mark mask"],
        );
        // Tailscale's, and what the firewall does by `set_mark '1'`.
        router.nft("table inet other { chain forward { type filter hook forward priority mangle; meta mark set meta mark & 0xff00ffff | 0x40000\n}\n}");
        says(&wansplit, &[]);
        broken(
            &|| router.nft("add rule inet other forward meta l4proto 99 meta mark set 1"),
            &|| router.nft("delete table inet other"),
            &["the nftables chain 'inet other forward' of another program writes bits of our mark 0xff000000"],
        );
        let defaults = "route del default metric 10\nroute del default metric 20";
        broken(
            &ip(defaults),
            &ip("route add default via 198.51.100.1 metric 10\nroute add default via 203.0.113.1 metric 20"),
            &["table main has no IPv4 default route"],
        );
        router.ip("link add br0 type bridge\nlink set eth2 master br0");
        assert!(found(&wansplit).iter().any(|own| own.starts_with("eth2 is a port of a bridge")));
    });
}

#[test]
fn what_is_broken_in_the_files_beside_ours_is_named() {
    lab::isolated(|| {
        let lab = lab(0);
        let wansplit = sane(&lab);
        let firewall = |from: &str, to: &str, beginnings: &[&str]| {
            assert!(FIREWALL.contains(from), "{from}");
            wansplit.report_firewall(&FIREWALL.replace(from, to));
            says(&wansplit, beginnings);
        };
        firewall("list network 'wanb'\n", "", &["interface 'wanb' is in no zone"]);
        firewall("option masq 1", "option masq 0", &["the firewall's zone 'wan' does not masquerade"; 2]);
        firewall("config forwarding", "config other", &["the firewall does not forward from zone 'lan' to 'wan'"; 2]);
        firewall(
            "list network 'lan2'",
            "list network 'wanb'",
            &["it is in the firewall's zone 'lan' together with 'lan'"],
        );
        firewall("syn_flood 1", "flow_offloading 1\n option flow_offloading_hw 1", &["hardware flow offloading is on"]);
        firewall("mtu_fix 1", "mtu_fix 0", &[]);
        lab.router.ip("link set eth2 mtu 1492");
        firewall("mtu_fix 1", "mtu_fix 1", &[]);
        firewall("mtu_fix 1", "mtu_fix 0", &["it carries 1492 bytes a packet, the LAN sends 1500"]);
        // A firewall that nobody can read says so once.
        wansplit.report_firewall("config zone 'unterminated");
        says(&wansplit, &["/run/firewall, line 1"]);
        wansplit.report_firewall(FIREWALL);
        wansplit.report_network(&dump(&lab, ["198.51.100.53", ""]));
        says(
            &wansplit,
            &["all name servers (198.51.100.53) come from this link: without it no name is found, though 'OI' works"],
        );
        fs::write("/run/dhcp", DHCP.replace("config dhcp", "list server '9.9.9.9'\nconfig dhcp")).unwrap();
        says(&wansplit, &[]);
        wansplit.configure(&CONFIG.replace("option use 'shared'", "list src_iface 'guets'\n option use 'shared'"));
        says(&wansplit, &["there is no interface or device 'guets'"]);
    });
}

/// This kernel may have WireGuard or not; what `check` says follows that.
#[test]
fn what_is_not_installed_is_named() {
    lab::isolated(|| {
        let lab = lab(0);
        let wansplit = sane(&lab);
        wansplit.configure(&(CONFIG.to_owned() + "config link 'vpn'\n option interface 'wg0'\n"));
        let mut dump = dump(&lab, ["198.51.100.53", "203.0.113.53"]);
        dump["interface"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "interface": "wg0", "up": false, "proto": "wireguard" }));
        wansplit.report_network(&dump);
        wansplit
            .report_firewall(&FIREWALL.replace("list network 'wanb'\n", "list network 'wanb'\n list network 'wg0'\n"));
        let missing = !std::path::Path::new("/sys/module/wireguard").exists();
        let said = found(&wansplit);
        assert_eq!(
            said.iter().any(|own| own.starts_with("interface 'wg0' is WireGuard, and the kernel has none")),
            missing,
            "{said:#?}"
        );
        assert!(said.iter().any(|own| own.starts_with("interface 'wg0' is down")), "{said:#?}");
        wansplit.configure(CONFIG);
        // An nft that cannot do anything.
        lab.router.command("mount", &["--bind", "/bin/false", "/usr/sbin/nft"]);
        says(
            &wansplit,
            &["our nftables table cannot be loaded, so nothing can be applied: nft ended with exit code 1"],
        );
        lab.router.command("umount", &["/usr/sbin/nft"]);
        says(&wansplit, &[]);
    });
}
