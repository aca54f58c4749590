//! Scripts of `ip` and `iptables` in wansplit's words.
//!
//! A case is `NAME.sh` and `NAME.expected` in `tests/fixtures/import_script`: the configuration, a line `---`, and the
//! remarks. `UPDATE=1 cargo test` writes the expected files anew: read the difference before you commit it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod import_support;

use import_support::{Case, World, golden, read_back, where_to};
use proptest::prelude::*;
use wansplit::config;
use wansplit::import::{Context, Imported, Source, script};

fn import(text: &str) -> Result<Imported, String> {
    script::import(text, &Context { file: "wan.sh", interfaces: None, more: &[] })
}

fn import_case(case: &Case) -> Result<Imported, String> {
    import(&case.text)
}

#[test]
fn every_case_is_imported_as_expected() {
    assert!(golden("import_script", "sh", import_case) >= 15);
}

#[test]
fn every_result_is_read_back_without_an_error() {
    read_back("import_script", "sh", import_case);
}

/// The recipe that examples/two-links.uci comes from.
#[test]
fn the_recipe_is_what_the_example_says() {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{root}/tests/fixtures/import_script/two_links.sh")).unwrap();
    let imported = import(&text).unwrap();
    let example = std::fs::read(format!("{root}/examples/two-links.uci")).unwrap();
    let example = config::read(&example).config.unwrap();
    let own = config::read(imported.draft.to_string().as_bytes()).config.unwrap();
    let pins = |config: &config::model::Config| -> Vec<_> {
        let pin = |link: &config::model::Link| (link.name.clone(), link.mark, link.table, link.priority);
        config.links.iter().map(pin).collect()
    };
    assert_eq!(pins(&own), pins(&example));
    assert_eq!(own.globals.mask, example.globals.mask);
    let (own, example) = (World::new(own), World::new(example));
    let mut seen = std::collections::BTreeSet::new();
    for protocol in ["tcp", "udp"] {
        for port in (1..1100).chain([3306, 5060, 8080, 65535]) {
            for from in ["192.168.1.10", "192.168.77.7"] {
                let question = format!("{protocol} {from}:40000 192.0.2.1:{port}");
                let (own, example) = (own.leads_to(&question), example.leads_to(&question));
                assert_eq!(own, example, "{question}");
                seen.insert(own);
            }
        }
    }
    assert_eq!(own.leads_to("icmp 192.168.1.10 192.0.2.1"), example.leads_to("icmp 192.168.1.10 192.0.2.1"));
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["EMB", "OI", "main"]);
}

const TABLES: &str = "ip route add default via 198.51.100.1 dev eth1 table 100\n\
                      ip route add default via 203.0.113.1 dev eth2 table 200\n\
                      ip rule add fwmark 1 table 100\nip rule add fwmark 2 table 200\n";

fn decided(rules: &str, questions: &[(&str, &str)]) {
    let imported = import(&format!("{TABLES}A='iptables -t mangle -A PREROUTING'\n{rules}")).unwrap();
    for (question, expected) in questions {
        assert_eq!(where_to(&imported, question), *expected, "{question}\n{}", imported.draft);
    }
}

#[test]
fn the_last_mark_wins() {
    decided(
        "$A -s 192.168.1.0/24 -j MARK --set-mark 1\n$A -p tcp --dport 25 -j MARK --set-mark 2\n",
        &[
            ("tcp 192.168.1.1:1 192.0.2.1:25", "eth2"),
            ("tcp 192.168.1.1:1 192.0.2.1:80", "eth1"),
            ("tcp 192.168.2.1:1 192.0.2.1:25", "eth2"),
            ("tcp 192.168.2.1:1 192.0.2.1:80", "main"),
        ],
    );
}

