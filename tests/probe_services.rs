//! TCP, DNS and HTTP probes against real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod probe_support;

use lab::{INTERNET, Lab, Wan};
use nix::errno::Errno;
use probe_support::{Bench, Heard, PATIENCE, SILENCE, host, host_at, internet, lab, way};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use wansplit::config::model::Method::{self, Dns, Http, Tcp};
use wansplit::probe::{Failure, MOST_SOCKETS};

const REFUSED: Heard = Heard::Failure(Failure::Network(Errno::ECONNREFUSED));

/// The ports of the Internet host are no longer all the echo server.
fn with_own_ports() -> Lab {
    let lab = lab();
    lab.internet.nft("delete table inet everywhere");
    lab
}

fn anywhere(family: usize) -> IpAddr {
    [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)][family]
}

/// Answers each connection in both families with these pieces, a little apart, and hangs up, or keeps silent after an
/// empty one. Returns the requests.
fn serve_http(lab: &Lab, port: u16, pieces: &'static [&'static str]) -> Receiver<String> {
    let (report, requests) = channel();
    for family in [0, 1] {
        // An IPv6 socket would take the IPv4 port as well.
        let at = SocketAddr::new([anywhere(0), INTERNET[1]][family], port);
        let listener = lab.internet.run(|| TcpListener::bind(at)).unwrap();
        let report = report.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let report = report.clone();
                std::thread::spawn(move || {
                    let mut request = [0; 1024];
                    let length = stream.read(&mut request).unwrap_or(0);
                    let _ = report.send(String::from_utf8_lossy(&request[..length]).into_owned());
                    for piece in pieces {
                        if piece.is_empty() {
                            std::thread::sleep(Duration::from_secs(60));
                        }
                        // The other end may have had enough.
                        let _ = stream.write_all(piece.as_bytes());
                        std::thread::sleep(Duration::from_millis(5));
                    }
                });
            }
        });
    }
    requests
}

/// Answers each query in both families with what `answers` makes of it.
fn serve_dns(lab: &Lab, port: u16, answers: fn(&[u8]) -> Vec<Vec<u8>>) {
    for family in [0, 1] {
        let at = SocketAddr::new([anywhere(0), INTERNET[1]][family], port);
        let socket = lab.internet.run(|| UdpSocket::bind(at)).unwrap();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut query) {
                for answer in answers(&query[..length]) {
                    let _ = socket.send_to(&answer, peer);
                }
            }
        });
    }
}

/// The right answer: QR and response code 0.
fn answered(query: &[u8]) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2] |= 0x80;
    answer
}

fn lose(lab: &Lab, link: u8) {
    lab.provider(link).host.nft(
        "add table inet lost
         add chain inet lost everything { type filter hook prerouting priority raw - 1; policy accept; }
         add rule inet lost everything meta l4proto { tcp, udp } drop",
    );
}

