//! Any configuration: strategies that make the typed model directly.

use proptest::collection::{btree_set, hash_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use wansplit::config::model::*;
use wansplit::config::source::Position;
use wansplit::interval::{Interval, IntervalSet};

/// A place that does not count.
pub const NOWHERE: Position = Position { line: 0, column: 0 };

fn name() -> impl Strategy<Value = String> {
    // No digits behind a blank: `use 'a 3'` may then mean link 'a'.
    "[a-zA-Z0-9_äöüß€'\"\\\\#;][a-zA-Zäöü '\"\\\\#;€]{0,20}[a-zA-Zäöü'\"\\\\#;]"
        .prop_filter("reserved", |name| !["main", "unreachable", "blackhole"].contains(&name.as_str()))
}

fn device() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9.+_-]{0,14}"
}

fn mask() -> impl Strategy<Value = Mask> {
    (2u32..=32, any::<Index>()).prop_map(|(bits, shift)| {
        let run = u32::MAX >> (32 - bits);
        Mask::new(run << shift.index((33 - bits) as usize)).unwrap()
    })
}

fn globals() -> impl Strategy<Value = Globals> {
    let level =
        select(vec![log::LevelFilter::Error, log::LevelFilter::Warn, log::LevelFilter::Info, log::LevelFilter::Debug]);
    let directories = btree_set("/[a-z0-9./_-]{0,12}[a-z0-9._-]", 0..3).prop_map(|set| set.into_iter().collect());
    (any::<bool>(), mask(), 3u32..=32000, level, directories).prop_map(
        |(enabled, mask, rule_priority, log_level, dnsmasq_dirs)| Globals {
            enabled,
            mask,
            rule_priority,
            log_level,
            dnsmasq_dirs,
        },
    )
}

fn fallback() -> impl Strategy<Value = Fallback> {
    select(vec![Fallback::Main, Fallback::Unreachable, Fallback::Blackhole])
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let gateway = any::<u32>().prop_map(std::net::Ipv4Addr::from).prop_filter("no gateway", |a| {
        !(a.is_unspecified() || a.is_multicast() || a.is_loopback() || a.is_broadcast())
    });
    let gateway6 = any::<u128>()
        .prop_map(std::net::Ipv6Addr::from)
        .prop_filter("no gateway", |a| !(a.is_unspecified() || a.is_multicast() || a.is_loopback()));
    prop_oneof![
        device().prop_map(Attachment::Interface),
        (device(), option::of(gateway), option::of(gateway6))
            .prop_map(|(device, gateway, gateway6)| Attachment::Device { device, gateway, gateway6 }),
    ]
}

/// A non-empty set of numbers.
fn numbers(first: u128, last: u128) -> BoxedStrategy<IntervalSet> {
    vec((first..=last, first..=last, any::<bool>()), 1..6)
        .prop_map(|parts| {
            parts
                .into_iter()
                .map(|(a, b, single)| if single { Interval::single(a) } else { Interval::new(a, b) })
                .collect()
        })
        .boxed()
}

/// The addresses of one side: `None` is any, and `(v4, v6)` otherwise; a missing one of these is any of that family.
type Side = Option<(Option<IntervalSet>, Option<IntervalSet>)>;

fn side() -> impl Strategy<Value = Side> {
    option::of((option::of(numbers(0, u128::from(u32::MAX))), option::of(numbers(0, u128::MAX))))
}

fn choice<T: Ord + Clone + std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Choice<T>> {
    (btree_set(item, 1..4), any::<bool>())
        .prop_map(|(set, one)| (set.into_iter().collect(), one))
        .prop_map(|(set, one)| if one { Choice::OneOf(set) } else { Choice::NoneOf(set) })
}

fn matches() -> impl Strategy<Value = Matches> {
    let family = option::of(select(vec![Family::V4, Family::V6]));
    let ports = || option::of(numbers(1, 65535));
    let protocols = option::of(numbers(0, 255));
    let with_ports = select(vec![vec![6], vec![17], vec![6, 17], vec![33, 132, 136]]);
    let macs = option::of(choice(any::<[u8; 6]>().prop_map(Mac)));
    let from = option::of(choice(device()));
    (family, side(), side(), protocols, with_ports, ports(), ports(), from, macs, option::of(numbers(0, 63))).prop_map(
        |(
            family,
            source,
            destination,
            protocols,
            with_ports,
            source_ports,
            destination_ports,
            interfaces,
            macs,
            dscp,
        )| {
            let part = |side: &Side, of: Family| {
                let set = side.as_ref().and_then(|(v4, v6)| if of == Family::V4 { v4.clone() } else { v6.clone() });
                let allowed = family.is_none_or(|only| only == of);
                set.filter(|set| allowed && *set != IntervalSet::full(of.max_address()))
            };
            let ports = source_ports.is_some() || destination_ports.is_some();
            let with_ports: IntervalSet = with_ports.into_iter().map(Interval::single).collect();
            Matches {
                family,
                protocols: if ports {
                    Some(with_ports)
                } else {
                    protocols.filter(|set| *set != IntervalSet::full(255))
                },
                source4: part(&source, Family::V4),
                source6: part(&source, Family::V6),
                destination4: part(&destination, Family::V4),
                destination6: part(&destination, Family::V6),
                source_ports,
                destination_ports,
                interfaces,
                macs,
                dscp: dscp.filter(|set| *set != IntervalSet::full(63)),
                ..Matches::default()
            }
        },
    )
}

