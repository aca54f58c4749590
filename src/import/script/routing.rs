//! `ip route`, `ip rule` and the names of tables.

mod route;

use super::conditions::{Conditions, values};
use super::iptables;
use super::shell::{Command, is_unknown};
use crate::config::model::Family;
pub use route::Hop;
use route::parse_route;
use std::net::IpAddr;

/// What a script says of tables and of what leads to them.
#[derive(Debug, Default)]
pub struct Routing {
    /// Numbers and names of tables.
    names: Vec<(u32, String)>,
    /// Default routes.
    pub routes: Vec<Route>,
    /// ip rules in the order of the script.
    pub rules: Vec<Rule>,
    /// The router's own addresses, with their devices.
    pub addresses: Vec<(IpAddr, String)>,
}

/// A table: by its number if that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Table {
    /// 254 is main.
    Number(u32),
    /// A name whose number the script does not say.
    Name(String),
}

/// The table everybody uses.
pub const MAIN: Table = Table::Number(254);

/// A default route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub line: usize,
    pub table: Table,
    pub family: Family,
    /// `unicast`, `unreachable`, `blackhole`.
    pub kind: &'static str,
    pub hops: Vec<Hop>,
    pub comments: Vec<String>,
}

/// An ip rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub line: usize,
    pub family: Family,
    /// As written; if not, the kernel chose one.
    pub pinned: Option<u32>,
    pub priority: u32,
    pub mark: Option<(u32, u32)>,
    pub conditions: Conditions,
    pub goal: Goal,
    pub comments: Vec<String>,
    /// What was said, for messages.
    pub text: String,
}

/// Where a rule leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// To a table.
    Table(Table),
    /// Nowhere: `unreachable` or `blackhole`.
    Nowhere(&'static str),
}

/// What became of a command.
pub enum Outcome {
    /// It is taken in, or changes nothing that matters.
    Done,
    /// wansplit does so by itself.
    Needless(&'static str),
    /// It cannot be said.
    Dropped(String),
}

use Outcome::{Done, Dropped, Needless};

impl Routing {
    /// Gives a table its name. False if these are no number and name.
    pub fn name_table(&mut self, number: &str, name: &str) -> bool {
        let Some(number) = number.parse::<u32>().ok().filter(|_| !name.is_empty() && !is_unknown(name)) else {
            return false;
        };
        // The kernel's own are always there.
        if !matches!(number, 0 | 253..=255) {
            self.names.push((number, name.to_owned()));
        }
        true
    }

    /// A table by its name or number.
    pub fn table(&self, text: &str) -> Table {
        let own = [("main", 254), ("default", 253), ("local", 255)];
        let own = own.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
        let number = text
            .parse()
            .ok()
            .or(own)
            .or_else(|| self.names.iter().rev().find(|(_, name)| name == text).map(|(number, _)| *number));
        number.map_or_else(|| Table::Name(text.into()), Table::Number)
    }

    /// What a table is called.
    pub fn name_of<'t>(&'t self, table: &'t Table) -> Option<&'t str> {
        match table {
            Table::Name(name) => Some(name),
            Table::Number(number) => {
                self.names.iter().rev().find(|(own, _)| own == number).map(|(_, name)| name.as_str())
            }
        }
    }

    /// Takes in a command of `ip`.
    pub fn ip(&mut self, command: &Command) -> Outcome {
        let mut family = None;
        let mut words = command.words.iter().skip(1).map(String::as_str).peekable();
        while let Some(word) = words.next_if(|word| word.starts_with('-')) {
            match word {
                "-4" => family = Some(Family::V4),
                "-6" => family = Some(Family::V6),
                "-f" | "-family" => {
                    family = words.next().map(|name| if name == "inet6" { Family::V6 } else { Family::V4 })
                }
                "-batch" | "-b" | "-force" | "-n" | "-netns" => {
                    return Dropped("what it reads, or where it does it, is not followed".into());
                }
                _ => {}
            }
        }
        let object = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let is = |whole: &str, least: usize| object.len() >= least && whole.starts_with(object);
        if is("route", 1) {
            self.route(command, &words, family)
        } else if is("rule", 2) {
            self.rule(command, &words, family.unwrap_or(Family::V4))
        } else if is("address", 1) {
            self.address(&words)
        } else if is("link", 1) || is("neighbour", 1) || is("tunnel", 1) {
            Needless("devices are /etc/config/network's business")
        } else {
            Dropped("this cannot be said here".into())
        }
    }

    fn address(&mut self, words: &[&str]) -> Outcome {
        if let ["add" | "a" | "replace", address, rest @ ..] = words
            && let [.., "dev", device] | ["dev", device, ..] = rest
            && let Ok(address) = address.split('/').next().unwrap_or_default().parse()
        {
            self.addresses.push((address, (*device).to_owned()));
        }
        Needless("addresses are /etc/config/network's business")
    }

