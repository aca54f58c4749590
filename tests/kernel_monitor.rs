//! Listening to the real kernel: what counts as news, and what does not.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod kernel_support;

use kernel_support::{inside, sh};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fmt::Write;
use std::time::{Duration, Instant};
use wansplit::config::model::Family;
use wansplit::kernel::Kernel;
use wansplit::kernel::netlink::monitor::Monitor;
use wansplit::kernel::netlink::news::News;
use wansplit::plan::state::{IpRule, NextHop, Route, RouteKind};

/// Whether something waits to be read.
fn waits(monitor: &Monitor, milliseconds: u16) -> bool {
    let mut fds: Vec<PollFd> = monitor.fds().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    assert_eq!(fds.len(), 2);
    poll(&mut fds, PollTimeout::from(milliseconds)).unwrap() > 0
}

/// Reads until nothing has happened for a while: carrier and addresses follow a change with some delay.
fn settled(monitor: &mut Monitor) -> News {
    let mut news = News::default();
    // A check for duplicate addresses takes one to two seconds.
    while waits(monitor, 2500) {
        news.add(monitor.read());
    }
    news
}

/// A monitor in a namespace where two devices are up and quiet.
fn listening() -> Monitor {
    let mut monitor = Monitor::open().unwrap();
    sh("ip link set lo up
        ip link add eth1 type veth peer name far1; ip link add eth2 type veth peer name far2
        for device in eth1 far1 eth2 far2; do ip link set $device up; done
        ip addr add 10.0.1.2/24 dev eth1; ip addr add 10.0.2.2/24 dev eth2
        ip -6 addr add 2001:db8:1::2/64 dev eth1 nodad");
    let news = settled(&mut monitor);
    assert!(news.links.iter().any(|device| device.name == "eth1" && device.up && device.carrier && device.operational));
    assert!(news.addresses && !news.default_routes && !news.own_routes && !news.lost, "{news:?}");
    monitor
}

/// What the monitor says right after a script. Whatever it made the kernel announce is announced before it ends.
fn after(monitor: &mut Monitor, script: &str) -> News {
    sh(script);
    monitor.read()
}

/// The same of what the kernel does by its own queue of work, perhaps after the script has ended: a new IPv6 address is announced so
/// (`addrconf_dad_work` in net/ipv6/addrconf.c), also without a check for duplicates.
fn soon_after(monitor: &mut Monitor, script: &str) -> News {
    sh(script);
    waits(monitor, 2500);
    monitor.read()
}

#[test]
fn devices_are_news_when_their_state_changes() {
    if !inside("devices_are_news_when_their_state_changes") {
        return;
    }
    let mut monitor = listening();
    let started = Instant::now();
    assert_eq!(monitor.read(), News::default());
    assert!(started.elapsed() < Duration::from_secs(5), "nothing to read is no reason to wait");

    let states = |news: &News| -> Vec<(String, bool, bool, bool)> {
        let mut states: Vec<_> =
            news.links.iter().map(|d| (d.name.clone(), d.up, d.carrier && d.operational, d.gone)).collect();
        states.sort();
        states
    };
    let state = |name: &str, up, carrier, gone| (name.to_owned(), up, carrier, gone);
    // The far end goes down: eth1 loses its carrier, and stays switched on.
    sh("ip link set far1 down");
    let news = settled(&mut monitor);
    assert_eq!(states(&news), [state("eth1", true, false, false), state("far1", false, false, false)]);
    sh("ip link set far1 up");
    let news = settled(&mut monitor);
    assert_eq!(states(&news), [state("eth1", true, true, false), state("far1", true, true, false)]);
    // Announced, but nothing that matters here.
    sh(
        "ip link set eth1 mtu 1400; ip link set eth1 txqueuelen 77; ip link set eth1 alias wan; ip link set eth1 promisc on",
    );
    assert!(waits(&monitor, 1500));
    assert_eq!(settled(&mut monitor), News::default());
    // A name changes, a device comes and goes.
    let index = |news: &News, name: &str| news.links.iter().find(|device| device.name == name).unwrap().index;
    let news = after(&mut monitor, "ip link set eth2 name wan2; ip link add dummy0 type bridge");
    assert!(news.links.iter().all(|device| !device.gone));
    let (wan2, dummy) = (index(&news, "wan2"), index(&news, "dummy0"));
    let news = after(&mut monitor, "ip link set wan2 name eth2; ip link del dummy0");
    assert_eq!((index(&news, "eth2"), index(&news, "dummy0")), (wan2, dummy));
    assert!(news.links.iter().all(|device| device.gone == (device.index == dummy)));
    // Joining and leaving a bridge is announced as a device of the bridge's family that goes away.
    sh("ip link add br0 type bridge; ip link set br0 up; ip link set eth2 master br0; ip link set eth2 nomaster");
    let news = settled(&mut monitor);
    assert!(news.links.iter().all(|device| !device.gone), "{news:?}");
}

#[test]
fn addresses_are_news_once() {
    if !inside("addresses_are_news_once") {
        return;
    }
    let mut monitor = listening();
    let addresses = News { addresses: true, ..News::default() };
    let quiet = News::default();
    assert_eq!(after(&mut monitor, "ip addr add 10.0.1.3/24 dev eth1"), addresses);
    assert_eq!(soon_after(&mut monitor, "ip -6 addr add 2001:db8:1::3/64 dev eth1 nodad"), addresses);
    // What a router advertisement does every few seconds: the same address, with new lifetimes.
    let renew = |valid: u32| {
        format!("ip -6 addr change 2001:db8:1::3/64 dev eth1 valid_lft {valid} preferred_lft {}", valid / 2)
    };
    for valid in 3600..3700 {
        sh(&renew(valid));
    }
    assert!(waits(&monitor, 0));
    assert_eq!(monitor.read(), quiet);
    let deprecate = "ip -6 addr change 2001:db8:1::3/64 dev eth1 valid_lft 3600 preferred_lft 0";
    assert_eq!(after(&mut monitor, deprecate), addresses);
    assert_eq!(after(&mut monitor, deprecate), quiet);
    assert_eq!(after(&mut monitor, &renew(3600)), addresses);
    // Addresses that lead nowhere.
    assert_eq!(after(&mut monitor, "ip -6 addr add fe80::7/64 dev eth1 nodad"), quiet);
    assert_eq!(after(&mut monitor, "ip addr add 127.0.0.9/8 dev lo scope host"), quiet);
    assert_eq!(after(&mut monitor, "ip addr del 10.0.1.3/24 dev eth1"), addresses);
    assert_eq!(after(&mut monitor, "ip -6 addr del 2001:db8:1::3/64 dev eth1"), addresses);
    // One that is checked for duplicates first is news when it can be used.
    sh("ip -6 addr add 2001:db8:1::4/64 dev eth1");
    let _ = monitor.read();
    assert!(settled(&mut monitor).addresses);
}

#[test]
fn only_default_routes_and_ours_count() {
    if !inside("only_default_routes_and_ours_count") {
        return;
    }
    let mut monitor = listening();
    let quiet = News::default();
    let defaults = News { default_routes: true, ..News::default() };
    let own = News { own_routes: true, ..News::default() };
    let replace = "ip route replace default via 10.0.1.1 dev eth1 metric 5 proto static";
    assert_eq!(after(&mut monitor, replace), defaults);
    assert_eq!(after(&mut monitor, replace), quiet);
    assert_eq!(after(&mut monitor, "ip route replace default via 10.0.1.9 dev eth1 metric 5 proto static"), defaults);
    assert_eq!(after(&mut monitor, replace), defaults);
    let six = "ip -6 route replace default via fe80::1 dev eth1 metric 5 expires 600";
    assert_eq!(after(&mut monitor, six), defaults);
    // netifd does that at each renewal, and for IPv6 the kernel announces it each time.
    for _ in 0..50 {
        sh(six);
    }
    assert!(waits(&monitor, 0));
    assert_eq!(monitor.read(), quiet);
    assert_eq!(after(&mut monitor, &six.replace("600", "700")), quiet);
    // A second next hop under the same metric, and the loss of one of both.
    assert_eq!(after(&mut monitor, "ip -6 route append default via fe80::2 dev eth1 metric 5"), defaults);
    assert_eq!(after(&mut monitor, "ip -6 route del default via fe80::2 dev eth1 metric 5"), defaults);
    // Halves of a default route, as VPNs make them; other tables; and what is no default route.
    assert_eq!(after(&mut monitor, "ip route add 128.0.0.0/1 via 10.0.1.1"), defaults);
    assert_eq!(after(&mut monitor, "ip route add 0.0.0.0/1 via 10.0.1.1"), defaults);
    assert_eq!(after(&mut monitor, "ip route add unreachable default table 300"), defaults);
    let mut many = String::new();
    for n in 0..50 {
        writeln!(many, "route add 172.16.{n}.0/24 via 10.0.1.1\nroute add 2001:db8:f:{n}::/64 via 2001:db8:1::1")
            .unwrap();
    }
    assert_eq!(after(&mut monitor, &format!("ip -batch - <<'END'\n{many}END")), quiet);
    // Ours, by another's hand.
    assert_eq!(after(&mut monitor, "ip route add default via 10.0.2.1 table 100 metric 1 protocol 119"), own);
    assert_eq!(after(&mut monitor, "ip route del default table 100 metric 1"), own);
    assert_eq!(after(&mut monitor, "ip route add local default dev lo table local"), quiet);
    sh("ip route del local default dev lo table local");
    // A device goes down and takes its routes along without a word; that they come back is news, though they are the same.
    // One without IPv6 keeps its addresses, and does not even announce those.
    sh("echo 1 > /proc/sys/net/ipv6/conf/eth2/disable_ipv6");
    settled(&mut monitor);
    let by_eth2 = "ip route replace default via 10.0.2.1 dev eth2 metric 6";
    assert_eq!(after(&mut monitor, by_eth2), defaults);
    let news = after(&mut monitor, "ip link set eth2 down");
    assert!(!news.addresses && !news.default_routes, "{news:?}");
    assert!(news.links.iter().any(|device| device.name == "eth2" && !device.up));
    sh("ip link set eth2 up");
    settled(&mut monitor);
    assert_eq!(after(&mut monitor, by_eth2), defaults);
    // So it is when the last address goes.
    sh("ip addr del 10.0.1.2/24 dev eth1; ip addr add 10.0.1.2/24 dev eth1");
    settled(&mut monitor);
    assert_eq!(after(&mut monitor, replace), defaults);
    // A route by a nexthop object may be another one behind the same number.
    sh("ip nexthop add id 7 via fe80::7 dev eth1");
    let by_object = "ip -6 route replace default nhid 7 metric 9";
    assert_eq!(after(&mut monitor, by_object), defaults);
    assert_eq!(after(&mut monitor, by_object), defaults);
}

#[test]
fn our_own_changes_are_no_news() {
    if !inside("our_own_changes_are_no_news") {
        return;
    }
    let mut monitor = listening();
    let mut kernel = Kernel::new();
    assert_eq!(kernel.ports(), [] as [u32; 0], "nothing is open yet");
    let hop = NextHop { device: "eth1".into(), gateway: Some("10.0.1.1".parse().unwrap()), weight: 1 };
    let route = Route { family: Family::V4, table: 100, metric: 1, kind: RouteKind::Via(vec![hop]) };
    let rule = IpRule { mark: Some((0x0100_0000, 0xff00_0000)), ..IpRule::lookup(Family::V6, 810, 100) };
    let table = |comment: &str| {
        format!(
            r#"{{"nftables": [{{"add": {{"table": {{"family": "inet", "name": "wansplit"}}}}}},
                {{"add": {{"chain": {{"family": "inet", "table": "wansplit", "name": "c", "comment": "{comment}"}}}}}}]}}"#
        )
    };
    // Nobody told the monitor who we are.
    kernel.add_route(&route).unwrap();
    kernel.add_rule(&rule).unwrap();
    kernel.nft_apply("load", &table("one")).unwrap();
    let everything = News { own_routes: true, own_rules: true, table: true, ..News::default() };
    assert_eq!(monitor.read(), everything);

    kernel.replace_route(&route).unwrap();
    kernel.delete_rule(&rule).unwrap();
    kernel.add_rule(&rule).unwrap();
    kernel.nft_apply("load", &table("two").replace("\"c\"", "\"d\"")).unwrap();
    assert!(waits(&monitor, 0));
    monitor.ignore(kernel.ports());
    assert_eq!(monitor.read(), News::default());
    // The same by another's hand.
    let news =
        after(&mut monitor, "ip route del default table 100; ip -6 rule del pref 810; nft delete table inet wansplit");
    assert_eq!(news, everything);
    // An nft of ours is known until the next question.
    assert_eq!(kernel.ports().len(), 1);
}