#[test]
fn every_link_is_asked_by_itself_with_every_method() {
    lab::isolated(|| {
        let lab = with_own_ports();
        let requests = serve_http(&lab, 80, &["HTTP/1.1 204 No Content\r\n\r\n"]);
        serve_http(&lab, 443, &[]);
        serve_dns(&lab, 53, |query| vec![answered(query)]);
        // Nothing but the probe tables knows a way.
        lab.router.ip("route flush default");
        lab.router.ip6("route flush default");
        lab.router.run(|| {
            let mut bench = Bench::new();
            for (method, expression) in [(Tcp, "tcp dport 443"), (Http, "tcp dport 80"), (Dns, "udp dport 53")] {
                let counters = [1, 2].map(|link| lab.provider(link).count(expression));
                for host in internet() {
                    for link in [1, 2] {
                        let before = [counters[0].packets(), counters[1].packets()];
                        bench.is_answered(&way(link), method, host);
                        let other = usize::from(2 - link);
                        assert!(counters[usize::from(link) - 1].packets() > before[usize::from(link) - 1]);
                        assert_eq!(counters[other].packets(), before[other], "{method:?} by link {link} only");
                    }
                }
                assert_eq!(bench.prober.sockets(), 0, "closed when answered");
            }
            lose(&lab, 2);
            for method in [Tcp, Http, Dns] {
                for host in internet() {
                    bench.is_silent(&way(2), method, host);
                    bench.is_answered(&way(1), method, host);
                }
            }
            assert_eq!(bench.prober.sockets(), 0, "closed when expired");
        });
        let request = requests.recv().unwrap();
        assert!(request.starts_with("GET / HTTP/1.1\r\nHost: 192.0.2.10\r\n"), "{request}");
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn who_refuses_is_heard_at_once() {
    lab::isolated(|| {
        let lab = with_own_ports();
        lab.router.run(|| {
            let mut bench = Bench::new();
            for method in [Tcp, Http, Dns] {
                for host in internet() {
                    assert_eq!(bench.probe(&way(2), method, host, PATIENCE), REFUSED, "{method:?} {host:?}");
                }
            }
            assert_eq!(bench.prober.sockets(), 0);
        });
    });
}

#[test]
fn http_servers_of_every_kind() {
    lab::isolated(|| {
        let lab = with_own_ports();
        let status = |status| Heard::Failure(Failure::Status(status));
        let not_http = Heard::Failure(Failure::NotHttp);
        let cases: [(u16, &'static [&'static str], Heard); 10] = [
            (8001, &["HTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody"], Heard::Answer),
            (8002, &["HTTP/1.0 302 Found\r\n\r\n"], Heard::Answer),
            (8003, &["HTTP/1.1 404 Not Found\r\n\r\n"], status(404)),
            (8004, &["HTTP/1.1 503 \r\n\r\n"], status(503)),
            (8005, &["H", "TTP/1", ".1", " ", "2", "0", "0", " "], Heard::Answer),
            (8006, &["HTTP/1.1 200"], Heard::Answer),
            (8007, &["HTTP/1.1 20"], not_http),
            (8008, &["220 mail.example ESMTP\r\n"], not_http),
            (8009, &[], not_http),
            (8010, &["HTTP/1.1 2", ""], Heard::Nothing),
        ];
        for (port, pieces, _) in cases {
            drop(serve_http(&lab, port, pieces));
        }
        let long = Vec::leak(vec!["HTTP/1.1 200 OK\r\n", String::leak("x".repeat(1 << 20))]);
        drop(serve_http(&lab, 8011, long));
        lab.router.run(|| {
            let mut bench = Bench::new();
            for address in INTERNET {
                for (port, pieces, expected) in cases {
                    let patience = if expected == Heard::Nothing { SILENCE } else { PATIENCE };
                    let heard = bench.probe(&way(2), Http, host_at(address, port), patience);
                    assert_eq!(heard, expected, "{address} {pieces:?}");
                    bench.prober.expire(Duration::MAX);
                }
                bench.is_answered(&way(2), Http, host_at(address, 8011));
            }
        });
    });
}

#[test]
fn dns_servers_of_every_kind() {
    lab::isolated(|| {
        let lab = with_own_ports();
        serve_dns(&lab, 5301, |query| {
            let mut refused = answered(query);
            refused[3] = 5;
            vec![refused]
        });
        serve_dns(&lab, 5302, |query| {
            let mut wrong_id = answered(query);
            wrong_id[1] ^= 1;
            let other_question = [&answered(query)[..14], &[0, 1, 0, 1]].concat();
            vec![wrong_id, query.to_vec(), answered(query)[..11].to_vec(), Vec::new(), other_question]
        });
        serve_dns(&lab, 5303, |query| {
            let mut wrong_id = answered(query);
            wrong_id[0] ^= 0x80;
            vec![wrong_id, vec![0xff; 400], [answered(query), vec![0; 400]].concat()]
        });
        // The right answer from another port.
        let elsewhere = lab.internet.run(|| UdpSocket::bind((INTERNET[0], 5399))).unwrap();
        let socket = lab.internet.run(|| UdpSocket::bind((INTERNET[0], 5304))).unwrap();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            let (length, peer) = socket.recv_from(&mut query).unwrap();
            elsewhere.send_to(&answered(&query[..length]), peer).unwrap();
        });
        lab.router.run(|| {
            let mut bench = Bench::new();
            for address in INTERNET {
                bench.is_answered(&way(2), Dns, host_at(address, 5301));
                bench.is_silent(&way(2), Dns, host_at(address, 5302));
                bench.is_answered(&way(2), Dns, host_at(address, 5303));
            }
            bench.is_silent(&way(2), Dns, host_at(INTERNET[0], 5304));
        });
    });
}

