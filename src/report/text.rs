//! The status for people: tables made from its JSON, so that both say the same.

use super::table::{Paint, Table};
use crate::json;
use serde_json::Value;
use std::fmt::Write;

const FAMILIES: [(&str, &str); 2] = [("ipv4", "IPv4"), ("ipv6", "IPv6")];

/// The whole status as text.
#[must_use]
pub fn text(status: &Value, paint: Paint) -> String {
    let mut text = format!("{}\n", headline(status));
    let sections = [links(status), policies(status), rules(status)];
    for table in sections.into_iter().flatten() {
        let _ = write!(text, "\n{}", table.text(paint));
    }
    if let Some(line) = unwatched(status) {
        let _ = write!(text, "\n{line}\n");
    }
    for problem in list(&status["problems"]) {
        let _ = write!(text, "\n{}", words(problem));
    }
    if !list(&status["drift"]).is_empty() {
        text.push_str("\nthe kernel differs from what is wanted (+ is missing, - is too much, ~ is different); `wansplit apply` mends it:\n");
        for line in list(&status["drift"]) {
            let _ = writeln!(text, "  {}", words(line));
        }
    }
    text
}

fn headline(status: &Value) -> String {
    let drift = list(&status["drift"]).len();
    let state = match (status["enabled"] == true, drift) {
        (true, 0) if status["resting"] == true => "stopped until `wansplit apply`".to_string(),
        (true, 0) => "on, and the kernel holds the wanted state".to_string(),
        (true, 1) => "on, but the kernel differs in one place".to_string(),
        (true, _) => format!("on, but the kernel differs in {drift} places"),
        (false, 0) => "switched off in its configuration".to_string(),
        (false, _) => "switched off in its configuration, but the kernel still holds state of ours".to_string(),
    };
    let watcher = match (&status["daemon"], status["enabled"] == true) {
        (pid @ Value::Number(_), _) => format!("; watched by process {}", words(pid)),
        (_, true) => "; nobody watches it: `wansplit run` does not run".to_string(),
        (_, false) => String::new(),
    };
    format!("wansplit {}: {state}{watcher}", words(&status["version"]))
}

fn links(status: &Value) -> Option<Table> {
    let mut columns = vec![
        "LINK", "FAMILY", "STATE", "SINCE", "DEVICE", "GATEWAY", "ADDRESS", "RTT", "LOSS", "FLOWS", "MARK", "TABLE",
        "RECEIVED", "SENT",
    ];
    let metered = list(&status["links"]).iter().any(|link| link["quota"].is_object());
    if metered {
        columns.push("USED");
    }
    let mut table = Table::new(&columns);
    for link in list(&status["links"]) {
        for (n, (key, family)) in FAMILIES.into_iter().enumerate() {
            let used = metered.then(|| if n == 0 { used(&link["quota"]) } else { String::new() });
            table.row(link_row(link, &link[key], family, n == 0).into_iter().chain(used));
        }
    }
    Some(table)
}

/// Which links nobody asks whether they work: "up" says less of these.
fn unwatched(status: &Value) -> Option<String> {
    let unasked = list(&status["links"]).iter().filter(|link| link["tracked"] == false);
    let names: Vec<String> = unasked.map(|link| words(&link["name"])).collect();
    (status["enabled"] == true && !names.is_empty()).then(|| {
        format!(
            "{}: without track_ip nobody asks whether the Internet answers; up says carrier, address and gateway are there",
            names.join(", ")
        )
    })
}

fn link_row(link: &Value, side: &Value, family: &str, first: bool) -> Vec<String> {
    let only = |text: String| if first { text } else { String::new() };
    let mark = link["mark"].as_u64().map_or("-".into(), |mark| format!("{mark:#x}"));
    vec![
        only(words(&link["name"])),
        family.to_string(),
        state(side),
        side["since"].as_u64().map_or("-".into(), duration),
        words(&side["device"]),
        words(&side["gateway"]),
        addresses(&side["addresses"]),
        round_trip(&side["rtt_ms"]),
        side["loss_percent"].as_u64().map_or("-".into(), |percent| format!("{percent} %")),
        words(&side["flows"]),
        only(mark),
        only(words(&link["table"])),
        only(traffic(side, "rx")),
        only(traffic(side, "tx")),
    ]
}

