//! A packet filter for raw echo sockets.

use super::echo::reply_kind;
use crate::config::model::Family;
use nix::errno::Errno;
use nix::libc::{self, sock_filter, sock_fprog};
use nix::sys::socket::setsockopt;
use nix::{setsockopt_impl, sockopt_impl};
use std::os::fd::OwnedFd;

/// `SO_ATTACH_FILTER`, the same on every processor OpenWrt runs on (SPARC alone differs).
const SO_ATTACH_FILTER: libc::c_int = 26;

sockopt_impl!(
    /// A classic BPF program decides what is queued on the socket. The kernel copies it before the call returns.
    AttachFilter, SetOnly, libc::SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog);

// linux/bpf_common.h, `CLASS | SIZE | MODE`.
/// X = 4 * (byte k & 15): the length of an IPv4 header at k.
const LDX_MSH: u16 = 0xb1;
/// X = k.
const LDX_IMM: u16 = 0x01;
/// A = the byte at X + k.
const LDB_IND: u16 = 0x50;
/// A = the 16 bits at X + k.
const LDH_IND: u16 = 0x48;
/// Skips `jt` instructions if A is k, else `jf`.
const JEQ: u16 = 0x15;
/// Ends; k bytes of the packet are kept.
const RET: u16 = 0x06;

/// Makes a raw ICMP socket take echo replies with this id and nothing else. Otherwise every ICMP packet that reaches the
/// router, above all the replies to everybody's pings, would wake the daemon.
pub(super) fn only_replies_to(fd: &OwnedFd, family: Family, id: u16) -> Result<(), Errno> {
    let mut program = [
        // The packet starts at the IP header for IPv4, behind it for IPv6.
        if family == Family::V4 { op(LDX_MSH, 0, 0, 0) } else { op(LDX_IMM, 0, 0, 0) },
        op(LDB_IND, 0, 0, 0),
        op(JEQ, 0, 3, reply_kind(family).into()),
        op(LDH_IND, 0, 0, 4),
        op(JEQ, 0, 1, id.into()),
        op(RET, 0, 0, u32::MAX),
        op(RET, 0, 0, 0),
    ];
    let filter = program.as_mut_ptr();
    setsockopt(fd, AttachFilter, &sock_fprog { len: 7, filter })
}

fn op(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}
