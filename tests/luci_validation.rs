//! The pages' forms and the program are of one mind about what may stand in an option.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::process::{Command, Stdio};
use wansplit::config::options::{OptionSpec, SectionKind, ValueKind};
use wansplit::config::read;

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "4",
    "32",
    "99",
    "100",
    "101",
    "253",
    "255",
    "256",
    "800",
    "32000",
    "32001",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "99999999999999999999",
    "007",
    "+1",
    "-1",
    "1.0",
    "1e3",
    "0x1f",
    "0X1F",
    "0xffffffff",
    "0x100000000",
    "0x",
    "0xg",
    "x",
    "1 2",
    "½",
    "१",
    "0x00000000ff",
    "0x+1",
];
const ADDRESSES: &[&str] = &[
    "192.0.2.1",
    "192.0.2.01",
    "192.0.2.256",
    "192.0.2",
    "192.0.2.1.",
    "1.2.3.4.5",
    "0.0.0.0",
    "255.255.255.255",
    "127.0.0.1",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "::",
    "::1",
    "1::",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "2001:db8::1",
    "2001:DB8::ABCD",
    "2001:db8:0:0:0:0:0:1",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7",
    "1::2::3",
    ":::",
    ":1",
    "1:",
    "12345::",
    "g::",
    "::ffff:192.0.2.1",
    "::192.0.2.1",
    "1:2:3:4:5:6:192.0.2.1",
    "1:2:3:4:5:6:7:192.0.2.1",
    "::192.0.2.1:1",
    "1::192.0.2.1::",
    "192.0.2.1::",
    "[2001:db8::1]",
    "[192.0.2.1]",
    "[]",
    "host",
    "example.com",
    "www-1.example.com",
    "1.1.1.1:53",
    "1.1.1.1:0",
    "1.1.1.1:65535",
    "1.1.1.1:65536",
    "1.1.1.1:",
    "[2001:db8::1]:53",
    "[2001:db8::1]:0",
    "[2001:db8::1]:",
    "2001:db8::1:53",
    "[::1]:53",
    "[fe80::1%1]:53",
    "*:53",
    "*:0",
    "*",
    "*:",
    "*:x",
    "[*]:53",
    "http://1.1.1.1/",
    "10.0.0.0/8",
    "10.0.0.1/8",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/255.0.0.0",
    "10.0.0.0/255.0.255.0",
    "10.0.0.0/0.0.0.0",
    "10.0.0.0/8/8",
    "2001:db8::/32",
    "2001:db8::/129",
    "2001:db8::/ffff::",
    "::/0",
    "0.0.0.0/0",
    "10.0.0.1-10.0.0.9",
    "10.0.0.9-10.0.0.1",
    "10.0.0.1-",
    "-10.0.0.1",
    "10.0.0.1-2001:db8::1",
    "2001:db8::1-2001:db8::9",
    "2001:db8::9-2001:db8::1",
    "10.0.0.1-10.0.0.2-10.0.0.3",
    "10.0.0.1 - 10.0.0.9",
    "0::1",
    "00001::",
    "::ffff:0:1",
];
const WORDS: &[&str] = &[
    "wan",
    "wan6",
    "pppoe-wan",
    "br-lan.10",
    "eth1",
    "@wan",
    "a b",
    ".",
    "..",
    "a/b",
    "a:b",
    "ção",
    "*",
    "wg+",
    "x~=y",
    "an-interface-of-20",
    "exactly15bytes_",
    "exactly16_bytes_",
    "interface_names_of_netifd_may_have_sixty_four_bytes_and_no_more_",
    "interface_names_of_netifd_may_have_sixty_four_bytes_and_no_more__",
    "tcp",
    "TCP",
    "Udp",
    "icmp",
    "icmpv4",
    "icmpv6",
    "ipv6-icmp",
    "esp",
    "any",
    "all",
    "tcpudp",
    "http",
    "igmp",
    "sctp",
    "foo",
    "ping",
    "PING",
    "echo-request",
    "Echo-Reply",
    "echo_request",
    "router-solicitation",
    "redirect",
    "mon",
    "Monday",
    "MON",
    "mo",
    "mond",
    "monday-friday",
    "mon-fri",
    "fri-mon",
    "mon-",
    "-mon",
    "mon-fri-sun",
    "segunda",
    "sunday",
    "be",
    "EF",
    "ef",
    "cs0",
    "cs7",
    "cs8",
    "af11",
    "af44",
    "af43",
    "AF21",
    "le",
    "example.com",
    "*.example.com",
    ".example.com",
    "example.com.",
    "example..com",
    "*",
    "ex_ample.com",
    "ex ample.com",
    "http://example.com",
    "example.com/x",
    "xn--caf-dma.example",
    "café.example",
    "-a.b",
    "a",
    ".",
    "*.",
    "..",
    "localhost",
    "22:00",
    "6:5",
    "06:30:15",
    "24:00",
    "24:01",
    "23:59:60",
    "23:60",
    "22",
    "22:",
    ":30",
    "1:2:3:4",
    "022:00",
    "+1:00",
    "52:54:00:12:34:56",
    "52-54-00-12-34-56",
    "52:54-00:12:34:56",
    "52:54:00:12:34",
    "52:54:00:12:34:56:78",
    "525400123456",
    "5:54:00:12:34:56",
    "ZZ:54:00:12:34:56",
    "/etc/x",
    "etc/x",
    "/",
    "80",
    "443",
    "8000-8080",
    "8080-8000",
    "8000:8080",
    "80-80",
    "0-80",
    "1-65536",
    "80-",
    "-80",
    "http-https",
    "80,443",
    "80-90-100",
    "80:90-100",
    "1000-1999",
    "4294967294",
    "root",
    "0x10000/0xff0000",
    "0x10000",
    "1/2/3",
    "0x10000/",
    "x/1",
    "/1",
];
const QUANTITIES: &[&str] = &[
    "300M",
    "300",
    "1G",
    "2.5G",
    "512k",
    "0.5",
    "1000G",
    "1001G",
    "0.5k",
    "0.001",
    "0.0005",
    "300m",
    "300 M",
    "300Mbit",
    "10G",
    "1.5T",
    "500M",
    "1k",
    "1000T",
    "1001T",
    "10g",
    "10GB",
    "0G",
    "1.2345G",
    "1.",
    ".5",
    ".5G",
    "99999999999999999999T",
    "500ms",
    "1s",
    "1.5s",
    "2m",
    "1h",
    "24h",
    "25h",
    "100ms",
    "99ms",
    "10ms",
    "9ms",
    "0.1",
    "0.0001s",
    "1d",
    "1 s",
    "s",
    "ms",
    "60",
    "61",
    "3600",
    "3601",
    "60m",
    "1.0005s",
    "1M",
    "40%",
    "100%",
    "0%",
    "101%",
    "%",
    "40 %",
    "0xff000000",
    "0xff",
    "0x3f00",
    "0x101",
    "0x80000000",
    "0xc0000000",
    "255",
    "5",
];