#[test]
fn a_mark_is_taken_away_again() {
    decided(
        "$A -s 192.168.1.0/24 -j MARK --set-mark 1\n$A -d 198.18.0.0/15 -j MARK --set-mark 0\n",
        &[("tcp 192.168.1.1:1 192.0.2.1:80", "eth1"), ("tcp 192.168.1.1:1 198.18.0.1:80", "main")],
    );
}

#[test]
fn what_ends_the_chain_keeps_its_mark() {
    decided(
        "$A -s 192.168.1.0/24 -j MARK --set-mark 1\n$A -d 198.18.0.0/15 -j ACCEPT\n$A -p tcp -j MARK --set-mark 2\n",
        &[
            ("tcp 192.168.1.1:1 192.0.2.1:80", "eth2"),
            ("udp 192.168.1.1:1 192.0.2.1:80", "eth1"),
            ("tcp 192.168.1.1:1 198.18.0.1:80", "eth1"),
            ("tcp 192.168.2.1:1 198.18.0.1:80", "main"),
            ("tcp 192.168.2.1:1 192.0.2.1:80", "eth2"),
        ],
    );
}

#[test]
fn only_what_is_unmarked_is_marked() {
    decided(
        "$A -s 192.168.1.50 -j MARK --set-mark 2\n$A -s 192.168.1.0/24 -m mark --mark 0 -j MARK --set-mark 1\n\
         $A -m mark ! --mark 0 -j ACCEPT\n$A -p tcp -j MARK --set-mark 2\n",
        &[
            ("tcp 192.168.1.50:1 192.0.2.1:80", "eth2"),
            ("tcp 192.168.1.51:1 192.0.2.1:80", "eth1"),
            ("tcp 192.168.2.1:1 192.0.2.1:80", "eth2"),
            ("udp 192.168.2.1:1 192.0.2.1:80", "main"),
        ],
    );
}

#[test]
fn several_files_are_one_script() {
    let more = [Source { file: "rules.sh".into(), text: "ip rule add fwmark 1 table one\nfrob\n".into() }];
    let context = Context { file: "tables", interfaces: None, more: &more };
    let imported =
        script::import("100 one\nip route add default via 198.51.100.1 dev eth1 table 100\n", &context).unwrap();
    assert!(imported.draft.to_string().contains("config link 'one'"), "{}", imported.draft);
    let said: Vec<String> = imported.remarks.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|text| text.starts_with("line 2: rules.sh: 'frob': dropped")), "{said:?}");
}

#[test]
fn bad_input_is_survived() {
    for text in [
        "",
        "\u{0}\u{1}\u{fffd}",
        "'",
        "\"",
        "$(",
        "`",
        "${",
        "<<",
        "<<EOF",
        "((((",
        "for",
        "for x in",
        "if",
        "case x in",
        "a() {",
        "|||",
        "\\",
    ] {
        assert!(import(text).is_err(), "{text}");
        let with = format!("{TABLES}{text}\nip rule add fwmark 3 table 300\n");
        assert!(import(&with).is_ok(), "{text}");
    }
    let long =
        format!("{TABLES}iptables -t mangle -A PREROUTING -s {} -j MARK --set-mark 1\n", "10.0.0.1,".repeat(40_000));
    assert!(import(&long).is_ok());
    let nested = format!("{TABLES}{}ip x{}", "for a in 1 2 3 4 5 6 7 8 9; do ".repeat(60), "; done".repeat(60));
    assert!(import(&nested).is_ok());
    let open = "for a in b; do ".repeat(20_000);
    assert!(import(&open).is_err());
    let jumps: String = (0..30).map(|n| format!("iptables -t mangle -A C{n} -j C{}\n", n + 1).repeat(9)).collect();
    assert!(import(&format!("{TABLES}{jumps}iptables -t mangle -A PREROUTING -j C0\n")).is_ok());
    let own: String = "iptables -t mangle -A X -j X\niptables -t mangle -A PREROUTING -j X\n".repeat(20);
    assert!(import(&format!("{TABLES}{own}")).is_ok());
}

