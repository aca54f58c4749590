//! What may happen, and how likely it is.

use super::configuration::Change;
use super::world::{Condition, World};
use crate::dice::Dice;
use crate::fault::Families;

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// Nothing but time.
    Peace,
    /// A link gets worse.
    Worse(u8, Condition),
    /// Two at once, in the same moment.
    WorseBoth([u8; 2], [Condition; 2]),
    /// A link is whole again.
    Mended(u8),
    /// All are.
    AllMended,
    /// The carrier goes and comes: so many times, every so many milliseconds.
    Flapping(u8, u8, u64),
    /// Another lease: addresses and gateways of both families.
    Renewal(u8),
    /// The configuration is changed, and made known so.
    Configured(Change, Means),
    /// A line of nonsense is in the file, which is then put right.
    Nonsense,
    /// Only so much of the file is there for a moment, in percent.
    HalfWritten(u64),
    /// `apply`, that many at once.
    Applies(u8),
    /// `apply` is killed after so many microseconds, with a configuration to apply.
    ApplyKilled(Change, u64),
    /// `stop`, and then `apply`.
    Stopped,
    /// The daemon is asked to end, and started again.
    Terminated,
    /// The daemon is killed so many milliseconds after a link got worse or was mended.
    Killed(u64),
    /// SIGHUP that many times.
    Hangups(u8),
    /// netifd reports that often, with nothing new to say.
    Hotplugs(u8),
    /// Somebody breaks what is ours.
    Vandal(Vandal),
    /// Other programs put things of theirs beside ours.
    Neighbours,
    /// That many foreign routes come and go at once.
    Overrun(u32),
}

/// How a configuration is made known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// `wansplit apply`.
    Apply,
    /// SIGHUP.
    Hangup,
    /// SIGHUP and `apply` at once.
    Both,
    /// `stop`, and `apply`.
    StopApply,
}

/// What others do to what is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vandal {
    /// `nft flush ruleset`, and the firewall comes back.
    RulesetFlushed,
    /// Our table is deleted.
    TableDeleted,
    /// Our chains are emptied.
    TableFlushed,
    /// Our ip rules are deleted.
    RulesDeleted,
    /// All ip rules are flushed, as netifd does it.
    RulesFlushed,
    /// Our routes are flushed.
    RoutesFlushed,
    /// One route of ours goes.
    RouteDeleted,
    /// Connection tracking forgets everything.
    ConnectionsFlushed,
}

impl Event {
    /// The next one. `restarts`: whether the daemon may be ended.
    pub(super) fn draw(world: &mut World, dice: &mut Dice, restarts: bool) -> Self {
        match dice.below(100) {
            0..=24 => Self::worse(world, dice),
            25..=31 => Self::mended(world, dice),
            32..=35 => world
                .any_well(dice)
                .map_or(Self::AllMended, |link| Self::Flapping(link, 2 + dice.small(8), 50 + dice.below(200))),
            36..=39 => world.any_well(dice).map_or(Self::AllMended, Self::Renewal),
            40..=53 => {
                let change = world.configuration.change(dice);
                Self::Configured(
                    change,
                    *dice.choose(&[Means::Apply, Means::Apply, Means::Hangup, Means::Both, Means::StopApply]),
                )
            }
            54..=56 => Self::Nonsense,
            57..=58 => Self::HalfWritten(dice.below(100)),
            59..=61 => Self::Applies(1 + dice.small(3)),
            62..=64 => Self::ApplyKilled(world.configuration.change(dice), dice.below(60_000)),
            65..=66 => Self::Stopped,
            67..=68 if restarts => Self::Terminated,
            69..=72 if restarts => Self::Killed(dice.below(300)),
            67..=74 => Self::Hangups(1 + dice.small(10)),
            75..=76 => Self::Hotplugs(5 + dice.small(20)),
            77..=90 => Self::Vandal(*dice.choose(&Vandal::ALL)),
            91..=93 => Self::Neighbours,
            94..=95 => Self::Overrun(2000 + 1000 * u32::from(dice.small(5))),
            _ => Self::Peace,
        }
    }

    fn worse(world: &World, dice: &mut Dice) -> Self {
        let well = world.well();
        let condition = |dice: &mut Dice| {
            *dice.choose(&[
                Condition::NoCarrier,
                Condition::NoCarrier,
                Condition::Silent(Families::Both),
                Condition::Silent(Families::V4),
                Condition::Silent(Families::V6),
                Condition::Lossy(30),
                Condition::Lossy(80),
                Condition::Down,
                Condition::Unplugged,
            ])
        };
        match well[..] {
            // One is left whole, for who is on it to notice nothing.
            [] | [_] => Self::AllMended,
            [_, _] => Self::Worse(*dice.choose(&well), condition(dice)),
            _ if dice.below(4) > 0 => Self::Worse(*dice.choose(&well), condition(dice)),
            _ => {
                let spared = *dice.choose(&well);
                let rest: Vec<u8> = well.into_iter().filter(|link| *link != spared).collect();
                Self::WorseBoth([rest[0], rest[1]], [condition(dice), condition(dice)])
            }
        }
    }

    fn mended(world: &World, dice: &mut Dice) -> Self {
        let ill = world.ill();
        if ill.is_empty() { Self::Peace } else { Self::Mended(*dice.choose(&ill)) }
    }

    /// The links that it happens to: who is on another one must not notice.
    pub(super) fn touches(&self) -> Vec<u8> {
        match self {
            Self::Worse(link, _) | Self::Mended(link) | Self::Flapping(link, ..) | Self::Renewal(link) => vec![*link],
            Self::WorseBoth(links, _) => links.to_vec(),
            Self::Configured(_, Means::StopApply) | Self::Stopped | Self::HalfWritten(_) | Self::Vandal(_) => {
                vec![1, 2, 3]
            }
            Self::Configured(change, _) | Self::ApplyKilled(change, _) => match change {
                Change::Rules | Change::Options(_) => Vec::new(),
                Change::Link(link) => vec![*link],
                Change::Mask => vec![1, 2, 3],
            },
            Self::AllMended => vec![1, 2, 3],
            _ => Vec::new(),
        }
    }

    /// Whether packets may go astray while it lasts: what holds them is gone, or they are unknown to what holds them.
    pub(super) fn is_lawless(&self) -> bool {
        match self {
            Self::Configured(change, means) => {
                *means == Means::StopApply || matches!(change, Change::Mask | Change::Link(_))
            }
            Self::ApplyKilled(change, _) => matches!(change, Change::Mask | Change::Link(_)),
            Self::Stopped | Self::HalfWritten(_) | Self::Vandal(_) => true,
            _ => false,
        }
    }
}

impl Vandal {
    const ALL: [Self; 8] = [
        Self::RulesetFlushed,
        Self::TableDeleted,
        Self::TableFlushed,
        Self::RulesDeleted,
        Self::RulesFlushed,
        Self::RoutesFlushed,
        Self::RouteDeleted,
        Self::ConnectionsFlushed,
    ];
}
