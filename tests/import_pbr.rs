//! Configurations of pbr in wansplit's words.
//!
//! A case is `NAME.conf` and `NAME.expected` in `tests/fixtures/import_pbr`: the configuration, a line `---`, and the
//! remarks. `UPDATE=1 cargo test` writes the expected files anew: read the difference before you commit it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod import_support;

use import_support::{Case, golden, read_back, where_to};
use proptest::prelude::*;
use wansplit::import::{Context, Format, Imported, Source, pbr};
use wansplit::network::netifd;

fn import(text: &str, more: &[Source]) -> Result<Imported, String> {
    pbr::import(text, &Context { file: "/etc/config/pbr", interfaces: None, more })
}

/// `NAME.network` stands for /etc/config/network, if it is there.
fn import_case(case: &Case) -> Result<Imported, String> {
    let network = std::fs::read_to_string(case.path.with_extension("network"));
    let more: Vec<Source> =
        network.into_iter().map(|text| Source { file: "/etc/config/network".into(), text }).collect();
    import(&case.text, &more)
}

#[test]
fn every_case_is_imported_as_expected() {
    assert!(golden("import_pbr", "conf", import_case) >= 20);
}

#[test]
fn every_result_is_read_back_without_an_error() {
    read_back("import_pbr", "conf", import_case);
}

fn decided(text: &str, questions: &[(&str, &str)]) {
    let imported = import(text, &[]).unwrap();
    for (question, expected) in questions {
        assert_eq!(where_to(&imported, question), *expected, "{question}\n{}", imported.draft);
    }
}

/// The frame of the decisions: both families, domains by dnsmasq.
const FRAME: &str = "config pbr 'config'\n option ipv6_enabled '1'\n option resolver_set 'dnsmasq.nftset'\n\
                     list ignored_interface 'vpnserver'\n";

#[test]
fn one_device_goes_by_the_vpn() {
    let text =
        format!("{FRAME}config policy\n option name 'TV'\n option interface 'wg0'\n option src_addr '192.168.1.70'\n");
    decided(
        &text,
        &[
            ("tcp 192.168.1.70:40000 192.0.2.1:443", "wg0"),
            ("icmp 192.168.1.70 192.0.2.1", "wg0"),
            ("tcp 192.168.1.71:40000 192.0.2.1:443", "main"),
            ("tcp [fd00::70]:40000 [2001:db8::1]:443", "main"),
        ],
    );
}

#[test]
fn a_local_subnet_and_what_is_ignored_before() {
    let text = format!(
        "{FRAME}config policy\n option name 'printers stay'\n option interface 'ignore'\n option dest_addr '10.9.0.0/16'\n\
         config policy\n option name 'subnet'\n option interface 'wg0'\n option src_addr '192.168.1.128/25'\n"
    );
    decided(
        &text,
        &[
            ("tcp 192.168.1.200:40000 10.9.1.1:631", "main"),
            ("tcp 192.168.1.200:40000 192.0.2.1:443", "wg0"),
            ("tcp 192.168.1.100:40000 192.0.2.1:443", "main"),
        ],
    );
}

#[test]
fn voip_goes_by_the_second_wan_and_ports_by_theirs() {
    let text = format!(
        "{FRAME}config policy\n option name 'VoIP'\n option interface 'wan2'\n option proto 'udp'\n\
         option dest_port '5060 10000-20000'\n\
         config policy\n option name 'not mail'\n option interface 'wg0'\n option src_addr '192.168.1.5'\n\
         option dest_port '!25 587'\n"
    );
    decided(
        &text,
        &[
            ("udp 192.168.1.5:40000 192.0.2.1:5060", "wan2"),
            ("udp [fd00::5]:40000 [2001:db8::1]:12345", "wan2"),
            ("tcp 192.168.1.5:40000 192.0.2.1:5060", "wg0"),
            ("tcp 192.168.1.5:40000 192.0.2.1:587", "main"),
            ("tcp 192.168.1.6:40000 192.0.2.1:443", "main"),
        ],
    );
}

#[test]
fn domains_go_by_the_tunnel_but_some() {
    let text = format!(
        "{FRAME}config policy\n option name 'films'\n option interface 'wg0'\n option dest_addr 'example.com example.org'\n\
         config policy\n option name 'one host, not its bank'\n option interface 'wg1'\n option src_addr '192.168.1.5'\n\
         option dest_addr '!example.net'\n"
    );
    decided(
        &text,
        &[
            ("tcp 192.168.1.5:1 192.0.2.1:443 to=example.com", "wg0"),
            ("udp [fd00::5]:1 [2001:db8::1]:443 to=example.org", "wg0"),
            ("tcp 192.168.1.5:1 192.0.2.1:443 to=example.net", "main"),
            ("tcp 192.168.1.5:1 192.0.2.1:443", "wg1"),
            ("tcp 192.168.1.6:1 192.0.2.1:443", "main"),
        ],
    );
}

