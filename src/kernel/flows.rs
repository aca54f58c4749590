//! What OpenWrt's kernels offer for tracked connections where ctnetlink is missing: an address written into
//! `/proc/net/nf_conntrack` deletes the flows that have it as one of their four ends.
//!
//! It is a patch of OpenWrt's (`600-netfilter_conntrack_flush.patch`); other kernels refuse the writing. A link's own
//! address is an end of every flow that was masqueraded behind it, and of no other link's. IPv6 flows from a delegated
//! prefix have no such end: they are not found this way.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;

/// The kernel's list of flows.
pub const FILE: &str = "/proc/net/nf_conntrack";

/// Deletes the flows that have one of the addresses as an end.
///
/// # Errors
/// There is no such file, or it cannot be written to.
pub fn flush_by_address(file: &Path, addresses: &[IpAddr]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(file)?;
    addresses.iter().try_for_each(|address| write_whole(&mut file, *address))
}

/// The kernel takes each single `write` for an address, and one that is none for the wish to delete **every** flow. So
/// the address goes out in one piece, and no rest, not even a line's end, ever follows.
fn write_whole(file: &mut dyn Write, address: IpAddr) -> io::Result<()> {
    let text = address.to_string();
    let written = file.write(text.as_bytes())?;
    if written < text.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Remembers every single write, and takes only so much of each.
    struct Proc(Vec<String>, usize);

    impl Write for Proc {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len().min(self.1))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_address_is_one_write_and_a_rest_is_never_sent() {
        for text in ["192.0.2.1", "fd00::1", "::", "2001:db8:1111:2222:3333:4444:5555:6666", "::ffff:192.0.2.1"] {
            let mut file = Proc(Vec::new(), 47);
            write_whole(&mut file, text.parse().unwrap()).unwrap();
            assert_eq!(file.0, [text]);
            assert!(text.contains(['.', ':']), "without these the kernel deletes everything");
            let mut short = Proc(Vec::new(), text.len() - 1);
            assert!(write_whole(&mut short, text.parse().unwrap()).is_err());
            assert_eq!(short.0, [text]);
        }
    }
}
