//! DNS queries over UDP: any answer shows that the link works, also one that says no.

use super::Failure;
use super::way::{Unsent, Way};
use crate::config::model::Family;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockType, SockaddrStorage, connect, recv, send};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

/// A query: a header of 12 bytes and the question of 5, `. IN NS`. Every server has an answer to that.
const QUERY: usize = 17;
const QUESTION: [u8; 5] = [0, 0, 2, 0, 1];
/// Datagrams read in one go.
const MOST_READ: usize = 16;

/// Sends a query on a socket of its own: the kernel picks a random port, and then takes packets from that server only.
pub(super) fn begin(way: &Way, to: SocketAddr, id: u16) -> Result<OwnedFd, Unsent> {
    let fd = way.open(Family::of(to.ip()), SockType::Datagram, None)?;
    connect(fd.as_raw_fd(), &SockaddrStorage::from(to)).map_err(Unsent::when("connect to a host"))?;
    send(fd.as_raw_fd(), &query(id), MsgFlags::empty()).map_err(Unsent::when("send a DNS query"))?;
    Ok(fd)
}

/// Reads what has come: none if the answer is not among it.
pub(super) fn outcome(fd: &OwnedFd, id: u16) -> Option<Result<(), Failure>> {
    for _ in 0..MOST_READ {
        let mut buffer = [0; QUERY];
        match recv(fd.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(length) if is_answer(buffer.get(..length).unwrap_or(&buffer), id) => return Some(Ok(())),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return None,
            // The host has no DNS server (ECONNREFUSED), or a router on the way says no.
            Err(errno) => return Some(Err(Failure::Network(errno))),
        }
    }
    None
}

fn query(id: u16) -> [u8; QUERY] {
    let [i0, i1] = id.to_be_bytes();
    let [q0, q1, q2, q3, q4] = QUESTION;
    // Recursion desired; one question.
    [i0, i1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, q0, q1, q2, q3, q4]
}

/// Whether a message is an answer to our query; its first bytes are enough. The question is given back, but a server that
/// could not read it or refuses us may leave it out.
#[must_use]
pub fn is_answer(message: &[u8], id: u16) -> bool {
    let Some((header, rest)) = message.split_first_chunk::<12>() else { return false };
    let [i0, i1, flags, _, q0, q1, ..] = *header;
    let is_response_to_query = flags & 0xf8 == 0x80;
    let question_fits = match u16::from_be_bytes([q0, q1]) {
        0 => true,
        1 => rest.starts_with(&QUESTION),
        _ => false,
    };
    u16::from_be_bytes([i0, i1]) == id && is_response_to_query && question_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: u16 = 0xabcd;

    /// What the server named in RFC 1035 would give back.
    fn answer() -> [u8; QUERY] {
        let mut message = query(ID);
        message[2] = 0x81;
        message[3] = 0x80;
        message
    }

    #[test]
    fn every_answer_counts_whatever_it_says() {
        assert!(is_answer(&answer(), ID));
        for code in 0..=15 {
            let mut message = answer();
            message[3] = code;
            assert!(is_answer(&message, ID), "response code {code}");
            message[5] = 0;
            assert!(is_answer(&message[..12], ID), "response code {code}, without the question");
        }
        let mut truncated = answer();
        truncated[2] |= 2;
        assert!(is_answer(&truncated, ID));
        assert!(!is_answer(&query(ID), ID), "a query is no answer");
        assert!(!is_answer(&answer(), ID ^ 1));
    }

    proptest! {
        #[test]
        fn what_is_damaged_does_not_count(at in 0..QUERY, bits in 1..=u8::MAX, cut in 0..QUERY) {
            prop_assert!(!is_answer(&answer()[..cut], ID));
            let mut message = answer();
            message[at] ^= bits;
            // Other flags than QR and the kind of query, and the counts of answers, may be anything. Without a question
            // there is none to compare.
            let free = at == 2 && bits & 0xf8 == 0 || at == 3 || (6..12).contains(&at) || at == 5 && bits == 1;
            prop_assert_eq!(is_answer(&message, ID), free);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), id in any::<u16>()) {
            let _ = is_answer(&bytes, id);
        }
    }
}
