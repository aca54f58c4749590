//! What dnsmasq is told: into which of our sets the addresses of a domain go. Pure.
//!
//! For a name it is asked for, dnsmasq takes a single line: that of the longest domain which the name is or ends in
//! (`domain_find_sets` in its `forward.c`); of two lines for one domain the second counts for nothing. So every domain
//! has one line, and that names the domain's own sets and those of every domain above it.

use super::ruleset::{Fill, Ruleset, TABLE};
use crate::config::model::{Config, Family, SetId};
use crate::map::{Gathered, Map, Set};

/// The first line of what we write; a file that begins otherwise is not ours.
pub const HEADER: &str = "# Written by wansplit, and written anew: changes made here are lost.\n";

/// The longest line dnsmasq reads (`read_file` in its `option.c`: MAXDNAME, 1025 with the closing NUL). It takes the rest
/// for a line of its own, which makes no sense, and does not start.
const LONGEST: usize = 1024;

/// What dnsmasq is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snippet {
    /// The lines of its configuration; empty if there is nothing to tell.
    pub text: String,
    /// How many domains they are about.
    pub domains: usize,
    /// What is left out because a line would be too long for it.
    pub crowded: Vec<Crowded>,
}

/// A domain that too many sets want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowded {
    /// The domain.
    pub domain: String,
    /// The sets that it is not put into.
    pub left_out: Vec<SetId>,
}

/// One set of ours as dnsmasq is told of it.
type Place = (SetId, String);

/// The lines for the sets that a table has.
#[must_use]
pub fn snippet(config: &Config, ruleset: &Ruleset) -> Snippet {
    let places = places(ruleset);
    let mut wanted: Gathered<(&str, SetId), ()> = Gathered::default();
    for set in places.keys() {
        for domain in &config[*set].domains {
            wanted.add((domain, *set), ());
        }
    }
    let mut by_domain: Map<&str, Set<SetId>> = Map::new();
    // They come in order, so nothing has to be moved.
    for ((domain, set), ()) in wanted.into_entries() {
        by_domain.or_insert_with(domain, Set::new).insert(set);
    }
    let mut snippet = Snippet { domains: by_domain.keys().count(), ..Snippet::default() };
    if !by_domain.is_empty() {
        snippet.text.push_str(HEADER);
    }
    for domain in by_domain.keys() {
        let mut sets = Set::new();
        for own in with_those_above(domain).filter_map(|name| by_domain.get(name)) {
            own.iter().for_each(|set| {
                sets.insert(*set);
            });
        }
        let places = sets.iter().filter_map(|set| places.get(set)).flatten();
        line(domain, places, &mut snippet);
    }
    snippet
}

/// The sets that dnsmasq fills, each with its places in the kernel: one for each family that a rule looks it up in.
fn places(ruleset: &Ruleset) -> Map<SetId, Vec<Place>> {
    let mut places: Map<SetId, Vec<Place>> = Map::new();
    for map in &ruleset.maps {
        let Fill::Resolver(set, family) = map.fill else { continue };
        let number = match family {
            Family::V4 => 4,
            Family::V6 => 6,
        };
        places.or_insert_with(set, Vec::new).push((set, format!("{number}#inet#{TABLE}#{}", map.name)));
    }
    for own in places.values_mut() {
        crate::sort::by(own, Ord::cmp);
    }
    places
}

/// A domain and those above it: `a.example.com`, `example.com`, `com`.
fn with_those_above(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |name| name.split_once('.').map(|(_, above)| above))
}

