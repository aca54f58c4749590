//! Asks whether an address is in a set of nftables.

use super::message::Request;
use super::nftables::{GETSETELEM, ask};
use super::socket::{Failure, Socket};
use nix::errno::Errno;
use std::net::IpAddr;

const ELEMENTS_SET: u16 = 2;
const ELEMENTS: u16 = 3;
const LIST_ELEMENT: u16 = 1;
const ELEMENT_KEY: u16 = 1;
const DATA_VALUE: u16 = 1;
/// `NLA_F_NESTED`: kernels since 5.2 want it on these.
const NESTED: u16 = 1 << 15;

/// Whether an address is in a set of a table of the family `inet`, as itself or within an interval. Nothing is in a set
/// that does not exist.
///
/// # Errors
/// The kernel refused, or answered nonsense.
pub fn is_in(socket: &mut Socket, table: &str, set: &str, address: IpAddr) -> Result<bool, Failure> {
    let mut request = ask(GETSETELEM, 0, table);
    request.string(ELEMENTS_SET, set);
    let key = |request: &mut Request| {
        request.nested(NESTED | ELEMENT_KEY, |request| request.address(DATA_VALUE, address));
    };
    request.nested(NESTED | ELEMENTS, |request| request.nested(NESTED | LIST_ELEMENT, key));
    match socket.ask(&mut request, |_| Ok(())) {
        Ok(()) => Ok(true),
        Err(Failure::Refused { errno: Errno::ENOENT, .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}
