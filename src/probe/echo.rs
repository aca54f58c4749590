//! ICMP and ICMPv6 echo on the wire.

use crate::config::model::Family;

/// An echo message as it is sent: a header of 8 bytes and a nonce of 8.
pub const LENGTH: usize = 16;

/// What a reply gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Whose request it was.
    pub id: u16,
    /// Which request it was.
    pub sequence: u16,
    /// The nonce of that request.
    pub nonce: u64,
}

/// An echo request. For ICMPv6 the kernel writes the checksum, which covers the addresses.
#[must_use]
pub fn request(family: Family, reply: Reply) -> [u8; LENGTH] {
    let [i0, i1] = reply.id.to_be_bytes();
    let [s0, s1] = reply.sequence.to_be_bytes();
    let [n0, n1, n2, n3, n4, n5, n6, n7] = reply.nonce.to_ne_bytes();
    let kind = match family {
        Family::V4 => 8,
        Family::V6 => 128,
    };
    let mut message = [kind, 0, 0, 0, i0, i1, s0, s1, n0, n1, n2, n3, n4, n5, n6, n7];
    if family == Family::V4 {
        let [c0, c1] = checksum(&message).to_be_bytes();
        message = [kind, 0, c0, c1, i0, i1, s0, s1, n0, n1, n2, n3, n4, n5, n6, n7];
    }
    message
}

/// The type of an echo reply.
#[must_use]
pub fn reply_kind(family: Family) -> u8 {
    match family {
        Family::V4 => 0,
        Family::V6 => 129,
    }
}

/// Reads a reply; anything else is none. The message begins behind the IP header.
///
/// The checksum is not looked at: what was damaged on the way does not carry the right nonce.
#[must_use]
pub fn reply(family: Family, message: &[u8]) -> Option<Reply> {
    let [kind, code, _, _, i0, i1, s0, s1, n0, n1, n2, n3, n4, n5, n6, n7] = *message.first_chunk::<LENGTH>()?;
    (kind == reply_kind(family) && code == 0).then(|| Reply {
        id: u16::from_be_bytes([i0, i1]),
        sequence: u16::from_be_bytes([s0, s1]),
        nonce: u64::from_ne_bytes([n0, n1, n2, n3, n4, n5, n6, n7]),
    })
}

/// What stands behind the IPv4 header, which raw sockets hand out with the packet.
#[must_use]
pub fn behind_ipv4(packet: &[u8]) -> Option<&[u8]> {
    let length = usize::from(packet.first()? & 0x0f) * 4;
    if length < 20 { None } else { packet.get(length..) }
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(message: &[u8; LENGTH]) -> u16 {
    let mut sum: u32 = 0;
    for pair in message.chunks_exact(2) {
        if let [high, low] = *pair {
            sum += u32::from(u16::from_be_bytes([high, low]));
        }
    }
    while let carry @ 1.. = sum >> 16 {
        sum = (sum & 0xffff) + carry;
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    const REPLY: Reply = Reply { id: 0x1234, sequence: 0xffff, nonce: 0x0123_4567_89ab_cdef };

    /// The reply a host sends to [`REPLY`]'s request.
    fn answered(family: Family) -> [u8; LENGTH] {
        let mut message = request(family, REPLY);
        message[0] = reply_kind(family);
        message
    }

    #[test]
    fn a_request_has_the_checksum_the_standard_asks_for() {
        // `ping -c 1 -p 00 -s 8`: type 8, id 1, sequence 1, eight NULs.
        let message = request(Family::V4, Reply { id: 1, sequence: 1, nonce: 0 });
        assert_eq!(message, [8, 0, 0xf7, 0xfd, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let message = request(Family::V4, Reply { id: 0xffff, sequence: 0xffff, nonce: u64::MAX });
        assert_eq!(message[2..4], [0xf7, 0xff]);
    }

    #[test]
    fn a_reply_is_read_with_and_without_ip_options() {
        for family in Family::BOTH {
            assert_eq!(reply(family, &answered(family)), Some(REPLY));
            assert_eq!(reply(family, &request(family, REPLY)), None, "our own request on the loopback");
        }
        for words in 5..=15u8 {
            let mut packet = vec![0x40 | words];
            packet.resize(usize::from(words) * 4, 0xaa);
            packet.extend(answered(Family::V4));
            assert_eq!(reply(Family::V4, behind_ipv4(&packet).unwrap()), Some(REPLY));
        }
    }

    proptest! {
        #[test]
        fn damaged_replies_are_read_as_another_or_not_at_all(at in 0..LENGTH, bits in 1..=u8::MAX, cut in 0..=LENGTH) {
            for family in Family::BOTH {
                let mut message = answered(family);
                message[at] ^= bits;
                let checksum = (2..4).contains(&at);
                prop_assert_eq!(reply(family, &message) == Some(REPLY), checksum);
                prop_assert!(cut == LENGTH || reply(family, &message[..cut]).is_none());
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            for family in Family::BOTH {
                let _ = reply(family, &bytes);
            }
            prop_assert!(behind_ipv4(&bytes).is_none_or(|rest| rest.len() + 20 <= bytes.len()));
        }
    }
}
