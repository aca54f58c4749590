//! The answers with which the LuCI pages are tested in a browser are real ones: recorded from the daemon with real packets, in
//! `tests/luci/recorded/*.json`. What the daemon of now gives has the same keys and types.
//!
//! `WANSPLIT_RECORD=1 cargo nextest run --test luci_recorded` records them anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{BOTH, MAIL, PATIENCE, WEB, is_well, new_connections_by};
use lab::{Daemon, Direction, INTERNET, Lab, Setup, Wansplit, Way, side};
use serde_json::{Map, Value, json};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use wansplit::daemon::control::{Request, client};

/// Also the configuration that the pages are given.
const CONFIG: &str = include_str!("luci/recorded/config.uci");
/// What is asked of `explain`: browsing, mail, what no rule is for, a balanced call, and a destination within the router.
const QUESTIONS: &[[&str; 3]] = &[
    ["tcp", "192.168.1.10:40000", "192.0.2.10:443"],
    ["tcp", "[fd00:1::10]:40000", "[2001:db8:ffff::10]:25"],
    ["icmp", "192.168.1.10", "192.0.2.10"],
    ["udp", "192.168.1.10:40000", "192.0.2.10:5060"],
    ["tcp", "192.168.1.10:40000", "192.168.1.1:80"],
];

#[test]
fn all_is_well() {
    lab::isolated(|| recorded("well", |_, _, _| ()));
}

#[test]
fn a_link_is_down() {
    lab::isolated(|| {
        recorded("down", |lab, _, daemon| {
            lab.provider(1).silence(Direction::Both);
            daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
            new_connections_by(lab, WEB, 2);
        });
    });
}

#[test]
fn a_cable_is_out() {
    lab::isolated(|| {
        recorded("unplugged", |lab, wansplit, daemon| {
            lab.provider(1).carrier(false);
            wansplit.report_network(&lab.network_dump(&[1]));
            daemon_support::hotplug(wansplit, "ifdown", "wan");
            daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        });
    });
}

/// The daemon mends it at once: how it looks until then is seen without one.
#[test]
fn the_kernel_has_drifted() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = wansplit(&lab);
        let mut daemon = wansplit.daemon(&[]);
        let mut answers = answers_after(&lab, &wansplit, &daemon, |_, _, _| ());
        daemon.terminate();
        lab.router.nft("flush chain inet wansplit prerouting");
        lab.router.ip("rule del lookup 20093");
        let status = wansplit.status();
        for field in ["in_sync", "drift"] {
            answers["status"][field] = status[field].clone();
        }
        assert_eq!(status["in_sync"], false);
        compare("drift", answers);
    });
}

/// Starts a daemon, makes something happen, and compares or records what it says.
fn recorded(name: &str, happen: impl FnOnce(&Lab, &Wansplit<'_>, &Daemon<'_>)) {
    let lab = lab();
    let wansplit = wansplit(&lab);
    let daemon = wansplit.daemon(&[]);
    compare(name, answers_after(&lab, &wansplit, &daemon, happen));
}

fn lab() -> Lab {
    let lab = Lab::with(&Setup { main_default: vec![1, 2], ..Setup::default() });
    // Connections are counted only from then on.
    lab.router.sysctl("net/netfilter/nf_conntrack_acct", "1");
    lab
}

fn wansplit(lab: &Lab) -> Wansplit<'_> {
    packet_support::configured(lab, CONFIG).with_network(&lab.network_dump(&[]))
}

/// With traffic, and after something that happens to a router that was well.
fn answers_after(
    lab: &Lab,
    wansplit: &Wansplit<'_>,
    daemon: &Daemon<'_>,
    happen: impl FnOnce(&Lab, &Wansplit<'_>, &Daemon<'_>),
) -> Value {
    daemon.wait_for_status("all is well", PATIENCE, |status| is_well(status) && has_rates(status));
    for to in INTERNET {
        assert_eq!(lab.tcp(&lab.lan, to, WEB), Way::Link(1));
        assert_eq!(lab.tcp(&lab.lan, to, MAIL), Way::Link(2));
        assert!(matches!(lab.udp(&lab.lan, to, 5060), Way::Link(_)));
    }
    happen(lab, wansplit, daemon);
    answers(lab, wansplit)
}

/// The daemon has measured for a while.
fn has_rates(status: &Value) -> bool {
    side(status, "OI", "ipv4")["rx_rate"].is_u64() && side(status, "OI", "ipv4")["rtt_ms"].is_number()
}

