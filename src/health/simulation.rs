//! Rounds and judge together, on a link that exists only in numbers.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::config::model::{Method, TrackedHost, Tracking};
use crate::network::{Down, Standing};
use proptest::prelude::*;

pub(super) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The defaults, with as many hosts.
pub(super) fn tracking(hosts: usize) -> Tracking {
    let host = |last| TrackedHost { address: std::net::Ipv4Addr::new(192, 0, 2, last).into(), port: None };
    Tracking {
        method: Method::Ping,
        hosts: (1..=u8::try_from(hosts).unwrap()).map(host).collect(),
        interval: ms(1000),
        timeout: ms(1000),
        down: 3,
        up: 3,
        reliability: 1,
        max_loss: None,
        max_latency: None,
    }
}

/// A link, and what became of it.
struct World {
    tracking: Tracking,
    rounds: Rounds,
    judge: Judge,
    now: Moment,
    /// Answers on their way: when they arrive, to what, and how long they took.
    flying: Vec<(Moment, Probe, Duration)>,
    sent: Vec<Moment>,
    /// Every change of the standing.
    standings: Vec<(Moment, Standing)>,
}

impl World {
    fn new(mut tracking: Tracking) -> Self {
        tracking.interval = tracking.interval.max(tracking.timeout / Tracking::MOST_ROUNDS);
        let mut judge = Judge::new(Some(&tracking), Moment::ZERO);
        judge.presence(Moment::ZERO, Presence::There);
        let rounds = Rounds::new(&tracking, tracking.hosts.len(), Moment::ZERO);
        let (flying, sent, standings) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = Self { tracking, rounds, judge, now: Moment::ZERO, flying, sent, standings };
        world.note();
        world
    }

    fn note(&mut self) {
        let standing = self.judge.standing();
        if self.standings.last().is_none_or(|(_, last)| *last != standing) {
            self.standings.push((self.now, standing));
        }
    }

    /// Runs until a moment. The network says how long an answer takes to a probe that is sent now, if one comes.
    fn run(&mut self, until: Moment, network: &mut dyn FnMut(Moment, Probe) -> Option<Duration>) {
        loop {
            let arrival = self.flying.iter().map(|(at, ..)| *at).min();
            let wake = [arrival, self.rounds.deadline(), self.judge.deadline()].into_iter().flatten().min();
            let Some(wake) = wake.filter(|wake| *wake <= until) else { break };
            assert!(wake >= self.now, "a deadline in the past: {wake:?} at {:?}", self.now);
            self.now = wake;
            let (arrived, flying) = self.flying.drain(..).partition(|(at, ..)| *at <= wake);
            self.flying = flying;
            for (_, probe, rtt) in arrived {
                self.rounds.answered(wake, probe, rtt);
            }
            for round in self.rounds.finished(wake) {
                self.judge.round(wake, &round);
            }
            self.judge.tick(wake);
            for probe in self.rounds.due(wake) {
                if probe.host == 0 {
                    self.sent.push(wake);
                }
                self.flying.extend(network(wake, probe).map(|rtt| (wake + rtt, probe, rtt)));
            }
            self.note();
        }
        self.now = until;
    }

    fn presence(&mut self, presence: Presence) {
        if presence == Presence::There {
            self.rounds.resume(self.now);
        } else {
            self.rounds.pause();
            self.flying.clear();
        }
        self.judge.presence(self.now, presence);
        self.note();
    }

    /// The longest a silent death of a link whose answers usually take less than half the timeout may go unseen.
    fn longest_silence(&self) -> Duration {
        let Tracking { interval, timeout, down, .. } = self.tracking;
        let spacing = interval.min(timeout) / 4;
        interval + (timeout / 2).max(spacing) + spacing * down.saturating_sub(2) + timeout
    }
}

