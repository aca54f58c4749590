//! The commands of a script, one by one: what each says about tables, marks and sets.

use super::chains::Chains;
use super::iptables;
use super::routing::{Outcome, Routing};
use super::shell::{Command, is_unknown};
use crate::config::diagnostics::quote;
use crate::config::model::Family;
use crate::import::Kind;
use crate::import::foreign::Report;

/// All that was read.
pub struct Read {
    pub routing: Routing,
    /// The mangle tables of IPv4 and IPv6.
    pub chains: [Chains; 2],
    /// Names of ipsets and their entries.
    pub sets: Vec<(String, Vec<String>)>,
    pub report: Report,
    /// The table and the family of `iptables-save`.
    saved: (String, Family),
    /// Other tables: their names, the first line, how many.
    others: Vec<(String, usize, usize)>,
}

/// Commands that say nothing about where packets go.
const IDLE: [&str; 36] = [
    "[",
    "[[",
    "test",
    "true",
    "false",
    ":",
    "sleep",
    "logger",
    "exit",
    "return",
    "set",
    "shift",
    "unset",
    "modprobe",
    "insmod",
    "grep",
    "sed",
    "cd",
    "touch",
    "mkdir",
    "chmod",
    "rm",
    "cp",
    "mv",
    "date",
    "wait",
    "trap",
    "break",
    "continue",
    "source",
    ".",
    "START",
    "iptables-save",
    "COMMIT",
    "ping",
    "printf",
];

/// What other commands are about.
const OTHERS: [(&str, &str); 6] = [
    ("nft", "rules of nft cannot be read: say as rules what they mark, and as links where the marks lead"),
    ("tc", "it shapes traffic and chooses no way; it stays as it is"),
    ("sysctl", "settings of the kernel stay with you; wansplit sets those of the links' devices that it needs"),
    ("route", "the main table stays as it is; it takes what no rule matches"),
    ("ifconfig", "addresses are /etc/config/network's business"),
    ("conntrack", "connections of a link that dies are moved by themselves"),
];

impl Read {
    pub fn new() -> Self {
        Self {
            routing: Routing::default(),
            chains: [Chains::new(Family::V4), Chains::new(Family::V6)],
            sets: Vec::new(),
            report: Report::default(),
            saved: ("filter".into(), Family::V4),
            others: Vec::new(),
        }
    }

    /// Takes in a command.
    pub fn command(&mut self, command: &Command) {
        let Some(first) = command.words.first() else { return };
        let name = first.rsplit('/').next().unwrap_or_default();
        let family = if name.starts_with("ip6tables") { Family::V6 } else { Family::V4 };
        match name {
            "ip" => {
                let outcome = self.routing.ip(command);
                self.say(command, outcome);
            }
            "iptables" | "ip6tables" | "iptables-legacy" | "ip6tables-legacy" | "iptables-nft" | "ip6tables-nft" => {
                self.iptables(command, &command.words[1..], family, "filter");
            }
            // What iptables-save prints.
            _ if first.starts_with('*') => {
                if let Some(by) = command.comments.iter().find(|text| text.contains("tables-save")) {
                    self.saved.1 = if by.contains("ip6tables") { Family::V6 } else { Family::V4 };
                }
                first.trim_start_matches('*').clone_into(&mut self.saved.0);
            }
            _ if first.starts_with(':') => {}
            _ if first.starts_with('-') && first.len() == 2 => {
                let (table, family) = self.saved.clone();
                self.iptables(command, &command.words, family, &table);
            }
            // Its counters before a rule.
            _ if first.starts_with('[') && first.ends_with(']') && first.contains(':') => {
                let words = command.words.iter().skip_while(|word| word.starts_with('[')).cloned().collect();
                self.command(&Command { words, ..command.clone() });
            }
            "echo" | "cat" | "tee" => self.written(command),
            "ipset" => self.ipset(command),
            _ if IDLE.contains(&name) => {}
            _ => {
                if let [number, name] = command.words.as_slice()
                    && self.routing.name_table(number, name)
                {
                    return;
                }
                let other = OTHERS.iter().find(|(own, _)| *own == name);
                let why = match other {
                    Some((_, why)) => (*why).to_owned(),
                    None if is_unknown(first) => format!("what {first} is, is not known here"),
                    None => "it is not known here".into(),
                };
                self.say(command, Outcome::Dropped(why));
            }
        }
    }

