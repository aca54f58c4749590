//! What comes back from the hosts that are asked whether a link is alive: anybody's bytes.

use wansplit::config::model::Family;
use wansplit::probe::echo::{LENGTH, behind_ipv4, reply, request};
use wansplit::probe::http::{HEAD, outcome};
use wansplit::probe::is_dns_answer;

/// Takes one input, as each of the answers there can be.
pub fn run(bytes: &[u8]) {
    echo(bytes);
    let header = behind_ipv4(bytes);
    assert!(header.is_none_or(|rest| bytes.ends_with(rest) && rest.len() + 20 <= bytes.len()));
    if let Some(rest) = header {
        echo(rest);
    }
    dns(bytes);
    http(bytes);
}

fn echo(message: &[u8]) {
    for family in Family::BOTH {
        if let Some(answer) = reply(family, message) {
            let asked = request(family, answer);
            assert_eq!(asked[4..], message[4..LENGTH], "it is the answer to another request");
        }
    }
}

fn dns(message: &[u8]) {
    let id = message.first_chunk::<2>().map_or(0, |id| u16::from_be_bytes(*id));
    if is_dns_answer(message, id) {
        assert!(message.len() >= 12 && message[2] & 0x80 != 0);
        assert!(!is_dns_answer(message, id ^ 1));
        // What stands behind the question changes nothing.
        assert!(is_dns_answer(&message[..message.len().min(17)], id));
    }
}

/// A verdict, once given, does not depend on what comes later.
fn http(head: &[u8]) {
    let head = &head[..head.len().min(HEAD)];
    let verdicts: Vec<_> = (0..=head.len()).map(|end| outcome(&head[..end], false)).collect();
    let first = verdicts.iter().position(Option::is_some).unwrap_or(verdicts.len());
    assert!(verdicts[first..].windows(2).all(|pair| pair[0] == pair[1]), "{verdicts:?}");
    assert!(head.len() < HEAD || verdicts[head.len()].is_some());
    assert!(outcome(head, true).is_some());
}
