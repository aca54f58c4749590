//! A script of `ip` and `iptables` as it runs, and what wansplit makes of it: packets go the same way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{INTERNET, Lab, Setup, Way};
use packet_support::configured;

/// Marks that overlap, a chain of its own, packets that are done with, and what is only marked if nothing has marked it;
/// a host by its address, a destination, the router's own. The main table leads by link 3.
const SCRIPT: &str = "#!/bin/sh
set -e
WEB='80 443'
ip route add default via 198.51.100.1 dev eth1 table 100
ip route add default via 203.0.113.1 dev eth2 table 200
ip rule add fwmark 1 table 100 prio 100
ip rule add fwmark 2 table 200 prio 101
ip rule add from 192.168.2.0/24 to 192.0.2.0/24 ipproto udp dport 5060 table 100 prio 50
ip rule add to 192.0.2.10 ipproto tcp dport 2525 table 200 prio 51
IPT='iptables -t mangle'
$IPT -N SECOND
$IPT -A SECOND -j MARK --set-mark 2
$IPT -A SECOND -p tcp --dport 8443 -j ACCEPT
$IPT -A PREROUTING -i eth0 -p tcp -j MARK --set-mark 1
for port in $WEB; do
	$IPT -A PREROUTING -i eth0 -p tcp --dport $port -j MARK --set-mark 2
done
$IPT -A PREROUTING -i eth0 -p tcp --dport 25 -j RETURN
$IPT -A PREROUTING -s 192.168.1.0/24 -p tcp -m multiport --dports 8443,8444 -j SECOND
$IPT -A PREROUTING -i eth0 -p tcp -m multiport --dports 443,8443:8444,25 -j MARK --set-mark 1
$IPT -A PREROUTING -p udp -m multiport --dports 53,123 -m mark --mark 0 -j MARK --set-mark 2
$IPT -A PREROUTING -s 192.168.1.10 -p udp --dport 123 -m mark --mark 0 -j MARK --set-mark 1
$IPT -A PREROUTING -i eth3 -p tcp --dport 993 -j MARK --set-mark 2
$IPT -A PREROUTING -i eth3 -p tcp --dport 80 -j MARK --set-mark 1
$IPT -A PREROUTING -i eth3 -p tcp --dport 80 -j MARK --set-mark 0
";

const PORTS: [u16; 13] = [22, 25, 53, 80, 123, 443, 993, 2525, 5060, 8443, 8444, 8445, 9000];

/// By which links connections from both LANs go, and those of the router to the ports the script has rules for.
fn ways(lab: &Lab) -> Vec<(String, Way)> {
    let mut ways = Vec::new();
    for to in INTERNET {
        for from in [&lab.lan, &lab.lan2] {
            for port in PORTS {
                let name = from.name();
                ways.push((format!("tcp {port} from {name} to {to}"), lab.tcp(from, to, port)));
                ways.push((format!("udp {port} from {name} to {to}"), lab.udp(from, to, port)));
            }
        }
        ways.push((format!("the router's own to {to}"), lab.tcp(&lab.router, to, 2525)));
        ways.push((format!("the router's rest to {to}"), lab.tcp(&lab.router, to, 443)));
    }
    ways
}

#[test]
fn packets_go_by_the_rules_as_by_the_script() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { links: 3, main_default: vec![3], ..Setup::default() });
        std::fs::write("/run/wan.sh", SCRIPT).unwrap();
        lab.router.command("sh", &["/run/wan.sh"]);
        let expected = ways(&lab);
        for link in [1, 2, 3] {
            let by_it = expected.iter().filter(|(_, way)| *way == Way::Link(link)).count();
            assert!(by_it >= 4, "{by_it} by link {link}: {expected:?}");
        }
        for line in SCRIPT.lines().filter(|line| line.starts_with("ip ")) {
            lab.router.command("sh", &["-c", &line.replacen(" add ", " del ", 1)]);
        }
        lab.router.command("iptables", &["-t", "mangle", "-F"]);
        assert_ne!(ways(&lab), expected, "the script is not undone");

        let wansplit = configured(&lab, "");
        let output = wansplit.run(&["import", "script", "/run/wan.sh"]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        wansplit.apply_config(&output.stdout.replacen("option enabled '0'", "option enabled '1'", 1));
        for ((what, expected), (_, own)) in expected.iter().zip(ways(&lab)) {
            assert_eq!(own, *expected, "{what}\n{}\n{}", output.stdout, output.stderr);
        }
        assert_eq!(lab.spoofed(), 0);
    });
}
