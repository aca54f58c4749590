//! Sets of addresses: what they list decides packets, and a change of a list sends what differs and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, Lab, Monitor, Output, Wansplit, Way};
use packet_support::{applied, configured, links};
use std::fmt::Write;
use std::fs;
use std::time::Duration;

/// A list of the test's own.
struct List(std::path::PathBuf);

impl List {
    fn new(text: &str) -> Self {
        let list = Self(std::env::temp_dir().join(format!("wansplit-{}.list", std::process::id())));
        list.write(text);
        list
    }

    fn write(&self, text: &str) {
        fs::write(&self.0, text).unwrap();
    }

    fn config(&self, options: &str) -> String {
        let set = format!("config set 'streams'\n list file '{}'\n", self.0.display());
        links("") + &set + &format!("config rule 'r'\n list dest_set 'streams'\n {options}\n option use 'OI'\n")
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A verb that ends with this exit code.
fn run(wansplit: &Wansplit, verb: &[&str], code: i32) -> Output {
    let output = wansplit.run(verb);
    assert_eq!(output.code, code, "{output:?}");
    output
}

/// The networks of the lab's Internet hosts.
const BOTH: &str = "192.0.2.0/25\n2001:db8:ffff::/64 # and a comment\n";

#[test]
fn what_a_set_lists_goes_by_its_link() {
    lab::isolated(|| {
        let lab = Lab::new();
        let list = List::new(BOTH);
        let wansplit = applied(&lab, &list.config("list dest_port '5000'"));
        for to in INTERNET {
            assert_eq!(lab.udp(&lab.lan, to, 5000), Way::Link(2));
            assert_eq!(lab.udp(&lab.lan, to, 5001), Way::Link(1), "another port");
        }
        list.write("192.0.2.0/25\n");
        let printed = run(&wansplit, &["set", "reload"], 0).stdout;
        assert!(printed.contains("~ set 'streams' (IPv6): 0 entries in, 1 out"), "{printed}");
        assert!(!printed.contains("(IPv4)"), "{printed}");
        assert_eq!(INTERNET.map(|to| lab.udp(&lab.lan, to, 5000)), [Way::Link(2), Way::Link(1)]);
        assert_eq!(run(&wansplit, &["set", "show", "streams"], 0).stdout, "192.0.2.0/25\n");
    });
}

#[test]
fn entries_files_and_exceptions_together() {
    lab::isolated(|| {
        let lab = Lab::new();
        let list = List::new("203.0.113.200\n");
        let config = list.config("list dest_ip '!192.0.2.0/26'")
            + "config set 'inline'\n list entry '192.0.2.0/24'\n list entry '2001:db8:ffff::/48'\n"
            + "config rule 'second'\n list dest_set 'inline'\n list src_set 'clients'\n option use 'OI'\n"
            + "config set 'clients'\n list entry '192.168.1.0/24'\n list entry 'fd00::/8'\n list entry '2001:db8::/32'\n";
        let wansplit = applied(&lab, &config);
        assert_eq!(INTERNET.map(|to| lab.udp(&lab.lan, to, 5000)), [Way::Link(2); 2], "by the second rule");
        list.write("192.0.2.0/24\n2001:db8:ffff::/48\n");
        wansplit.apply_config(
            &config.replace("option use 'OI'\nconfig set 'inline'", "option use 'EMB'\nconfig set 'inline'"),
        );
        assert_eq!(
            INTERNET.map(|to| lab.udp(&lab.lan, to, 5000)),
            [Way::Link(2), Way::Link(1)],
            "the first rule takes IPv6, and leaves out the network that is not meant"
        );
    });
}

#[test]
fn a_list_that_cannot_be_read_takes_nothing_away() {
    lab::isolated(|| {
        let lab = Lab::new();
        let list = List::new(BOTH);
        let config = list.config("");
        let wansplit = applied(&lab, &config);
        fs::remove_file(&list.0).unwrap();
        let said = run(&wansplit, &["apply"], 1);
        assert!(said.stderr.contains("cannot read") && said.stderr.contains("set 'streams'"), "{}", said.stderr);
        assert_eq!(INTERNET.map(|to| lab.udp(&lab.lan, to, 5000)), [Way::Link(2); 2]);
        list.write("192.0.2.0/25\nnonsense\n");
        let said = run(&wansplit, &["apply"], 1);
        assert!(said.stderr.contains("line 2: 'nonsense' is no address"), "{}", said.stderr);
        assert_eq!(INTERNET.map(|to| lab.udp(&lab.lan, to, 5000)), [Way::Link(2), Way::Link(1)]);
    });
}

#[test]
fn somebody_elses_change_is_repaired() {
    lab::isolated(|| {
        let lab = Lab::new();
        let list = List::new(BOTH);
        let wansplit = applied(&lab, &list.config(""));
        lab.router.nft("flush set inet wansplit listed4_streams");
        assert_eq!(lab.udp(&lab.lan, INTERNET[0], 5000), Way::Link(1));
        wansplit.apply();
        assert_eq!(lab.udp(&lab.lan, INTERNET[0], 5000), Way::Link(2));
    });
}

/// Networks of different lengths, none of them the lab's.
fn many(first: u32, count: u32) -> String {
    let mut text = String::new();
    for n in first..first + count {
        let network = 0x0b00_0000 + n * 512;
        let length = 24 + n % 9;
        writeln!(text, "{}/{length}", std::net::Ipv4Addr::from(network)).unwrap();
    }
    text
}

#[test]
fn a_hundred_thousand_networks_and_only_the_difference() {
    lab::isolated(|| {
        let lab = Lab::new();
        let list = List::new(&(many(0, 100_000) + BOTH));
        let wansplit = configured(&lab, &list.config(""));
        let printed = run(&wansplit, &["apply"], 0).stdout;
        assert!(printed.contains("~ set 'streams' (IPv4): 100001 entries in, 0 out"), "{printed}");
        assert_eq!(INTERNET.map(|to| lab.udp(&lab.lan, to, 5000)), [Way::Link(2); 2]);
        let streams = INTERNET.map(|to| Flow::udp(&lab.lan, to, 5000, Duration::from_millis(1)));
        list.write(&(many(3, 100_000) + BOTH));
        let printed = run(&wansplit, &["set", "reload"], 0).stdout;
        assert!(printed.contains("~ set 'streams' (IPv4): 3 entries in, 3 out"), "{printed}");
        let held = run(&wansplit, &["set", "show", "streams"], 0).stdout;
        let mut listed: Vec<String> = (many(3, 100_000) + BOTH).lines().map(str::to_owned).collect();
        let mut held: Vec<String> =
            held.lines().map(|line| line.to_owned() + if line.contains('/') { "" } else { "/32" }).collect();
        *listed.last_mut().unwrap() = "2001:db8:ffff::/64".into();
        listed.sort();
        held.sort();
        assert_eq!(held, listed);
        for stream in streams {
            assert!(stream.goes_on(100));
            stream.stop().assert_whole(Way::Link(2));
        }
        let again = run(&wansplit, &["set", "reload"], 0).stdout;
        assert!(again.contains("nothing changed"), "{again}");
    });
}

#[test]
fn the_kernel_hears_of_the_difference_alone() {
    lab::isolated(|| {
        let lab = Lab::new();
        let list = List::new(&(many(0, 2000) + BOTH));
        let wansplit = applied(&lab, &list.config(""));
        for (first, changed) in [(3, 6), (3, 0), (4, 2)] {
            list.write(&(many(first, 2000) + BOTH));
            let nft = Monitor::nft(&lab.router);
            run(&wansplit, &["set", "reload"], 0);
            let heard = nft.stop();
            let elements = |line: &&String| line.contains("element") && line.contains("listed4_streams");
            let about: usize = heard.iter().filter(elements).map(|line| line.matches('/').count().max(1)).sum();
            assert!(about >= changed && about <= 2 * changed, "{about} of {changed}: {heard:?}");
        }
    });
}
