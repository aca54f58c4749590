//! Rounds one by one.

use super::Outcome::{Failed, Good, Void};
use super::*;
use crate::health::simulation::{ms, tracking};
use crate::health::start_offset;

fn rounds(hosts: usize, reliability: u32) -> Rounds {
    Rounds::new(&Tracking { reliability, ..tracking(hosts) }, hosts, Moment::ZERO)
}

fn outcomes(rounds: &mut Rounds, now: Moment) -> Vec<Outcome> {
    rounds.finished(now).into_iter().map(|round| round.outcome).collect()
}

#[test]
fn every_interval_each_host_is_asked_once() {
    let mut rounds = rounds(3, 1);
    assert_eq!(rounds.deadline(), Some(ms(0)));
    for round in 0..5 {
        let now = ms(u64::from(round) * 1000);
        let probes = rounds.due(now);
        assert_eq!(probes, [0, 1, 2].map(|host| Probe { round, host }));
        assert_eq!(rounds.due(now), []);
        for probe in probes {
            rounds.answered(now + ms(10), probe, ms(10));
        }
        assert_eq!(outcomes(&mut rounds, now + ms(10)), [Good]);
        assert_eq!(rounds.deadline(), Some(now + ms(1000)));
    }
    assert_eq!(rounds.statistics().rtt, Some(ms(10)));
}

#[test]
fn a_round_is_decided_as_soon_as_it_is_certain() {
    // What happens to each of three hosts, in their order: answered, lost for certain, not sent, or nothing.
    let cases = [
        (1, "a  ", Some(Good)),
        (2, "a  ", None),
        (2, "aa ", Some(Good)),
        (2, "l  ", None),
        (2, "ll ", Some(Failed)),
        (1, "ll ", None),
        (1, "lll", Some(Failed)),
        (1, "uuu", Some(Void)),
        (1, "u  ", None),
        (1, "ua ", Some(Good)),
        (1, "ull", Some(Void)),
        (2, "ula", Some(Void)),
        (2, "ull", Some(Failed)),
        (3, "ul ", Some(Failed)),
        (3, "uaa", Some(Void)),
    ];
    for (reliability, fates, expected) in cases {
        let mut rounds = rounds(3, reliability);
        for (probe, fate) in rounds.due(ms(0)).into_iter().zip(fates.chars()) {
            match fate {
                'a' => rounds.answered(ms(5), probe, ms(5)),
                'l' => rounds.failed(ms(5), probe),
                'u' => rounds.unsent(ms(5), probe),
                _ => {}
            }
        }
        assert_eq!(outcomes(&mut rounds, ms(5)), Vec::from_iter(expected), "{reliability} of {fates:?}");
    }
}

#[test]
fn a_round_takes_as_long_as_the_answer_that_decides_it() {
    let mut rounds = rounds(3, 2);
    let probes = rounds.due(ms(0));
    rounds.answered(ms(30), probes[2], ms(30));
    rounds.answered(ms(50), probes[0], ms(50));
    rounds.answered(ms(70), probes[1], ms(70));
    let finished = rounds.finished(ms(70));
    assert_eq!(finished.iter().map(|round| round.rtt).collect::<Vec<_>>(), [Some(ms(50))]);
    assert_eq!(finished[0].statistics.lost, 0);
}

#[test]
fn rounds_are_reported_in_the_order_they_were_sent() {
    let mut rounds = rounds(1, 1);
    let first = rounds.due(ms(0))[0];
    // Nothing has answered yet: half the timeout is late.
    assert_eq!(rounds.deadline(), Some(ms(500)));
    let second = rounds.due(ms(500))[0];
    rounds.answered(ms(510), second, ms(10));
    assert_eq!(outcomes(&mut rounds, ms(510)), []);
    // The second round's answer has calmed the suspicion.
    assert_eq!(rounds.deadline(), Some(ms(1000)));
    assert_eq!(outcomes(&mut rounds, ms(1000)), [Failed, Good]);
    // Late and doubled answers are ignored, and so are wrong numbers.
    rounds.answered(ms(1100), first, ms(1100));
    rounds.answered(ms(1100), second, ms(600));
    rounds.answered(ms(1100), Probe { round: 99, host: 0 }, ms(1));
    rounds.answered(ms(1100), Probe { round: 2, host: usize::MAX }, ms(1));
    rounds.failed(ms(1100), second);
    assert_eq!(outcomes(&mut rounds, ms(1100)), []);
}

#[test]
fn a_late_round_is_followed_fast_until_as_many_are_on_their_way_as_prove_it() {
    let mut rounds = rounds(1, 1);
    for second in 0..3 {
        let probe = rounds.due(ms(second * 1000))[0];
        rounds.answered(ms(second * 1000 + 40), probe, ms(40));
        assert_eq!(outcomes(&mut rounds, ms(second * 1000 + 40)), [Good]);
    }
    let mut sent = Vec::new();
    let mut ends = Vec::new();
    let mut now = ms(3000);
    while now <= ms(6000) {
        sent.extend(rounds.due(now).iter().map(|_| now.as_millis()));
        ends.extend(rounds.finished(now).iter().map(|_| now.as_millis()));
        now = rounds.deadline().unwrap_or(now);
    }
    assert_eq!(sent, [3000, 3250, 3500, 4500, 5500]);
    assert_eq!(ends, [4000, 4250, 4500, 5500]);
}

