//! The one handle through which everything else deals with the kernel.

use super::error::Error;
use super::netlink::address::{self, Address};
use super::netlink::link::{self, Link};
use super::netlink::lookup::{self, Answer, Packet, Question};
use super::netlink::nftables::{self, Table};
use super::netlink::route::{self, ForeignRoute, OddRoute, Routes};
use super::netlink::rule::{self, OddRule, Rules};
use super::netlink::socket::{Failure, Socket};
use super::nft;
use crate::config::model::Family;
use crate::plan::state::{IpRule, Route};
use nix::sys::socket::SockProtocol;
use std::fmt;

/// The kernel of the network namespace this program runs in. Sockets are opened when they are first needed.
pub struct Kernel {
    rtnetlink: Channel,
    netfilter: Channel,
    nft_transactions: u32,
    nft: Option<nft::Waiting>,
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            rtnetlink: Channel::new(SockProtocol::NetlinkRoute),
            netfilter: Channel::new(SockProtocol::NetlinkNetFilter),
            nft_transactions: 0,
            nft: None,
        }
    }
}

impl Kernel {
    /// A handle with nothing open yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many changes were sent to the kernel: netlink messages that change something, and runs of `nft`.
    #[must_use]
    pub fn writes(&self) -> u32 {
        self.rtnetlink.writes().saturating_add(self.netfilter.writes()).saturating_add(self.nft_transactions)
    }

    /// Reads the network devices.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn links(&mut self) -> Result<Vec<Link>, Error> {
        self.route(link::list).map_err(while_doing("read the network devices"))
    }

    /// Reads the router's addresses, without link-local IPv6 ones.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn addresses(&mut self) -> Result<Vec<Address>, Error> {
        self.route(address::list).map_err(while_doing("read the addresses"))
    }

    /// Reads all ip rules, ours and everybody else's.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn rules(&mut self) -> Result<Rules, Error> {
        self.route(rule::list).map_err(while_doing("read the ip rules"))
    }

    /// Reads our routes. `links` turns device numbers into names.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn routes(&mut self, links: &[Link]) -> Result<Routes, Error> {
        self.route(|socket| route::list(socket, links)).map_err(while_doing("read our routes"))
    }

    /// Reads everybody else's default routes.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn foreign_routes(&mut self, links: &[Link]) -> Result<Vec<ForeignRoute>, Error> {
        self.route(|socket| route::list_foreign(socket, links)).map_err(while_doing("read the default routes"))
    }

    /// Adds an ip rule.
    ///
    /// # Errors
    /// The kernel refused: `EEXIST` if it is there already.
    pub fn add_rule(&mut self, rule: &IpRule) -> Result<(), Error> {
        self.route(|socket| rule::add(socket, rule)).map_err(about("add the ip rule", || in_words(rule.family, rule)))
    }

    /// Deletes one copy of an ip rule. If another rule of ours has the same priority and table, read the rules again
    /// afterwards: the kernel may have removed that one instead (see [`rule`](super::netlink::rule)).
    ///
    /// # Errors
    /// The kernel refused: `ENOENT` if it is not there.
    pub fn delete_rule(&mut self, rule: &IpRule) -> Result<(), Error> {
        self.route(|socket| rule::delete(socket, rule))
            .map_err(about("delete the ip rule", || in_words(rule.family, rule)))
    }

    /// Deletes an ip rule that carries our number, but is none of our making.
    ///
    /// # Errors
    /// The kernel refused: `ENOENT` if it is not there.
    pub fn delete_odd_rule(&mut self, rule: &OddRule) -> Result<(), Error> {
        let words = || format!("{} priority {}", rule.family, rule.priority);
        self.route(|socket| rule::delete_odd(socket, rule)).map_err(about("delete the unknown ip rule", words))
    }

    /// Adds a route.
    ///
    /// # Errors
    /// The kernel refused: `EEXIST` if there is one with its family, table and metric.
    pub fn add_route(&mut self, route: &Route) -> Result<(), Error> {
        self.route(|socket| route::add(socket, route)).map_err(about("add the route", || in_words(route.family, route)))
    }

    /// Puts a route in the place of the one with its family, table and metric, without a gap.
    ///
    /// # Errors
    /// The kernel refused.
    pub fn replace_route(&mut self, route: &Route) -> Result<(), Error> {
        self.route(|socket| route::replace(socket, route))
            .map_err(about("set the route", || in_words(route.family, route)))
    }

    /// Deletes a route.
    ///
    /// # Errors
    /// The kernel refused: `ESRCH` if it is not there, `ENODEV` if its device is gone, and the route with it.
    pub fn delete_route(&mut self, route: &Route) -> Result<(), Error> {
        self.route(|socket| route::delete(socket, route))
            .map_err(about("delete the route", || in_words(route.family, route)))
    }

    /// Deletes a route that carries our number, but is none of our making.
    ///
    /// # Errors
    /// The kernel refused: `ESRCH` if it is not there.
    pub fn delete_odd_route(&mut self, route: &OddRoute) -> Result<(), Error> {
        let words = || format!("{} table {} metric {}", route.family, route.table, route.metric);
        self.route(|socket| route::delete_odd(socket, route)).map_err(about("delete the unknown route", words))
    }

    /// Asks where the kernel would send a packet. `links` turns device numbers into names.
    ///
    /// # Errors
    /// The kernel could not answer.
    pub fn lookup(&mut self, links: &[Link], packet: &Packet, question: Question) -> Result<Answer, Error> {
        let words = || packet.destination.to_string();
        self.route(|socket| lookup::ask(socket, links, packet, question)).map_err(about("ask for the route to", words))
    }

    /// Reads the `inet` table of a name, if it exists. Counting the elements of its sets takes more messages the
    /// more there are.
    ///
    /// # Errors
    /// The kernel refused: it may have no nftables, or we lack the right to look.
    pub fn nft_table(&mut self, name: &str, count_elements: bool) -> Result<Option<Table>, Error> {
        self.netfilter
            .run(|socket| nftables::table(socket, name, count_elements))
            .map_err(about("read the nftables table inet", || name.to_owned()))
    }

    /// Says that `nft` will be needed soon: it starts while other things are done.
    pub fn nft_announce(&mut self) {
        if self.nft.is_none() {
            // If it cannot be started, that is said when it is needed.
            self.nft = nft::Waiting::start().ok();
        }
    }

    /// Gives one JSON document to `nft`, which applies all of it or nothing. `what` is for messages: "load the rules".
    ///
    /// # Errors
    /// `nft` is missing, hangs, or refuses the document.
    pub fn nft_apply(&mut self, what: &str, json: &str) -> Result<(), Error> {
        self.nft_transactions = self.nft_transactions.saturating_add(1);
        let nft = self.nft.take().map_or_else(nft::Waiting::start, Ok);
        nft.and_then(|nft| nft.apply(json)).map_err(|fault| Error::Nft { what: what.to_owned(), fault })
    }

    fn route<T>(&mut self, run: impl FnOnce(&mut Socket) -> Result<T, Failure>) -> Result<T, Failure> {
        self.rtnetlink.run(run)
    }
}

