//! Assembles the nftables table: restore, classify, stamp.
//!
//! ```text
//! prerouting   ct mark vmap @restore      a connection that has its link: both directions, one lookup
//!              meta mark cleared          what comes out of a tunnel still has the outer packet's mark
//!              running, unstamped accept  one that has none keeps having none
//!              iifname vmap @wan_in       new from a WAN: answers go back the way it came
//!              <compiled rules>           new from elsewhere: map lookups -> a path's mark
//!              <rest>                     a source prefix that a link delegated: that link
//! output       ct mark vmap @restore
//! postrouting  new: the connection is stamped with the link it really leaves by
//!              meta mark cleared          a tunnel would lend it to the packets it makes of this one
//! ```

mod sticky;

use super::compiler::{self, region::Member, region::Region};
use super::counters;
use super::log;
use super::path::{Choice, Path, PathId, Paths, Purpose};
use super::ruleset::digest::Digest;
use super::ruleset::kept;
use super::ruleset::{
    Action, Chain, Counter, Dice, Fill, Hook, Key, List, Map, Match, Rule, Ruleset, Verdict, device_number,
};
use crate::config::model::{Config, Family, LinkId, Rule as ConfigRule, Spread, Target};
use crate::interval::{Interval, ipv6_prefix};
use crate::map::{self, Gathered, Set};
use crate::network::{Facts, LinkFacts};
use crate::sort;

/// The whole table for a configuration and the facts.
#[must_use]
pub fn ruleset(config: &Config, paths: &Paths, facts: &Facts) -> Ruleset {
    let mut builder = Builder::new(config, paths, facts);
    let classify = builder.classify();
    let (wan_in, stamps) = (builder.wan_in(), builder.stamps());
    // Last: by now it is known which paths a connection can be stamped with.
    let restore = builder.restore();
    // The kernel keeps the mark of a GRE, IP-in-IP, VXLAN or IPsec packet on the packet it takes out of it
    // (`skb_scrub_packet` clears it only between namespaces): that one would follow the link its tunnel runs over.
    let clear = Rule::always(Action::SetMark(0));
    // A connection stamped with a number that no path has any more (a link was renamed, a pin changed) is classified
    // anew, so that a kill switch still holds it, and stamped anew by the next packet from its WAN.
    let running =
        Rule { matches: vec![Match::Running, Match::Unstamped], actions: vec![Action::Verdict(Verdict::Accept)] };
    let mut prerouting = vec![restore.clone(), clear, running, wan_in];
    prerouting.extend(classify);
    builder.base(Hook::Prerouting, prerouting);
    builder.base(Hook::Output, vec![restore]);
    builder.base(Hook::Postrouting, stamps);
    builder.finish()
}

/// Whether two sets of facts give the same table for one configuration: it knows which rules hold at the time, the links'
/// devices and prefixes, and whether they translate, and nothing of how they are.
#[must_use]
pub fn has_same_ground(config: &Config, facts: &Facts, other: &Facts) -> bool {
    let same = |(own, other): (&LinkFacts, &LinkFacts)| {
        (&own.prefixes, own.translates6) == (&other.prefixes, other.translates6)
            && own.v4.device == other.v4.device
            && own.v6.device == other.v6.device
    };
    facts.interfaces == other.interfaces
        && config.rules.iter().all(|rule| facts.is_time_for(rule) == other.is_time_for(rule))
        && facts.links.len() == other.links.len()
        && facts.links.iter().zip(&other.links).all(same)
}

struct Builder<'a> {
    config: &'a Config,
    paths: &'a Paths,
    facts: &'a Facts,
    names: Vec<String>,
    maps: Vec<Map>,
    chains: Gathered<String, Vec<Rule>>,
    base: Vec<Chain>,
    counters: Vec<Counter>,
    /// The paths whose marks connections carry.
    stamped: Set<PathId>,
}

