//! The neighbour table: making the kernel ask a neighbour by ARP or NDP whether it is there, and hearing what comes of it.

use super::message::{ACK, CREATE, DUMP, Malformed, Message, Messages, Request, family_from, family_number};
use super::socket::{Failure, Socket};
use crate::config::model::{Family, Mac};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, connect, recv, socket,
};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

pub(super) const RTM_NEWNEIGH: u16 = 28;
pub(super) const RTM_DELNEIGH: u16 = 29;
pub(super) const RTM_GETNEIGH: u16 = 30;
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_PROBES: u16 = 4;
/// The count of questions begins at that of unicast ones, which a neighbour without a known address does not get
/// (`ucast_solicit`, 3): from here on a second one is on its way, and the first had a second to be answered.
const ASKED_TWICE: u32 = 5;

const NUD_REACHABLE: u16 = 0x02;
const NUD_STALE: u16 = 0x04;
const NUD_DELAY: u16 = 0x08;
const NUD_PROBE: u16 = 0x10;
const NUD_FAILED: u16 = 0x20;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;
/// `NTF_USE`: behave as if a packet were to be sent.
const NTF_USE: u8 = 0x01;

/// The bit of `RTNLGRP_NEIGH`, the third group.
const GROUP: u32 = 1 << 2;
/// An announcement has some 80 bytes.
const BUFFER: usize = 4096;
/// Announcements read in one go; the LAN's are among them.
const MOST_READ: usize = 256;

/// What the kernel knows of a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has answered a short time ago.
    Reachable,
    /// Its link-layer address is known; whether it is still there is not, or is being asked.
    Known,
    /// Nothing yet.
    Unknown,
    /// It did not answer, or its entry is gone.
    Failed,
    /// Nobody asks: the administrator has set the entry, or the device has no such thing as ARP.
    Fixed,
}

/// An entry of the neighbour table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    /// The number of the device it is on.
    pub index: u32,
    /// Its address.
    pub address: IpAddr,
    /// What is known of it.
    pub state: State,
}

