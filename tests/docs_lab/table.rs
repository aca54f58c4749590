//! Tables of new connections and the links they leave by: each row is tried on real packets, and asked of `explain`.
//!
//! The first column has what stands behind `wansplit explain`: `tcp 192.168.1.10 192.0.2.10:443`. Each further column is a
//! state of affairs: "EMB is dead", "EMB and OI are dead", a time ("fri 23:00": then `explain` alone is asked), or
//! anything else for "all is well". A cell says the link, or `EMB or OI` (both, over many connections), `..., always the
//! same`, `main: EMB` (the main table decides, here for EMB), `refused`, `dropped`, `lost`, `not by a link`; brackets behind it,
//! and a column `why`, are for the reader.

use super::stage::{PATIENCE, Scene};
use lab::{Counter, Dial, Host, Lab, Way};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// So many connections show both links of two, but for one run in ten million with weights 3 and 1.
const MANY: usize = 60;

/// What a cell says.
#[derive(Debug, PartialEq)]
enum Cell {
    /// By one of these links; over many connections by each of them, unless it is always the same.
    Links {
        names: Vec<String>,
        same: bool,
    },
    Main(String),
    Refused,
    Dropped,
    /// The main table sends it to a link that does not answer.
    Lost,
    /// To a neighbour: no link has to do with it.
    Direct,
}

/// Tries a table, if it is one of connections.
pub fn check(scene: &mut Scene, header: &[String], rows: &[Vec<String>]) {
    if header[0] != "a new connection" {
        return;
    }
    for (column, state) in header.iter().enumerate().skip(1).filter(|(_, state)| *state != "why") {
        let dead = dead_links(state);
        let time =
            state.split_once(' ').filter(|(_, clock)| clock.contains(':') && clock.len() <= 5).map(|_| state.as_str());
        dead.iter().for_each(|link| scene.kill(link));
        for row in rows {
            let question = question(&row[0]);
            let place = format!("{}, {question}, {state}", scene.place);
            let cell = cell(&row[column]);
            println!("  {question}: {state}: {cell:?}");
            if time.is_none() {
                Trial::new(scene, question, &place).holds(scene, &cell);
            }
            explained(scene, question, time, &cell, &place);
        }
        dead.iter().for_each(|link| scene.revive(link));
        if !dead.is_empty() && header.get(column + 1).is_some_and(|next| next != "why") {
            settle(scene, rows, header);
        }
    }
    // What a page says next, it says of a router on which none of these connections were made.
    scene.lab.router.forget_connections();
}

/// What stands between the backticks of a cell.
fn question(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or(cell)
}

/// Waits until packets go as in the first column again.
fn settle(scene: &Scene, rows: &[Vec<String>], header: &[String]) {
    if dead_links(&header[1]).is_empty() && !header[1].contains(':') {
        for row in rows {
            Trial::new(scene, question(&row[0]), "after it is back").holds(scene, &cell(&row[1]));
        }
    }
}

fn dead_links(state: &str) -> Vec<String> {
    let names = state.strip_suffix(" is dead").or_else(|| state.strip_suffix(" are dead"));
    names.map_or_else(Vec::new, |names| names.split(" and ").map(|name| name.trim_matches('`').to_owned()).collect())
}

fn cell(text: &str) -> Cell {
    let text = text.split(" (").next().unwrap_or(text).trim().trim_matches('*');
    if let Some(link) = text.strip_prefix("main: ") {
        return Cell::Main(link.to_owned());
    }
    match text {
        "refused" => Cell::Refused,
        "dropped" => Cell::Dropped,
        "lost" => Cell::Lost,
        "not by a link" => Cell::Direct,
        _ => {
            let (names, same) = text.strip_suffix(", always the same").map_or((text, false), |names| (names, true));
            Cell::Links { names: names.split(" or ").map(str::to_owned).collect(), same }
        }
    }
}

/// One question, ready to be tried.
struct Trial<'q> {
    protocol: &'q str,
    source: &'q str,
    to: SocketAddr,
    has_port: bool,
    mac: Option<&'q str>,
    place: &'q str,
}