impl<'a> Builder<'a> {
    fn new(config: &'a Config, paths: &'a Paths, facts: &'a Facts) -> Self {
        let (names, stamped) = (chain_names(paths), Set::new());
        let (maps, chains, base, counters) = (Vec::new(), Gathered::default(), Vec::new(), Vec::new());
        Self { config, paths, facts, names, maps, chains, base, counters, stamped }
    }

    /// The lookups of the compiled rules, and what becomes of new connections that no rule names.
    fn classify(&mut self) -> Vec<Rule> {
        let device = |name: &str| self.facts.device_of(name).to_string();
        let rules: Vec<_> = self.facts.rules_of(self.config).filter(|(_, rule)| rule.origin.includes_lan()).collect();
        let regions: Vec<Vec<Region>> =
            rules.iter().map(|(_, rule)| Region::of_rule(&rule.matches, &self.config.sets, &device)).collect();
        let mut known = map::Map::new();
        // Also those of rules that do not hold now: the counts go on when it is their time again.
        self.counters = counters::counters(&self.config.rules);
        let mut verdicts = Vec::with_capacity(rules.len());
        for (n, rule) in rules {
            let sticky = rule.sticky.filter(|_| self.paths.memory_of(rule).is_some());
            let verdict = known.or_insert_with((rule.target, sticky), || self.target(rule.target, rule)).clone();
            verdicts.push(self.noted(n, rule, verdict));
        }
        let kept =
            |Member { set, part, family }| Map::kept(kept::name(self.config, set, part, family), family, part, set);
        let rest = self.by_prefix(None);
        let compiled = compiler::compile(regions.iter().map(Vec::as_slice).zip(verdicts), &kept, rest);
        self.maps.extend(compiled.maps);
        self.keep_sets(&device, &kept);
        for (name, rules) in compiled.chains {
            self.chains.add(name, rules);
        }
        compiled.rules
    }

    /// The sets of rules that do not hold now stay, with what the resolver has found: it does not look again when it is their
    /// time.
    fn keep_sets(&mut self, device: &dyn Fn(&str) -> String, kept: &dyn Fn(Member) -> Map) {
        let (config, facts) = (self.config, self.facts);
        let off = config.rules.iter().filter(|rule| rule.origin.includes_lan() && !facts.is_time_for(rule));
        for region in off.flat_map(|rule| Region::of_rule(&rule.matches, &config.sets, device)) {
            for member in [region.guard.source, region.guard.destination].into_iter().flatten() {
                let set = kept(member);
                if !self.maps.iter().any(|known| known.name == set.name) {
                    self.maps.push(set);
                }
            }
        }
    }

    /// Where the rules send connections for a target.
    fn target(&mut self, target: Target, rule: &ConfigRule) -> Verdict {
        if let Some(memory) = self.paths.memory_of(rule) {
            return self.remembered(memory);
        }
        let choice = self.paths.of_target(target);
        let mut rules: Vec<Rule> = self.by_prefix(Some(&choice)).into_iter().collect();
        let name = match (&choice, target) {
            (None, _) if rules.is_empty() => return Verdict::Accept,
            (None, _) => "to_main".to_string(),
            (Some(Choice::One(path)), _) if rules.is_empty() => return self.go(*path),
            (Some(Choice::One(path)), _) => format!("to_{}", self.names[path.0]),
            // Not `to_`: the path that has this policy's name may be what another policy leads to.
            (Some(Choice::Spread(..)), Target::Policy(policy)) => {
                let names: Vec<&str> = self.config.policies.iter().map(|policy| policy.name.as_str()).collect();
                let mut digest = Digest::default();
                digest.add(names[policy.0].as_bytes());
                format!("spread_{}", identifier(&names, policy.0, digest.value()))
            }
            (Some(Choice::Spread(..)), _) => return Verdict::Accept,
        };
        match choice {
            None => rules.push(Rule::always(Action::Verdict(Verdict::Accept))),
            Some(Choice::One(path)) => rules.push(Rule::always(Action::Verdict(self.go(path)))),
            Some(Choice::Spread(spread, paths)) => rules.extend(self.spread(spread, &paths)),
        }
        let verdict = Verdict::Goto(name.as_str().into());
        self.chains.add(name, rules);
        verdict
    }