/// What iptables does with a packet, rule by rule.
#[derive(Debug, Clone)]
struct Line {
    source: u8,
    port: Option<u8>,
    mark: Option<u8>,
    unmarked: bool,
}

impl Line {
    fn text(&self) -> String {
        let port = self.port.map_or(String::new(), |port| format!(" -p tcp --dport {port}"));
        let unmarked = if self.unmarked { " -m mark --mark 0" } else { "" };
        let target = self.mark.map_or("ACCEPT".into(), |mark| format!("MARK --set-mark {mark}"));
        format!("$A -s 10.0.0.0/{}{port}{unmarked} -j {target}\n", self.source)
    }

    fn matches(&self, source: u32, port: u8) -> bool {
        let host = u32::MAX.checked_shr(self.source.into()).unwrap_or(0);
        source & !host == 0x0a00_0000 & !host && self.port.is_none_or(|own| own == port)
    }
}

fn walked(lines: &[Line], source: u32, port: u8) -> &'static str {
    let mut mark = 0;
    for line in lines {
        if line.matches(source, port) && !(line.unmarked && mark != 0) {
            match line.mark {
                Some(own) => mark = own,
                None => break,
            }
        }
    }
    ["main", "eth1", "eth2"][usize::from(mark)]
}

fn any_line() -> impl Strategy<Value = Line> {
    let port = prop::option::of(prop::sample::select(vec![25, 80]));
    let mark = prop_oneof![1 => Just(None), 3 => (0..3_u8).prop_map(Some)];
    (prop::sample::select(vec![8, 24, 32]), port, mark, prop::bool::weighted(0.3))
        .prop_map(|(source, port, mark, unmarked)| Line { source, port, mark, unmarked: unmarked && mark.is_some() })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_imported_or_refused(text in "(\\PC|\n){0,200}") {
        let _ = import(&text);
        let _ = import(&format!("{TABLES}{text}"));
    }

    #[test]
    fn any_words_are_imported_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "ip", "rule", "route", "add", "from", "10.0.0.0/8", "table", "100", "fwmark", "1", "default", "via", "192.0.2.1", "dev", "eth1", "\n",
        "iptables", "-t", "mangle", "-A", "PREROUTING", "-p", "tcp", "--dport", "80", "-j", "MARK", "--set-mark", "!", "-s", ";", "for", "in",
        "do", "done", "if", "then", "fi", "x", "$x", "\"", "'", "|", "&&", "{", "}", "(", ")", "case", "esac", "-m", "mark", "--mark", "0", "RETURN",
    ]), 0..60)) {
        if let Ok(imported) = import(&words.join(" ")) {
            import_support::errors(&imported.draft.to_string()).map_err(TestCaseError::fail)?;
        }
    }

    /// Packets go by the rules where the chain's marks send them.
    #[test]
    fn rules_do_what_the_chain_does(lines in prop::collection::vec(any_line(), 0..8)) {
        // A mark that is taken away, and then asked for, is reported as inexact.
        let taken = lines.iter().position(|line| line.mark == Some(0));
        prop_assume!(taken.is_none_or(|first| lines[first..].iter().all(|line| !line.unmarked)));
        let text: String = lines.iter().map(Line::text).collect();
        let imported = import(&format!("{TABLES}A='iptables -t mangle -A PREROUTING'\n{text}")).unwrap();
        let world = World::new(config::read(imported.draft.to_string().as_bytes()).config.unwrap());
        for (address, source) in [("10.0.0.0", 0x0a00_0000_u32), ("10.0.0.9", 0x0a00_0009), ("10.9.0.0", 0x0a09_0000), ("9.0.0.1", 0x0900_0001)] {
            for port in [25, 80, 81] {
                let question = format!("tcp {address}:1 192.0.2.1:{port}");
                prop_assert_eq!(world.leads_to(&question), walked(&lines, source, port), "{}\n{}\n{}", question, text, imported.draft);
            }
        }
    }
}