#[test]
fn rules_tell_whose_they_are() {
    if !inside("rules_tell_whose_they_are") {
        return;
    }
    let mut monitor = listening();
    let own = News { own_rules: true, ..News::default() };
    let foreign = News { foreign_rules: true, ..News::default() };
    for ip in ["ip", "ip -6"] {
        assert_eq!(after(&mut monitor, &format!("{ip} rule add pref 5 lookup 300")), foreign);
        assert_eq!(after(&mut monitor, &format!("{ip} rule add pref 6 lookup 300 protocol 119")), own);
        assert_eq!(after(&mut monitor, &format!("{ip} rule del pref 5")), foreign);
        assert_eq!(after(&mut monitor, &format!("{ip} rule del pref 6")), own);
    }
}

#[test]
fn of_nftables_only_our_table_counts() {
    if !inside("of_nftables_only_our_table_counts") {
        return;
    }
    let mut monitor = listening();
    let ours = News { table: true, ..News::default() };
    let quiet = News::default();
    // Other tables, of which fw4 makes one anew at each reload, whatever their names.
    let mut others = String::new();
    for (family, name) in [("inet", "fw4"), ("ip", "wansplit"), ("inet", "wansplit2"), ("bridge", "wansplit")] {
        writeln!(others, "table {family} {name} {{ chain c {{ meta mark 1; meta mark 2; }}; set s {{ type mark; elements = {{ 1, 2 }} ; }} ; }}")
            .unwrap();
    }
    assert_eq!(after(&mut monitor, &format!("nft -f - <<'END'\n{others}END")), quiet);
    let steps = [
        ("add table inet wansplit", true),
        ("add chain inet wansplit c", true),
        ("add rule inet wansplit c meta mark 1", true),
        ("add set inet wansplit s { type mark ; }", true),
        // dnsmasq's answers.
        ("add element inet wansplit s { 1, 2, 3 }", false),
        ("delete element inet wansplit s { 2 }", true),
        ("flush set inet wansplit s", true),
        ("flush chain inet wansplit c", true),
        ("delete set inet wansplit s", true),
        ("add counter inet wansplit n", true),
        ("delete counter inet wansplit n", true),
        ("flush table inet fw4", false),
        ("delete table inet fw4", false),
        ("delete table inet wansplit", true),
    ];
    for (step, news) in steps {
        let heard = after(&mut monitor, &format!("nft '{step}'"));
        assert_eq!(heard, if news { ours.clone() } else { quiet.clone() }, "{step}");
    }
    sh("nft add table inet wansplit");
    assert_eq!(after(&mut monitor, "nft flush ruleset"), ours);
}