/// Settings as the configuration allows them, with timeouts near the interval and far from it.
fn settings() -> impl Strategy<Value = Tracking> {
    let loss = proptest::option::of(1u8..=100);
    (100u64..5000, 50u64..6000, 1u32..8, 1u32..8, 1usize..4, 1u32..4, loss).prop_map(
        |(interval, timeout, down, up, hosts, reliability, max_loss)| Tracking {
            interval: ms(interval),
            timeout: ms(timeout),
            down,
            up,
            reliability: reliability.min(u32::try_from(hosts).unwrap()),
            max_loss,
            ..tracking(hosts)
        },
    )
}

/// Numbers that look random, the same each time.
fn dice(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_steady_link_stays_up_and_is_asked_no_more_often_than_the_interval(
        settings in settings(),
        percent in 0u32..100,
    ) {
        let rtt = settings.timeout * percent / 100;
        let mut world = World::new(settings);
        let interval = world.tracking.interval;
        world.run(interval * 60, &mut |_, _| Some(rtt));
        prop_assert_eq!(world.standings.len(), 1);
        prop_assert_eq!(world.rounds.statistics().lost, 0);
        // The first rounds of a very slow link are thought late.
        let steady = world.sent.iter().position(|at| *at >= interval * 10).unwrap();
        for pair in world.sent[steady..].windows(2) {
            prop_assert!(pair[1] - pair[0] >= interval, "{:?}", pair);
        }
    }

    #[test]
    fn a_silent_death_is_seen_in_time(
        settings in settings(),
        death in 0u64..60_000,
        seed in any::<u64>(),
        steady in any::<bool>(),
    ) {
        let (timeout, death) = (settings.timeout, ms(20_000 + death));
        let mut world = World::new(settings);
        let mut dice = dice(seed);
        let half = u32::try_from((timeout / 2).as_micros()).unwrap();
        let usual = u32::try_from(dice() % u64::from(half)).unwrap();
        let mut network = |now: Moment, _| {
            let micros = if steady { usual } else { u32::try_from(dice() % u64::from(half)).unwrap() };
            let rtt = Duration::from_micros(micros.into());
            (now + rtt < death).then_some(rtt)
        };
        world.run(death, &mut network);
        prop_assert_eq!(world.standings.len(), 1, "it was believed to be dead before");
        world.run(death + world.longest_silence(), &mut network);
        prop_assert_eq!(world.judge.condition(), &Condition::Down(Cause::Silent));
        // There is nothing to hurry for any more.
        let known = world.now;
        world.run(known + ms(60_000), &mut network);
        let later: Vec<_> = world.sent.iter().filter(|at| **at > known).collect();
        prop_assert!(later.windows(2).all(|pair| *pair[1] - *pair[0] >= world.tracking.interval), "{:?}", later);
    }

    #[test]
    fn a_link_that_answers_again_is_trusted_after_so_many_rounds(settings in settings(), percent in 0u32..50) {
        let mut world = World::new(settings);
        let Tracking { interval, timeout, up, .. } = world.tracking;
        let rtt = timeout * percent / 100;
        world.run(ms(20_000), &mut |_, _| Some(rtt));
        let dead_until = ms(20_000) + world.longest_silence() * 2;
        world.run(dead_until, &mut |_, _| None);
        prop_assert_eq!(world.judge.condition(), &Condition::Down(Cause::Silent));
        // Its last unanswered rounds are still on their way then, and good ones are reported after them.
        world.run(dead_until + interval * up + timeout, &mut |_, _| Some(rtt));
        prop_assert_eq!(world.judge.condition(), &Condition::Up);
    }

    #[test]
    fn constant_loss_never_oscillates(
        every in 1usize..30,
        offset in 0usize..30,
        max_loss in 1u8..=100,
        hosts in 1usize..4,
        down in 2u32..6,
    ) {
        let mut world = World::new(Tracking { max_loss: Some(max_loss), down, ..tracking(hosts) });
        let mut count = vec![offset; hosts];
        world.run(ms(600_000), &mut |_, probe| {
            count[probe.host] += 1;
            (!count[probe.host].is_multiple_of(every)).then_some(ms(20))
        });
        // It may become degraded, or dead if all are lost, and stays so.
        prop_assert!(world.standings.len() <= 2, "{:?}", world.standings);
    }

    #[test]
    fn constant_latency_never_oscillates(rtt in 1u64..990, limit in 1u64..1000) {
        let mut world = World::new(Tracking { max_latency: Some(ms(limit)), ..tracking(1) });
        world.run(ms(120_000), &mut |_, _| Some(ms(rtt)));
        prop_assert!(world.standings.len() <= 2, "{:?}", world.standings);
        let quality = if rtt > limit { Condition::Degraded(Quality::Latency) } else { Condition::Up };
        prop_assert_eq!(world.judge.condition(), &quality);
    }

    #[test]
    fn a_caller_that_stalls_makes_no_burst_and_no_failure(
        settings in settings(),
        percent in 0u32..50,
        stalls in proptest::collection::vec((1u64..20_000, 1u64..20_000), 1..10),
    ) {
        let rtt = settings.timeout * percent / 100;
        let mut world = World::new(settings);
        for (run, stall) in stalls {
            world.run(world.now + ms(run), &mut |_, _| Some(rtt));
            // Nobody looks for a while; then all that has come is read at once.
            world.now += ms(stall);
            let now = world.now;
            for (at, ..) in &mut world.flying {
                *at = (*at).max(now);
            }
            for (_, probe, rtt) in std::mem::take(&mut world.flying) {
                world.rounds.answered(now, probe, rtt + ms(stall));
            }
            for round in world.rounds.finished(now) {
                prop_assert_eq!(round.outcome, Outcome::Good);
                world.judge.round(now, &round);
            }
            let sent: Vec<_> = (0..100).flat_map(|_| world.rounds.due(now)).collect();
            prop_assert!(sent.iter().all(|probe| probe.round == sent[0].round), "a burst: {:?}", sent);
            world.flying.extend(sent.into_iter().map(|probe| (now + rtt, probe, rtt)));
        }
        prop_assert_eq!(world.standings.len(), 1);
    }

    #[test]
    fn a_flapping_carrier_changes_little_and_is_forgiven(
        up in 50u64..1000,
        down in 50u64..1000,
        interval in 100u64..2000,
        rounds_up in 1u32..5,
    ) {
        let mut world = World::new(Tracking { interval: ms(interval), up: rounds_up, ..tracking(1) });
        let mut network = |_, _| Some(ms(5));
        while world.now < ms(60_000) {
            world.run(world.now + ms(up), &mut network);
            world.presence(Presence::NoCarrier);
            world.run(world.now + ms(down), &mut network);
            world.presence(Presence::There);
        }
        let steady = world.now;
        world.run(steady + ms(300_000), &mut network);
        prop_assert!(world.standings.len() - 1 <= 12, "{:?}", world.standings);
        prop_assert_eq!(world.judge.condition(), &Condition::Up);
    }

    #[test]
    fn a_link_that_dies_silently_again_and_again_changes_little_and_is_forgiven(
        alive in 100u64..4000,
        dead in 100u64..4000,
        interval in 100u64..1000,
        down in 1u32..4,
        up in 1u32..4,
    ) {
        let settings = Tracking { interval: ms(interval), timeout: ms(250.max(interval)), down, up, ..tracking(1) };
        let mut world = World::new(settings);
        let period = alive + dead;
        let answers = |at: Moment| at >= ms(60_000) || at.as_millis() % u128::from(period) < u128::from(alive);
        world.run(ms(60_000 + 300_000), &mut |now, _| answers(now).then_some(ms(5)));
        prop_assert!(world.standings.len() - 1 <= 16, "{:?}", world.standings);
        prop_assert_eq!(world.judge.condition(), &Condition::Up);
    }
}