    /// Where a rule sends what it takes: if it counts or logs that, by a chain of its own. No other rule's connections come
    /// by there.
    fn noted(&mut self, place: usize, rule: &ConfigRule, then: Verdict) -> Verdict {
        let counter = self.counters.binary_search_by_key(&place, |counter| counter.rule).ok();
        let counter = counter.and_then(|n| self.counters.get(n)).map(|counter| counter.name.clone());
        let prefix = rule.log.then(|| log::prefix(&rule.name));
        let name = match (&counter, &prefix) {
            (None, None) => return then,
            (Some(counter), _) => counter.clone(),
            (None, Some(_)) => log::chain(&self.config.rules, place),
        };
        let actions = counter.map(Action::Count).into_iter().chain(prefix.map(Action::Log)).collect();
        let verdict = Verdict::Goto(name.as_str().into());
        let note = Rule { matches: vec![Match::First], actions };
        self.chains.add(name, vec![note, Rule::always(Action::Verdict(then))]);
        verdict
    }

    fn spread(&mut self, spread: Spread, paths: &[(PathId, u16)]) -> Vec<Rule> {
        let buckets: Vec<Verdict> = buckets(paths).into_iter().map(|path| self.go(path)).collect();
        let dice = match spread {
            Spread::Connection => vec![Dice::Random],
            Spread::Client => Family::BOTH.into_iter().map(Dice::Client).collect(),
        };
        dice.into_iter().map(|dice| Rule::always(Action::Spread(dice, buckets.clone()))).collect()
    }

    /// IPv6 hosts choose their source address themselves, and a provider takes no other provider's: a source out of a
    /// delegated prefix decides the link, as far as the target allows that link, and unless all its other links translate.
    /// `None` is "no rule matched".
    fn by_prefix(&mut self, choice: Option<&Option<Choice>>) -> Option<Rule> {
        let mut entries: map::Map<Interval, Verdict> = map::Map::new();
        for n in 0..self.config.links.len() {
            let link = LinkId(n);
            let Some(path) = self.prefix_path(choice, link) else { continue };
            let prefixes = self.facts.links.get(n).map_or(&[][..], |link| &link.prefixes);
            for prefix in prefixes {
                let interval = ipv6_prefix(*prefix);
                // Two links with overlapping prefixes: the first has it.
                if entries.keys().all(|other| other.intersect(interval).is_none()) {
                    let verdict = self.go(path);
                    entries.insert(interval, verdict);
                }
            }
        }
        if entries.is_empty() {
            return None;
        }
        let key = vec![Key::Source(Family::V6)];
        let entries = entries.into_iter().map(|(interval, verdict)| (vec![interval], verdict)).collect();
        Some(self.lookup("prefix", key, entries))
    }

    fn prefix_path(&self, choice: Option<&Option<Choice>>, link: LinkId) -> Option<PathId> {
        self.paths.for_prefix(choice.and_then(Option::as_ref), link, self.facts)
    }

    /// New connections from a WAN: stamped with that link, packet and connection.
    fn wan_in(&mut self) -> Rule {
        let entries = self.by_device(|builder, link| {
            let path = builder.paths.of_link(link);
            builder.stamped.insert(path);
            let mark = builder.paths[path].mark.bits();
            // The packet first: one that conntrack calls invalid has no connection, and there the rule ends.
            let rule = Rule {
                matches: Vec::new(),
                actions: vec![Action::SetMark(mark), Action::SetConnectionMark(mark), Action::Verdict(Verdict::Accept)],
            };
            builder.chain("in", path, rule)
        });
        self.lookup("wan_in", vec![Key::Input], entries)
    }

