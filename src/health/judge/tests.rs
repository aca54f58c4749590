//! Each transition by itself.

use super::*;
use crate::config::model::{Period, Quota};
use crate::health::simulation::{ms, tracking};

const AWAY: Presence = Presence::Gone(Down::InterfaceDown);
const GONE: Condition = Condition::Down(Cause::Gone(Down::InterfaceDown));
const SILENT: Condition = Condition::Down(Cause::Silent);

/// What happens to a link, one thing a second.
#[derive(Debug, Clone, Copy)]
enum Event {
    Is(Presence),
    /// A good round.
    Good,
    Failed,
    Void,
    /// A good round, and the window holds so many lost ones.
    Lossy(u8),
    /// A good round with this smoothed time in milliseconds.
    Slow(u64),
    /// So many seconds pass.
    Wait(u64),
}
use Event::{Failed, Good, Is, Lossy, Slow, Void, Wait};
use Presence::{NoCarrier, There};

fn round(outcome: Outcome, lost: u8, rtt: u64) -> Round {
    let rtt = Some(ms(rtt));
    let statistics = Statistics { rtt, last_rtt: rtt, loss_percent: lost * 5, lost, rounds: WINDOW };
    Round { outcome, rtt, statistics }
}

fn happen(judge: &mut Judge, now: &mut Moment, event: Event) {
    *now += ms(1000);
    match event {
        Is(presence) => judge.presence(*now, presence),
        Good => judge.round(*now, &round(Outcome::Good, 0, 20)),
        Failed => judge.round(*now, &round(Outcome::Failed, 0, 20)),
        Void => judge.round(*now, &round(Outcome::Void, 0, 20)),
        Lossy(lost) => judge.round(*now, &round(Outcome::Good, lost, 20)),
        Slow(rtt) => judge.round(*now, &round(Outcome::Good, 0, rtt)),
        Wait(seconds) => {
            *now += ms(seconds * 1000);
            judge.tick(*now);
        }
    }
}

fn after(mut judge: Judge, events: &[Event]) -> Judge {
    let mut now = Moment::ZERO;
    events.iter().for_each(|event| happen(&mut judge, &mut now, *event));
    judge
}

fn watched() -> Judge {
    Judge::new(
        Some(&Tracking { max_loss: Some(40), max_latency: Some(ms(200)), down: 3, up: 2, ..tracking(1) }),
        Moment::ZERO,
    )
}

fn unwatched() -> Judge {
    Judge::new(None, Moment::ZERO)
}

#[test]
fn each_transition_of_a_watched_link() {
    let degraded = Condition::Degraded(Quality::Loss);
    let slow = Condition::Degraded(Quality::Latency);
    let cases: &[(&[Event], Condition)] = &[
        (&[], Condition::Down(Cause::Gone(Down::NotOffered))),
        // First sight.
        (&[Is(There)], Condition::Up),
        (&[Is(NoCarrier)], Condition::Down(Cause::NoCarrier)),
        (&[Is(AWAY)], GONE),
        // Silence.
        (&[Is(There), Failed, Failed], Condition::Up),
        (&[Is(There), Failed, Failed, Good, Failed, Failed], Condition::Up),
        (&[Is(There), Failed, Void, Failed, Void, Failed], SILENT),
        (&[Is(There), Void, Void, Void, Void], Condition::Up),
        (&[Is(There), Failed, Failed, Failed, Good], SILENT),
        (&[Is(There), Failed, Failed, Failed, Good, Failed, Good], SILENT),
        (&[Is(There), Failed, Failed, Failed, Good, Void, Good], Condition::Up),
        // Away and back.
        (&[Is(There), Is(AWAY)], GONE),
        (&[Is(There), Is(AWAY), Is(NoCarrier)], Condition::Down(Cause::NoCarrier)),
        (&[Is(There), Is(AWAY), Good, Good, Failed, Failed, Failed], GONE),
        (&[Is(There), Is(AWAY), Is(There)], Condition::Unproven),
        (&[Is(There), Is(AWAY), Is(There), Is(There), Good], Condition::Unproven),
        (&[Is(There), Is(AWAY), Is(There), Good, Failed, Good], Condition::Unproven),
        (&[Is(There), Is(AWAY), Is(There), Good, Good], Condition::Up),
        (&[Is(There), Is(AWAY), Is(There), Failed, Failed, Failed], SILENT),
        (&[Is(AWAY), Is(There)], Condition::Unproven),
        // Rounds from before it went do not count after it is back.
        (&[Is(There), Failed, Failed, Is(AWAY), Is(There), Failed], Condition::Unproven),
        (&[Is(There), Good, Is(AWAY), Is(There), Good], Condition::Unproven),
        (&[Is(There), Failed, Failed, Failed, Is(NoCarrier)], Condition::Down(Cause::NoCarrier)),
        (&[Is(There), Failed, Failed, Failed, Is(NoCarrier), Is(There)], Condition::Unproven),
        // Quality.
        (&[Is(There), Lossy(8)], Condition::Up),
        (&[Is(There), Lossy(9)], degraded),
        (&[Is(There), Slow(200)], Condition::Up),
        (&[Is(There), Slow(201)], slow),
        (&[Is(There), Lossy(9), Good], degraded),
        (&[Is(There), Lossy(9), Failed, Failed, Failed], SILENT),
        (&[Is(There), Lossy(9), Is(AWAY)], GONE),
        // Bad from the first moment on which it is used again.
        (&[Is(There), Failed, Failed, Failed, Lossy(15), Lossy(15)], degraded),
        (&[Is(There), Is(AWAY), Is(There), Slow(300), Slow(300)], slow),
    ];
    for (events, expected) in cases {
        assert_eq!(after(watched(), events).condition(), expected, "after {events:?}");
    }
}

