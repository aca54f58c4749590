//! The sockets that ask hosts whether a link works.
//!
//! Everything here is for one poll loop: nothing blocks, and all sockets stand behind one descriptor
//! ([`Prober::as_fd`](Prober)) that is readable when there is something to collect. When and whom to ask, and what to
//! make of the answers, is decided elsewhere.

mod answer;
mod dns;
pub mod echo;
mod exchange;
mod filter;
pub mod http;
mod icmp;
mod neighbour;
pub mod nonce;
mod tcp;
mod way;

#[doc(hidden)]
pub use dns::is_answer as is_dns_answer;

pub use answer::{Answer, Failure, Token};
pub use way::{Unsent, Way};

use crate::config::model::{Family, Method, TrackedHost};
use exchange::{Exchange, Progress, Then};
use icmp::Ping;
use neighbour::Gateways;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nonce::Nonces;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// A point in time: how long the daemon had been running.
pub type Moment = Duration;

/// Probe sockets open at the same time: one for each way and family that is asked by ping, one for each other probe under
/// way. A probe that needs one more is [`Unsent`] with `EMFILE`.
///
/// A dead link whose hosts are asked by TCP holds one for each host and round until they time out, at once for eight links
/// with three hosts each; and one that finds none left says nothing of its link. Programs may have 1,024 descriptors.
pub const MOST_SOCKETS: usize = 256;

/// The key of the socket that hears of neighbours.
const GATEWAYS: u32 = 0;

/// Ready sockets asked for in one call.
const EVENTS: usize = 16;

/// Asks hosts and hears their answers.
pub struct Prober {
    epoll: Epoll,
    nonces: Nonces,
    keys: u32,
    pings: Vec<Ping>,
    exchanges: Vec<Exchange>,
    gateways: Gateways,
}

