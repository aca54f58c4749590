//! What is asked of the verbs: the arguments of `wansplit explain`, the same over ubus, and rpcd's JSON for
//! `wansplit rpcd call`.

use serde_json::{Map, Value};
use wansplit::commands::doors::{arguments_of_tools, packet_of, packet_of_json};
use wansplit::explain::question::{endpoint, time_of_week, with_port};
use wansplit::explain::{From, Packet};

/// Takes one input: a JSON object, or words of a command line.
pub fn run(input: &[u8]) {
    if input.first() == Some(&b'{') {
        return json(input);
    }
    let text = String::from_utf8_lossy(input);
    if let Ok((weekday, second)) = time_of_week(text.trim()) {
        assert!(weekday.is_none_or(|day| day < 7) && (0..86_400).contains(&second));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    for word in &words {
        if let Ok((address, Some(port))) = endpoint(word) {
            assert_eq!(endpoint(&with_port(address, port)), Ok((address, Some(port))));
        }
    }
    if let Ok(packet) = packet_of(&words) {
        sound(&packet);
        let again = written(&packet);
        let again: Vec<&str> = again.iter().map(String::as_str).collect();
        assert_eq!(packet_of(&again), Ok(packet), "{again:?}");
    }
}

fn sound(packet: &Packet) {
    assert!(packet.dscp < 64);
    assert!(packet.source.is_none_or(|source| source.is_ipv4() == packet.destination.is_ipv4()));
    assert_eq!(packet.details.icmp_type.is_some(), matches!(packet.protocol, 1 | 58), "{packet:?}");
}

/// The command line that asks about a packet.
fn written(packet: &Packet) -> Vec<String> {
    let address = |address, port: Option<u16>| match port {
        Some(port) => with_port(address, port),
        None => address.to_string(),
    };
    let source = match (packet.source, packet.source_port) {
        (Some(source), port) => address(source, port),
        (None, Some(port)) => format!("router:{port}"),
        (None, None) => "router".into(),
    };
    let mut words = vec![packet.protocol.to_string(), source, address(packet.destination, packet.destination_port)];
    let mut option = |name: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|value| [format!("--{name}"), value]));
    };
    if let From::Device(device, mac) = &packet.origin {
        option("iface", device.clone());
        option("mac", mac.map(|mac| mac.to_string()));
    }
    option("dscp", Some(packet.dscp.to_string()));
    option("icmp-type", packet.details.icmp_type.map(|number| number.to_string()));
    option("mark", Some(format!("{:#x}", packet.details.mark)));
    option("uid", packet.details.user.map(|user| user.to_string()));
    words
}

fn json(input: &[u8]) {
    for outcome in arguments_of_tools(input) {
        assert!(outcome.err().as_deref() != Some(""));
    }
    let Ok(arguments) = serde_json::from_slice::<Map<String, Value>>(input) else { return };
    if let Some(Ok(packet)) = packet_of_json(&arguments.into()) {
        sound(&packet);
    }
}