    fn say(&mut self, command: &Command, outcome: Outcome) {
        let (kind, why) = match outcome {
            Outcome::Done => return,
            Outcome::Needless(why) => (Kind::Dropped, format!("not needed: {why}")),
            Outcome::Dropped(why) => (Kind::Dropped, why),
        };
        self.report.at(kind, command.line, &quote(&command.words.join(" ")), why);
    }

    fn iptables(&mut self, command: &Command, words: &[String], family: Family, table: &str) {
        let parsed = match iptables::parse(words, family, table) {
            Ok(parsed) => parsed,
            Err(why) => return self.say(command, Outcome::Dropped(why)),
        };
        if parsed.table == "mangle" {
            let chains = &mut self.chains[usize::from(family == Family::V6)];
            return chains.apply(parsed, command.line, &command.words.join(" "), &command.comments);
        }
        if !matches!(parsed.change, iptables::Change::Add(..)) {
            return;
        }
        match self.others.iter_mut().find(|(name, _, _)| *name == parsed.table) {
            Some((_, _, count)) => *count += 1,
            None => self.others.push((parsed.table, command.line, 1)),
        }
    }

    /// What is written into files; of interest are the names of tables.
    fn written(&mut self, command: &Command) {
        let words = &command.words;
        let names_tables = |file: &String| file.ends_with("rt_tables") || file.contains("rt_tables.d/");
        if command.output.iter().chain(words).any(names_tables) {
            let echoed = words
                .iter()
                .skip(1)
                .filter(|word| !word.starts_with('-'))
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ");
            let text = command.here.as_ref().map_or(echoed.as_str(), |(body, _)| body);
            for line in text.replace("\\n", "\n").replace("\\t", " ").lines() {
                let line = line.split('#').next().unwrap_or_default();
                let mut parts = line.split_whitespace();
                if let (Some(number), Some(name)) = (parts.next(), parts.next())
                    && !self.routing.name_table(number, name)
                {
                    self.say(command, Outcome::Dropped(format!("{number} {name} names no table")));
                }
            }
            return;
        }
        match command.output.as_deref() {
            None => {}
            Some(file) if file.starts_with("/dev/") => {}
            Some(file) if file.starts_with("/proc/") => {
                let why =
                    "settings of the kernel stay with you; wansplit sets those of the links' devices that it needs";
                self.report.at(Kind::Look, command.line, &quote(file), why);
            }
            Some(file) => {
                self.report.at(Kind::Dropped, command.line, &quote(file), "what is written into files is not followed");
            }
        }
    }

    fn ipset(&mut self, command: &Command) {
        let words: Vec<&str> =
            command.words.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with('-')).collect();
        match words.as_slice() {
            ["create" | "n", name, ..] | ["add" | "a", name, ..] if is_unknown(name) => {
                self.say(command, Outcome::Dropped(format!("what {name} is, is not known here")));
            }
            ["create" | "n", name, ..] => drop(self.set(name)),
            ["add" | "a", name, entry, ..] => {
                if crate::import::address::family_of(entry).is_some() {
                    self.set(name).push((*entry).to_owned());
                } else {
                    self.say(command, Outcome::Dropped(format!("{entry} is no address or network")));
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, name: &str) -> &mut Vec<String> {
        let place = self.sets.iter().position(|(own, _)| own == name).unwrap_or_else(|| {
            self.sets.push((name.into(), Vec::new()));
            self.sets.len() - 1
        });
        &mut self.sets[place].1
    }

    /// Says of the tables that are the firewall's what becomes of them.
    pub fn say_others(&mut self) {
        for (table, line, count) in std::mem::take(&mut self.others) {
            let lines =
                if count == 1 { "this line is".into() } else { format!("this line and {} more are", count - 1) };
            let where_to = if table == "nat" { "; what a link's zone masquerades is said there (masq)" } else { "" };
            let text = format!("{lines} the firewall's business: /etc/config/firewall{where_to}");
            self.report.at(Kind::Dropped, line, &format!("table {table}"), text);
        }
    }
}