impl Prober {
    /// A prober with nothing open but the descriptor to wait on.
    ///
    /// # Errors
    /// The process or the machine has no descriptors left.
    pub fn new() -> Result<Self, Errno> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self {
            epoll,
            nonces: Nonces::default(),
            keys: GATEWAYS,
            pings: Vec::new(),
            exchanges: Vec::new(),
            gateways: Gateways::default(),
        })
    }

    /// Asks a host. [`Prober::collect`] has the answer when it has come; after `timeout` [`Prober::expire`] takes it for
    /// lost. Collect before asking: an answer of a gateway that has come, but was not read, counts for this probe as well.
    ///
    /// # Errors
    /// The probe did not leave the router.
    pub fn ask(
        &mut self,
        now: Moment,
        token: Token,
        way: &Way,
        method: Method,
        host: TrackedHost,
        timeout: Duration,
    ) -> Result<(), Unsent> {
        let deadline = now.saturating_add(timeout);
        let at = |port| SocketAddr::new(host.address, host.port.unwrap_or(port));
        match method {
            Method::Ping => self.ping(token, way, host.address, deadline),
            Method::Tcp => self.connect(token, way, at(443), Then::Close, deadline),
            Method::Http => self.connect(token, way, at(80), Then::Get, deadline),
            Method::Dns => self.query(token, way, at(53), deadline),
            Method::Arp => self.gateway(token, way, host.address, deadline),
        }
    }

    /// Reads all answers that are there. To be called when the descriptor is readable; at other times it does no harm.
    pub fn collect(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        // The kernel takes turns, so that a few rounds reach every socket.
        for _ in 0..=MOST_SOCKETS / EVENTS {
            let mut events = [EpollEvent::empty(); EVENTS];
            let count = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0);
            for event in events.iter().take(count) {
                self.read(event, &mut answers);
            }
            if count < EVENTS {
                break;
            }
        }
        answers
    }

    /// Gives up on probes whose time is over; late answers to them are not reported.
    pub fn expire(&mut self, now: Moment) {
        for ping in &mut self.pings {
            ping.expire(now);
        }
        self.exchanges.retain(|exchange| exchange.deadline > now);
        self.gateways.expire(now);
    }

    /// Closes the sockets of these ways, with all that waits on them: links that are no longer watched, and devices that
    /// have come back as others under the same name.
    pub fn forget(&mut self, which: &dyn Fn(&Way) -> bool) {
        self.pings.retain(|ping| !which(&ping.way));
        self.exchanges.retain(|exchange| !which(&exchange.way));
        self.gateways.forget(which);
    }

    /// How many sockets are open, up to [`MOST_SOCKETS`]. The two that deal with the neighbour table are not counted.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.pings.len().saturating_add(self.exchanges.len())
    }

    fn ping(&mut self, token: Token, way: &Way, host: IpAddr, deadline: Moment) -> Result<(), Unsent> {
        let family = Family::of(host);
        let nonce = self.nonces.number();
        let kept = self.pings.iter().position(|ping| ping.serves(way, family));
        let asked = kept.and_then(|place| self.pings.get_mut(place)).map(|ping| ping.ask(token, host, nonce, deadline));
        if let Some(Ok(()) | Err(Unsent { errno: Errno::EAGAIN | Errno::ENOBUFS | Errno::EPERM, .. })) = asked {
            return asked.unwrap_or(Ok(()));
        }
        // The kept socket may be bound to a device that is gone, while one of its name is there again, or to an address
        // that has gone and come back. Only if a new one fares better it takes its place: other hosts may be waiting.
        self.make_room()?;
        let mut fresh = Ping::open(self.key(), way, family, self.nonces.short())?;
        fresh.ask(token, host, nonce, deadline)?;
        self.watch(&fresh, EpollFlags::EPOLLIN, fresh.key)?;
        if let Some(place) = kept {
            self.pings.swap_remove(place);
        }
        self.pings.push(fresh);
        Ok(())
    }

    fn connect(&mut self, token: Token, way: &Way, to: SocketAddr, then: Then, deadline: Moment) -> Result<(), Unsent> {
        self.make_room()?;
        let exchange = Exchange::connect(self.key(), token, way, to, then, deadline)?;
        self.begin(exchange)
    }

    fn query(&mut self, token: Token, way: &Way, to: SocketAddr, deadline: Moment) -> Result<(), Unsent> {
        self.make_room()?;
        let exchange = Exchange::query(self.key(), token, way, to, self.nonces.short(), deadline)?;
        self.begin(exchange)
    }

    fn begin(&mut self, exchange: Exchange) -> Result<(), Unsent> {
        self.watch(&exchange, exchange.events(), exchange.key)?;
        self.exchanges.push(exchange);
        Ok(())
    }

    fn gateway(&mut self, token: Token, way: &Way, gateway: IpAddr, deadline: Moment) -> Result<(), Unsent> {
        if let Some(listener) = self.gateways.listen()? {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, GATEWAYS.into());
            let watched = self.epoll.add(listener, event).map_err(Unsent::when("wait for a gateway's answer"));
            watched.inspect_err(|_| self.gateways.rest())?;
        }
        self.gateways.ask(token, way, gateway, deadline)
    }

    fn read(&mut self, event: &EpollEvent, answers: &mut Vec<Answer>) {
        let key = event.data();
        if key == u64::from(GATEWAYS) {
            return self.gateways.collect(answers);
        }
        if let Some(ping) = self.pings.iter_mut().find(|ping| u64::from(ping.key) == key) {
            return ping.collect(answers);
        }
        let Some(place) = self.exchanges.iter().position(|exchange| u64::from(exchange.key) == key) else { return };
        let Some(exchange) = self.exchanges.get_mut(place) else { return };
        let outcome = match exchange.proceed() {
            Progress::Waits => return,
            Progress::Reads => {
                let changed = self.epoll.modify(&*exchange, &mut EpollEvent::new(exchange.events(), key));
                let Err(errno) = changed else { return };
                Err(Failure::Network(errno))
            }
            Progress::Done(outcome) => outcome,
        };
        answers.push(Answer { token: exchange.token, outcome });
        self.exchanges.swap_remove(place);
    }

    fn make_room(&self) -> Result<(), Unsent> {
        if self.sockets() < MOST_SOCKETS {
            return Ok(());
        }
        Err(Unsent { errno: Errno::EMFILE, doing: "open one more probe socket" })
    }

    fn watch(&self, fd: impl AsFd, events: EpollFlags, key: u32) -> Result<(), Unsent> {
        self.epoll.add(fd, EpollEvent::new(events, key.into())).map_err(Unsent::when("wait for a probe's answer"))
    }

    fn key(&mut self) -> u32 {
        self.keys = self.keys.wrapping_add(1).max(GATEWAYS + 1);
        self.keys
    }
}

/// Readable when there is something to [`collect`](Prober::collect).
impl AsFd for Prober {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}