/// "up", "no carrier", "down: no address"; a family that is not offered is just "-".
fn state(side: &Value) -> String {
    match (side["state"].as_str().unwrap_or("-"), side["why"].as_str()) {
        ("down", Some("not offered")) => "-".into(),
        ("down", Some("no carrier")) => "no carrier".into(),
        (state, Some(why)) => format!("{state}: {why}"),
        (state, None) => state.into(),
    }
}

fn traffic(side: &Value, direction: &str) -> String {
    let total = side[format!("{direction}_bytes")].as_u64().map_or("-".into(), bytes);
    match side[format!("{direction}_rate")].as_u64() {
        Some(rate) => format!("{total} ({}/s)", bytes(rate)),
        None => total,
    }
}

/// "3.2 GB of 10 GB a month".
fn used(quota: &Value) -> String {
    let Some(max) = quota["max_bytes"].as_u64() else { return "-".into() };
    let used = quota["used_bytes"].as_u64().map_or("-".into(), bytes);
    format!("{used} of {} a {}", round_bytes(max), words(&quota["per"]))
}

fn policies(status: &Value) -> Option<Table> {
    let policies = list(&status["policies"]);
    let mut table = Table::new(&["POLICY", "ORDER", "NOW IPv4", "NOW IPv6"]);
    for policy in policies {
        let now = &policy["now"];
        table.row([words(&policy["name"]), words(&policy["order"]), words(&now["ipv4"]), words(&now["ipv6"])]);
    }
    (!policies.is_empty()).then_some(table)
}

fn rules(status: &Value) -> Option<Table> {
    let rules = list(&status["rules"]);
    let mut columns = vec!["RULE", "MATCHES", "USE", "NOW IPv4", "NOW IPv6"];
    let counted = rules.iter().any(|rule| rule["packets"].is_u64());
    if counted {
        columns.push("CONNECTIONS");
    }
    let timed = rules.iter().any(|rule| rule["times"].is_string());
    if timed {
        columns.push("TIMES");
    }
    let mut table = Table::new(&columns);
    for rule in rules {
        let cells = [&rule["name"], &rule["matches"], &rule["use"], &rule["now"]["ipv4"], &rule["now"]["ipv6"]];
        let count = counted.then(|| words(&rule["packets"]));
        let times = timed.then(|| times(rule));
        table.row(cells.map(words).into_iter().chain(count).chain(times));
    }
    (!rules.is_empty()).then_some(table)
}

/// `mon to fri 22:00 to 06:00: not now, from Mon 22:00`.
fn times(rule: &Value) -> String {
    let words = words(&rule["times"]);
    match (rule["active"] == true, rule["changes"].as_str()) {
        (true, Some(changes)) => format!("{words}: now, until {changes}"),
        (false, Some(changes)) => format!("{words}: not now, from {changes}"),
        (_, None) => words,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A value as people write it; nothing is "-".
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        other => json::text(other),
    }
}

/// A round-trip time: `12 ms`, though JSON writes 12.0. As JSON does it, not as `{}` does: the standard library's way of
/// writing fractions is 12 KB on MIPS.
fn round_trip(milliseconds: &Value) -> String {
    match milliseconds {
        Value::Null => "-".into(),
        number => {
            let text = words(number);
            format!("{} ms", text.strip_suffix(".0").unwrap_or(&text))
        }
    }
}

fn addresses(value: &Value) -> String {
    match list(value) {
        [] => "-".into(),
        [only] => words(only),
        [first, rest @ ..] => format!("{} +{}", words(first), rest.len()),
    }
}

/// Seconds in the two largest units: `3 d 4 h`, `12 min 5 s`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// Bytes in the unit that keeps the number short, without a needless `.0`: 10 GB.
#[must_use]
pub fn round_bytes(number: u64) -> String {
    bytes(number).replace(".0 ", " ")
}

/// Bytes in the unit that keeps the number short: 3.2 GB.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_round_trip_time_has_no_needless_digits() {
        for (time, text) in [(json!(12.0), "12 ms"), (json!(0.05), "0.05 ms"), (json!(1300.5), "1300.5 ms")] {
            assert_eq!(round_trip(&time), text);
        }
        assert_eq!(round_trip(&json!(10.0)), "10 ms");
        assert_eq!(round_trip(&Value::Null), "-");
    }
}
