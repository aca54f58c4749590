//! Sticky rules in the table: a client is looked up, and remembered where its connection really leaves.

use super::Builder;
use crate::config::model::Family;
use crate::interval::Interval;
use crate::plan::memory;
use crate::plan::path::{Memory, PathId};
use crate::plan::ruleset::{Action, Key, Map, Match, Rule, Verdict};

impl Builder<'_> {
    /// Where the rules send connections whose clients stay on a link: to the link they are remembered on, else by chance.
    pub(super) fn remembered(&mut self, memory: &Memory) -> Verdict {
        let choice = Some(self.paths.of_policy(memory.policy).clone());
        let mut rules: Vec<Rule> = self.by_prefix(Some(&choice)).into_iter().collect();
        for family in Family::BOTH {
            for (path, _, link) in &memory.paths {
                let keys = memory::keys(memory.sticky.who, family);
                let set = memory::name(self.config, memory, *link, family);
                let verdict = self.go(*path);
                rules.push(Rule {
                    matches: vec![Match::Remembered(keys, set)],
                    actions: vec![Action::Verdict(verdict)],
                });
            }
        }
        let paths: Vec<(PathId, u16)> = memory.paths.iter().map(|(path, weight, _)| (*path, *weight)).collect();
        rules.extend(self.spread(memory.spread, &paths));
        let name = memory::chain(self.config, memory);
        let verdict = Verdict::Goto(name.as_str().into());
        self.chains.add(name, rules);
        verdict
    }

    /// New connections of such rules on their way out: the client is remembered on the link they really leave by. Where
    /// that is none of the policy's, nothing is.
    pub(super) fn memories(&mut self, by_path: &mut Vec<(Vec<Interval>, Verdict)>) {
        for memory in self.paths.sticky() {
            // Also those of rules that do not hold now: who is remembered stays so.
            for (_, _, link) in &memory.paths {
                self.maps.extend(Family::BOTH.map(|family| {
                    let name = memory::name(self.config, memory, *link, family);
                    Map::learned(name, memory::keys(memory.sticky.who, family), memory.sticky.seconds)
                }));
            }
            for (from, ..) in &memory.paths {
                let entries = self.by_device(|builder, link| {
                    let stays = builder.paths.stays_on(*from, link);
                    let pin = builder.pin(stays);
                    if !memory.paths.iter().any(|(.., own)| *own == link) {
                        return pin;
                    }
                    let remember = |family| {
                        let set = memory::name(builder.config, memory, link, family);
                        Rule::always(Action::Remember(memory::keys(memory.sticky.who, family), set))
                    };
                    let mut rules = Family::BOTH.map(remember).to_vec();
                    rules.push(Rule::always(Action::Verdict(pin)));
                    let name = memory::keeper(builder.config, memory, link, &builder.names[stays.0]);
                    let verdict = Verdict::Goto(name.as_str().into());
                    builder.chains.add(name, rules);
                    verdict
                });
                let rule = self.lookup("out", vec![Key::Output], entries);
                let name = format!("out_{}", self.names[from.0]);
                by_path.push((vec![self.mark_interval(*from)], Verdict::Goto(name.as_str().into())));
                self.chains.add(name, vec![Rule::always(Action::SetMark(0)), rule]);
            }
        }
    }
}