#[test]
fn exceptions_mean_what_the_manual_says() {
    let text = format!(
        "{FRAME}config policy\n option name 'all but the server'\n option interface 'wg0'\n\
         option src_addr '192.168.1.0/24 !192.168.1.2 02:00:00:00:00:07'\n option dest_addr '!198.18.0.0/15'\n"
    );
    decided(
        &text,
        &[
            ("tcp 192.168.1.3:1 192.0.2.1:80", "wg0"),
            ("tcp 192.168.1.2:1 192.0.2.1:80", "main"),
            ("tcp 192.168.1.3:1 198.18.0.1:80", "main"),
            ("tcp 192.168.2.3:1 192.0.2.1:80", "main"),
            ("tcp 192.168.2.3:1 192.0.2.1:80 02:00:00:00:00:07", "wg0"),
            // Not the exception's family, so no exception; but destinations are "all IPv4 but these".
            ("tcp [fd00::7]:1 [2001:db8::1]:80 02:00:00:00:00:07", "main"),
        ],
    );
}

#[test]
fn a_protocol_without_ports_is_kept() {
    let text = format!(
        "{FRAME}config policy\n option name 'ping'\n option interface 'wg0'\n option proto 'icmp'\n option src_addr '192.168.1.5'\n"
    );
    decided(&text, &[("icmp 192.168.1.5 192.0.2.1", "wg0"), ("tcp 192.168.1.5:1 192.0.2.1:80", "main")]);
}

#[test]
fn without_ipv6_its_packets_stay_with_main() {
    let text =
        "config pbr 'config'\nconfig policy\n option name 'web'\n option interface 'wg0'\n option dest_port '443'\n";
    decided(text, &[("tcp 192.168.1.5:1 192.0.2.1:443", "wg0"), ("tcp [fd00::5]:1 [2001:db8::1]:443", "main")]);
}

#[test]
fn what_netifd_does_not_know_is_said() {
    let dump = include_str!("fixtures/network/network.interface-dump.json");
    let dump = netifd::read(&serde_json::from_str(dump).unwrap()).unwrap();
    let context = Context { file: "/etc/config/pbr", interfaces: Some(&dump.interfaces), more: &[] };
    let policy = |interface| {
        format!("config policy\n option name '{interface}'\n option interface '{interface}'\n option dest_port '1'\n")
    };
    let said = |text: &str| -> String {
        let imported = Format::Pbr.import(text, &context).unwrap();
        imported.remarks.iter().map(|remark| format!("{remark}\n")).collect()
    };
    let wan = said(&format!("{FRAME}{}", policy("wan")));
    assert!(!wan.contains("netifd has no interface"), "{wan}");
    let unknown = said(&format!("{FRAME}{}", policy("wg7")));
    assert!(unknown.contains("netifd has no interface 'wg7': the link counts as down"), "{unknown}");
}

#[test]
fn what_is_no_configuration_of_pbr_is_refused() {
    for (text, expected) in [
        ("", "it has no section of type pbr or policy"),
        ("config rule 'x'\n", "it has no section of type pbr or policy"),
        ("config pbr 'config'\n option enabled '1\n", "line 2: this quote is never closed"),
        ("\u{0}\u{1}\u{2}", "line 1: "),
    ] {
        let error = import(text, &[]).unwrap_err();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
    let more = [Source { file: "x".into(), text: "config wifi 'x'\n".into() }];
    assert!(import("config pbr 'config'\n", &more).unwrap_err().contains("/etc/config/network"));
    let long = format!(
        "config pbr 'config'\nconfig policy\n option name 'x'\n option src_addr '{}'\n",
        "1.2.3.4 ".repeat(100_000)
    );
    assert!(import(&long, &[]).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_imported_or_refused(text in "\\PC{0,200}") {
        let _ = import(&text, &[]);
    }

    /// Any policy gives something that is read back without an error.
    #[test]
    fn any_policy_is_imported_or_left_out(
        ipv6 in "[01]",
        options in prop::collection::vec((
            prop::sample::select(vec!["name", "interface", "src_addr", "dest_addr", "src_port", "dest_port", "proto", "chain", "enabled"]),
            prop::collection::vec(prop::sample::select(vec![
                "wan", "wg0", "lan", "main", "!1.2.3.4", "10.0.0.0/8", "2001:db8::/32", "!::1", "02:00:00:00:00:01",
                "!02:00:00:00:00:02", "@br-lan", "!@wg0", "!", "80", "443-445", "!53", "tcp", "udp", "icmp", "output", "forward", "1", "0", "x/y",
            ]), 1..5),
        ), 0..8)
    ) {
        let lines: Vec<String> = options.iter().map(|(name, values)| format!(" option {name} '{}'\n", values.join(" "))).collect();
        let text = format!("config pbr 'config'\n option ipv6_enabled '{ipv6}'\nconfig policy\n{}", lines.concat());
        let imported = import(&text, &[]).unwrap();
        import_support::errors(&imported.draft.to_string()).map_err(TestCaseError::fail)?;
    }
}
