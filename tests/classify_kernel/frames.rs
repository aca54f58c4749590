//! Packets as bytes, with a number in each by which it is known again: the identification of IPv4, the low bits of the
//! flow label of IPv6.

use std::net::{IpAddr, Ipv4Addr};
use wansplit::config::model::Mac;
use wansplit::explain::Packet;

/// Where the tunnel's outer packets go. VXLAN's generic form carries IP without Ethernet.
pub const TUNNEL: (Ipv4Addr, Ipv4Addr, u16) = (Ipv4Addr::new(172, 31, 0, 2), Ipv4Addr::new(172, 31, 0, 1), 4790);

/// An Ethernet frame with the packet.
pub fn ethernet(packet: &Packet, number: u16, from: Mac, to: Mac) -> Vec<u8> {
    let ethertype: u16 = if packet.destination.is_ipv4() { 0x0800 } else { 0x86dd };
    let mut frame = [to.0, from.0].concat();
    frame.extend(ethertype.to_be_bytes());
    frame.extend(ip(packet, number));
    frame
}

/// An Ethernet frame with the packet in a tunnel.
pub fn tunnelled(packet: &Packet, number: u16, from: Mac, to: Mac) -> Vec<u8> {
    let inner = if packet.destination.is_ipv4() { 1 } else { 2 };
    // Flags: "the network's number is valid", "the next protocol is named".
    let header = [0x0c, 0, 0, inner, 0, 0, 1, 0];
    let (source, destination, port) = TUNNEL;
    let outer = Packet {
        source: Some(source.into()),
        destination: destination.into(),
        protocol: 17,
        source_port: Some(40_000),
        destination_port: Some(port),
        dscp: 0,
        details: wansplit::explain::Details::default(),
        origin: packet.origin.clone(),
    };
    let payload = [&header[..], &ip(packet, number)].concat();
    let mut frame = [to.0, from.0].concat();
    frame.extend([0x08, 0x00]);
    frame.extend(ipv4(&outer, number, &udp(&outer, &payload), source, destination));
    frame
}

/// Whether conntrack takes the packet for the first of a connection.
pub fn begins_a_connection(packet: &Packet) -> bool {
    packet.protocol != 132
}

/// The packet from its IP header on.
pub fn ip(packet: &Packet, number: u16) -> Vec<u8> {
    let payload = transport(packet, number);
    match (packet.source.unwrap(), packet.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => ipv4(packet, number, &payload, source, destination),
        (source, destination) => {
            // The lowest bit of the traffic class belongs to ECN: it must not matter.
            let class = u32::from(packet.dscp) << 2 | u32::from(number & 1);
            let mut bytes = (6 << 28 | class << 20 | u32::from(number)).to_be_bytes().to_vec();
            bytes.extend(length(&payload).to_be_bytes());
            bytes.extend([packet.protocol, 64]);
            bytes.extend(octets(source));
            bytes.extend(octets(destination));
            bytes.extend(payload);
            bytes
        }
    }
}

fn ipv4(packet: &Packet, number: u16, payload: &[u8], source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
    let mut header = vec![0x45, packet.dscp << 2 | (number & 1) as u8];
    header.extend((length(payload) + 20).to_be_bytes());
    header.extend(number.to_be_bytes());
    header.extend([0x40, 0, 64, packet.protocol, 0, 0]);
    header.extend(source.octets());
    header.extend(destination.octets());
    put_checksum(&mut header, 10, &[]);
    header.extend_from_slice(payload);
    header
}

/// The first packet of a connection. That of SCTP is cut short: conntrack finds it invalid, and it must get its mark
/// all the same.
fn transport(packet: &Packet, number: u16) -> Vec<u8> {
    let (source, destination) = (packet.source_port.unwrap_or(0), packet.destination_port.unwrap_or(0));
    let ports = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    match packet.protocol {
        6 => {
            let mut segment = [&ports[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0x20, 0, 0, 0, 0, 0]].concat();
            put_checksum(&mut segment, 16, &pseudo_header(packet, 20));
            segment
        }
        17 => udp(packet, &[]),
        1 => {
            let mut echo = [&[8, 0, 0, 0][..], &number.to_be_bytes(), &[0, 1]].concat();
            put_checksum(&mut echo, 2, &[]);
            echo
        }
        58 => {
            let mut echo = [&[128, 0, 0, 0][..], &number.to_be_bytes(), &[0, 1]].concat();
            put_checksum(&mut echo, 2, &pseudo_header(packet, 8));
            echo
        }
        // What stands where the ports of others are must not be taken for ports.
        47 => [&[0, 0][..], &(1000 + number % 32).to_be_bytes(), &[0, 0, 0, 0]].concat(),
        132 => [&ports[..], &[0; 8]].concat(),
        other => panic!("no sample packet has protocol {other}"),
    }
}

fn udp(packet: &Packet, payload: &[u8]) -> Vec<u8> {
    let mut datagram = packet.source_port.unwrap().to_be_bytes().to_vec();
    datagram.extend(packet.destination_port.unwrap().to_be_bytes());
    datagram.extend((length(payload) + 8).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend_from_slice(payload);
    let pseudo_header = pseudo_header(packet, length(&datagram));
    put_checksum(&mut datagram, 6, &pseudo_header);
    datagram
}

fn pseudo_header(packet: &Packet, length: u16) -> Vec<u8> {
    let addresses = [octets(packet.source.unwrap()), octets(packet.destination)].concat();
    [&addresses[..], &length.to_be_bytes(), &[0, packet.protocol]].concat()
}

/// The Internet checksum of `before` and `bytes`, written into `bytes`, where there is 0 now.
fn put_checksum(bytes: &mut [u8], at: usize, before: &[u8]) {
    let words = |bytes: &[u8]| -> u32 {
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum()
    };
    let mut sum = words(before) + words(bytes);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    bytes[at..at + 2].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap()
}
