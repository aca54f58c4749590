//! A stage: the part of a page behind `<!-- lab: ... -->`, played on real packets.
//!
//! The words of the comment make the lab; all are of the form `name` or `name=value`:
//!
//! | word | what it does |
//! |---|---|
//! | `NAME=1` to `NAME=4` | link 1 to 4 of the lab is netifd's interface NAME, IPv6 included |
//! | `NAME=lan2` | the second LAN, 192.168.2.0/24, is netifd's interface NAME |
//! | `main=2` | the main table's default is link 2's (else link 1's) |
//! | `clients=9` | the LAN has clients 192.168.1.11 and on |
//! | `prefixes` | each link delegates a prefix, and the LAN's host has an address out of each |
//! | `masq6` | the firewall translates IPv6 on all links |
//! | `wg0` | there is a WireGuard tunnel, netifd's interface wg0 |
//! | `dnsmasq` | clients may ask the router for names |
//! | `daemon` | `wansplit run` is running; else each configuration is applied once |
//! | `config=FILE` | the stage begins with this file of the repository |

use super::network::{dump, reach_well_known_hosts};
use super::{drawing, table};
use crate::dns_support::{self, Dns};
use crate::docs_support::configuration::{completed_by, is_whole, other_file};
use crate::docs_support::page::{Item, Kind, Page, root};
use crate::docs_support::session::{fits, line_fits, steps, words};
use crate::tunnel_support::wireguard;
use lab::{Daemon, Lab, Setup, TUNNEL, Vpn, Wan, Wansplit};
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// How long a change may take until packets and log show it.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// What OpenWrt's firewall has to let the LAN out.
const LAN_GOES_OUT: &str = "config zone
	option name 'lan'
	list network 'lan'

config forwarding
	option src 'lan'
	option dest 'wan'
";

/// A part of a page that is played.
pub struct Stage<'p> {
    /// The page.
    pub page: &'p Page,
    /// Where it begins.
    pub line: usize,
    words: &'p str,
    items: &'p [Item],
}

/// The stages of a page: each ends at the next one, at `<!-- end -->`, or at a heading of the first two orders.
pub fn stages(page: &Page) -> Vec<Stage<'_>> {
    let mut stages = Vec::new();
    for (n, item) in page.items.iter().enumerate() {
        let Kind::Comment(comment) = &item.kind else { continue };
        let Some(words) = comment.strip_prefix("lab:") else { continue };
        let ends = |item: &Item| match &item.kind {
            Kind::Heading(depth, _) => *depth <= 2,
            Kind::Comment(words) => words == "end" || words.starts_with("lab:"),
            _ => false,
        };
        let items = &page.items[n + 1..];
        let length = items.iter().position(ends).unwrap_or(items.len());
        stages.push(Stage { page, line: item.line, words, items: &items[..length] });
    }
    stages
}

/// The lab of a stage, and what the page calls its links.
pub struct Scene<'l> {
    pub lab: &'l Lab,
    pub wansplit: &'l Wansplit<'l>,
    /// netifd's names: of links by their numbers, and of the second LAN.
    interfaces: BTreeMap<String, String>,
    has_tunnel: bool,
    /// The configuration now.
    pub config: String,
    pub daemon: Option<Daemon<'l>>,
    /// The page and the line, for whoever reads what failed.
    pub place: String,
}

