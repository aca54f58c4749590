//! The chains of the mangle table, and what they do to packets, jumps and all.

use super::conditions::Conditions;
use super::iptables::{Chance, Change, Entry, Parsed, Verdict};
use crate::config::model::Family;

/// A rule in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub line: usize,
    pub text: String,
    pub comments: Vec<String>,
    pub entry: Entry,
}

/// The chains of one family.
#[derive(Debug)]
pub struct Chains {
    pub family: Family,
    chains: Vec<(String, Vec<Placed>)>,
}

/// One rule as a packet meets it: with the conditions of all jumps that led there.
#[derive(Debug, Clone)]
pub struct Met {
    pub line: usize,
    pub text: String,
    pub conditions: Conditions,
    pub does: Does,
    pub unmarked: bool,
    pub part: usize,
    pub chance: Option<Chance>,
    /// Whether packets it has marked are done with.
    pub stays: bool,
    pub comments: Vec<String>,
    pub label: Option<String>,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Sets these bits of the mark to this value.
    Mark(u32, u32),
    /// The packet is done with.
    End,
}

/// A rule that cannot be said: its line, its text, why; and whether that is because we do so by ourselves.
pub struct Lost {
    pub line: usize,
    pub text: String,
    pub why: String,
    pub needless: bool,
}

/// Jumps go no deeper.
const DEEPEST: usize = 8;
/// Chains that jump to each other in turn make many rules of few.
const MOST: usize = 20_000;

impl Chains {
    pub fn new(family: Family) -> Self {
        Self { family, chains: Vec::new() }
    }

    /// Changes a chain as a command says.
    pub fn apply(&mut self, parsed: Parsed, line: usize, text: &str, comments: &[String]) {
        if parsed.chain.is_empty() && matches!(parsed.change, Change::Flush) {
            self.chains.clear();
            return;
        }
        let placed = |entry: Box<Entry>| Placed { line, text: text.into(), comments: comments.to_vec(), entry: *entry };
        let chain = self.chain(&parsed.chain);
        match parsed.change {
            Change::Add(None, entry) => chain.push(placed(entry)),
            Change::Add(Some(place), entry) => chain.insert(place.saturating_sub(1).min(chain.len()), placed(entry)),
            Change::Delete(entry) => {
                if let Some(place) = chain.iter().position(|own| own.entry == *entry) {
                    chain.remove(place);
                }
            }
            Change::Flush => chain.clear(),
            Change::Nothing => {}
        }
    }

    fn chain(&mut self, name: &str) -> &mut Vec<Placed> {
        let place = self.chains.iter().position(|(own, _)| own == name).unwrap_or_else(|| {
            self.chains.push((name.into(), Vec::new()));
            self.chains.len() - 1
        });
        &mut self.chains[place].1
    }

    fn has(&self, name: &str) -> bool {
        self.chains.iter().any(|(own, _)| own == name)
    }

    fn get(&self, name: &str) -> &[Placed] {
        self.chains.iter().find(|(own, _)| own == name).map_or(&[], |(_, chain)| chain)
    }

    /// The rules of a chain as packets meet them.
    pub fn met(&self, chain: &str, lost: &mut Vec<Lost>) -> Vec<Met> {
        let mut walk = Walk { chains: self, met: Vec::new(), part: 0, lost };
        walk.through(chain, &Conditions::default(), false, &[]);
        walk.met
    }

    /// The rules that mark packets where that is too late.
    pub fn too_late(&self) -> impl Iterator<Item = &Placed> {
        let late = self.chains.iter().filter(|(name, _)| ["FORWARD", "POSTROUTING", "INPUT"].contains(&name.as_str()));
        late.flat_map(|(_, chain)| chain)
            .filter(|placed| matches!(placed.entry.verdict, Verdict::Mark(..) | Verdict::Jump(_)))
    }
}

struct Walk<'c, 'l> {
    chains: &'c Chains,
    met: Vec<Met>,
    part: usize,
    lost: &'l mut Vec<Lost>,
}

impl Walk<'_, '_> {
    fn lose(&mut self, placed: &Placed, why: impl Into<String>, needless: bool) {
        self.lost.push(Lost { line: placed.line, text: placed.text.clone(), why: why.into(), needless });
    }

