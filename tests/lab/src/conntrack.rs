//! The connections a host's kernel knows, read over netlink by nobody's code but this.

use crate::host::Host;
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};

/// `NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET`; the answers are `IPCTNL_MSG_CT_NEW`.
const GET: u16 = 1 << 8 | 1;
/// `IPCTNL_MSG_CT_DELETE`.
const DELETE: u16 = 1 << 8 | 2;
const NLM_F_REQUEST_DUMP: u16 = 1 | 0x300;
const NLM_F_REQUEST_ACK: u16 = 1 | 0x4;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Headers of netlink and of netfilter's netlink.
const HEADERS: usize = 16 + 4;
const CTA_MARK: u16 = 8;
const AF_INET6: u8 = 10;

impl Host {
    /// How many connections there are by conntrack mark, of IPv4 or of IPv6.
    #[must_use]
    pub fn connections(&self, ipv6: bool) -> BTreeMap<u32, usize> {
        let marks = self.run(dump);
        let mut count = BTreeMap::new();
        for (_, mark) in marks.into_iter().filter(|(v6, _)| *v6 == ipv6) {
            *count.entry(mark).or_default() += 1;
        }
        count
    }

    /// Makes its kernel forget all connections.
    pub fn forget_connections(&self) {
        self.run(forget);
    }

    /// How many connections of both families carry one of these conntrack marks.
    #[must_use]
    pub fn connections_marked(&self, marks: &[u32]) -> usize {
        self.run(dump).into_iter().filter(|(_, mark)| marks.contains(mark)).count()
    }
}

/// A socket on which a request without attributes, for both families, was sent.
fn asked(kind: u16, flags: u16) -> OwnedFd {
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkNetFilter)
        .expect("a netlink socket");
    let mut request = u32::try_from(HEADERS).expect("20").to_ne_bytes().to_vec();
    request.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
    // Sequence, port; then family (both), version, resource.
    request.extend([0; 8 + 4]);
    sendto(socket.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty()).expect("a request sent");
    socket
}

fn forget() {
    let socket = asked(DELETE, NLM_F_REQUEST_ACK);
    let mut answer = [0; 256];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty()).expect("the kernel's answer");
    assert!(
        length >= 20 && answer[16..20] == [0; 4],
        "the kernel does not forget connections: {:?}",
        &answer[..length]
    );
}

/// Whether it is IPv6's, and the mark, of each connection.
fn dump() -> Vec<(bool, u32)> {
    let socket = asked(GET, NLM_F_REQUEST_DUMP);
    let mut connections = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()).expect("the kernel's answer");
        let mut rest = &buffer[..length];
        while rest.len() >= 16 {
            let size = usize::try_from(u32::from_ne_bytes([rest[0], rest[1], rest[2], rest[3]])).expect("a size");
            match u16::from_ne_bytes([rest[4], rest[5]]) {
                NLMSG_DONE => return connections,
                NLMSG_ERROR => panic!("the kernel does not list connections: {:?}", &rest[16..size.min(rest.len())]),
                _ => connections.push((rest[16] == AF_INET6, mark(&rest[HEADERS..size]))),
            }
            rest = &rest[(size.next_multiple_of(4)).min(rest.len())..];
        }
    }
}

/// A connection without a mark has 0.
fn mark(mut attributes: &[u8]) -> u32 {
    while attributes.len() >= 4 {
        let size = usize::from(u16::from_ne_bytes([attributes[0], attributes[1]]));
        if u16::from_ne_bytes([attributes[2], attributes[3]]) & 0x3fff == CTA_MARK {
            return u32::from_be_bytes([attributes[4], attributes[5], attributes[6], attributes[7]]);
        }
        attributes = &attributes[size.next_multiple_of(4).clamp(4, attributes.len())..];
    }
    0
}
