//! Flows by their marks, against the real kernel's connection tracking.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod kernel_support;

use kernel_support::{inside, sh};
use nix::errno::Errno;
use nix::sys::socket::SockProtocol;
use std::net::{IpAddr, UdpSocket};
use wansplit::config::model::Family;
use wansplit::kernel::connection::{Connection, lines};
use wansplit::kernel::netlink::conntrack::{self, Marked, Tally};
use wansplit::kernel::netlink::message::{ACK, Request};
use wansplit::kernel::netlink::socket::Socket;
use wansplit::kernel::{Error, Kernel, flows, handle::Reset};

const MASK: u32 = 0xff00_0000;
const LOOPBACK: [&str; 2] = ["127.0.0.1", "::1"];

/// Marks flows by their destination ports: each thousand has its mark, some with others' bits.
fn tracking() {
    sh("ip link set lo up
        nft -f - <<'END'
            table inet test {
                chain output {
                    type filter hook output priority 0
                    udp dport 1000-1999 ct mark set 0x01000000
                    udp dport 2000-2999 ct mark set 0x02000005
                    udp dport 3000-3999 ct mark set 0x00ff0005
                    udp dport 4000-4999 ct mark set 0x01000005
                }
            }
END");
}

/// Opens UDP flows to ports of this host, one packet each.
fn open(address: &str, ports: std::ops::Range<u16>) {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    for port in ports {
        // That nobody listens there is told at the next packet, which was sent nevertheless.
        while socket.send_to(b"x", (address, port)).is_err() {}
    }
}

fn tally(entries: &[(Family, u32, u64)]) -> Tally {
    entries.iter().map(|(family, mark, count)| ((*family, *mark), *count)).collect()
}

#[test]
fn only_the_flows_asked_for_are_counted_and_deleted() {
    if !inside("only_the_flows_asked_for_are_counted_and_deleted") {
        return;
    }
    use Family::{V4, V6};
    tracking();
    for address in LOOPBACK {
        open(address, 1000..1010);
        open(address, 2000..2020);
        open(address, 3000..3003);
        open(address, 4000..4004);
        open(address, 9000..9002);
    }
    let mut kernel = Kernel::new();
    assert_eq!(kernel.flow_total().unwrap(), 2 * (10 + 20 + 3 + 4 + 2));
    let all = [(V4, 1 << 24, 14), (V4, 2 << 24, 20), (V6, 1 << 24, 14), (V6, 2 << 24, 20)];
    assert_eq!(kernel.tally_flows(MASK).unwrap(), tally(&all));
    let other_bits = [(V4, 5, 27), (V6, 5, 27)];
    assert_eq!(kernel.tally_flows(0xf).unwrap(), tally(&other_bits));
    assert_eq!(kernel.count_flows(None, 1 << 24, MASK).unwrap(), 28);
    assert_eq!(kernel.count_flows(Some(V4), 2 << 24, MASK).unwrap(), 20);
    assert_eq!(kernel.count_flows(Some(V6), 3 << 24, MASK).unwrap(), 0);

    // One family's alone: others' bits in the mark do not protect a flow, and are no reason to take it.
    let writes = kernel.writes();
    kernel.delete_flows(Some(V6), 1 << 24, MASK).unwrap();
    assert_eq!(
        kernel.tally_flows(MASK).unwrap(),
        tally(&all[..2].iter().chain(&all[3..]).copied().collect::<Vec<_>>())
    );
    kernel.delete_flows(Some(V4), 2 << 24, MASK).unwrap();
    assert_eq!(kernel.tally_flows(MASK).unwrap(), tally(&[all[0], all[3]]));
    // Both families'.
    kernel.delete_flows(None, 2 << 24, MASK).unwrap();
    assert_eq!(kernel.tally_flows(MASK).unwrap(), tally(&all[..1]));
    // A mark that no flow has.
    kernel.delete_flows(None, 7 << 24, MASK).unwrap();
    assert_eq!(kernel.reset_flows(None, 1 << 24, MASK, &[]).unwrap(), Reset::Marked(14));
    assert_eq!(kernel.writes(), writes + 5);
    assert_eq!(kernel.tally_flows(MASK).unwrap(), Tally::new());
    // What is not ours is all there: 3 and 2 a family.
    assert_eq!(kernel.flow_total().unwrap(), 10);
    assert_eq!(kernel.tally_flows(u32::MAX).unwrap(), tally(&[(V4, 0x00ff_0005, 3), (V6, 0x00ff_0005, 3)]));
}

#[test]
fn both_ways_to_read_connections_say_the_same() {
    if !inside("both_ways_to_read_connections_say_the_same") {
        return;
    }
    tracking();
    sh("echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct");
    for address in LOOPBACK {
        open(address, 1000..1100);
        open(address, 4000..4010);
        sh(&format!("ping -c 1 -W 1 {address} >/dev/null"));
    }
    let mut told = Vec::new();
    // A second may pass between the two.
    let timeless = |own: Connection| Connection { expires: 0, ..own };
    Kernel::new().each_connection(&mut |own| told.push(timeless(own))).unwrap();
    let text = std::fs::read_to_string(flows::FILE).unwrap();
    let mut read: Vec<Connection> = text.lines().map(|line| timeless(lines::read(line).unwrap())).collect();
    for list in [&mut told, &mut read] {
        list.sort_by_key(|own| format!("{own:?}"));
    }
    assert_eq!(told.len(), 2 * (100 + 10 + 1));
    assert_eq!(told, read);
    let marked = told.iter().filter(|own| own.mark == 1 << 24 && own.protocol == 17 && own.count.is_some()).count();
    assert_eq!(marked, 200);
    let pings: Vec<_> = told.iter().filter(|own| own.original.icmp_type.is_some()).collect();
    assert!(
        pings.len() == 2 && pings.iter().all(|own| own.answered && own.original.source_port.is_none()),
        "{pings:?}"
    );
}

#[test]
fn what_would_delete_more_is_refused() {
    if !inside("what_would_delete_more_is_refused") {
        return;
    }
    tracking();
    open("127.0.0.1", 1000..1005);
    open("127.0.0.1", 9000..9005);
    let mut kernel = Kernel::new();
    for (mark, mask) in [(0, 0), (0, MASK), (1, 0), (1, MASK), (0x0100_0005, MASK)] {
        assert_eq!(Marked::new(mark, mask), None);
        let refused = kernel.delete_flows(None, mark, mask).unwrap_err();
        assert_eq!(refused.errno(), Some(Errno::ERANGE), "{refused}");
        assert!(kernel.count_flows(None, mark, mask).is_err());
        assert!(kernel.reset_flows(None, mark, mask, &["127.0.0.1".parse().unwrap()]).is_err());
    }
    assert_eq!((kernel.flow_total().unwrap(), kernel.writes()), (10, 0));
}

#[test]
fn twelve_thousand_flows_are_counted() {
    if !inside("twelve_thousand_flows_are_counted") {
        return;
    }
    tracking();
    for address in LOOPBACK {
        for base in [1000, 2000] {
            // Each time from another socket: other flows.
            (0..3).for_each(|_| open(address, base..base + 1000));
        }
    }
    let mut kernel = Kernel::new();
    let tally = kernel.tally_flows(MASK).unwrap();
    assert_eq!(tally.values().copied().collect::<Vec<_>>(), [3000; 4]);
    assert_eq!(kernel.count_flows(None, 1 << 24, MASK).unwrap(), 6000);
    assert_eq!(kernel.reset_flows(Some(Family::V4), 1 << 24, MASK, &[]).unwrap(), Reset::Marked(3000));
    assert_eq!(kernel.flow_total().unwrap(), 9000);
}

#[test]
fn a_kernel_without_it_is_recognised() {
    if !inside("a_kernel_without_it_is_recognised") {
        return;
    }
    // Netfilter's subsystem 15 has no owner, as ctnetlink's has none while its module is not there.
    let mut socket = Socket::open(SockProtocol::NetlinkNetFilter).unwrap();
    let missing = socket.change(&mut Request::new(15 << 8, ACK, &[0; 4])).unwrap_err();
    assert_eq!(missing.errno(), Some(Errno::EINVAL));
    assert!(conntrack::is_missing(&missing));
    let error = Error::NoCtnetlink { what: "count the flows".to_owned() };
    assert!(error.to_string().contains("kmod-nf-conntrack-netlink"), "{error}");
    // This kernel has it, and is not taken for one that has not.
    assert!(conntrack::total(&mut socket).is_ok());
}

#[test]
fn only_openwrts_kernels_take_an_address() {
    if !inside("only_openwrts_kernels_take_an_address") {
        return;
    }
    tracking();
    open("127.0.0.1", 1000..1005);
    let addresses: [IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
    let refused = flows::flush_by_address(flows::FILE.as_ref(), &addresses).unwrap_err();
    println!("{refused}");
    assert_eq!(Kernel::new().flow_total().unwrap(), 5);
    let file = std::env::temp_dir().join(format!("wansplit-flows-{}", std::process::id()));
    assert!(flows::flush_by_address(&file, &addresses).is_err(), "it is not made");
    std::fs::write(&file, "").unwrap();
    flows::flush_by_address(&file, &addresses).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "192.0.2.12001:db8::1");
    std::fs::remove_file(&file).unwrap();
}
