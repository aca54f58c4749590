//! One `iptables` command.

#[cfg(test)]
mod tests;
mod words;

use super::conditions::{Conditions, values};
use crate::config::model::Family;
pub use words::mark;
use words::{BUILT_IN, MATCHES, in_a_million};

/// What a command does to a chain.
#[derive(Debug)]
pub enum Change {
    /// Adds a rule at the end, or at a place from 1.
    Add(Option<usize>, Box<Entry>),
    /// Deletes the rule that looks so.
    Delete(Box<Entry>),
    /// Deletes all rules of a chain, or of all.
    Flush,
    /// Makes a chain, sets its policy, and what else changes no rule.
    Nothing,
}

/// A command, taken apart.
#[derive(Debug)]
pub struct Parsed {
    pub table: String,
    /// Empty for all chains.
    pub chain: String,
    pub change: Change,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub conditions: Conditions,
    /// The packet mark it must have: value, mask, whether that is negated.
    pub marked: Option<(u32, u32, bool)>,
    /// How many in a million of the packets it takes.
    pub chance: Option<Chance>,
    pub verdict: Verdict,
    /// The text of `-m comment`.
    pub label: Option<String>,
    /// Why it cannot be said.
    pub problem: Option<String>,
}

/// `-m statistic`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chance {
    /// In a million.
    Random(u32),
    /// Each so many-th.
    Every(u32),
}

/// What it does with a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Sets these bits of the mark to this value.
    Mark(u32, u32),
    /// The packet is done with.
    Accept,
    /// The packet is done with this chain.
    Return,
    /// Another chain.
    Jump(String),
    /// What keeps connections on their link.
    KeepsConnections,
    /// Anything else.
    Other(String),
}

/// Takes a command apart; `words` are those behind the program's name.
///
/// # Errors
/// It is no command that is known; the text says why.
pub fn parse(words: &[String], family: Family, table: &str) -> Result<Parsed, String> {
    let mut parser = Parser::new(words, family, table);
    while let Some(word) = parser.next() {
        parser.flag(word)?;
    }
    parser.finish()
}

struct Parser<'w> {
    words: &'w [String],
    place: usize,
    family: Family,
    table: String,
    chain: String,
    command: Option<char>,
    position: Option<usize>,
    target: Option<String>,
    /// Set by the options of MARK and CONNMARK.
    mark: Option<(u32, u32)>,
    keeps: bool,
    every: Option<u32>,
    random: Option<u32>,
    entry: Entry,
    negated: bool,
}

impl<'w> Parser<'w> {
    fn new(words: &'w [String], family: Family, table: &str) -> Self {
        let entry = Entry {
            conditions: Conditions::default(),
            marked: None,
            chance: None,
            verdict: Verdict::Other(String::new()),
            label: None,
            problem: None,
        };
        Self {
            words,
            place: 0,
            family,
            table: table.into(),
            chain: String::new(),
            command: None,
            position: None,
            target: None,
            mark: None,
            keeps: false,
            every: None,
            random: None,
            entry,
            negated: false,
        }
    }