    fn route(&mut self, command: &Command, words: &[&str], family: Option<Family>) -> Outcome {
        let [verb, rest @ ..] = words else { return Done };
        match *verb {
            "add" | "a" | "append" | "replace" | "change" | "prepend" | "r" => {}
            "flush" | "f" | "show" | "list" | "ls" | "get" => return Done,
            "del" | "delete" | "d" => {
                if let Ok(parsed) = parse_route(rest, family) {
                    let table = self.table(parsed.table);
                    self.routes.retain(|own| !(parsed.is_default && own.table == table && own.family == parsed.family));
                }
                return Done;
            }
            _ => return Dropped(format!("ip route {verb} is not known here")),
        }
        let parsed = match parse_route(rest, family) {
            Ok(parsed) => parsed,
            Err(problem) => return Dropped(problem),
        };
        let table = self.table(parsed.table);
        if let (Some(address), Some(device)) = (parsed.source, parsed.hops.first().and_then(|hop| hop.device.clone())) {
            self.addresses.push((address, device));
        }
        if !parsed.is_default {
            return match (table == MAIN, parsed.via) {
                (true, _) => Needless("routes of the main table stay as they are, and come before every rule"),
                (false, false) => Needless("connected networks are always found in the main table"),
                (false, true) => {
                    Dropped("a table here has default routes only: write a rule with dest_ip for this network".into())
                }
            };
        }
        if table == MAIN {
            return Needless("the default route of the main table stays as it is; it takes what no rule matches");
        }
        let route = Route {
            line: command.line,
            table,
            family: parsed.family,
            kind: parsed.kind,
            hops: parsed.hops,
            comments: command.comments.clone(),
        };
        if matches!(*verb, "replace" | "change") {
            self.routes
                .retain(|own| !(own.table == route.table && own.family == route.family && own.kind == route.kind));
        }
        self.routes.push(route);
        Done
    }

    fn rule(&mut self, command: &Command, words: &[&str], family: Family) -> Outcome {
        let (verb, rest) = match words {
            [verb @ ("add" | "a" | "del" | "delete" | "d"), rest @ ..] => (*verb, rest),
            [] | ["flush" | "show" | "list" | "ls" | "save", ..] => return Done,
            // Without a word for it, a rule is added.
            rest => ("add", rest),
        };
        let mut rule = Rule {
            line: command.line,
            family,
            pinned: None,
            priority: 0,
            mark: None,
            conditions: Conditions::default(),
            goal: Goal::Table(MAIN),
            comments: command.comments.clone(),
            text: command.words.join(" "),
        };
        let read = self.selectors(&mut rule, rest);
        if verb.starts_with('d') {
            let same = |own: &Rule| {
                own.family == rule.family
                    && own.mark == rule.mark
                    && own.conditions == rule.conditions
                    && (own.goal == rule.goal || !rest.iter().any(|word| matches!(*word, "table" | "lookup")))
                    && rule.pinned.is_none_or(|priority| own.priority == priority)
            };
            if let (Ok(()), Some(place)) = (read, self.rules.iter().position(same)) {
                self.rules.remove(place);
            }
            return Done;
        }
        if let Err(problem) = read {
            return Dropped(problem);
        }
        // The kernel puts a rule without priority before all others but that of table local.
        let first = self.rules.iter().filter(|own| own.family == rule.family).map(|own| own.priority).min();
        rule.priority = rule.pinned.unwrap_or(first.unwrap_or(32766).min(32766).saturating_sub(1));
        self.rules.push(rule);
        Done
    }

    fn selectors(&self, rule: &mut Rule, words: &[&str]) -> Result<(), String> {
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} has no value"));
            let option = match word {
                "from" => "src_ip",
                "to" => "dest_ip",
                "iif" | "dev" => "src_iface",
                "ipproto" => "proto",
                "sport" => "src_port",
                "dport" => "dest_port",
                "uidrange" => "uid",
                "fwmark" => {
                    let text = value()?;
                    let known = iptables::mark(text);
                    rule.mark = Some(known.ok_or_else(|| format!("what mark {text} is, is not known here"))?);
                    continue;
                }
                "table" | "lookup" => {
                    let text = value()?;
                    if is_unknown(text) {
                        return Err(format!("what table {text} is, is not known here"));
                    }
                    rule.goal = Goal::Table(self.table(text));
                    continue;
                }
                "prio" | "pref" | "priority" | "preference" | "order" => {
                    let text = value()?;
                    let number = text.parse().map_err(|_| format!("what priority {text} is, is not known here"))?;
                    rule.pinned = Some(number);
                    continue;
                }
                "unreachable" | "prohibit" => {
                    rule.goal = Goal::Nowhere("unreachable");
                    continue;
                }
                "blackhole" => {
                    rule.goal = Goal::Nowhere("blackhole");
                    continue;
                }
                "oif" => return Err("sockets bound to a device always leave by it".into()),
                "suppress_prefixlength" | "suppress_prefix" => {
                    return Err("routes of the main table but its default come first by themselves".into());
                }
                "protocol" => {
                    value()?;
                    continue;
                }
                other => return Err(format!("{other} is nothing that can be said here")),
            };
            let text = value()?;
            let list = values(option, text, false, rule.family)?;
            if !list.is_empty() && !rule.conditions.and(option, list) {
                return Err(format!("{word} is there twice"));
            }
        }
        Ok(())
    }
}