fn label(kind: ValueKind, option: &str) -> Option<(&'static str, u32, u32)> {
    let plain = |name| Some((name, 0, 0));
    match kind {
        // A box to tick, or a list to choose from, or names that the page itself offers.
        ValueKind::Boolean
        | ValueKind::OneOf(_)
        | ValueKind::Target
        | ValueKind::Underlay
        | ValueKind::Member
        | ValueKind::Name => None,
        ValueKind::Bits(..) if option == "mask" => plain("Mask"),
        // That a mark lies in the mask, and that no bit of a foreign one does, is said by the check before applying.
        ValueKind::Bits(least, most) => (option != "mark").then_some(("Bits", least, most)),
        ValueKind::ForeignMark => None,
        // So it is of the numbers of the kernel's own tables.
        ValueKind::Number(..) if option == "table" => None,
        ValueKind::Number(least, most) => Some(("Number", least, most)),
        ValueKind::Duration(least, most) => Some(("Duration", least, most)),
        ValueKind::Interface => plain("Interface"),
        ValueKind::Device => plain("Device"),
        ValueKind::Ipv4 => plain("Ipv4"),
        ValueKind::Ipv6 => plain("Ipv6"),
        ValueKind::Protocol => plain("Protocol"),
        ValueKind::Address => plain("Address"),
        ValueKind::Port => plain("Port"),
        ValueKind::Mac => plain("Mac"),
        ValueKind::IcmpType => plain("IcmpType"),
        ValueKind::Domain => plain("Domain"),
        ValueKind::Entry => plain("Entry"),
        ValueKind::Path if option == "dnsmasq_dir" => plain("Directory"),
        ValueKind::Path => plain("Path"),
        ValueKind::Weekday => plain("Weekday"),
        ValueKind::TimeOfDay if option == "start_time" => plain("StartTime"),
        ValueKind::TimeOfDay => plain("TimeOfDay"),
        ValueKind::ArrivalInterface => plain("ArrivalInterface"),
        ValueKind::Dscp => plain("Dscp"),
        ValueKind::User => plain("User"),
        ValueKind::Speed => plain("Speed"),
        ValueKind::Bytes => plain("Bytes"),
        ValueKind::Percent => plain("Percent"),
        ValueKind::TrackedHost => plain("TrackedHost"),
        ValueKind::Endpoint => plain("Endpoint"),
    }
}