#[test]
fn who_reads_too_late_is_told_and_catches_up() {
    if !inside("who_reads_too_late_is_told_and_catches_up") {
        return;
    }
    let mut monitor = listening();
    let default = "ip -6 route replace default via fe80::1 dev eth1";
    sh(default);
    assert!(settled(&mut monitor).default_routes);
    let mut storm = String::new();
    for n in 0..500 {
        writeln!(storm, "route add 172.16.{}.{}/32 via 10.0.1.1", n / 250, n % 250).unwrap();
    }
    // Read in time, it is nothing.
    for part in storm.lines().collect::<Vec<_>>().chunks(50) {
        assert_eq!(after(&mut monitor, &format!("ip -batch - <<'END'\n{}\nEND", part.join("\n"))), News::default());
    }
    // Read too late, it may have been anything, the default route among it.
    sh(&format!("ip -batch - <<'END'\n{}END\n{default}", storm.replace("add", "del")));
    let mut reads = Vec::new();
    while waits(&monitor, 0) {
        reads.push(monitor.read());
        assert!(reads.len() <= 3, "the kernel keeps no more than it was allowed to");
    }
    // Said at the end, and not before: until all is read the kernel drops what happens, and reports that no more.
    let (last, earlier) = reads.split_last().unwrap();
    assert!(last.lost && earlier.iter().all(|news| !news.lost), "{reads:?}");
    // Said once. From here on everything is heard again, and what was heard before the loss is not relied on.
    assert_eq!(monitor.read(), News::default());
    let defaults = News { default_routes: true, ..News::default() };
    assert_eq!(after(&mut monitor, default), defaults);
    assert_eq!(after(&mut monitor, default), News::default());

    // A flood of nftables' says only that our table may have changed.
    sh("nft add table inet fw4; nft 'add set inet fw4 s { type mark ; }'");
    for part in 0..5 {
        let elements: Vec<String> = (part * 2000..(part + 1) * 2000).map(|n| n.to_string()).collect();
        sh(&format!("nft 'add element inet fw4 s {{ {} }}'", elements.join(", ")));
    }
    let mut news = News::default();
    while waits(&monitor, 0) {
        news.add(monitor.read());
    }
    assert_eq!(news, News { table: true, ..News::default() });
    assert_eq!(after(&mut monitor, "nft delete table inet fw4"), News::default());
}