#[test]
fn each_transition_of_a_link_nobody_watches() {
    let cases: &[(&[Event], Condition)] = &[
        (&[Is(There)], Condition::Up),
        (&[Is(There), Failed, Failed, Failed, Failed], Condition::Up),
        (&[Is(There), Is(NoCarrier)], Condition::Down(Cause::NoCarrier)),
        (&[Is(There), Is(NoCarrier), Is(There)], Condition::Up),
        (&[Is(AWAY), Is(There)], Condition::Up),
    ];
    for (events, expected) in cases {
        assert_eq!(after(unwatched(), events).condition(), expected, "after {events:?}");
    }
}

#[test]
fn a_degraded_link_recovers_late_and_only_when_it_is_much_better() {
    let recovers = |bad: Event, then: Event| {
        let mut events = vec![Is(There), bad];
        events.extend([then; 20]);
        assert_ne!(after(watched(), &events[..21]).condition(), &Condition::Up, "too soon: {bad:?}, {then:?}");
        after(watched(), &events).condition() == &Condition::Up
    };
    assert!(recovers(Lossy(9), Lossy(4)));
    assert!(!recovers(Lossy(9), Lossy(5)));
    assert!(recovers(Slow(201), Slow(150)));
    assert!(!recovers(Slow(201), Slow(151)));
    // The other fault is still there.
    assert!(!recovers(Lossy(9), Slow(250)));
    assert!(!recovers(Slow(201), Lossy(9)));
}

#[test]
fn a_verdict_from_before_is_continued() {
    let at_first_sight = |judge: Judge, standing| *after(judge.restore(standing), &[Is(There)]).condition();
    assert_eq!(at_first_sight(watched(), Standing::Good), Condition::Up);
    assert_eq!(at_first_sight(watched(), Standing::Poor), Condition::Unproven);
    assert_eq!(at_first_sight(watched(), Standing::Dead), SILENT);
    for standing in [Standing::Good, Standing::Poor, Standing::Dead] {
        assert_eq!(at_first_sight(unwatched(), standing), Condition::Up);
    }
    let dead = || watched().restore(Standing::Dead);
    assert_eq!(after(dead(), &[Is(There), Good]).condition(), &SILENT);
    assert_eq!(after(dead(), &[Is(There), Good, Good]).condition(), &Condition::Up);
    // It counts at first sight only.
    assert_eq!(after(dead(), &[Is(AWAY), Is(There)]).condition(), &Condition::Unproven);
}

#[test]
fn a_link_that_falls_too_often_is_held_and_then_trusted_again() {
    let falls = |count: usize| [[Is(NoCarrier), Is(There)]].repeat(count).concat();
    let held = |judge: Judge, count: usize, then: &[Event]| {
        let events = [&[Is(There)], falls(count).as_slice(), then].concat();
        after(judge, &events)
    };
    assert_eq!(held(unwatched(), 3, &[]).condition(), &Condition::Up);
    let judge = held(unwatched(), 4, &[]);
    // The fourth return was in the ninth second.
    assert_eq!(judge.condition(), &Condition::Held { until: ms(14_000), falls: 4 });
    assert_eq!((judge.since(), judge.deadline(), judge.standing()), (ms(9000), Some(ms(14_000)), Standing::Poor));
    assert_eq!(held(unwatched(), 4, &[Wait(3)]).since(), ms(9000));
    assert_eq!(held(unwatched(), 4, &[Wait(4)]).condition(), &Condition::Up);
    // A watched link proves itself meanwhile, or after.
    assert_eq!(held(watched(), 4, &[Good, Good, Wait(1)]).standing(), Standing::Poor);
    assert_eq!(held(watched(), 4, &[Good, Good, Wait(4)]).condition(), &Condition::Up);
    assert_eq!(held(watched(), 4, &[Wait(4)]).condition(), &Condition::Unproven);
    assert_eq!(held(watched(), 4, &[Wait(4), Good, Good]).condition(), &Condition::Up);
    assert_eq!(held(watched(), 4, &[Failed, Failed, Failed]).condition(), &SILENT);
    // Good rounds from before its last fall prove nothing.
    assert_eq!(held(watched(), 4, &[Good, Good, Is(AWAY), Is(There), Wait(9)]).condition(), &Condition::Unproven);
}

