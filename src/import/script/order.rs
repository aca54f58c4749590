//! From iptables' order to ours. There the last mark that matches stays; here the first rule that matches wins.

use super::conditions::Conditions;
use crate::config::model::Matches;
use crate::config::options::SectionKind;
use crate::config::read;
use crate::import::{Draft, Section};
use crate::plan::compiler::region::Region;

/// What a chain does at one place, with the conditions of all jumps that led there.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where packets meet it.
    pub place: usize,
    /// The line it is from.
    pub line: usize,
    pub conditions: Conditions,
    /// What a rule's `use` names; nothing if packets are done with the chain here.
    pub target: Option<String>,
    /// Only packets that nothing before has marked.
    pub unmarked: bool,
    /// Whatever is marked in an earlier part stays so.
    pub part: usize,
    pub comments: Vec<String>,
    pub label: Option<String>,
}

/// The rules in our order, and whether it is another than that of the script.
pub struct Ordered {
    pub rules: Vec<Step>,
    pub turned: bool,
    /// Lines whose packets cannot be told exactly.
    pub inexact: Vec<usize>,
}

/// Steps beyond which nobody compares each with each.
const COMPARED: usize = 1000;

/// Turns the order round where it has to be.
pub fn ordered(steps: Vec<Step>) -> Ordered {
    let mut inexact = Vec::new();
    // Who takes a mark away, and later only looks at what has none, goes round in a circle.
    let main = |step: &Step| step.target.as_deref() == Some("main");
    if let Some(first) = steps.iter().position(main) {
        let looks = |step: &&Step| step.unmarked || step.part > steps[first].part;
        inexact.extend(steps[first + 1..].iter().find(looks).map(|step| step.line));
    }
    // Packets that were marked before do not come to an end that is for unmarked ones; here they do.
    let sure = |step: &Step| step.target.is_some() && !step.unmarked;
    let parted =
        |n: usize, end: &Step| steps[..n].iter().any(sure) && steps[n..].iter().any(|s| s.part == end.part && sure(s));
    let ends = steps.iter().enumerate().filter(|(_, step)| step.target.is_none() && step.unmarked);
    inexact.extend(ends.filter(|(n, end)| parted(*n, end)).map(|(_, end)| end.line));
    let mut rules: Vec<Step> = Vec::new();
    // What packets that are done with the chain keep is decided by what came before.
    let matches = matches_of(steps.iter().map(|step| &step.conditions));
    let regions = Regions::of(&matches);
    for (n, step) in steps.iter().enumerate() {
        if step.target.is_none() {
            rules.extend(kept(&steps, n, &regions, &mut inexact));
        }
    }
    rules.extend(by_precedence(&steps).into_iter().map(|n| steps[n].clone()));

    let rules = without_shadowed(rules);
    let mut rules = in_order_of_places(rules);
    // Behind the last rule all go by main anyway.
    while rules.last().is_some_and(|rule| rule.target.as_deref() == Some("main")) {
        rules.pop();
    }
    let turned = rules.windows(2).any(|pair| pair[0].place > pair[1].place);
    Ordered { rules, turned, inexact }
}

/// The places of marks in the order in which they win: earlier parts first; in a part the last first, and behind them
/// those that only take what is unmarked, the first first.
fn by_precedence(steps: &[Step]) -> Vec<usize> {
    let mut all: Vec<usize> = (0..steps.len()).filter(|n| steps[*n].target.is_some()).collect();
    crate::sort::by_key(&mut all, |n| {
        let Step { part, unmarked, .. } = steps[*n];
        (part, unmarked, if unmarked { *n } else { usize::MAX - n })
    });
    all
}