/// By what a page asks: what it is answered.
fn answers(lab: &Lab, wansplit: &Wansplit<'_>) -> Value {
    let ask = |request| client::ask(request).unwrap().expect("the daemon runs");
    let explained = QUESTIONS.iter().map(|question| {
        let output = wansplit.run(&[&["explain", "--json"], &question[..]].concat());
        assert_eq!(output.code, 0, "{question:?}: {output:?}");
        let answer: Value = serde_json::from_str(&output.stdout).unwrap();
        json!({ "question": { "protocol": question[0], "source": question[1], "destination": question[2] }, "answer": answer })
    });
    json!({
        "status": ask(Request::Status),
        "events": ask(Request::Events),
        "explain": explained.collect::<Vec<_>>(),
        "connections": connections(wansplit),
        "connections": tools(wansplit, "connections", &json!({})),
        "check": tools(wansplit, "check", &json!({ "config": CONFIG.replace("option use 'mail'", "option use 'nail'") })),
        "network": lab.network_dump(&[]),
    })
}

/// What the program answers when rpcd calls a method of `wansplit.tools`.
fn tools(wansplit: &Wansplit<'_>, method: &str, arguments: &Value) -> Value {
    let mut command = wansplit.prepare(&["rpcd", "call", method]);
    let mut child = wansplit.router().start(command.stdin(Stdio::piped()));
    child.stdin.take().unwrap().write_all(arguments.to_string().as_bytes()).unwrap();
    let output: lab::Output = child.wait_with_output().unwrap().into();
    assert_eq!(output.code, 0, "{method}: {output:?}");
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{method}: {error}: {}", output.stdout))
}

/// As rpcd asks for them.
fn connections(wansplit: &Wansplit<'_>) -> Value {
    let output = wansplit.run(&["rpcd", "call", "connections"]);
    assert_eq!(output.code, 0, "{output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

fn compare(name: &str, now: Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/luci/recorded").join(format!("{name}.json"));
    if std::env::var_os("WANSPLIT_RECORD").is_some() {
        record(&path, &now);
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut known: Value = serde_json::from_str(&text).unwrap();
    // The tests' own words, and netifd's: neither is the daemon's.
    let mut now = now;
    for value in [&mut known, &mut now] {
        value.as_object_mut().unwrap().remove("network");
    }
    let differences = differences("", &shape(&known), &shape(&now));
    assert!(
        differences.is_empty(),
        "{name}.json is not what the daemon gives now; record it anew, and see what the pages make of it:\n{}",
        differences.join("\n")
    );
}

fn record(path: &Path, answers: &Value) {
    fs::write(path, serde_json::to_string_pretty(answers).unwrap() + "\n").unwrap();
}

/// The keys and types of a value; the elements of a list are one, with the keys of all of them.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
        Value::Array(elements) => {
            json!([elements.iter().map(shape).fold(Value::Null, |known, element| joined(&known, &element))])
        }
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
    }
}

/// What is of either shape: null gives way to all.
fn joined(one: &Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Null, shape) | (shape, Value::Null) => shape.clone(),
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys());
            let field = |key: &String| {
                (key.clone(), joined(one.get(key).unwrap_or(&Value::Null), other.get(key).unwrap_or(&Value::Null)))
            };
            Value::Object(keys.map(field).collect::<Map<_, _>>())
        }
        (Value::Array(one), Value::Array(other)) => json!([joined(&one[0], &other[0])]),
        _ => one.clone(),
    }
}

/// Where two shapes differ. Null is of any type: an answer may lack what another has.
fn differences(path: &str, known: &Value, now: &Value) -> Vec<String> {
    match (known, now) {
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        (Value::Object(known), Value::Object(now)) => {
            let gone = known.keys().filter(|key| !now.contains_key(*key)).map(|key| format!("{path}.{key} is gone"));
            let new = now.keys().filter(|key| !known.contains_key(*key)).map(|key| format!("{path}.{key} is new"));
            let inner = known.iter().filter_map(|(key, value)| Some((key, value, now.get(key)?)));
            let inner = inner.flat_map(|(key, known, now)| differences(&format!("{path}.{key}"), known, now));
            gone.chain(new).chain(inner).collect()
        }
        (Value::Array(known), Value::Array(now)) => differences(&format!("{path}[]"), &known[0], &now[0]),
        _ if known == now => Vec::new(),
        _ => vec![format!("{path} was {known}, is {now}")],
    }
}

/// Also a test of `shape` and `differences`, on which the others rely.
#[test]
fn a_change_is_seen() {
    let known = json!({ "links": [{ "name": "EMB", "why": null }, { "name": "OI", "why": "lost" }], "n": 1 });
    let differences = |now: Value| differences("", &shape(&known), &shape(&now));
    assert!(differences(json!({ "links": [{ "name": "A", "why": null }], "n": 2 })).is_empty());
    assert!(differences(json!({ "links": [], "n": null })).is_empty());
    assert_eq!(
        differences(json!({ "links": [{ "name": "A" }], "n": "1" })),
        [".links[].why is gone", ".n was \"number\", is \"text\""]
    );
    assert_eq!(differences(json!({ "links": [], "n": 1, "more": {} })), [".more is new"]);
    assert_eq!(differences(json!({ "links": {}, "n": 1 })).len(), 1);
}