impl<'q> Trial<'q> {
    fn new(scene: &Scene, question: &'q str, place: &'q str) -> Self {
        let (mut options, mut words) = (Vec::new(), Vec::new());
        let mut all = question.split_whitespace();
        while let Some(word) = all.next() {
            match word.strip_prefix("--") {
                Some(name) => options.push((name, all.next().expect("a value"))),
                None => words.push(word),
            }
        }
        let [protocol, source, to] = words[..] else { panic!("{}: {question}", scene.place) };
        let mac = options.iter().find(|(name, _)| *name == "mac").map(|(_, mac)| *mac);
        let (to, has_port) = match to.parse() {
            Ok(to) => (to, true),
            Err(_) => (SocketAddr::new(to.parse().unwrap_or_else(|_| panic!("{place}: {to}")), 0), false),
        };
        Self { protocol, source, to, has_port, mac, place }
    }

    /// Tries it, and again for as long as the kernel may not have heard of what happened.
    fn holds(&self, scene: &Scene, cell: &Cell) {
        let wanted: Vec<Way> = match cell {
            Cell::Links { names, .. } => names.iter().map(|name| Way::Link(scene.number(name))).collect(),
            Cell::Main(name) => vec![Way::Link(scene.number(name))],
            Cell::Direct => vec![Way::Direct(self.source.parse().expect("an address"))],
            Cell::Refused | Cell::Dropped | Cell::Lost => Vec::new(),
        };
        if let Some(mac) = self.mac {
            set_mac(scene.lab, mac);
        }
        if *cell == Cell::Lost {
            assert_eq!(self.dial(scene.lab), Way::Silence, "{}", self.place);
        } else if wanted.is_empty() {
            let quiet = |way: Way| matches!(way, Way::Refused | Way::Silence);
            self.until(|| quiet(self.dial(scene.lab)));
            let leaks = scene.lab.count_leaks(0, &self.expression());
            let way = self.dial(scene.lab);
            let said = *cell == Cell::Dropped || self.protocol == "tcp";
            assert!(quiet(way) && (said || way == Way::Refused), "{}: {way:?}", self.place);
            assert!(*cell != Cell::Dropped || way == Way::Silence, "{}: {way:?}", self.place);
            assert_eq!(leaks.packets(), 0, "{}: it leaks", self.place);
        } else {
            self.until(|| wanted.contains(&self.dial(scene.lab)));
            let several = wanted.len() > 1;
            let ways: Vec<Way> = (0..if several { MANY } else { 3 }).map(|_| self.dial(scene.lab)).collect();
            assert!(ways.iter().all(|way| wanted.contains(way)), "{}: {ways:?}", self.place);
            let is_one = ways.iter().all(|way| *way == ways[0]);
            let shall_be_one = !several || matches!(cell, Cell::Links { same: true, .. });
            assert_eq!(is_one, shall_be_one, "{}: {ways:?}", self.place);
        }
        if self.mac.is_some() {
            set_mac(scene.lab, "02:00:00:00:00:77");
        }
    }

    fn until(&self, mut so: impl FnMut() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !so() {
            assert!(Instant::now() < until, "{}: it goes by {:?}", self.place, self.to);
        }
    }

    /// Tries it once.
    fn dial(&self, lab: &Lab) -> Way {
        let (host, from) = self.host(lab);
        if self.protocol == "icmp" {
            return self.ping(lab, host, from);
        }
        let dial = Dial { from, ..Dial::default() };
        let way = match self.protocol {
            "tcp" => host.run(|| dial.tcp(self.to)),
            "udp" => host.run(|| dial.udp(self.to)),
            other => panic!("{}: nobody tries {other}", self.place),
        };
        // From outside: the answer came back, or it did not; it can have come by the link of the address alone.
        match way {
            Way::Direct(_) if host.name() == "internet" => Way::of(self.to.ip()),
            way => way,
        }
    }

    /// A ping's link is the one whose provider saw it.
    fn ping(&self, lab: &Lab, host: &Host, from: Option<IpAddr>) -> Way {
        let counts: Vec<(u8, Counter)> =
            lab.wans().iter().map(|wan| (wan.0, lab.provider(wan.0).count(&self.expression()))).collect();
        let from = from.map(|from| from.to_string());
        let options: Vec<&str> = from.iter().flat_map(|from| ["-I", from.as_str()]).collect();
        match (host.ping(self.to.ip(), &options), counts.iter().find(|(_, count)| count.packets() > 0)) {
            (true, Some((link, _))) => Way::Link(*link),
            _ => Way::Silence,
        }
    }

