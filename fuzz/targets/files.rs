//! Small files of the kernel and of others: connections as `/proc/net/nf_conntrack` lists them, the names of routing
//! tables, the firewall's configuration, the map of user ids.

use std::sync::LazyLock;
use wansplit::config::model::Config;
use wansplit::config::read;
use wansplit::explain::connection::{Around, Ground};
use wansplit::kernel::connection::{Connection, Tuple, lines};
use wansplit::kernel::doors::absent_users;
use wansplit::kernel::rt_tables::merge;
use wansplit::network::Facts;
use wansplit::network::firewall::Firewall;
use wansplit::plan::path::Paths;

static CONFIG: LazyLock<(Config, Paths)> = LazyLock::new(|| {
    let config = read(include_bytes!("../../examples/two-links.uci")).config.expect("an example");
    let paths = Paths::new(&config).expect("marks enough");
    (config, paths)
});

/// Takes one input, as each of these files.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    connections(&text);
    names_of_tables(&text);
    let firewall = Firewall::read("/etc/config/firewall", input);
    assert!(firewall.fault.is_none() || !firewall.translates(&["wan"], Some("eth1")));
    let absent = absent_users(&text);
    assert!(absent.iter().all(|interval| interval.last() < u128::from(u32::MAX)));
}

fn connections(text: &str) {
    let (config, paths) = &*CONFIG;
    let facts = Facts { links: vec![Default::default(); config.links.len()], ..Facts::default() };
    let ground = Ground::new(config, paths, &facts, Around::default());
    for connection in text.lines().filter_map(lines::read) {
        let written = line(&connection);
        assert_eq!(lines::read(&written).as_ref(), Some(&connection), "{written}");
        if let Some(attribution) = ground.judge(&connection) {
            assert!(attribution.rule.is_none_or(|rule| rule < config.rules.len()));
            assert!(attribution.link.is_none_or(|link| link.0 < config.links.len()));
        }
    }
}

/// As the kernel writes it.
fn line(connection: &Connection) -> String {
    let (there, back) = match connection.count {
        Some((packets, bytes)) => (format!("packets={packets} bytes={bytes} "), "packets=0 bytes=0 ".to_owned()),
        None => Default::default(),
    };
    let unreplied = if connection.answered { "" } else { "[UNREPLIED] " };
    format!(
        "ipv4 2 name {} {} {}{there}{unreplied}{}{back}mark={} use=2",
        connection.protocol,
        connection.expires,
        tuple(&connection.original),
        tuple(&connection.reply),
        connection.mark
    )
}

fn tuple(tuple: &Tuple) -> String {
    let mut words = format!("src={} dst={} ", tuple.source, tuple.destination);
    let ports = [("sport", tuple.source_port), ("dport", tuple.destination_port)];
    for (name, port) in ports {
        words.extend(port.map(|port| format!("{name}={port} ")));
    }
    words.extend(tuple.icmp_type.map(|kind| format!("type={kind} ")));
    words
}

/// The owner's lines come through, whatever is put in and taken out again.
fn names_of_tables(text: &str) {
    let bare = merge(text, &[]).text;
    let wanted = [(100, "EMB".to_owned()), (200, "with blanks # and more".to_owned()), (300, "100".to_owned())];
    let named = merge(&bare, &wanted);
    assert_eq!(merge(&named.text, &wanted), named, "done twice it is the same");
    assert_eq!(merge(&named.text, &[]).text, bare, "what was put in can be taken out");
}
