//! HTTP on the wire: one request, and the first line of the response.

use super::Failure;
use std::net::SocketAddr;

/// `HTTP/1.1 200` and the character behind it: all that is read of a response.
pub const HEAD: usize = 13;

/// The request. A server must be able to do without a name, and a captive portal answers all the same.
#[must_use]
pub fn request(to: SocketAddr) -> String {
    let host = match to {
        SocketAddr::V4(v4) if v4.port() == 80 => v4.ip().to_string(),
        SocketAddr::V6(v6) if v6.port() == 80 => format!("[{}]", v6.ip()),
        _ => to.to_string(),
    };
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: wansplit\r\nAccept: */*\r\nConnection: close\r\n\r\n")
}

/// Judges the start of a response: none if too little has come to tell.
#[must_use]
pub fn outcome(head: &[u8], ended: bool) -> Option<Result<(), Failure>> {
    let fits = |(byte, pattern): (&u8, &u8)| match pattern {
        b'9' => byte.is_ascii_digit(),
        b'\n' => matches!(byte, b' ' | b'\r' | b'\n'),
        _ => byte == pattern,
    };
    if !head.iter().zip(b"HTTP/9.9 999\n").all(fits) || (ended && head.len() + 1 < HEAD) {
        return Some(Err(Failure::NotHttp));
    }
    if !ended && head.len() < HEAD {
        return None;
    }
    let digits = head.iter().skip(9).take(3);
    let status = digits.fold(0, |status: u16, digit| status * 10 + u16::from(digit - b'0'));
    Some(if (200..400).contains(&status) { Ok(()) } else { Err(Failure::Status(status)) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_host_is_the_address_as_it_stands_in_a_url() {
        for (address, host) in [
            ("192.0.2.1:80", "192.0.2.1"),
            ("192.0.2.1:8080", "192.0.2.1:8080"),
            ("[2001:db8::1]:80", "[2001:db8::1]"),
            ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ] {
            let request = request(address.parse().unwrap());
            assert!(request.starts_with("GET / HTTP/1.1\r\n") && request.ends_with("\r\n\r\n"));
            assert!(request.contains(&format!("\r\nHost: {host}\r\n")), "{request}");
        }
    }

    #[test]
    fn a_status_of_200_to_399_counts() {
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\n", Ok(())),
            ("HTTP/1.0 204\r\n", Ok(())),
            ("HTTP/1.1 399 \n", Ok(())),
            ("HTTP/1.1 302 Found", Ok(())),
            ("HTTP/1.1 199 ", Err(Failure::Status(199))),
            ("HTTP/1.1 400 Bad Request", Err(Failure::Status(400))),
            ("HTTP/1.1 000 ", Err(Failure::Status(0))),
            ("HTTP/1.1 999 ", Err(Failure::Status(999))),
            ("HTTP/1.1 2000 ", Err(Failure::NotHttp)),
            ("HTTP/1.1 20 OK", Err(Failure::NotHttp)),
            ("http/1.1 200 OK", Err(Failure::NotHttp)),
            ("SSH-2.0-dropbear\r\n", Err(Failure::NotHttp)),
        ] {
            assert_eq!(outcome(&text.as_bytes()[..HEAD], false), Some(expected), "{text}");
        }
    }

    #[test]
    fn it_may_come_in_pieces_or_end_early() {
        for length in 0..HEAD {
            let head = &b"HTTP/1.1 204\r"[..length];
            assert_eq!(outcome(head, false), None);
            let ended = if length == 12 { Ok(()) } else { Err(Failure::NotHttp) };
            assert_eq!(outcome(head, true), Some(ended), "{length}");
        }
        assert_eq!(outcome(b"H?", false), Some(Err(Failure::NotHttp)), "no need to wait for more");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..20), ended in any::<bool>()) {
            let _ = outcome(&bytes, ended);
        }

        #[test]
        fn a_damaged_line_counts_only_if_it_is_a_good_one_again(at in 0..HEAD, byte in any::<u8>()) {
            let mut head = *b"HTTP/1.1 200 ";
            head[at] = byte;
            let good = match at {
                5 | 7 | 10 | 11 => byte.is_ascii_digit(),
                9 => matches!(byte, b'2' | b'3'),
                12 => matches!(byte, b' ' | b'\r' | b'\n'),
                _ => byte == b"HTTP/1.1 200 "[at],
            };
            prop_assert_eq!(outcome(&head, false) == Some(Ok(())), good);
        }
    }
}