#[test]
fn no_trace_is_left_of_a_connection() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            for _ in 0..10 {
                bench.is_answered(&way(2), Tcp, host(INTERNET[0]));
            }
            let sockets = std::fs::read_to_string("/proc/thread-self/net/tcp").unwrap();
            let ours = |line: &&str| line.contains(":01BB ");
            assert_eq!(sockets.lines().filter(ours).count(), 0, "nothing in TIME_WAIT:\n{sockets}");
        });
    });
}

#[test]
fn sockets_are_limited_and_come_back_when_probes_are_over() {
    lab::isolated(|| {
        let lab = lab();
        lose(&lab, 2);
        lab.router.run(|| {
            let mut bench = Bench::new();
            bench.is_answered(&way(1), Method::Ping, host(INTERNET[0]));
            for _ in 1..MOST_SOCKETS {
                bench.send(&way(2), Tcp, host(INTERNET[0]));
            }
            for method in [Tcp, Dns, Http] {
                let unsent = bench.ask(&way(2), method, host(INTERNET[0])).unwrap_err();
                assert_eq!(unsent.errno, Errno::EMFILE, "{unsent}");
            }
            assert!(bench.ask(&way(2), Method::Ping, host(INTERNET[0])).is_err(), "it would need a new socket");
            bench.is_answered(&way(1), Method::Ping, host(INTERNET[0]));
            assert_eq!(bench.prober.sockets(), MOST_SOCKETS);
            bench.prober.expire(Duration::MAX);
            assert_eq!(bench.prober.sockets(), 1);
            bench.is_answered(&way(1), Tcp, host(INTERNET[0]));
            bench.send(&way(2), Tcp, host(INTERNET[0]));
            bench.prober.forget(&|way| way.device == "eth2");
            assert_eq!(bench.prober.sockets(), 1);
        });
    });
}

#[test]
fn what_cannot_leave_is_a_local_error() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            lab.router.ip("route flush table 502");
            lab.router.ip6("route flush table 502");
            lab.interface_down(2);
            for method in [Tcp, Dns, Http] {
                for host in internet() {
                    let heard = bench.probe(&way(2), method, host, SILENCE);
                    assert!(matches!(heard, Heard::Unsent(unsent) if unsent.errno == Errno::ENETUNREACH), "{heard:?}");
                    let gone = wansplit::probe::Way { device: "nosuch".into(), ..way(2) };
                    let heard = bench.probe(&gone, method, host, SILENCE);
                    assert!(matches!(heard, Heard::Unsent(unsent) if unsent.errno == Errno::ENODEV), "{heard:?}");
                    let foreign = wansplit::probe::Way { source: Some("2001:db8:2:100::2".parse().unwrap()), ..way(1) };
                    let heard = bench.probe(&foreign, method, host, SILENCE);
                    assert!(matches!(heard, Heard::Unsent(_)), "{heard:?}");
                }
            }
            assert_eq!(bench.prober.sockets(), 0);
        });
    });
}

#[test]
fn a_source_out_of_a_prefix_is_used_with_every_method() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.ip("addr add 2001:db8:2:100::1/64 dev eth0 nodad");
        lab.router.ip(&format!("addr del {}/64 dev eth2", Wan(2).router()[1]));
        lab.router.ip6("route replace default via fe80::1 dev eth2 table 502");
        lab.provider(2).host.ip("addr add fe80::1/64 dev customer nodad");
        let own = lab.router.command("ip", &["-o", "-6", "addr", "show", "dev", "eth2", "scope", "link"]);
        let own = own.split_whitespace().nth(3).unwrap().split('/').next().unwrap().to_owned();
        lab.provider(2).host.ip(&format!("route replace 2001:db8:2:100::/56 via {own} dev customer"));
        serve_dns(&lab, 5301, |query| vec![answered(query)]);
        drop(serve_http(&lab, 8001, &["HTTP/1.1 200 OK\r\n\r\n"]));
        lab.internet.nft("delete table inet everywhere");
        lab.router.run(|| {
            let mut bench = Bench::new();
            let sourced = wansplit::probe::Way { source: Some("2001:db8:2:100::1".parse().unwrap()), ..way(2) };
            bench.is_answered(&sourced, Tcp, host_at(INTERNET[1], 8001));
            bench.is_answered(&sourced, Http, host_at(INTERNET[1], 8001));
            bench.is_answered(&sourced, Dns, host_at(INTERNET[1], 5301));
        });
        assert_eq!(lab.spoofed(), 0);
    });
}