/// Whether the program finds nothing wrong with a value: in a section that is right but for it.
fn accepts(section: SectionKind, spec: &OptionSpec, value: &str) -> bool {
    let around = match (section, spec.name) {
        (SectionKind::Globals, _) => "",
        (SectionKind::Link, "device") => "",
        (SectionKind::Link, "interface") => "",
        (SectionKind::Link, "gateway" | "gateway6") => "\toption device 'eth1'\n",
        // Ports belong to the methods that know them.
        (SectionKind::Link, "track_ip") => "\toption interface 'wan'\n\toption track_method 'tcp'\n",
        (SectionKind::Link, "reliability") => "\toption interface 'wan'\n",
        (SectionKind::Link, _) => "\toption interface 'wan'\n",
        (SectionKind::Policy, _) => "\tlist use 'other'\n",
        (SectionKind::Rule, "uid") => "\toption use 'other'\n\toption from 'router'\n",
        (SectionKind::Rule, _) => "\toption use 'other'\n",
        (SectionKind::Set, _) => "",
    };
    let name = if section == SectionKind::Globals { "" } else { " 'this'" };
    let text = format!(
        "config globals\n\toption enabled '1'\n\nconfig link 'other'\n\toption interface 'other'\n\nconfig {}{name}\n{around}\tlist {} '{value}'\n",
        section.word(),
        spec.name,
    );
    // Both would be globals.
    let text = match section {
        SectionKind::Globals => text.replacen("config globals\n\toption enabled '1'\n\n", "", 1),
        _ => text,
    };
    let text = match spec.arity {
        wansplit::config::options::Arity::Single => {
            text.replace(&format!("\tlist {} ", spec.name), &format!("\toption {} ", spec.name))
        }
        _ => text,
    };
    let reading = read(text.as_bytes());
    let about = |option: &Option<String>| option.as_deref() == Some(spec.name);
    !reading.diagnostics.iter().any(|finding| !finding.is_harmless() && about(&finding.option))
}

#[test]
fn the_forms_accept_what_the_program_accepts() {
    let mut questions = Vec::new();
    let mut expected = Vec::new();
    let values: Vec<&str> = [NUMBERS, ADDRESSES, WORDS, QUANTITIES].concat();
    for section in SectionKind::ALL {
        for spec in section.options() {
            let Some((kind, least, most)) = label(spec.value, spec.name) else { continue };
            for value in &values {
                let value = (*value).to_owned();
                for value in [format!("!{value}"), value] {
                    // In a list, blanks part values: the form gives each a place of its own.
                    if value.contains(' ') {
                        continue;
                    }
                    expected.push((section, spec, value.clone(), accepts(section, spec, &value)));
                    questions.push(serde_json::json!([kind, least, most, value]));
                }
            }
        }
    }
    let mut node = Command::new("node")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/luci/verdicts.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("nodejs is installed");
    let mut input = node.stdin.take().unwrap();
    input.write_all(serde_json::to_string(&questions).unwrap().as_bytes()).unwrap();
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    let verdicts: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), expected.len());
    let good = expected.iter().filter(|(.., good)| *good).count();
    assert!(good > 500 && expected.len() - good > 2000, "{good} of {} are good", expected.len());
    let wrong: Vec<String> = expected
        .iter()
        .zip(&verdicts)
        .filter(|((.., good), verdict)| (**verdict == true) != *good)
        .map(|((section, spec, value, good), verdict)| {
            format!("{section} {} '{value}': the program says {good}, the page {verdict}", spec.name)
        })
        .collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