/// A host of one family that can be asked, with a port if the method knows ports.
fn host(family: Family, method: Method) -> impl Strategy<Value = TrackedHost> {
    let address = any::<u128>().prop_map(move |bits| match family {
        // 128.0.0.0/2 and 2000::/4 hold ordinary addresses only.
        Family::V4 => Ipv4Addr::from_bits((bits as u32 >> 2) | 0x8000_0000).into(),
        Family::V6 => Ipv6Addr::from_bits((bits >> 4) | 0x2000 << 112).into(),
    });
    (address, option::of(1u16..))
        .prop_map(move |(address, port)| TrackedHost { address, port: port.filter(|_| method.usual_port().is_some()) })
}

fn tracking() -> impl Strategy<Value = Tracking> {
    let milliseconds = |range: std::ops::RangeInclusive<u64>| range.prop_map(Duration::from_millis);
    select(Method::ALL.to_vec()).prop_flat_map(move |method| {
        // Both families, or it is a note that one is not watched.
        let hosts = |family| vec(host(family, method), 1..4);
        let times = (milliseconds(100..=3_600_000), milliseconds(10..=60_000), option::of(any::<Index>()));
        let counts = (1u32..=100, 1u32..=100, any::<Index>());
        (hosts(Family::V4), hosts(Family::V6), times, counts, option::of(1u8..=100)).prop_map(
            move |(mut hosts, hosts6, (interval, timeout, latency), (down, up, reliability), max_loss)| {
                hosts.extend(hosts6);
                let mut seen = std::collections::HashSet::new();
                hosts.retain(|host| method != Method::Arp && seen.insert(host.address));
                let count = |family| hosts.iter().filter(|host| Family::of(host.address) == family).count();
                let most = count(Family::V4).min(count(Family::V6)).max(1);
                let timeout = timeout.min(interval * Tracking::MOST_ROUNDS);
                // Less than the timeout, or it is a warning.
                let latency_of =
                    |index: Index| Duration::from_millis(1 + index.index(timeout.as_millis() as usize - 1) as u64);
                Tracking {
                    method,
                    hosts,
                    interval,
                    timeout,
                    down,
                    up,
                    reliability: 1 + u32::try_from(reliability.index(most)).unwrap(),
                    max_loss,
                    max_latency: latency.map(latency_of),
                }
            },
        )
    })
}

fn quota() -> impl Strategy<Value = Quota> {
    (1u64..=1_000_000_000_000, select(Period::ALL.to_vec())).prop_map(|(k, per)| Quota { bytes: k * 1000, per })
}

/// Links, some of them tunnels: each may go by one before it, so none in a circle.
fn links(mask: Mask, names: Vec<String>) -> impl Strategy<Value = Vec<Link>> {
    let host = || prop_oneof![host(Family::V4, Method::Tcp), host(Family::V6, Method::Tcp)];
    let endpoint = prop_oneof![
        host().prop_map(|TrackedHost { address, port }| Endpoint { address: Some(address), port }),
        (1u16..).prop_map(|port| Endpoint { address: None, port: Some(port) }),
    ];
    let endpoints = btree_set(endpoint, 0..3).prop_map(|set| set.into_iter().collect::<Vec<_>>());
    let tunnels = vec((endpoints, option::of(any::<Index>())), names.len());
    (bare_links(mask, names), tunnels).prop_map(|(mut links, tunnels)| {
        for (n, (link, (endpoints, via))) in links.iter_mut().zip(tunnels).enumerate() {
            link.endpoints = endpoints;
            link.via = via.map(|index| match index.index(n + 1) {
                0 => Underlay::Main,
                before => Underlay::Link(LinkId(before - 1)),
            });
        }
        links
    })
}