#[test]
fn with_the_defaults_a_silent_death_is_seen_within_2750_ms_and_with_100_ms_within_450() {
    let fast = Tracking { interval: ms(100), timeout: ms(250), ..tracking(1) };
    for (settings, rtt, bound) in [(tracking(1), ms(30), ms(2750)), (fast, ms(30), ms(450))] {
        for tenth in 0..200 {
            let death = ms(10_000 + tenth * 10);
            let mut world = World::new(settings.clone());
            let mut network = |now: Moment, _| (now + rtt < death).then_some(rtt);
            world.run(death + bound, &mut network);
            let (at, standing) = *world.standings.last().unwrap();
            assert_eq!(standing, Standing::Dead, "death at {death:?}");
            assert!(at > death);
        }
    }
}

#[test]
fn flapping_every_300_ms_for_a_minute_changes_little() {
    let fast = Tracking { interval: ms(100), timeout: ms(250), ..tracking(1) };
    let faster = Tracking { down: 1, up: 1, ..fast.clone() };
    for settings in [tracking(1), fast, faster] {
        let mut world = World::new(settings.clone());
        let answers = |at: Moment| at >= ms(60_000) || (at.as_millis() / 300).is_multiple_of(2);
        world.run(ms(60_000 + 120_000), &mut |now, _| answers(now).then_some(ms(5)));
        assert!(world.standings.len() - 1 <= 12, "{:?}", world.standings);
        assert_eq!(world.judge.condition(), &Condition::Up);

        let mut world = World::new(settings);
        for half in 1..=200 {
            world.run(ms(half * 300), &mut |_, _| Some(ms(5)));
            world.presence(if half % 2 == 1 { Presence::NoCarrier } else { Presence::There });
        }
        assert!(world.standings.len() - 1 <= 12, "{:?}", world.standings);
        world.run(ms(60_000 + 60_000), &mut |_, _| Some(ms(5)));
        assert_eq!(world.judge.condition(), &Condition::Up);
    }
}