    /// Goes through a chain with the conditions of the jumps that led there.
    fn through(&mut self, chain: &str, outer: &Conditions, unmarked: bool, jumps: &[&Placed]) {
        let chains = self.chains;
        for placed in chains.get(chain) {
            if self.met.len() + self.lost.len() > MOST {
                return;
            }
            if let Some(problem) = &placed.entry.problem {
                let needless = problem.contains("by themselves");
                self.lose(placed, problem, needless);
                continue;
            }
            let Some(conditions) = outer.and_all(&placed.entry.conditions) else {
                self.lose(placed, "its conditions cannot be joined with those of the jump that leads to it", false);
                continue;
            };
            if self.rule(placed, conditions, unmarked, jumps) {
                return;
            }
        }
    }

    /// One rule. True if nothing behind it is met.
    fn rule(&mut self, placed: &Placed, conditions: Conditions, outer_unmarked: bool, jumps: &[&Placed]) -> bool {
        let entry = &placed.entry;
        let mut unmarked = outer_unmarked;
        match entry.marked {
            None => {}
            Some((0, _, false)) => unmarked = true,
            Some((value, _, negated)) => {
                // "What is marked is done with": nothing behind takes it.
                let ends = matches!(entry.verdict, Verdict::Accept | Verdict::Return | Verdict::KeepsConnections);
                let all = value == 0 && negated;
                let only_such = |met: &Met| {
                    met.part < self.part
                        || met.does == Does::End
                        || matches!(met.does, Does::Mark(own, _) if own == value)
                };
                let own_such = !negated && self.met.iter().all(only_such);
                if entry.verdict == Verdict::KeepsConnections {
                    self.lose(placed, "connections stay on their link by themselves", true);
                } else if ends && conditions.is_empty() && (all || own_such) {
                    self.part += 1;
                } else {
                    self.lose(
                        placed,
                        "what depends on a mark set before cannot be said: write it as a rule of its own",
                        false,
                    );
                }
                return false;
            }
        }
        let does = match &entry.verdict {
            Verdict::Mark(value, mask) => Does::Mark(*value, *mask),
            Verdict::Accept | Verdict::Return if entry.marked.is_some() => {
                self.lose(placed, "what nothing has marked yet cannot be sent past the rules behind", false);
                return false;
            }
            Verdict::Accept => Does::End,
            Verdict::Return if jumps.is_empty() => Does::End,
            Verdict::Return => {
                // Back to where the jump was. Only if that holds for all packets there is nothing to tell apart.
                if entry.conditions.is_empty() && entry.marked.is_none() {
                    return true;
                }
                self.lose(
                    placed,
                    "a chain that is left in its middle cannot be said: look at the rules behind it",
                    false,
                );
                return false;
            }
            Verdict::Jump(chain) => {
                if jumps.len() < DEEPEST && !self.chains.get(chain).is_empty() {
                    let jumps: Vec<&Placed> = jumps.iter().copied().chain([placed]).collect();
                    self.through(chain, &conditions, unmarked, &jumps);
                } else if jumps.len() >= DEEPEST {
                    self.lose(placed, "jumps go too deep", false);
                } else if !self.chains.has(chain) {
                    self.lose(placed, format!("what {chain} does the script does not say"), false);
                }
                return false;
            }
            Verdict::KeepsConnections => {
                self.lose(placed, "connections stay on their link by themselves", true);
                return false;
            }
            Verdict::Other(target) => {
                self.lose(placed, format!("target {target} does not choose a way; it stays as it is"), false);
                return false;
            }
        };
        // A jump that only some packets take gives its chance to what they meet there.
        let chance = jumps.iter().find_map(|jump| jump.entry.chance).or(entry.chance);
        // What its owner knows is the rule that jumps.
        let known = jumps.first().copied().unwrap_or(placed);
        self.met.push(Met {
            line: known.line,
            text: known.text.clone(),
            conditions,
            does,
            unmarked,
            part: self.part,
            chance,
            stays: false,
            comments: known.comments.clone(),
            label: known.entry.label.clone().or_else(|| entry.label.clone()),
        });
        // What all packets are done with nothing behind can reach.
        let met_all =
            self.met.last().is_some_and(|met| met.does == Does::End && met.conditions.is_empty() && !met.unmarked);
        met_all && chance.is_none() && jumps.is_empty()
    }
}