    /// New connections on their way out: stamped with the link they really leave by, whoever chose it. Those of a kill
    /// switch are stamped with a path that holds them back later too, probes with their own: the answers come in by a
    /// link that may have no other table that leads out by it, and a strict `rp_filter` would drop them.
    fn stamps(&mut self) -> Vec<Rule> {
        let mut by_path = Vec::new();
        self.memories(&mut by_path);
        let is_sticky = |path: &Path| matches!(path.course.purpose, Purpose::Sticky(_));
        let keeps = |id: PathId, path: &Path| self.paths.keeps_own_flows(id) && !is_sticky(path);
        let keeping: Vec<PathId> = self.paths.iter().filter(|(id, path)| keeps(*id, path)).map(|(id, _)| id).collect();
        for from in keeping {
            let entries = self.by_device(|builder, link| builder.pin(builder.paths.stays_on(from, link)));
            let rule = self.lookup("out", vec![Key::Output], entries);
            let name = format!("out_{}", self.names[from.0]);
            by_path.push((vec![self.mark_interval(from)], Verdict::Goto(name.as_str().into())));
            self.chains.add(name, vec![Rule::always(Action::SetMark(0)), rule]);
        }
        let probes: Vec<PathId> =
            self.paths.iter().filter(|(_, path)| path.course.purpose == Purpose::Probes).map(|(id, _)| id).collect();
        for path in probes {
            by_path.push((vec![self.mark_interval(path)], self.pin(path)));
        }
        let mut rules = Vec::new();
        if !by_path.is_empty() {
            rules.push(self.lookup("stamp", vec![Key::PacketMark], by_path));
        }
        let entries = self.by_device(|builder, link| builder.pin(builder.paths.of_link(link)));
        rules.push(self.lookup("wan_out", vec![Key::Output], entries));
        // Its mark has done its work, and a tunnel would copy it to the packet it makes of this one: VXLAN routes that by
        // the copy, back into itself; GRE and IP in IP have it stamped as if it were bound to the tunnel.
        let clear = Rule::always(Action::SetMark(0));
        // First those of running connections, most of all: they meet this one rule.
        let actions = vec![Action::SetMark(0), Action::Verdict(Verdict::Accept)];
        let running = Rule { matches: vec![Match::Running], actions };
        let new = |actions| Rule { matches: vec![Match::New], actions };
        let stamps = match rules.as_mut_slice() {
            [only] => new(std::mem::take(&mut only.actions)),
            _ => {
                rules.push(clear.clone());
                self.chains.add("stamps".to_string(), rules);
                new(vec![Action::Verdict(Verdict::Goto("stamps".into()))])
            }
        };
        vec![running, stamps, clear]
    }

    /// Gives a packet of a stamped connection its mark.
    fn restore(&mut self) -> Rule {
        let stamped: Vec<PathId> = self.stamped.iter().copied().collect();
        let entries = stamped.into_iter().map(|path| (vec![self.mark_interval(path)], self.go(path))).collect();
        self.lookup("restore", vec![Key::ConnectionMark], entries)
    }

    /// An entry for each WAN device. Two links on one device: the first has it.
    fn by_device(&mut self, verdict: impl Fn(&mut Self, LinkId) -> Verdict) -> Vec<(Vec<Interval>, Verdict)> {
        let mut entries: map::Map<Interval, Verdict> = map::Map::new();
        for n in 0..self.config.links.len() {
            let sides = Family::BOTH.map(|family| self.facts.side(LinkId(n), family));
            for device in sides.into_iter().flatten().filter_map(|side| side.device.as_deref()) {
                let device = Interval::single(device_number(device));
                entries.or_insert_with(device, || verdict(self, LinkId(n)));
            }
        }
        entries.into_iter().map(|(device, verdict)| (vec![device], verdict)).collect()
    }

