//! Thousands of connections in the router's conntrack table, made cheaply.

use crate::client::Dial;
use crate::host::Host;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Sockets that wait at the same time: fewer than a process may have files.
const AT_ONCE: usize = 256;

/// Has a host ask one UDP packet to `port` from each of these ports of its own, and waits for the answers: as many
/// established connections, whose ends are gone already.
pub fn crowd(host: &Host, to: IpAddr, port: u16, from: std::ops::Range<u16>) {
    let ports: Vec<u16> = from.collect();
    host.run(|| {
        for batch in ports.chunks(AT_ONCE) {
            let ask = |own: &u16| {
                let dial = Dial { port: *own, patience: Duration::from_millis(500), ..Dial::default() };
                let socket = dial.connect_udp(SocketAddr::new(to, port)).expect("a UDP socket");
                socket.send(b"crowd").expect("a packet sent");
                socket
            };
            for socket in batch.iter().map(ask).collect::<Vec<_>>() {
                let answered = (0..10).any(|_| socket.recv(&mut [0; 64]).is_ok() || socket.send(b"crowd").is_err());
                assert!(answered, "one of the crowd got no answer");
            }
        }
    });
}