/// The rules for the packets of a step that ends the chain for them.
fn kept(steps: &[Step], place: usize, regions: &Regions, inexact: &mut Vec<usize>) -> Vec<Step> {
    let mut rules = Vec::new();
    let end = &steps[place];
    for n in by_precedence(&steps[..place]) {
        let step = &steps[n];
        if !regions.overlap(n, place) {
            continue;
        }
        if regions.covers(n, place) {
            rules.push(Step { conditions: end.conditions.clone(), ..step.clone() });
            return rules;
        }
        match end.conditions.and_all(&step.conditions) {
            Some(conditions) => rules.push(Step { conditions, ..step.clone() }),
            None => inexact.push(end.line),
        }
    }
    rules.push(Step { target: Some("main".into()), ..end.clone() });
    rules
}

/// Without those whose packets an earlier one takes all.
fn without_shadowed(rules: Vec<Step>) -> Vec<Step> {
    if rules.len() > COMPARED {
        return rules;
    }
    let matches = matches_of(rules.iter().map(|step| &step.conditions));
    let regions = Regions::of(&matches);
    let reached = |n: usize| !(0..n).any(|earlier| regions.covers(earlier, n));
    let keep: Vec<bool> = (0..rules.len()).map(reached).collect();
    rules.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(step, _)| step).collect()
}

/// The order of the chain, as far as no two change places that share packets and lead elsewhere.
fn in_order_of_places(mut rules: Vec<Step>) -> Vec<Step> {
    if rules.len() > COMPARED {
        return rules;
    }
    let matches = matches_of(rules.iter().map(|step| &step.conditions));
    let regions = Regions::of(&matches);
    let mut places: Vec<usize> = (0..rules.len()).collect();
    for n in 1..places.len() {
        let mut at = n;
        while at > 0 {
            let (before, own) = (places[at - 1], places[at]);
            let bound = rules[before].target != rules[own].target && regions.overlap(before, own);
            if rules[before].place <= rules[own].place || bound {
                break;
            }
            places.swap(at - 1, at);
            at -= 1;
        }
    }
    let mut arranged: Vec<Option<Step>> = rules.drain(..).map(Some).collect();
    places.into_iter().filter_map(|place| arranged.get_mut(place).and_then(Option::take)).collect()
}

/// What some conditions hold, by place; nothing for what could not be read.
fn matches_of<'c>(conditions: impl Iterator<Item = &'c Conditions>) -> Vec<Option<Matches>> {
    let mut sections = vec![Section::new(SectionKind::Globals, "globals")];
    let mut count = 0;
    for conditions in conditions {
        let mut rule = Section::new(SectionKind::Rule, &count.to_string());
        conditions.write(&mut rule);
        rule.option("use", "main");
        sections.push(rule);
        count += 1;
    }
    let mut matches = vec![None; count];
    let text = Draft { head: Vec::new(), sections }.to_string();
    for rule in read(text.as_bytes()).config.map(|config| config.rules).unwrap_or_default() {
        let place = rule.name.parse::<usize>().ok().and_then(|place| matches.get_mut(place));
        place.into_iter().for_each(|place| *place = Some(rule.matches.clone()));
    }
    matches
}

/// The same as the compiler of rules sees it.
struct Regions<'m>(Vec<Option<Vec<Region<'m>>>>);

impl<'m> Regions<'m> {
    fn of(matches: &'m [Option<Matches>]) -> Self {
        let regions = |matches: &'m Matches| Region::of_rule(matches, &[], &str::to_owned);
        Self(matches.iter().map(|matches| matches.as_ref().map(regions)).collect())
    }

    fn pair(&self, a: usize, b: usize) -> Option<(&[Region<'m>], &[Region<'m>])> {
        Some((self.0.get(a)?.as_deref()?, self.0.get(b)?.as_deref()?))
    }

    /// Whether two share packets; what is not known may.
    fn overlap(&self, a: usize, b: usize) -> bool {
        self.pair(a, b).is_none_or(|(a, b)| a.iter().any(|a| b.iter().any(|b| a.overlaps(b))))
    }

    /// Whether all packets of `b` are in `a`.
    fn covers(&self, a: usize, b: usize) -> bool {
        self.pair(a, b).is_some_and(|(a, b)| b.iter().all(|b| a.iter().any(|a| a.covers(b))))
    }
}