/// Reads one entry, if there is one (Linux 5.0).
///
/// # Errors
/// The kernel refused, or its answer is nonsense.
pub fn get(socket: &mut Socket, index: u32, address: IpAddr) -> Result<Option<Neighbour>, Failure> {
    match socket.ask(&mut request(RTM_GETNEIGH, 0, index, address, 0, 0), decode) {
        Ok(neighbour) => Ok(neighbour),
        Err(Failure::Refused { errno: Errno::ENOENT, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Whether a neighbour has been asked for by ARP or NDP, and has not answered. One that nobody wants has not been asked.
///
/// # Errors
/// The kernel refused, or its answer is nonsense.
pub fn is_silent(socket: &mut Socket, index: u32, address: IpAddr) -> Result<bool, Failure> {
    match socket.ask(&mut request(RTM_GETNEIGH, 0, index, address, 0, 0), decode_silence) {
        Ok(silent) => Ok(silent.unwrap_or(false)),
        Err(Failure::Refused { errno: Errno::ENOENT, .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// The Ethernet addresses of all neighbours that have one.
///
/// # Errors
/// The kernel refused, or its answer is nonsense.
pub fn ethernet(socket: &mut Socket) -> Result<Vec<(IpAddr, Mac)>, Failure> {
    socket.list(&mut Request::new(RTM_GETNEIGH, DUMP, &[0; 12]), decode_ethernet)
}

/// Makes the kernel ask a neighbour whose link-layer address it knows, at once and by unicast, and again after each
/// second (`retrans_time_ms`) up to three times. If it is being asked already, nothing is added to that.
///
/// The entry is neither created nor replaced: with `NLM_F_REPLACE` it would lose the mark of an IPv6 router.
///
/// # Errors
/// The kernel refused: `ENOENT` without an entry, `EINVAL` if there is no link-layer address in it.
pub fn ask_again(socket: &mut Socket, index: u32, address: IpAddr) -> Result<(), Failure> {
    socket.change(&mut request(RTM_NEWNEIGH, ACK, index, address, NUD_PROBE, 0))
}

/// Makes the kernel look for a neighbour whose link-layer address it does not know, as if a packet were to be sent
/// there: it asks at once by broadcast or multicast, and again after each second up to three times.
///
/// # Errors
/// The kernel refused.
pub fn look_for(socket: &mut Socket, index: u32, address: IpAddr) -> Result<(), Failure> {
    socket.change(&mut request(RTM_NEWNEIGH, ACK | CREATE, index, address, 0, NTF_USE))
}

/// `struct ndmsg` and the address.
pub(super) fn request(kind: u16, flags: u16, index: u32, address: IpAddr, state: u16, entry_flags: u8) -> Request {
    let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
    let [i0, i1, i2, i3] = index.to_ne_bytes();
    let [s0, s1] = state.to_ne_bytes();
    let fixed = [family_number(family), 0, 0, 0, i0, i1, i2, i3, s0, s1, entry_flags, 0];
    let mut request = Request::new(kind, flags, &fixed);
    request.address(NDA_DST, address);
    request
}

pub(super) fn decode(message: &Message) -> Result<Option<Neighbour>, Malformed> {
    if !matches!(message.kind, RTM_NEWNEIGH | RTM_DELNEIGH) {
        return Ok(None);
    }
    let (fixed, attributes) = message.split::<12>()?;
    let [family, _, _, _, i0, i1, i2, i3, s0, s1, ..] = *fixed;
    // Bridges announce their forwarding tables in the same group.
    let Some(family) = family_from(family) else { return Ok(None) };
    let bits = u16::from_ne_bytes([s0, s1]);
    let state = match message.kind {
        RTM_DELNEIGH => State::Failed,
        _ if bits & (NUD_NOARP | NUD_PERMANENT) != 0 => State::Fixed,
        _ if bits & NUD_REACHABLE != 0 => State::Reachable,
        _ if bits & (NUD_STALE | NUD_DELAY | NUD_PROBE) != 0 => State::Known,
        _ if bits & NUD_FAILED != 0 => State::Failed,
        _ => State::Unknown,
    };
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == NDA_DST {
            let address = attribute.address(family)?;
            return Ok(Some(Neighbour { index: u32::from_ne_bytes([i0, i1, i2, i3]), address, state }));
        }
    }
    Ok(None)
}

fn decode_silence(message: &Message) -> Result<Option<bool>, Malformed> {
    let (Some(neighbour), (_, attributes)) = (decode(message)?, message.split::<12>()?) else { return Ok(None) };
    let mut asked = 0;
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == NDA_PROBES {
            asked = attribute.payload.try_into().map_or(0, u32::from_ne_bytes);
        }
    }
    Ok(Some(neighbour.state == State::Failed || neighbour.state == State::Unknown && asked >= ASKED_TWICE))
}

pub(super) fn decode_ethernet(message: &Message) -> Result<Option<(IpAddr, Mac)>, Malformed> {
    let (Some(neighbour), (_, attributes)) = (decode(message)?, message.split::<12>()?) else { return Ok(None) };
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == NDA_LLADDR {
            // Some devices have longer addresses, or shorter ones.
            return Ok(attribute.payload.try_into().ok().map(|bytes| (neighbour.address, Mac(bytes))));
        }
    }
    Ok(None)
}

/// Hears of changes in the neighbour table, without ever waiting.
pub struct Listener {
    fd: OwnedFd,
    /// Something was lost, and what still waits is older than that.
    behind: bool,
}

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// Sockets are forbidden or used up.
    pub fn open() -> Result<Self, Failure> {
        let fault = |errno| Failure::Socket { doing: "listen on", errno };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute).map_err(fault)?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, GROUP)).map_err(fault)?;
        // Connected to the kernel: what other programs send to us is refused.
        connect(fd.as_raw_fd(), &NetlinkAddr::new(0, 0)).map_err(fault)?;
        Ok(Self { fd, behind: false })
    }

    /// Reads what has been announced. Returns false if something was lost; then look for yourself.
    ///
    /// That is said only when all that waited is read: once it has reported a loss, the kernel drops all announcements,
    /// and reports no further loss, until the socket is empty (`NETLINK_S_CONGESTED`). Who looked before would miss them.
    #[must_use]
    pub fn read(&mut self, hear: &mut dyn FnMut(Neighbour)) -> bool {
        let mut buffer = [0; BUFFER];
        for _ in 0..MOST_READ {
            // With MSG_TRUNC the kernel returns the real length, also when it did not fit.
            match recv(self.fd.as_raw_fd(), &mut buffer, MsgFlags::MSG_TRUNC) {
                Ok(length) => {
                    self.behind |= buffer.get(..length).is_none_or(|datagram| hear_all(datagram, hear).is_err());
                }
                Err(Errno::EAGAIN) => return !std::mem::take(&mut self.behind),
                Err(Errno::EINTR) => {}
                // ENOBUFS: they did not fit.
                Err(_) => self.behind = true,
            }
        }
        true
    }
}

fn hear_all(datagram: &[u8], hear: &mut dyn FnMut(Neighbour)) -> Result<(), Malformed> {
    for message in Messages(datagram) {
        if let Some(neighbour) = decode(&message?)? {
            hear(neighbour);
        }
    }
    Ok(())
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn heard(datagram: &[u8]) -> Result<Vec<Neighbour>, Malformed> {
        let mut all = Vec::new();
        hear_all(datagram, &mut |neighbour| all.push(neighbour))?;
        Ok(all)
    }

    /// `ip neigh get 10.0.0.1 dev eth1`, the kernel's answer: an entry that is looked for. Then, as announced, one that is
    /// reachable, and its end.
    const ANNOUNCED: &str = "40000000 1c000000 00000000 00000000 02000000 03000000 01000001 08000100 0a000001
        08000400 04000000 14000300 72170000 02000000 02000000 02000000
        30000000 1c000000 00000000 00000000 02000000 03000000 02000001 08000100 0a000001
        0a000200 0a7f3d2aedf20000
        24000000 1d000000 00000000 00000000 02000000 03000000 04000001 08000100 0a000001
        24000000 1c000000 00000000 00000000 07000000 03000000 80000001 08000100 0a000001";

    /// Recorded with `strace -e write=all` from iproute2 6.1.
    #[cfg(target_endian = "little")]
    #[test]
    fn requests_are_those_of_iproute2() {
        let gateway: IpAddr = "10.0.0.1".parse().unwrap();
        // ip neigh get 10.0.0.1 dev eth1
        let expected = "24000000 1e000100 e21b036b 00000000 02000000 03000000 00000000 08000100 0a000001";
        let mut get = request(RTM_GETNEIGH, 0, 3, gateway, 0, 0);
        assert_eq!(get.seal(0x6b03_1be2).unwrap(), hex(expected));
        // ip neigh add 10.0.0.1 dev eth1 use nud none; iproute2 adds NLM_F_EXCL.
        let expected = "24000000 1c000504 e31b036b 00000000 02000000 03000000 00000100 08000100 0a000001";
        let mut look = request(RTM_NEWNEIGH, ACK | CREATE, 3, gateway, 0, NTF_USE);
        assert_eq!(look.seal(0x6b03_1be3).unwrap(), hex(expected));
        // ip -6 neigh change fe80::1 dev eth1 nud probe; iproute2 adds NLM_F_REPLACE.
        let expected = "30000000 1c000500 e31b036b 00000000 0a000000 03000000 10000000
            14000100 fe800000 00000000 00000000 00000001";
        let mut again = request(RTM_NEWNEIGH, ACK, 3, "fe80::1".parse().unwrap(), NUD_PROBE, 0);
        assert_eq!(again.seal(0x6b03_1be3).unwrap(), hex(expected));
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn announcements_are_read() {
        let entry = |state| Neighbour { index: 3, address: "10.0.0.1".parse().unwrap(), state };
        let expected = [State::Unknown, State::Reachable, State::Failed].map(entry);
        assert_eq!(heard(&hex(ANNOUNCED)).unwrap(), expected, "and nothing of the bridge's");
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn every_state_has_a_meaning() {
        for (bits, state) in [
            (0x00, State::Unknown),
            (0x01, State::Unknown),
            (0x02, State::Reachable),
            (0x04, State::Known),
            (0x08, State::Known),
            (0x10, State::Known),
            (0x20, State::Failed),
            (0x40, State::Fixed),
            (0x80, State::Fixed),
        ] {
            let mut announced = hex(ANNOUNCED)[..64].to_vec();
            announced[24] = bits;
            assert_eq!(heard(&announced).unwrap()[0].state, state, "{bits:#x}");
        }
    }

    proptest! {
        #[test]
        fn damaged_announcements_are_read_without_a_panic(at in 0usize..210, byte in any::<u8>(), cut in 0usize..210) {
            let mut announced = hex(ANNOUNCED);
            if let Some(place) = announced.get_mut(at) {
                *place = byte;
            }
            let _ = heard(&announced);
            let _ = heard(announced.get(..cut).unwrap_or(&announced));
        }
    }
}