#[test]
fn a_link_that_goes_on_dying_for_an_hour_is_not_tried_anew_as_its_penalty_fades() {
    let settings = Tracking { interval: ms(100), timeout: ms(250), down: 1, up: 1, ..tracking(1) };
    let mut world = World::new(settings);
    world.run(ms(3_600_000), &mut |now, _| (now.as_millis() % 1729 < 1358).then_some(ms(5)));
    assert!(world.standings.len() - 1 <= 12, "{:?}", world.standings);
}

#[test]
fn a_reconnect_once_an_hour_is_never_held() {
    let mut world = World::new(tracking(1));
    let mut network = |_, _| Some(ms(20));
    for hour in 1..=48 {
        world.run(ms(hour * 3_600_000), &mut network);
        world.presence(Presence::Gone(Down::InterfaceDown));
        world.run(world.now + ms(8000), &mut network);
        world.presence(Presence::There);
        assert_eq!(world.judge.condition(), &Condition::Unproven);
        // The first round is at once, not after an interval.
        world.run(world.now + ms(2100), &mut network);
        assert_eq!(world.judge.condition(), &Condition::Up);
    }
}

#[test]
fn a_dead_host_does_not_count_as_loss_and_a_loss_of_all_does() {
    let mut world = World::new(Tracking { max_loss: Some(20), ..tracking(2) });
    world.run(ms(60_000), &mut |_, probe| (probe.host == 0).then_some(ms(20)));
    assert_eq!((world.judge.condition(), world.rounds.statistics().loss_percent), (&Condition::Up, 0));
    // A third of each host's probes, never both of one round: no round fails, and the loss is seen all the same.
    let mut count = [0, 1];
    world.run(ms(120_000), &mut |_, probe| {
        count[probe.host] += 1;
        (count[probe.host] % 3 != 0).then_some(ms(20))
    });
    assert_eq!(world.judge.condition(), &Condition::Degraded(Quality::Loss));
    assert!((30..=35).contains(&world.rounds.statistics().loss_percent));
    let good = world.now;
    world.run(good + ms(30_000), &mut |_, _| Some(ms(20)));
    assert_eq!(world.judge.condition(), &Condition::Up);
}

#[test]
fn a_link_costs_little_memory() {
    assert!(size_of::<Rounds>() + size_of::<Judge>() < 640, "{} {}", size_of::<Rounds>(), size_of::<Judge>());
}