    /// The chain that marks a packet for a path.
    fn go(&mut self, path: PathId) -> Verdict {
        let mark = self.paths[path].mark.bits();
        let rule = Rule { matches: Vec::new(), actions: vec![Action::SetMark(mark), Action::Verdict(Verdict::Accept)] };
        self.chain("use", path, rule)
    }

    /// The chain that stamps a connection with a path.
    fn pin(&mut self, path: PathId) -> Verdict {
        self.stamped.insert(path);
        let mark = self.paths[path].mark.bits();
        let actions = vec![Action::SetMark(0), Action::SetConnectionMark(mark)];
        self.chain("pin", path, Rule { matches: Vec::new(), actions })
    }

    fn chain(&mut self, role: &str, path: PathId, rule: Rule) -> Verdict {
        let name = format!("{role}_{}", self.names[path.0]);
        let verdict = Verdict::Goto(name.as_str().into());
        self.chains.add(name, vec![rule]);
        verdict
    }

    fn lookup(&mut self, role: &str, key: Vec<Key>, mut entries: Vec<(Vec<Interval>, Verdict)>) -> Rule {
        sort::by(&mut entries, Ord::cmp);
        let map = Map::verdicts(role, key.clone(), entries);
        let rule = Rule::always(Action::Lookup(key, map.name.clone()));
        if !self.maps.iter().any(|known| known.name == map.name) {
            self.maps.push(map);
        }
        rule
    }

    fn mark_interval(&self, path: PathId) -> Interval {
        Interval::single(u128::from(self.paths[path].mark.bits()))
    }

    fn base(&mut self, hook: Hook, rules: Vec<Rule>) {
        self.base.push(Chain { name: hook.name().to_string(), hook: Some(hook), rules });
    }

    fn finish(self) -> Ruleset {
        let chains = self.chains.into_entries().into_iter().map(|(name, rules)| Chain { name, hook: None, rules });
        let list = |map: &Map| match map.fill {
            Fill::Listed(set, family) => Some(List { name: map.name.clone(), family, set: self.config[set].clone() }),
            Fill::Fixed | Fill::Resolver(..) | Fill::Learned(_) => None,
        };
        let lists: Vec<List> = self.maps.iter().filter_map(list).collect();
        let mut chains: Vec<Chain> = chains.chain(self.base).collect();
        chains.extend(lists.iter().map(|list| Chain { name: list.sign(), hook: None, rules: Vec::new() }));
        Ruleset::new(self.config.globals.mask, self.maps, chains, self.counters, lists)
    }
}

/// Names for chains, one a path.
fn chain_names(paths: &Paths) -> Vec<String> {
    let all: Vec<&str> = paths.iter().map(|(_, path)| path.name.as_str()).collect();
    paths.iter().map(|(id, path)| identifier(&all, id.0, path.mark.bits().into())).collect()
}

/// The `n`th of `names` as nft's language allows it in an identifier: other letters become `_`; if that is no longer
/// unique, or the name is long, a number that no other has is added, behind a dot: no name without a number has one.
fn identifier(names: &[&str], n: usize, number: u64) -> String {
    const LONGEST: usize = 40;
    let plain = |name: &str| -> String {
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(LONGEST).collect()
    };
    let own = plain(names[n]);
    let alone = names.iter().filter(|name| plain(name) == own).count() == 1;
    if alone && names[n].chars().count() <= LONGEST { own } else { format!("{own}.{number:x}") }
}

/// The path of each number that is drawn for a balanced policy: as many numbers for a path as its weight says.
#[must_use]
pub fn buckets(paths: &[(PathId, u16)]) -> Vec<PathId> {
    let divisor = paths.iter().fold(0, |divisor, (_, weight)| gcd(divisor, *weight)).max(1);
    paths.iter().flat_map(|(path, weight)| std::iter::repeat_n(*path, usize::from(weight / divisor))).collect()
}

fn gcd(a: u16, b: u16) -> u16 {
    if b == 0 { a } else { gcd(b, a % b) }
}