    fn next(&mut self) -> Option<&'w str> {
        let word = self.words.get(self.place)?;
        self.place += 1;
        Some(word)
    }

    /// The value of a flag. A `!` may stand before it.
    fn value(&mut self, flag: &str) -> Result<&'w str, String> {
        let mut value = self.next();
        if value == Some("!") {
            self.negated = true;
            value = self.next();
        }
        value.ok_or_else(|| format!("{flag} has no value"))
    }

    /// A value that stands only if the next word is no flag.
    fn optional(&mut self) -> Option<&'w str> {
        let next = self.words.get(self.place).filter(|word| !word.starts_with('-') && *word != "!")?;
        self.place += 1;
        Some(next)
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.entry.problem.get_or_insert_with(|| text.into());
    }

    fn flag(&mut self, word: &'w str) -> Result<(), String> {
        if word == "!" {
            self.negated = true;
            return Ok(());
        }
        // `--dport=80`, and `-ptcp`.
        let (flag, glued) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            _ => match word.char_indices().nth(2) {
                Some((end, _)) if word.starts_with('-') && !word.starts_with("--") => {
                    let (flag, value) = word.split_at(end);
                    (flag, Some(value))
                }
                _ => (word, None),
            },
        };
        if let Some((_, option)) = MATCHES.iter().find(|(own, _)| *own == flag) {
            let text = match (glued, flag) {
                (_, "--syn") => "",
                (Some(text), _) => text,
                (None, _) => self.value(flag)?,
            };
            let negated = std::mem::take(&mut self.negated);
            self.matches(flag, option, text, negated);
            return Ok(());
        }
        self.other_flag(flag, glued)?;
        self.negated = false;
        Ok(())
    }

    fn matches(&mut self, flag: &str, option: &'static str, text: &str, negated: bool) {
        match flag {
            // Only a connection's first packet is looked at here anyway.
            "--syn" => {}
            "--state" | "--ctstate" => {
                if !text.split(',').any(|state| state == "NEW") || negated {
                    self.problem("connections that are established stay on their link by themselves");
                }
            }
            "--comment" => self.entry.label = Some(text.into()),
            _ => match values(option, text, negated, self.family) {
                Ok(values) if values.is_empty() => {}
                Ok(values) => {
                    if !self.entry.conditions.and(option, values) {
                        self.problem(format!("{flag} is there twice"));
                    }
                }
                Err(problem) => self.problem(problem),
            },
        }
    }

    fn other_flag(&mut self, flag: &str, glued: Option<&'w str>) -> Result<(), String> {
        let value = |own: &mut Self| glued.map_or_else(|| own.value(flag), Ok);
        match flag {
            "-t" | "--table" => self.table = value(self)?.into(),
            "-A" | "--append" | "-I" | "--insert" | "-D" | "--delete" | "-F" | "--flush" | "-N" | "--new-chain"
            | "-X" | "--delete-chain" | "-P" | "--policy" | "-Z" | "--zero" | "-C" | "--check" | "-L" | "--list"
            | "-R" | "--replace" | "-E" | "--rename-chain" | "-S" | "--list-rules" => {
                let letter = match flag {
                    "--new-chain" => 'N',
                    "--delete-chain" => 'X',
                    "--zero" => 'Z',
                    "--list-rules" => 'S',
                    _ => flag.trim_start_matches('-').chars().next().unwrap_or(' ').to_ascii_uppercase(),
                };
                self.command = Some(letter);
                self.chain = glued.or_else(|| self.optional()).unwrap_or_default().into();
                if let Some(place) = self.optional() {
                    self.position = place.parse().ok();
                }
            }
            "-j" | "--jump" => self.target = Some(value(self)?.into()),
            "-g" | "--goto" => {
                self.target = Some(value(self)?.into());
                self.problem("a chain that is not come back from cannot be said: write -j, and RETURN behind it");
            }
            "-m" | "--match" => drop(value(self)?),
            "-w" | "--wait" => drop(self.optional()),
            "-v" | "-n" | "--verbose" | "--numeric" | "--line-numbers" => {}
            "-4" | "--ipv4" => self.family = Family::V4,
            "-6" | "--ipv6" => self.family = Family::V6,
            "--set-mark" | "--set-xmark" | "--or-mark" | "--and-mark" => {
                let text = value(self)?;
                let (number, mask) = mark(text).ok_or_else(|| format!("what mark {text} is, is not known here"))?;
                self.mark = match flag {
                    "--or-mark" => Some((number, number)),
                    "--and-mark" => Some((0, !number)),
                    _ => Some((number, mask)),
                };
            }
            "--save-mark" | "--restore-mark" => self.keeps = true,
            "--nfmask" | "--ctmask" | "--mask" => drop(value(self)?),
            "--mark" => {
                let text = value(self)?;
                let (number, mask) = mark(text).ok_or_else(|| format!("what mark {text} is, is not known here"))?;
                self.entry.marked = Some((number, mask, self.negated));
            }
            "--mode" | "--packet" => drop(value(self)?),
            "--every" => self.every = value(self)?.parse().ok().filter(|every| *every > 0),
            "--probability" => self.random = in_a_million(value(self)?),
            "--match-set" => {
                let set = value(self)?;
                let option = match self.optional() {
                    Some("src") => "src_set",
                    Some("dst") => "dest_set",
                    other => {
                        let looked_at = other.unwrap_or_default();
                        self.problem(format!("a set is looked up by src or dst alone here, not by {looked_at}"));
                        return Ok(());
                    }
                };
                if self.negated {
                    self.problem(
                        "a set cannot be negated here: write a rule for the set before this one, with use 'main'",
                    );
                } else if !self.entry.conditions.and(option, vec![set.to_owned()]) {
                    self.problem("two sets at once cannot be asked for");
                }
            }
            "--timestart" | "--timestop" | "--weekdays" | "--monthdays" | "--datestart" | "--datestop" => {
                value(self)?;
                self.problem(
                    "a rule with weekdays, start_time and stop_time says when, by the router's clock (iptables: UTC)",
                );
            }
            _ if flag.starts_with('-') => {
                // Its values, whatever they are.
                while self.optional().is_some() {}
                self.problem(format!("{flag} is nothing that can be said here"));
            }
            _ => self.problem(format!("{flag} was not expected here")),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Parsed, String> {
        let target = self.target.unwrap_or_default();
        self.entry.chance = self.random.map(Chance::Random).or(self.every.map(Chance::Every));
        self.entry.verdict = match (target.as_str(), self.mark) {
            ("MARK" | "CONNMARK", Some((value, mask))) => Verdict::Mark(value, mask),
            ("CONNMARK", None) if self.keeps => Verdict::KeepsConnections,
            ("ACCEPT", _) => Verdict::Accept,
            ("RETURN", _) => Verdict::Return,
            ("", _) => Verdict::Other("nothing".into()),
            (name, _) if BUILT_IN.contains(&name) => Verdict::Other(name.into()),
            (name, _) => Verdict::Jump(name.into()),
        };
        let entry = Box::new(self.entry);
        let change = match self.command.ok_or("it changes no chain")? {
            'A' => Change::Add(None, entry),
            'I' => Change::Add(Some(self.position.unwrap_or(1)), entry),
            'D' => Change::Delete(entry),
            'F' => Change::Flush,
            'N' | 'X' | 'P' | 'Z' | 'C' | 'L' | 'S' => Change::Nothing,
            _ => return Err("rules that are replaced are not followed".into()),
        };
        Ok(Parsed { table: self.table, chain: self.chain, change })
    }
}
