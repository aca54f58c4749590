//! The text of `/proc/net/nf_conntrack`, for kernels without ctnetlink:
//!
//! ```text
//! ipv4     2 tcp      6 431999 ESTABLISHED src=192.168.1.10 dst=192.0.2.10 sport=40000 dport=443 packets=7 bytes=900
//!     src=192.0.2.10 dst=198.51.100.2 sport=443 dport=40000 packets=6 bytes=5000 [ASSURED] mark=1 zone=0 use=2
//! ```
//!
//! It is one line. Offloaded connections have no seconds and no state; marks and counts may be absent, and newer kernels may
//! add words (`ct_seq_show` in `nf_conntrack_standalone.c`).

use super::{Connection, Tuple};
use std::net::IpAddr;
use std::str::FromStr;

/// The connection of a line; none if it cannot be understood.
#[must_use]
pub fn read(line: &str) -> Option<Connection> {
    let mut words = line.split_ascii_whitespace();
    // Before it the family by name and by number, and the protocol's name.
    let protocol = words.nth(3)?.parse().ok()?;
    let words: Vec<&str> = words.collect();
    let mut starts = (0..words.len()).filter(|n| words[*n].starts_with("src="));
    let (first, second) = (starts.next()?, starts.next()?);
    let (before, directions) = words.split_at(first);
    let (original, reply) = directions.split_at(second - first);
    let both = count(original).zip(count(reply));
    Some(Connection {
        protocol,
        original: tuple(original)?,
        reply: tuple(reply)?,
        mark: value(reply, "mark=").unwrap_or(0),
        answered: !original.contains(&"[UNREPLIED]"),
        expires: before.first().and_then(|word| word.parse().ok()).unwrap_or(0),
        count: both.map(|(there, back)| (there.0.saturating_add(back.0), there.1.saturating_add(back.1))),
    })
}

fn tuple(words: &[&str]) -> Option<Tuple> {
    Some(Tuple {
        source: value::<IpAddr>(words, "src=")?,
        destination: value(words, "dst=")?,
        source_port: value(words, "sport="),
        destination_port: value(words, "dport="),
        icmp_type: value(words, "type="),
    })
}

/// Packets and bytes.
fn count(words: &[&str]) -> Option<(u64, u64)> {
    value(words, "packets=").zip(value(words, "bytes="))
}

fn value<T: FromStr>(words: &[&str], name: &str) -> Option<T> {
    words.iter().find_map(|word| word.strip_prefix(name))?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_of_each_kind_is_read() {
        let tcp = read(
            "ipv4     2 tcp      6 431999 ESTABLISHED src=192.168.1.10 dst=192.0.2.10 sport=40000 dport=443 packets=7 \
             bytes=900 src=192.0.2.10 dst=198.51.100.2 sport=443 dport=40000 packets=6 bytes=5000 [ASSURED] mark=257 \
             zone=0 use=2",
        )
        .unwrap();
        assert_eq!((tcp.protocol, tcp.mark, tcp.answered, tcp.expires), (6, 257, true, 431_999));
        assert_eq!((tcp.count, tcp.reply.destination), (Some((13, 5900)), address("198.51.100.2")));
        assert_eq!((tcp.original.source_port, tcp.original.destination_port), (Some(40000), Some(443)));
        let udp = "ipv6     10 udp      17 29 src=2001:0db8:0000:0000:0000:0000:0000:0001 dst=2001:0db8:0000:0000:0000:0000:0000:0002 \
                   sport=5 dport=53 [UNREPLIED] src=2001:0db8:0000:0000:0000:0000:0000:0002 dst=2001:0db8:0000:0000:0000:0000:0000:0001 \
                   sport=53 dport=5 mark=0 use=2";
        let udp = read(udp).unwrap();
        assert_eq!((udp.answered, udp.expires, udp.count, udp.mark), (false, 29, None, 0));
        assert_eq!(udp.original.source, address("2001:db8::1"));
        let ping = "ipv4     2 icmp     1 12 src=192.168.1.10 dst=192.0.2.10 type=8 code=0 id=9 src=192.0.2.10 \
                    dst=192.168.1.10 type=0 code=0 id=9 use=2";
        let ping = read(ping).unwrap();
        assert_eq!((ping.original.icmp_type, ping.original.source_port), (Some(8), None));
        let offloaded = "ipv4     2 tcp      6 src=192.168.1.10 dst=192.0.2.10 sport=1 dport=2 src=192.0.2.10 \
                         dst=192.168.1.10 sport=2 dport=1 [OFFLOAD] mark=2 use=3";
        assert_eq!(read(offloaded).map(|own| (own.mark, own.expires, own.answered)), Some((2, 0, true)));
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        for line in
            ["", "ipv4 2 tcp", "ipv4 2 tcp x 1 src=a", "ipv4 2 tcp 6 1 src=192.0.2.1 dst=192.0.2.2", "src= src="]
        {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