/// A socket that is opened at its first use, and again after a failure that may have left half an answer in it.
struct Channel {
    protocol: SockProtocol,
    socket: Option<Socket>,
    /// Writes of sockets that were closed.
    earlier_writes: u32,
}

impl Channel {
    fn new(protocol: SockProtocol) -> Self {
        Self { protocol, socket: None, earlier_writes: 0 }
    }

    fn writes(&self) -> u32 {
        self.socket.as_ref().map_or(0, Socket::writes).saturating_add(self.earlier_writes)
    }

    fn run<T>(&mut self, run: impl FnOnce(&mut Socket) -> Result<T, Failure>) -> Result<T, Failure> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => none.insert(Socket::open(self.protocol)?),
        };
        let outcome = run(socket);
        if let Err(Failure::Socket { .. } | Failure::Malformed(_) | Failure::TimedOut) = &outcome {
            self.earlier_writes = self.writes();
            self.socket = None;
        }
        outcome
    }
}

fn while_doing(what: &'static str) -> impl FnOnce(Failure) -> Error {
    move |failure| Error::Netlink { what: what.to_owned(), failure }
}

fn about(verb: &'static str, object: impl FnOnce() -> String) -> impl FnOnce(Failure) -> Error {
    move |failure| Error::Netlink { what: format!("{verb} {}", object()), failure }
}

/// "IPv4 default via 10.0.0.1 dev eth1 table 100 metric 1 onlink".
fn in_words(family: Family, object: &impl fmt::Display) -> String {
    format!("{family} {object}")
}
