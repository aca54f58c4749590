//! Gateways asked by ARP or NDP. The kernel asks; we make it do so and watch its neighbour table.
//!
//! A gateway that answers is asked anew for every probe, at any interval. One that does not is asked once a second by the
//! kernel, however often we want it: a probe sent meanwhile joins the question that is open, and counts as answered if
//! that is. So no interval is too short to tell a living gateway from a dead one. Round-trip times are rough: the kernel
//! sends at its next timer tick (up to 10 ms later where `HZ` is 100), and a joined question may be up to a second old or
//! have a second to go.

use super::way::{Unsent, Way};
use super::{Answer, Failure, Moment, Token};
use crate::kernel::netlink::neighbour::{self, Listener, State};
use crate::kernel::netlink::socket::{self, Socket};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::SockProtocol;
use std::net::IpAddr;
use std::time::Instant;

/// Probes that wait for an answer. Beyond it something is badly wrong with the intervals.
const MOST_WAITING: usize = 256;

/// All probes of gateways.
#[derive(Default)]
pub(super) struct Gateways {
    requests: Option<Socket>,
    /// Open only while something waits: every change at a neighbour in the LAN would wake us as well.
    listener: Option<Listener>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    token: Token,
    way: Way,
    index: u32,
    gateway: IpAddr,
    sent: Instant,
    deadline: Moment,
}

impl Gateways {
    /// Begins to listen for answers, if nothing was waiting; the descriptor is then to be watched.
    pub fn listen(&mut self) -> Result<Option<&Listener>, Unsent> {
        if self.listener.is_some() {
            return Ok(None);
        }
        let listener = Listener::open().map_err(unsent("listen to the neighbour table"))?;
        Ok(Some(self.listener.insert(listener)))
    }

    /// Has a gateway asked.
    pub fn ask(&mut self, token: Token, way: &Way, gateway: IpAddr, deadline: Moment) -> Result<(), Unsent> {
        let sent = Instant::now();
        let index = self.solicit(&way.device, gateway).inspect_err(|_| self.rest())?;
        self.waiting.push(Waiting { token, way: way.clone(), index, gateway, sent, deadline });
        Ok(())
    }

    /// Makes the kernel ask; returns the device's number.
    fn solicit(&mut self, device: &str, gateway: IpAddr) -> Result<u32, Unsent> {
        let doing = "ask a gateway by ARP or NDP";
        if self.waiting.len() >= MOST_WAITING {
            return Err(Unsent { errno: Errno::ENOBUFS, doing });
        }
        let index = if_nametoindex(device).map_err(Unsent::when("find the device of a gateway"))?;
        let socket = match &mut self.requests {
            Some(socket) => socket,
            none => none.insert(Socket::open(SockProtocol::NetlinkRoute).map_err(unsent(doing))?),
        };
        match solicit(socket, index, gateway) {
            Ok(true) => Ok(index),
            Ok(false) => Err(Unsent { errno: Errno::EOPNOTSUPP, doing }),
            Err(failure) => {
                if failure.errno().is_none() {
                    // Half an answer may be left in the socket.
                    self.requests = None;
                }
                Err(unsent(doing)(failure))
            }
        }
    }

    /// Reads what the kernel has found out.
    pub fn collect(&mut self, answers: &mut Vec<Answer>) {
        let Self { requests, listener: Some(listener), waiting } = self else { return };
        let whole = listener.read(&mut |found| conclude(waiting, found.index, found.address, found.state, answers));
        if !whole && let Some(socket) = requests {
            let asked: Vec<_> = waiting.iter().map(|one| (one.index, one.gateway)).collect();
            for (index, gateway) in asked {
                // What cannot be read now is given up in time.
                if let Ok(Some(found)) = neighbour::get(socket, index, gateway) {
                    conclude(waiting, index, gateway, found.state, answers);
                }
            }
        }
        self.rest();
    }

    /// Gives up on probes whose time is over.
    pub fn expire(&mut self, now: Moment) {
        self.waiting.retain(|waiting| waiting.deadline > now);
        self.rest();
    }

    /// Gives up on probes of these ways.
    pub fn forget(&mut self, which: &dyn Fn(&Way) -> bool) {
        self.waiting.retain(|waiting| !which(&waiting.way));
        self.rest();
    }

    /// Listens no more if nothing is waited for.
    pub fn rest(&mut self) {
        if self.waiting.is_empty() {
            self.listener = None;
        }
    }
}

/// Makes the kernel ask. Returns false if it would not: nobody asks for a fixed entry, and changing it to make the kernel
/// do so would take it from its owner.
fn solicit(socket: &mut Socket, index: u32, gateway: IpAddr) -> Result<bool, socket::Failure> {
    match neighbour::get(socket, index, gateway)?.map(|found| found.state) {
        Some(State::Fixed) => return Ok(false),
        Some(State::Reachable | State::Known) => match neighbour::ask_again(socket, index, gateway) {
            // It has gone, or failed, since we looked.
            Err(socket::Failure::Refused { errno: Errno::ENOENT | Errno::EINVAL, .. }) => {}
            other => return other.map(|()| true),
        },
        _ => {}
    }
    neighbour::look_for(socket, index, gateway)?;
    // On a device without ARP or NDP the new entry is a fixed one.
    let found = neighbour::get(socket, index, gateway)?;
    Ok(found.is_none_or(|found| found.state != State::Fixed))
}

fn conclude(waiting: &mut Vec<Waiting>, index: u32, gateway: IpAddr, state: State, answers: &mut Vec<Answer>) {
    let reached = match state {
        State::Reachable => true,
        State::Failed => false,
        State::Known | State::Unknown | State::Fixed => return,
    };
    waiting.retain(|waiting| {
        let concerned = waiting.index == index && waiting.gateway == gateway;
        if concerned {
            let outcome = if reached { Ok(waiting.sent.elapsed()) } else { Err(Failure::NoNeighbour) };
            answers.push(Answer { token: waiting.token, outcome });
        }
        !concerned
    });
}

fn unsent(doing: &'static str) -> impl FnOnce(socket::Failure) -> Unsent {
    move |failure| {
        let errno = match failure {
            socket::Failure::Refused { errno, .. } | socket::Failure::Socket { errno, .. } => errno,
            socket::Failure::TimedOut => Errno::ETIMEDOUT,
            socket::Failure::Malformed(_) | socket::Failure::Unsteady => Errno::EPROTO,
        };
        Unsent { errno, doing }
    }
}