impl Stage<'_> {
    /// Plays it. What is not as the page says panics.
    pub fn play(&self) {
        let given: BTreeMap<&str, &str> =
            self.words.split_whitespace().map(|word| word.split_once('=').unwrap_or((word, ""))).collect();
        let number = |name: &str| given.get(name).map(|text| text.parse::<u8>().expect(name));
        let links = given.values().filter_map(|value| value.parse::<u8>().ok().filter(|n| *n <= 4)).max();
        let clients = number("clients").unwrap_or(0);
        let mut interfaces: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &given {
            let is_link = matches!(*value, "1" | "2" | "3" | "4") && !["main", "clients"].contains(name);
            if is_link || *value == "lan2" {
                interfaces.insert((*value).to_owned(), (*name).to_owned());
            }
        }
        let links = interfaces.keys().filter_map(|key| key.parse().ok()).max().or(links).unwrap_or(2).max(2);
        let main_default = vec![number("main").unwrap_or(1)];
        let prefixes = given.contains_key("prefixes");
        let lab = Lab::with(&Setup { links, main_default, clients, prefixes, ..Setup::default() });
        if given.contains_key("masq6") {
            lab.router.nft("insert rule inet fw4 srcnat oifname { eth1, eth2 } ip6 saddr 2001:db8::/32 masquerade");
        }
        let vpn = given.contains_key("wg0").then(|| Vpn::new(&lab));
        let _tunnel = vpn.as_ref().map(|vpn| wireguard(&lab, vpn, 0));
        let _dns = given.contains_key("dnsmasq").then(|| Dns::start(&lab));
        reach_well_known_hosts(&lab);
        let config = given.get("config").map_or(String::new(), |file| fs::read_to_string(root().join(file)).unwrap());
        let wansplit = Wansplit::new(env!("CARGO_BIN_EXE_wansplit"), &lab.router, "");
        let has_tunnel = vpn.is_some();
        let dump = dump(&lab, &interfaces, has_tunnel, &[]);
        let wansplit = wansplit.with_network(&dump);
        let place = self.page.path.clone();
        let mut scene = Scene { lab: &lab, wansplit: &wansplit, interfaces, has_tunnel, config, daemon: None, place };
        if !scene.config.is_empty() {
            scene.put_in_place(given.contains_key("daemon"));
        }
        for item in self.items {
            scene.place = format!("{}:{}", self.page.path, item.line);
            println!("{}", scene.place);
            match &item.kind {
                Kind::Fence { info, text } => scene.fence(info, text, given.contains_key("daemon")),
                Kind::Table { header, rows } => table::check(&mut scene, header, rows),
                Kind::Comment(words) => scene.comment(words),
                Kind::Heading(..) => {}
            }
        }
        assert_eq!(lab.spoofed(), 0, "{}: packets by the wrong link: {:?}", self.page.path, lab.strays());
    }
}