#[test]
fn a_refusal_is_confirmed_fast_too() {
    let mut rounds = rounds(1, 1);
    let mut now = ms(0);
    for expected in [0, 250, 500, 1500, 2500] {
        assert_eq!(rounds.deadline(), Some(ms(expected)));
        now = ms(expected);
        let probe = rounds.due(now)[0];
        rounds.failed(now + ms(1), probe);
        assert_eq!(outcomes(&mut rounds, now + ms(1)), [Failed]);
    }
    // The first answer is not hurried after: it is to be `up` of them, an interval apart.
    let probe = rounds.due(now + ms(1000))[0];
    rounds.answered(now + ms(1010), probe, ms(10));
    assert_eq!(outcomes(&mut rounds, now + ms(1010)), [Good]);
    assert_eq!(rounds.deadline(), Some(now + ms(2000)));
    assert_eq!(rounds.statistics().lost, 0, "what was lost while it was dead is forgotten");
    // Nor is a failure before it has proved itself: it is known to be dead.
    let probe = rounds.due(now + ms(2000))[0];
    rounds.failed(now + ms(2001), probe);
    assert_eq!(outcomes(&mut rounds, now + ms(2001)), [Failed]);
    assert_eq!(rounds.deadline(), Some(now + ms(3000)));
}

#[test]
fn what_could_not_be_sent_is_not_tried_again_in_a_hurry() {
    let mut rounds = rounds(1, 1);
    let refused = rounds.due(ms(0))[0];
    rounds.failed(ms(1), refused);
    assert_eq!(outcomes(&mut rounds, ms(1)), [Failed]);
    let unsent = rounds.due(ms(250))[0];
    rounds.unsent(ms(250), unsent);
    assert_eq!(outcomes(&mut rounds, ms(250)), [Void]);
    assert_eq!(rounds.deadline(), Some(ms(1250)));
}

#[test]
fn a_paused_schedule_asks_nothing_and_begins_anew() {
    let mut rounds = rounds(2, 1);
    let before = rounds.due(ms(0));
    rounds.pause();
    assert_eq!((rounds.deadline(), rounds.due(ms(9000)), outcomes(&mut rounds, ms(9000))), (None, vec![], vec![]));
    rounds.answered(ms(9000), before[0], ms(10));
    assert_eq!(rounds.statistics(), Statistics::default());
    rounds.resume(ms(10_000));
    assert_eq!(rounds.deadline(), Some(ms(10_000)));
    let after = rounds.due(ms(10_000));
    assert_eq!(after.len(), 2);
    rounds.answered(ms(10_001), before[0], ms(1));
    assert_eq!(outcomes(&mut rounds, ms(10_001)), []);
    // Only a paused one begins anew.
    rounds.resume(ms(10_002));
    rounds.answered(ms(10_010), after[1], ms(10));
    assert_eq!(outcomes(&mut rounds, ms(10_010)), [Good]);
    // The start is kept, so that links that are all found at once are not all asked at once.
    let mut later = Rounds::new(&tracking(1), 1, ms(300));
    later.pause();
    later.resume(ms(20));
    assert_eq!(later.deadline(), Some(ms(300)));
}

#[test]
fn without_hosts_there_are_no_rounds_and_more_than_possible_are_left_out() {
    let mut none = rounds(0, 1);
    assert_eq!((none.deadline(), none.due(ms(5000)), outcomes(&mut none, ms(5000))), (None, vec![], vec![]));
    let mut many = Rounds::new(&tracking(1), 100, Moment::ZERO);
    let probes = many.due(ms(0));
    assert_eq!(probes.len(), Tracking::MOST_HOSTS);
    for probe in probes.into_iter().skip(1) {
        many.failed(ms(1), probe);
    }
    assert_eq!(outcomes(&mut many, ms(1)), []);
    assert_eq!(many.due(ms(500)).len(), Tracking::MOST_HOSTS);
    assert_eq!(many.due(ms(750)).len(), Tracking::MOST_HOSTS);
    assert_eq!(outcomes(&mut many, ms(1000)), [Failed]);
}

#[test]
fn nothing_is_held_against_a_link_while_nobody_looked() {
    let mut rounds = rounds(1, 1);
    let probe = rounds.due(ms(0))[0];
    // Ten seconds later the answer is read that came after 20 ms.
    rounds.answered(ms(10_000), probe, ms(10_000));
    let finished = rounds.finished(ms(10_000));
    assert_eq!(finished.iter().map(|round| round.outcome).collect::<Vec<_>>(), [Good]);
    assert_eq!(rounds.statistics().rtt, None, "that was the caller's time, not the link's");
    // From the moment at which it should have looked, time goes on: the next round is half a second away.
    assert_eq!(rounds.deadline(), Some(ms(10_500)));
    assert_eq!(rounds.due(ms(10_499)), []);
    assert_eq!(rounds.due(ms(10_500)).len(), 1);
}

#[test]
fn starts_are_spread() {
    let interval = ms(800);
    let mut starts: Vec<_> = (0..16).map(|place| start_offset(place, interval)).collect();
    assert_eq!(starts[0], Duration::ZERO);
    starts.sort();
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= interval / 32), "{starts:?}");
    assert!(starts.iter().all(|start| *start < interval));
}
