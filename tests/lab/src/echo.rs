//! Servers that say whom they see and then echo.

use crate::host::Host;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

/// Serves TCP: the first line is the address the server sees, then everything is echoed.
pub fn serve_tcp(host: &Host, at: SocketAddr) {
    let listener = host
        .run(|| TcpListener::bind(at))
        .unwrap_or_else(|error| panic!("tcp server at {at} on {}: {error}", host.name()));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || echo(stream));
        }
    });
}

/// Serves UDP: each packet is answered by the address the server sees, a space, and the packet.
pub fn serve_udp(host: &Host, at: SocketAddr) {
    let socket = host
        .run(|| UdpSocket::bind(at))
        .unwrap_or_else(|error| panic!("udp server at {at} on {}: {error}", host.name()));
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        // An ICMP error about an earlier answer shows up as an error here; the socket is none the worse.
        loop {
            let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
                continue;
            };
            let mut answer = format!("{} ", peer.ip()).into_bytes();
            answer.extend_from_slice(&buffer[..length]);
            let _ = socket.send_to(&answer, peer);
        }
    });
}

fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let peer = stream.peer_addr()?;
    stream.set_nodelay(true)?;
    stream.write_all(format!("{}\n", peer.ip().to_canonical()).as_bytes())?;
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => stream.write_all(&buffer[..length])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