impl Scene<'_> {
    fn fence(&mut self, info: &str, text: &str, watched: bool) {
        match info {
            // A page shows what matters of the file; OpenWrt's own lets the LAN out.
            "uci" if other_file(text) == Some("firewall") => {
                self.wansplit.report_firewall(&format!("{text}\n{LAN_GOES_OUT}"));
            }
            "uci" if other_file(text).is_some() => {}
            "uci" | "json" => {
                self.config = if is_whole(text) { text.to_owned() } else { completed_by(text, &self.config) };
                self.put_in_place(watched);
            }
            "console" => self.session(text),
            "log" => self.log(text),
            "sh" | "text" | "indented" => {}
            other => panic!("{}: nobody plays a fence called {other}", self.place),
        }
    }

    /// Makes the configuration so, as `reload_config` does; `check` has nothing to say about it.
    fn put_in_place(&mut self, watched: bool) {
        let globals = "config globals 'globals'";
        let resolver = format!("{globals}\n\tlist dnsmasq_dir '{}'", dns_support::DIRECTORY);
        let needs_resolver = self.config.contains("domain '");
        // OpenWrt's own configuration says where dnsmasq reads; the lab has none.
        let config = if needs_resolver { self.config.replacen(globals, &resolver, 1) } else { self.config.clone() };
        self.wansplit.configure(&config);
        let check = self.wansplit.run(&["check"]);
        assert_eq!(check.code, 0, "{}: {}{}", self.place, check.stdout, check.stderr);
        assert!(check.stderr.is_empty(), "{}: {}", self.place, check.stderr);
        match &self.daemon {
            Some(daemon) => daemon.hangup(),
            None if watched => {
                // The scene outlives its daemon: both borrow the same program.
                self.daemon = Some(self.wansplit.daemon(&[]));
            }
            None => {
                self.wansplit.apply();
            }
        }
        if let Some(daemon) = &self.daemon {
            daemon.wait_for_status("the wanted state", PATIENCE, |status| status["in_sync"] == true);
        }
    }

    /// Runs the commands of a session, and holds what they print against the page.
    fn session(&mut self, text: &str) {
        for step in steps(text) {
            let words = words(&step.command).unwrap_or_else(|| panic!("{}: {}", self.place, step.command));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = match words.split_first() {
                Some((&"wansplit", verb)) => self.wansplit.run(verb),
                Some((program, arguments)) if ["ip", "nft", "conntrack"].contains(program) => {
                    self.lab.router.output(program, arguments)
                }
                _ => panic!("{}: nobody plays `{}`", self.place, step.command),
            };
            let printed = as_on_a_router(&(output.stdout + &output.stderr));
            let place = &self.place;
            assert!(
                fits(&step.shown, &printed),
                "{place}: # {}\nprints:\n{printed}\nnot:\n{}",
                step.command,
                step.shown
            );
        }
    }

    /// Lines that the daemon has written, or writes soon.
    fn log(&mut self, text: &str) {
        let daemon = self.daemon.as_ref().unwrap_or_else(|| panic!("{}: no daemon writes a log here", self.place));
        let until = Instant::now() + PATIENCE;
        for line in text.lines().filter(|line| !line.is_empty()) {
            while !daemon
                .log()
                .iter()
                .any(|own| own.text.match_indices("link ").any(|(at, _)| line_fits(line, &own.text[at..])))
            {
                assert!(Instant::now() < until, "{}: not written: {line}\n{}", self.place, daemon.log_text());
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// What a comment asks for: `asked: NAME`, a client looks the name up; `dead: LINK`, `alive: LINK`; `svg: FILE`,
    /// a drawing quotes what the router has.
    fn comment(&mut self, words: &str) {
        match words.split_once(':').map(|(verb, rest)| (verb, rest.trim())) {
            Some(("asked", names)) => names.split_whitespace().for_each(|name| {
                assert!(!dns_support::resolve(self.lab, name).is_empty(), "{}: {name}", self.place);
            }),
            Some(("dead", links)) => links.split_whitespace().for_each(|link| self.kill(link)),
            Some(("alive", links)) => links.split_whitespace().for_each(|link| self.revive(link)),
            Some(("drawing", _)) => {}
            Some(("svg", file)) => drawing::check(self, file),
            _ => panic!("{}: nobody knows what to do with {words}", self.place),
        }
    }

    /// The lab's number of a link by its name in the configuration.
    pub fn number(&self, link: &str) -> u8 {
        let status = self.wansplit.status();
        let links = status["links"].as_array().expect("links");
        let found = links
            .iter()
            .find(|entry| entry["name"] == link)
            .unwrap_or_else(|| panic!("{}: no link {link}", self.place));
        let device = found["ipv4"]["device"].as_str().unwrap_or_else(|| panic!("{}: {found:#}", self.place));
        if device == "wg0" {
            return TUNNEL.0;
        }
        (1..=4).find(|n| Wan(*n).device() == device).expect("a device of the lab")
    }

    /// A link dies: behind its gateway if somebody watches it, else it loses its carrier.
    pub fn kill(&mut self, link: &str) {
        let number = self.number(link);
        if number == TUNNEL.0 {
            self.lab.router.ip("link set wg0 down");
            self.wansplit.report_network(&dump(self.lab, &self.interfaces, self.has_tunnel, &["wg0"]));
            self.look_again();
        } else if let (Some(daemon), [_, ..]) = (&self.daemon, &*self.watched(link)) {
            self.lab.provider(number).silence(lab::Direction::Both);
            daemon.wait_for_state(link, &self.watched(link), "down", PATIENCE);
        } else {
            self.lab.provider(number).carrier(false);
        }
    }

    /// It works again.
    pub fn revive(&mut self, link: &str) {
        let number = self.number_of_dead(link);
        if number == TUNNEL.0 {
            // Its IPv6 address went when it was switched off.
            self.lab.router.ip("addr flush dev wg0");
            self.lab.router.ip(&lab::tunnel_addresses("wg0", TUNNEL.router()));
            self.wansplit.report_network(&dump(self.lab, &self.interfaces, self.has_tunnel, &[]));
            self.look_again();
            return;
        }
        self.lab.provider(number).speak();
        self.lab.provider(number).carrier(true);
        if let Some(daemon) = &self.daemon {
            daemon.wait_for_state(link, &["ipv4", "ipv6"], "up", 2 * PATIENCE);
        }
    }

    fn number_of_dead(&self, link: &str) -> u8 {
        let status = self.wansplit.status();
        let entry =
            status["links"].as_array().and_then(|links| links.iter().find(|entry| entry["name"] == link).cloned());
        if entry.is_some_and(|entry| entry["ipv4"]["device"].is_null()) { TUNNEL.0 } else { self.number(link) }
    }

    /// The families in which a link is watched.
    fn watched(&self, link: &str) -> Vec<&'static str> {
        let of_link = self.config.split("config ").find(|section| section.starts_with(&format!("link '{link}'")));
        let hosts: Vec<&str> = of_link.unwrap_or("").lines().filter(|line| line.contains("track_ip")).collect();
        let families = [("ipv4", '.'), ("ipv6", ':')];
        families
            .into_iter()
            .filter(|(_, sign)| hosts.iter().any(|host| host.contains(*sign)))
            .map(|(name, _)| name)
            .collect()
    }

    fn look_again(&self) {
        match &self.daemon {
            Some(daemon) => {
                daemon.hangup();
                daemon.wait_for_status("the wanted state", PATIENCE, |status| status["in_sync"] == true);
            }
            None => drop(self.wansplit.apply()),
        }
    }
}

/// What a program prints in the lab, in the words of a router: where the file is, and what the LAN's device is called.
fn as_on_a_router(text: &str) -> String {
    text.replace("/run/lab-wansplit.config", "/etc/config/wansplit").replace("eth0", "br-lan")
}