fn line<'a>(domain: &str, places: impl Iterator<Item = &'a Place>, snippet: &mut Snippet) {
    let mut line = format!("nftset=/{domain}/");
    let mut left_out: Vec<SetId> = Vec::new();
    let mut empty = true;
    for (set, place) in places {
        if line.len() + place.len() + usize::from(!empty) > LONGEST {
            if left_out.last() != Some(set) {
                left_out.push(*set);
            }
            continue;
        }
        if !empty {
            line.push(',');
        }
        line.push_str(place);
        empty = false;
    }
    snippet.text.push_str(&line);
    snippet.text.push('\n');
    if !left_out.is_empty() {
        snippet.crowded.push(Crowded { domain: domain.to_owned(), left_out });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::sample::{config, facts, links};
    use crate::plan::{Plan, plan};

    fn planned(text: &str) -> (Config, Plan) {
        let config = config(&(links(2, "") + text), false);
        let plan = plan(&config, &facts("GG")).unwrap();
        (config, plan)
    }

    fn lines(text: &str) -> Vec<String> {
        let (config, plan) = planned(text);
        let snippet = snippet(&config, &plan.ruleset);
        assert_eq!(snippet.crowded, []);
        let text = snippet.text.strip_prefix(HEADER).unwrap_or_else(|| {
            assert_eq!(snippet.text, "");
            ""
        });
        assert_eq!(text.lines().count(), snippet.domains);
        text.lines().map(|line| line.replace("#inet#wansplit#", ":")).collect()
    }

    #[test]
    fn a_domain_fills_the_sets_of_both_families() {
        let rule =
            "config rule 'tv'\n list dest_domain 'Example.com'\n list dest_domain '*.example.org.'\n option use 'A'\n";
        let expected = [
            "nftset=/example.com/4:rule_domains4_tv,6:rule_domains6_tv",
            "nftset=/example.org/4:rule_domains4_tv,6:rule_domains6_tv",
        ];
        assert_eq!(lines(rule), expected);
        let expected = expected.map(|line| line.replace(",6:rule_domains6_tv", ""));
        assert_eq!(lines(&(rule.to_owned() + " option family 'ipv4'\n")), expected);
    }

    #[test]
    fn the_longest_domain_names_the_sets_of_those_above_it_too() {
        let text = "config set 'wide'\n list domain 'example.com'\n list domain 'net'\n
            config rule 'narrow'\n list dest_domain 'a.video.example.com'\n option family 'ipv4'\n option use 'A'\n
            config rule 'other'\n list dest_domain 'video.example.com'\n list dest_domain 'notexample.com'\n option family 'ipv4'\n option use 'B'\n
            config rule 'rest'\n list dest_set 'wide'\n option family 'ipv4'\n option use 'B'\n";
        let expected = [
            "nftset=/a.video.example.com/4:domains4_wide,4:rule_domains4_narrow,4:rule_domains4_other",
            "nftset=/example.com/4:domains4_wide",
            "nftset=/net/4:domains4_wide",
            "nftset=/notexample.com/4:rule_domains4_other",
            "nftset=/video.example.com/4:domains4_wide,4:rule_domains4_other",
        ];
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn sets_that_no_rule_uses_are_not_filled() {
        let text = "config set 'idle'\n list domain 'example.com'\n
            config rule 'off'\n option enabled '0'\n list dest_set 'idle'\n option use 'A'\n
            config rule 'web'\n list dest_port '80'\n option use 'A'\n";
        assert_eq!(lines(text), [] as [&str; 0]);
    }

    #[test]
    fn what_is_told_is_the_same_at_all_times() {
        let text = "config rule 'thursdays'\n list dest_domain 'example.com'\n list weekdays 'thu'\n option use 'A'\n";
        let (config, thursday) = planned(text);
        let day = crate::clock::Now { instant: 86_400, ..Default::default() };
        let friday = plan(&config, &crate::network::Facts { now: day, ..facts("GG") }).unwrap();
        assert_ne!(thursday.ruleset.chains, friday.ruleset.chains);
        assert_eq!(thursday.ruleset.maps.len(), friday.ruleset.maps.len());
        assert_eq!(snippet(&config, &thursday.ruleset), snippet(&config, &friday.ruleset));
        assert_eq!(snippet(&config, &friday.ruleset).domains, 1);
    }

    #[test]
    fn a_line_that_would_be_too_long_leaves_out_the_last_sets() {
        let rule = |n| format!("config rule 'rule_number_{n}'\n list dest_domain 'example.com'\n option use 'A'\n");
        let text: String = (0..40).map(rule).collect();
        let (config, plan) = planned(&text);
        let snippet = snippet(&config, &plan.ruleset);
        let line = snippet.text.lines().nth(1).unwrap();
        assert!((LONGEST - 60..=LONGEST).contains(&line.len()), "{}", line.len());
        let [crowded] = snippet.crowded.as_slice() else { unreachable!("{:?}", snippet.crowded) };
        assert_eq!(crowded.domain, "example.com");
        let left_out: Vec<&str> = crowded.left_out.iter().map(|set| config[*set].name.as_str()).collect();
        assert!(left_out.contains(&"rule_number_39") && !left_out.contains(&"rule_number_0"), "{left_out:?}");
        for set in &config.sets {
            let whole = ["4", "6"].iter().all(|n| line.contains(&format!("domains{n}_{}", set.name)));
            assert!(whole != left_out.contains(&set.name.as_str()), "{}", set.name);
        }
    }

    #[test]
    fn long_lists_are_told_in_order_and_in_no_time() {
        let domains: String = (0..20_000).rev().map(|n| format!(" list domain 'host{n}.example.net'\n")).collect();
        let text = format!(
            "config set 'many'\n{domains} list domain 'example.net'\nconfig rule 'r'\n list dest_set 'many'\n option use 'A'\n"
        );
        let lines = lines(&text);
        assert_eq!(lines.len(), 20_001);
        assert!(lines.is_sorted());
    }
}
