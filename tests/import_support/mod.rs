//! What the tests of imports share: golden cases, and where a packet goes by an imported configuration.

#![allow(dead_code)]

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use wansplit::config::diagnostics::{Severity, render_all};
use wansplit::config::model::{AddressSet, Config, Fallback, SetId};
use wansplit::config::{protocol_number, read};
use wansplit::explain::{Details, From, Packet, decide, question};
use wansplit::import::Imported;
use wansplit::network::{Facts, Hop, LinkFacts, Side, State};
use wansplit::plan::{Plan, plan};

/// What is imported.
pub struct Case {
    pub path: PathBuf,
    pub text: String,
}

fn cases(folder: &str, extension: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|own| own == extension));
    paths.sort();
    let text = |path: &PathBuf| String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    paths.into_iter().map(|path| Case { text: text(&path), path }).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Holds every case against what is expected of it; how many there are.
pub fn golden(folder: &str, extension: &str, import: impl Fn(&Case) -> Result<Imported, String>) -> usize {
    let cases = cases(folder, extension);
    let mut different = Vec::new();
    for case in &cases {
        let got = match import(case) {
            Ok(imported) => {
                let remarks: Vec<String> = imported.remarks.iter().map(|remark| format!("{remark}\n")).collect();
                format!("{}---\n{}", imported.draft, remarks.concat())
            }
            Err(error) => format!("refused: {error}\n"),
        };
        let expected_path = case.path.with_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected_path, &got).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if got != expected {
            different.push(format!("{}\n--- expected\n{expected}\n--- got\n{got}", name(&case.path)));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    cases.len()
}

/// Whether wansplit reads every result without an error.
pub fn read_back(folder: &str, extension: &str, import: impl Fn(&Case) -> Result<Imported, String>) {
    let mut said = Vec::new();
    for case in cases(folder, extension) {
        if let Ok(imported) = import(&case)
            && let Err(wrong) = errors(&imported.draft.to_string())
        {
            said.push(format!("{}\n{wrong}", name(&case.path)));
        }
    }
    assert!(said.is_empty(), "{}", said.join("\n"));
}

/// What is wrong with a configuration.
pub fn errors(text: &str) -> Result<(), String> {
    let mut reading = read(text.as_bytes());
    reading.diagnostics.retain(|diagnostic| diagnostic.severity >= Severity::Error);
    if reading.diagnostics.is_empty() && reading.config.is_some() {
        return Ok(());
    }
    Err(format!("{}{text}", render_all(&reading.diagnostics, "imported", text.as_bytes())))
}

/// All links up, in both families unless they have a gateway for one only. A link's device is its interface.
pub fn facts(config: &Config) -> Facts {
    use wansplit::config::model::Attachment;
    let link = |link: &wansplit::config::model::Link| {
        let side = |device: &str, gateway: Option<IpAddr>, works: bool| Side {
            device: Some(device.to_owned()),
            state: if works { State::Up(Hop { device: device.to_owned(), gateway }) } else { Side::default().state },
            ..Side::default()
        };
        let (v4, v6) = match &link.attachment {
            Attachment::Device { device, gateway, gateway6 } => {
                let bare = gateway.is_none() && gateway6.is_none();
                let (gateway, gateway6) = (gateway.map(IpAddr::V4), gateway6.map(IpAddr::V6));
                (side(device, gateway, bare || gateway.is_some()), side(device, gateway6, bare || gateway6.is_some()))
            }
            Attachment::Interface(name) => (side(name, None, true), side(name, None, true)),
            Attachment::Unusable => panic!("{} has no device", link.name),
        };
        LinkFacts { v4, v6, ..LinkFacts::default() }
    };
    Facts { links: config.links.iter().map(link).collect(), ipv6: true, ..Facts::default() }
}

/// The names of the links by which a packet may leave, or `main`, `unreachable`, `blackhole`. A question is
/// `PROTOCOL FROM TO [MAC] [in=DEVICE] [to=DOMAIN]`; FROM may be `router`.
pub fn where_to(imported: &Imported, question: &str) -> String {
    let text = imported.draft.to_string();
    let reading = read(text.as_bytes());
    let config = reading.config.unwrap_or_else(|| panic!("{:?}\n{text}", reading.diagnostics));
    World::new(config).leads_to(question)
}

/// A configuration, and what becomes of it while all links are up.
pub struct World {
    pub config: Config,
    facts: Facts,
    plan: Plan,
}

impl World {
    pub fn new(config: Config) -> Self {
        let facts = facts(&config);
        let plan = plan(&config, &facts).unwrap();
        Self { config, facts, plan }
    }

    /// What [`where_to`] says.
    pub fn leads_to(&self, question: &str) -> String {
        let Self { config, facts, plan } = self;
        leads_to(config, facts, plan, question)
    }
}

fn leads_to(config: &Config, facts: &Facts, plan: &Plan, question: &str) -> String {
    let words: Vec<&str> = question.split(' ').collect();
    let (destination, destination_port) = question::endpoint(words[2]).unwrap();
    let (source, source_port) = match words[1] {
        "router" => (None, None),
        from => question::endpoint(from).map(|(address, port)| (Some(address), port)).unwrap(),
    };
    let mac = words[3..].iter().find(|word| word.contains(':')).map(|mac| mac.parse().unwrap());
    let device = words[3..].iter().find_map(|word| word.strip_prefix("in=")).unwrap_or("br-lan");
    let origin = if words[1] == "router" { From::Router } else { From::Device(Some(device.into()), mac) };
    let protocol = match (protocol_number(words[0]).unwrap(), destination) {
        (1, IpAddr::V6(_)) => 58,
        (protocol, _) => protocol,
    };
    let domain = words[3..].iter().find_map(|word| word.strip_prefix("to="));
    let holds = |set: &&(usize, &AddressSet)| domain.is_some_and(|name| set.1.domains.iter().any(|own| own == name));
    let sets: Vec<(usize, &AddressSet)> = config.sets.iter().enumerate().collect();
    let destination_in = sets.iter().filter(holds).map(|(n, _)| SetId(*n)).collect();
    let details = Details { destination_in, ..Details::default() };
    let packet = Packet { origin, source, destination, protocol, source_port, destination_port, dscp: 0, details };
    let decision = decide(config, &plan.paths, facts, &packet);
    let way = |path| {
        let course = &plan.paths[path].course;
        let works = |link: wansplit::config::model::LinkId| {
            let link = &facts.links[link.0];
            let side = if destination.is_ipv4() { &link.v4 } else { &link.v6 };
            matches!(side.state, State::Up(_))
        };
        let links = course.tiers.iter().flat_map(|tier| tier.iter().map(|member| member.link));
        links.into_iter().find(|link| works(*link)).map_or_else(
            || match course.fallback {
                Fallback::Main => "main".to_owned(),
                other => other.to_string(),
            },
            |link| config[link].name.clone(),
        )
    };
    let ways: Vec<String> = decision.paths.iter().map(|(path, _)| way(*path)).collect();
    if ways.is_empty() { "main".into() } else { ways.join(" ") }
}