fn bare_links(mask: Mask, names: Vec<String>) -> impl Strategy<Value = Vec<Link>> {
    let count = names.len();
    let pins = (option::of(any::<Index>()), any::<bool>(), any::<bool>());
    let flush = (any::<bool>(), any::<bool>()).prop_map(|(down, up)| Flush { down, up });
    let meter = (option::of(1u32..=1_000_000_000), option::of(quota()));
    let masq6 = option::of(any::<bool>());
    vec((attachment(), fallback(), pins, option::of(tracking()), (flush, masq6), meter), count).prop_map(move |parts| {
        let mut taken = std::collections::BTreeSet::new();
        let parts = parts.into_iter().zip(&names).enumerate();
        type Meter = (Option<u32>, Option<Quota>);
        type Part = (Attachment, Fallback, (Option<Index>, bool, bool), Option<Tracking>, (Flush, Option<bool>), Meter);
        let link = |(index, (part, name)): (usize, (Part, &String))| {
            let (mut attachment, fallback, (mark, table, priority), tracking, (flush, masq6), (speed, quota)) = part;
            // No two links on one device: that is a warning.
            match &mut attachment {
                Attachment::Interface(place) | Attachment::Device { device: place, .. } => {
                    *place = format!("{}{index}", &place[..place.len().min(10)]);
                }
                Attachment::Unusable => {}
            }
            let index = u32::try_from(index).unwrap();
            let mark =
                mark.and_then(|slot: Index| mask.mark(1 + u32::try_from(slot.index(mask.slots() as usize)).unwrap()));
            Link {
                name: name.clone(),
                at: NOWHERE,
                attachment,
                mark: mark.filter(|mark| taken.insert(*mark)),
                table: table.then_some(1000 + index),
                priority: priority.then_some(100 + index),
                fallback,
                masq6,
                tracking,
                flush,
                speed,
                quota,
                endpoints: Vec::new(),
                via: None,
            }
        };
        parts.map(link).collect()
    })
}

fn policies(links: usize, names: Vec<String>) -> impl Strategy<Value = Vec<Policy>> {
    let mode =
        prop_oneof![Just(Mode::Failover), Just(Mode::Balance(Spread::Client)), Just(Mode::Balance(Spread::Connection))];
    let members = hash_set(0..links, 1..=links).prop_map(|set| set.into_iter().collect::<Vec<_>>());
    let count = names.len();
    // Often several in a tier.
    let tier = prop_oneof![1u16..=2, 1u16..=1000];
    vec((members, vec((1u16..=256, tier), links), mode, fallback()), count).prop_map(move |parts| {
        type Part = (Vec<usize>, Vec<(u16, u16)>, Mode, Fallback);
        let policy = |(part, name): (Part, &String)| {
            let (members, places, mode, fallback) = part;
            let place = |link: usize| if mode == Mode::Failover { (1, 1) } else { places[link] };
            let member = |(link, (weight, tier))| Member { link: LinkId(link), weight, tier };
            let mut members: Vec<Member> = members.into_iter().map(|link| member((link, place(link)))).collect();
            members.sort_by_key(|member| member.tier);
            Policy { name: name.clone(), at: NOWHERE, members, mode, fallback }
        };
        parts.into_iter().zip(&names).map(policy).collect()
    })
}

/// Days and a span; nothing if that is always.
fn schedule() -> impl Strategy<Value = Option<Schedule>> {
    let day = 24 * 3600i64;
    (hash_set(0u8..7, 1..=7), 0..day, 1..=day)
        .prop_filter_map("no time", |(days, start, stop)| (start != stop).then(|| Schedule::new(days, start, stop)))
}

fn rules(links: usize, policies: usize) -> impl Strategy<Value = Vec<Rule>> {
    let mut targets = vec![Target::Main, Target::Unreachable, Target::Blackhole];
    targets.extend((0..links).map(|link| Target::Link(LinkId(link))));
    targets.extend((0..policies).map(|policy| Target::Policy(PolicyId(policy))));
    let origin = select(vec![Origin::Lan, Origin::Router, Origin::Any]);
    let users = option::of(numbers(0, LAST_USER.into()));
    let noted = (any::<bool>(), any::<bool>(), option::of(schedule()), users);
    vec((matches(), origin, select(targets), noted), 0..5).prop_flat_map(|parts| {
        hash_set(name(), parts.len()).prop_map(move |names| {
            type Part = (Matches, Origin, Target, (bool, bool, Option<Option<Schedule>>, Option<IntervalSet>));
            let rule = |((mut matches, origin, target, (counter, log, schedule, users)), name): (Part, String)| {
                if origin.includes_router() {
                    (matches.interfaces, matches.macs, matches.dscp) = (None, None, None);
                }
                matches.users = users.filter(|_| origin == Origin::Router);
                let schedule = schedule.flatten();
                Rule {
                    name,
                    section: String::new(),
                    at: NOWHERE,
                    origin,
                    matches,
                    target,
                    sticky: None,
                    schedule,
                    counter,
                    log,
                }
            };
            parts.clone().into_iter().zip(names).map(rule).collect()
        })
    })
}

/// Any configuration that is right and has something to say.
pub fn config() -> impl Strategy<Value = Config> {
    let names = (1usize..4, 0usize..3).prop_flat_map(|(links, policies)| {
        hash_set(name(), links + policies).prop_map(move |names| {
            let mut names: Vec<String> = names.into_iter().collect();
            let of_policies = names.split_off(links);
            (names, of_policies)
        })
    });
    (globals(), names).prop_flat_map(|(globals, (of_links, of_policies))| {
        let (link_count, policy_count) = (of_links.len(), of_policies.len());
        let links = links(globals.mask, of_links);
        (links, policies(link_count, of_policies), rules(link_count, policy_count)).prop_map(
            move |(links, policies, rules)| Config {
                globals: globals.clone(),
                links,
                policies,
                sets: Vec::new(),
                rules,
            },
        )
    })
}
