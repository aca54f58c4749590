//! A configuration on a machine: what becomes of it is sound, and sends packets where `explain` says.
//!
//! Input: decisions about the machine up to the first line end, then a configuration.

use super::choices::Choices;
use super::interpreter;
use super::world::{Dice, Near, facts};
use std::collections::BTreeSet;
use wansplit::config::model::{Config, Family};
use wansplit::config::read;
use wansplit::explain::{Packet, decide};
use wansplit::network::Facts;
use wansplit::plan::iproute::{add_route, add_rule};
use wansplit::plan::ruleset::{Action, Entries, Ruleset, Verdict, json, text};
use wansplit::plan::state::{RouteKind, TABLE_MAIN};
use wansplit::plan::{Plan, plan, replan};

/// Packets that are followed for each input.
const PACKETS: usize = 24;

/// Takes one input.
pub fn run(input: &[u8]) {
    let (mut choices, text) = Choices::and_text(input);
    let Some(config) = read(text).config else { return };
    let facts = facts(&config, &mut choices);
    let later = super::world::facts(&config, &mut choices);
    let Ok(planned) = plan(&config, &facts) else { return };
    let again = replan(&config, &facts, Some((&facts, &planned)));
    assert_eq!(again.as_ref(), Ok(&planned), "the same again");
    let taken_over = replan(&config, &later, Some((&facts, &planned)));
    assert_eq!(taken_over, plan(&config, &later), "what is taken over from before");
    sound(&planned);
    sound_ruleset(&planned.ruleset);
    let (near, mut dice) = (Near::new(&config, &facts), Dice::new(input));
    for _ in 0..PACKETS {
        let packet = near.arriving(&config, &mut dice);
        let compiled = interpreter::marks(&planned.ruleset, &packet);
        assert_eq!(
            compiled,
            explained(&config, &planned, &facts, &packet),
            "compiled and explained differ: {packet:?}"
        );
    }
}

/// The marks `explain` says a packet may get. 0 is "no mark".
fn explained(config: &Config, plan: &Plan, facts: &Facts, packet: &Packet) -> BTreeSet<u32> {
    match decide(config, &plan.paths, facts, packet).paths.as_slice() {
        [] => [0].into(),
        paths => paths.iter().map(|(path, _)| plan.paths[*path].mark.bits()).collect(),
    }
}

/// What the kernel would refuse, or take for something else.
fn sound(plan: &Plan) {
    let mut routes = BTreeSet::new();
    for route in &plan.routes {
        assert!(routes.insert((route.family, route.table, route.metric)), "two routes in one place: {route:?}");
        assert!(route.table != 0 && route.table != TABLE_MAIN, "somebody else's table: {route:?}");
        if let RouteKind::Via(hops) = &route.kind {
            assert!(!hops.is_empty() && hops.iter().all(|hop| (1..=256).contains(&hop.weight)), "{route:?}");
            let fits = |family| move |gateway: std::net::IpAddr| Family::of(gateway) == family;
            assert!(hops.iter().all(|hop| hop.gateway.is_none_or(fits(route.family))), "{route:?}");
        }
        one_line(&add_route(route));
    }
    let mut rules = BTreeSet::new();
    for rule in &plan.ip_rules {
        assert!(rules.insert(rule), "an ip rule twice: {rule:?}");
        one_line(&add_rule(rule));
    }
    let (tables, marks): (BTreeSet<_>, BTreeSet<_>) =
        plan.paths.iter().map(|(_, path)| ((path.table), path.mark.bits())).unzip();
    assert!(!tables.contains(&0) && !marks.contains(&0));
    assert_eq!(marks.len(), plan.paths.iter().count(), "two paths have one mark");
}

fn one_line(command: &str) {
    assert!(!command.chars().any(|c| c.is_control()), "{command:?}");
}

fn sound_ruleset(ruleset: &Ruleset) {
    let written = json::document(&json::everything(ruleset).into_iter().collect::<Vec<_>>());
    let read: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    assert!(read["nftables"].as_array().is_some_and(|commands| !commands.is_empty()));
    assert!(!text::table(ruleset).is_empty());
    let chains: BTreeSet<&str> = ruleset.chains.iter().map(|chain| &*chain.name).collect();
    assert_eq!(chains.len(), ruleset.chains.len(), "two chains have one name");
    let exists = |verdict: &Verdict| match verdict {
        Verdict::Goto(chain) => assert!(chains.contains(&**chain), "there is no chain {chain}"),
        Verdict::Accept => {}
    };
    for action in ruleset.chains.iter().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.actions) {
        match action {
            Action::Verdict(verdict) => exists(verdict),
            Action::Spread(_, verdicts) => verdicts.iter().for_each(exists),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    for map in &ruleset.maps {
        // `NFT_NAME_MAXLEN` is 256, but `nft` takes 128, with the NUL.
        assert!(names.insert(&map.name) && map.name.len() < 128, "{}", map.name);
        let keys: Vec<_> = match &map.entries {
            Entries::Verdicts(entries) => entries.iter().map(|(key, _)| key).collect(),
            Entries::Members(entries) => entries.iter().collect(),
        };
        if let Entries::Verdicts(entries) = &map.entries {
            entries.iter().for_each(|(_, verdict)| exists(verdict));
        }
        // The kernel refuses entries that overlap. Many are compared by their neighbours elsewhere.
        for (n, key) in keys.iter().enumerate().take(100) {
            let meets = |other: &&&Vec<_>| {
                key.iter().zip(other.iter()).all(|(a, b): (&wansplit::interval::Interval, _)| a.intersect(*b).is_some())
            };
            assert_eq!(keys[..n].iter().find(meets), None, "{} has an entry that overlaps {key:?}", map.name);
        }
    }
}