#[test]
fn a_held_link_that_stays_away_is_down_and_one_that_falls_again_is_held_longer() {
    let before = [[Is(There)].as_slice(), &[Is(NoCarrier), Is(There)].repeat(4)].concat();
    let then = |events: &[Event]| after(unwatched(), &[before.as_slice(), events].concat());
    let away = then(&[Is(NoCarrier)]);
    assert_eq!(away.condition(), &Condition::Held { until: ms(15_000), falls: 5 });
    assert_eq!((away.since(), away.deadline()), (ms(9000), Some(ms(15_000))));
    assert_eq!(then(&[Is(NoCarrier), Is(AWAY), Wait(3)]).condition(), &GONE);
    assert_eq!(then(&[Is(NoCarrier), Wait(20)]).condition(), &Condition::Down(Cause::NoCarrier));
    // Back again: held as long as at first, from now.
    let back = then(&[Is(NoCarrier), Is(There)]);
    assert_eq!(back.condition(), &Condition::Held { until: ms(16_000), falls: 5 });
    // Still falling after it was held for its time: twice as long.
    let until = |events| match *then(events).condition() {
        Condition::Held { until, .. } => until,
        other => panic!("not held but {other:?}"),
    };
    assert_eq!(until(&[Wait(1), Is(NoCarrier), Is(There)]), ms(13_000 + 5000));
    assert_eq!(until(&[Wait(3), Is(NoCarrier), Is(There)]), ms(15_000 + 10_000));
}

#[test]
fn since_when_is_kept_while_only_the_cause_changes() {
    let judge = after(watched(), &[Is(There), Is(AWAY), Is(NoCarrier), Is(AWAY)]);
    assert_eq!((judge.condition(), judge.since()), (&GONE, ms(2000)));
    let judge = after(watched(), &[Is(There), Failed, Failed, Failed, Is(AWAY)]);
    assert_eq!((judge.condition(), judge.since()), (&GONE, ms(4000)));
}

#[test]
fn a_link_that_is_used_up_is_second_choice_until_it_may_carry_more() {
    let quota = Quota { bytes: 1000, per: Period::Month };
    let spent = |used| Some(Spent { used, quota });
    for (judge, answers) in [(Judge::new(None, Moment::ZERO), &[][..]), (watched(), &[Good, Good])] {
        let mut judge = after(judge, &[Is(There)]);
        judge.ration(ms(5000), spent(1000));
        judge.ration(ms(6000), spent(1200));
        let used_up = Condition::UsedUp(Spent { used: 1200, quota });
        assert_eq!((*judge.condition(), judge.since(), judge.standing()), (used_up, ms(5000), Standing::Poor));
        // It may be lossy and slow as well: that makes it no worse.
        let mut judge = after(judge, answers);
        assert_eq!(*judge.condition(), used_up);
        // Without carrier the kernel must not take it as a first choice, not even for the first moment it is back.
        judge = after(judge, &[Is(NoCarrier)]);
        assert_eq!(judge.standing(), Standing::Poor);
        judge = after(judge, &[Is(There)]);
        judge = after(judge, answers);
        assert_eq!((*judge.condition(), judge.standing()), (used_up, Standing::Poor));
        judge.ration(ms(90_000), None);
        assert_eq!((*judge.condition(), judge.standing()), (Condition::Up, Standing::Good));
    }
    // A dead one is dead.
    let mut judge = after(watched(), &[Is(There), Failed, Failed, Failed]);
    judge.ration(ms(9000), spent(1000));
    assert_eq!((*judge.condition(), judge.standing()), (SILENT, Standing::Dead));
    // At first sight, too.
    let mut judge = Judge::new(None, Moment::ZERO);
    judge.ration(Moment::ZERO, spent(1000));
    assert_eq!(*after(judge, &[Is(There)]).condition(), Condition::UsedUp(Spent { used: 1000, quota }));
}
