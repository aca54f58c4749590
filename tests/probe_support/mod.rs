//! A router with two links and a probe table for each, and somebody who waits for answers.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use lab::{Host, INTERNET, Lab, Setup, Wan};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use wansplit::config::model::{Method, TrackedHost};
use wansplit::probe::{Answer, Failure, Prober, Token, Unsent, Way};

/// Long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Long enough to be sure that nothing comes.
pub const SILENCE: Duration = Duration::from_millis(300);

/// A lab whose default in `main` is link 1, and a table by mark for each link's probes.
pub fn lab() -> Lab {
    let lab = Lab::with(&Setup::default());
    for link in [1, 2] {
        add_probe_routes(&lab.router, link);
        for family in ["-4", "-6"] {
            lab.router.command(
                "ip",
                &[family, "rule", "add", "pref", "700", "fwmark", &mark(link).to_string(), "table", &table(link)],
            );
        }
    }
    lab
}

/// Fills a link's probe table.
pub fn add_probe_routes(router: &Host, link: u8) {
    for gateway in Wan(link).gateway() {
        router.ip(&format!("route replace default via {gateway} dev {} table {}", Wan(link).device(), table(link)));
    }
}

pub fn mark(link: u8) -> u32 {
    0x1100_0000 + u32::from(link)
}

fn table(link: u8) -> String {
    (500 + u16::from(link)).to_string()
}

/// The way by a link.
pub fn way(link: u8) -> Way {
    Way { device: Wan(link).device().to_owned(), mark: mark(link), source: None }
}

pub fn host(address: IpAddr) -> TrackedHost {
    TrackedHost { address, port: None }
}

pub fn host_at(address: IpAddr, port: u16) -> TrackedHost {
    TrackedHost { address, port: Some(port) }
}

/// The kinds of socket. A new network namespace has the kernel's default `ping_group_range`, "1 0", which forbids datagram
/// sockets even to root; here it cannot be written back, because the user namespace has no group 1.
pub const KINDS: [&str; 2] = ["raw", "icmp"];

pub fn allow(lab: &Lab, kind: &str) {
    if kind == "icmp" {
        // The only group this user namespace has; on a router it would be "0 2147483647".
        lab.router.sysctl("net/ipv4/ping_group_range", "0 0");
    }
}

/// A prober, and the clock it is told.
pub struct Bench {
    pub prober: Prober,
    start: Instant,
    count: u64,
}

impl Bench {
    pub fn new() -> Self {
        Self { prober: Prober::new().unwrap(), start: Instant::now(), count: 0 }
    }

    /// Sends one probe.
    pub fn ask(&mut self, way: &Way, method: Method, host: TrackedHost) -> Result<Token, Unsent> {
        self.count += 1;
        let token = Token(self.count);
        self.prober.ask(self.start.elapsed(), token, way, method, host, PATIENCE)?;
        Ok(token)
    }

    /// Sends one probe that must leave.
    pub fn send(&mut self, way: &Way, method: Method, host: TrackedHost) -> Token {
        self.ask(way, method, host).unwrap_or_else(|unsent| panic!("{host:?} by {way:?}: {unsent}"))
    }

    /// Waits for one answer.
    pub fn hear(&mut self, patience: Duration) -> Option<Answer> {
        let mut heard = self.hear_all(patience, 1);
        assert!(heard.len() < 2, "{heard:?}");
        heard.pop()
    }

    /// Waits until this many answers have come.
    pub fn hear_all(&mut self, patience: Duration, count: usize) -> Vec<Answer> {
        let deadline = Instant::now() + patience;
        let mut heard = Vec::new();
        while heard.len() < count && Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left.as_millis().min(5000) as i32).unwrap();
            poll(&mut [PollFd::new(self.prober.as_fd(), PollFlags::POLLIN)], timeout).unwrap();
            heard.extend(self.prober.collect());
        }
        heard
    }

    /// Sends one probe and waits for its answer.
    pub fn probe(&mut self, way: &Way, method: Method, host: TrackedHost, patience: Duration) -> Heard {
        let token = match self.ask(way, method, host) {
            Ok(token) => token,
            Err(unsent) => return Heard::Unsent(unsent),
        };
        match self.hear(patience) {
            None => Heard::Nothing,
            Some(answer) => {
                assert_eq!(answer.token, token);
                match answer.outcome {
                    Ok(rtt) => {
                        assert!(rtt > Duration::ZERO && rtt <= patience, "a round trip of {rtt:?}");
                        Heard::Answer
                    }
                    Err(failure) => Heard::Failure(failure),
                }
            }
        }
    }

    pub fn is_answered(&mut self, way: &Way, method: Method, host: TrackedHost) {
        let heard = self.probe(way, method, host, PATIENCE);
        assert_eq!(heard, Heard::Answer, "{method:?} {host:?} by {way:?}");
    }

    pub fn is_silent(&mut self, way: &Way, method: Method, host: TrackedHost) {
        let heard = self.probe(way, method, host, SILENCE);
        assert_eq!(heard, Heard::Nothing, "{method:?} {host:?} by {way:?}");
        // What waits is given up, so that a late answer does not disturb what comes next.
        self.prober.expire(Duration::MAX);
    }
}

/// What came of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    Answer,
    Failure(Failure),
    Nothing,
    Unsent(Unsent),
}

/// Both addresses of the Internet host.
pub fn internet() -> [TrackedHost; 2] {
    INTERNET.map(host)
}