    /// Who sends it, and from which address.
    fn host<'l>(&self, lab: &'l Lab) -> (&'l Host, Option<IpAddr>) {
        let address = |text: &str| {
            let socket = text.parse::<SocketAddr>().map(|socket| socket.ip());
            socket.or_else(|_| text.parse()).unwrap_or_else(|_| panic!("{}: {text}", self.place))
        };
        if self.source == "router" {
            return (&lab.router, None);
        }
        let from = address(self.source);
        let host = match from {
            own if lab.wans().iter().any(|wan| wan.router().contains(&own)) => &lab.router,
            IpAddr::V4(v4) if v4.octets()[..3] == [192, 168, 2] => &lab.lan2,
            IpAddr::V6(v6) if v6.segments()[..2] == [0xfd00, 2] => &lab.lan2,
            IpAddr::V4(v4) if v4.octets()[..3] == [192, 0, 2] => &lab.internet,
            IpAddr::V6(v6) if v6.segments()[..3] == [0x2001, 0xdb8, 0xffff] => &lab.internet,
            _ => &lab.lan,
        };
        (host, (host.name() != "internet").then_some(from))
    }

    /// An nft expression for its packets.
    fn expression(&self) -> String {
        let family = if self.to.is_ipv4() { "ip" } else { "ip6" };
        let protocol = match (self.protocol, self.to.is_ipv4()) {
            ("icmp", false) => "ipv6-icmp",
            (protocol, _) => protocol,
        };
        let port = if self.has_port { format!(" th dport {}", self.to.port()) } else { String::new() };
        format!("{family} daddr {} meta l4proto {protocol}{port}", self.to.ip())
    }
}

/// What `explain` says of it is the same, and the kernel agrees.
fn explained(scene: &Scene, question: &str, time: Option<&str>, cell: &Cell, place: &str) {
    let mut words = vec!["explain", "--json"];
    words.extend(time.iter().flat_map(|time| ["--at", time]));
    words.extend(question.split_whitespace());
    if question.contains(" 192.0.2.10 ") {
        // From outside: the firewall decides to whom, and explain knows nothing of that.
        return;
    }
    let output = scene.wansplit.run(&words);
    assert_eq!(output.code, 0, "{place}: {}{}", output.stdout, output.stderr);
    let answer: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let paths = answer["paths"].as_array().expect("paths");
    let first: Vec<&str> =
        paths.iter().flat_map(|path| path["links"].as_array()).flatten().filter_map(Value::as_str).collect();
    let fallback = paths.first().map_or("main", |path| path["fallback"].as_str().unwrap_or("main"));
    let fits = match cell {
        Cell::Links { names, .. } => {
            !first.is_empty() && first.iter().all(|link| names.iter().any(|name| name == link))
        }
        Cell::Main(_) | Cell::Lost => first.is_empty() && fallback == "main",
        Cell::Refused => {
            // The main table may have no way either.
            let no_route = answer["kernel"][0]["verdict"] == "no route";
            first.is_empty() && (fallback == "unreachable" || answer["refused"] == true || no_route)
        }
        Cell::Dropped => first.is_empty() && fallback == "blackhole",
        // What no default route decides has nothing to agree with.
        Cell::Direct => answer["kernel"][0]["agrees"].is_null(),
    };
    assert!(fits, "{place}: explain says {answer:#}");
    if time.is_none() {
        let asked = answer["kernel"].as_array().expect("kernel");
        assert!(asked.iter().all(|asked| asked["agrees"] != false), "{place}: {answer:#}");
    }
}

/// The LAN's host gets another Ethernet address, and the router hears of it.
fn set_mac(lab: &Lab, mac: &str) {
    lab.lan.ip(&format!("link set eth0 address {mac}"));
    lab.router.ip("neigh flush dev eth0");
    for gateway in lab::LAN_GATEWAY {
        let until = Instant::now() + PATIENCE;
        while !lab.lan.ping(gateway, &[]) {
            assert!(Instant::now() < until, "the LAN's host reaches the router with its new address");
        }
    }
}
