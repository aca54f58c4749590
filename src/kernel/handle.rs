//! The one handle through which everything else deals with the kernel.

use super::connection::{Connection, lines};
use super::error::Error;
use super::flows;
use super::netlink::address::{self, Address};
use super::netlink::connection;
use super::netlink::conntrack::{self, Marked, Tally};
use super::netlink::counters::{self, Count};
use super::netlink::element;
use super::netlink::elements::{self, Place};
use super::netlink::link::{self, Link};
use super::netlink::lookup::{self, Answer, Packet, Question};
use super::netlink::neighbour;
use super::netlink::nftables::{self, Table};
use super::netlink::route::{self, ForeignRoute, OddRoute, Routes};
use super::netlink::rule::{self, OddRule, Rules};
use super::netlink::socket::{Failure, Socket};
use super::netlink::tunnel::Tunnel;
use super::netlink::wireguard::{self, Wireguard};
use super::nft;
use crate::config::model::{Family, Mac};
use crate::interval::Interval;
use crate::map::Map;
use crate::network::outer::Outer;
use crate::plan::state::{IpRule, Route};
use nix::errno::Errno;
use nix::sys::socket::SockProtocol;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;

/// The kernel of the network namespace this program runs in. Sockets are opened when they are first needed.
pub struct Kernel {
    rtnetlink: Channel,
    netfilter: Channel,
    generic: Channel,
    nft_transactions: u32,
    nft: Option<nft::Waiting>,
    nft_ports: Vec<u32>,
}

/// Which flows were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Those with the mark: by this many there are fewer now.
    Marked(u32),
    /// Those with one of the addresses as an end.
    Addressed,
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            rtnetlink: Channel::new(SockProtocol::NetlinkRoute),
            netfilter: Channel::new(SockProtocol::NetlinkNetFilter),
            generic: Channel::new(SockProtocol::NetlinkGeneric),
            nft_transactions: 0,
            nft: None,
            nft_ports: Vec::new(),
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

    /// The ports whose requests are our own, for [`Monitor::ignore`](super::netlink::monitor::Monitor::ignore): those of
    /// the open sockets, and of every `nft` that ran since this was last called (its port is its process number). Sockets
    /// are opened at their first use and may be opened anew, so ask after everything that changes something.
    #[must_use]
    pub fn ports(&mut self) -> Vec<u32> {
        let mut ports = std::mem::take(&mut self.nft_ports);
        let sockets = [&self.rtnetlink.socket, &self.netfilter.socket];
        ports.extend(sockets.into_iter().flatten().filter_map(Socket::port));
        ports
    }

    /// Reads the network devices.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn links(&mut self) -> Result<Vec<Link>, Error> {
        self.route(link::list).map_err(while_doing("read the network devices"))
    }

    /// What a device's own packets look like, if it is a tunnel and the machine can tell. A tunnel that cannot be asked
    /// is not an error: it may be gone already.
    pub fn outer(&mut self, device: &Link) -> Option<Outer> {
        match device.tunnel? {
            Tunnel::Told(outer) => Some(outer),
            Tunnel::Wireguard | Tunnel::Tun => self.wireguard(device)?.port.map(Outer::from_port),
        }
    }

    /// What a WireGuard device says of itself, in the kernel or in user space.
    pub fn wireguard(&mut self, device: &Link) -> Option<Wireguard> {
        match device.tunnel? {
            Tunnel::Wireguard => self.generic.run(|socket| wireguard::device(socket, &device.name)).ok(),
            Tunnel::Tun => super::wireguard::device(Path::new(super::wireguard::FOLDER), &device.name),
            Tunnel::Told(_) => None,
        }
    }

    /// Reads the router's addresses, without link-local IPv6 ones.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn addresses(&mut self) -> Result<Vec<Address>, Error> {
        self.route(address::list).map_err(while_doing("read the addresses"))
    }

    /// Reads which Ethernet addresses the router's neighbours have.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn ethernet_addresses(&mut self) -> Result<Vec<(IpAddr, Mac)>, Error> {
        self.route(neighbour::ethernet).map_err(while_doing("read the neighbours"))
    }

    /// Whether a neighbour on a device, given by its number, has been asked for and has not answered.
    ///
    /// # Errors
    /// The exchange with the kernel failed.
    pub fn is_silent(&mut self, index: u32, neighbour: IpAddr) -> Result<bool, Error> {
        self.route(|socket| neighbour::is_silent(socket, index, neighbour)).map_err(while_doing("ask for a neighbour"))
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
    pub fn nft_table(&mut self, name: &str, counted: &dyn Fn(&str) -> bool) -> Result<Option<Table>, Error> {
        self.netfilter
            .run(|socket| nftables::table(socket, name, counted))
            .map_err(about("read the nftables table inet", || name.to_owned()))
    }

    /// The intervals in a set of an `inet` table, sorted; `None` if there is no such set.
    ///
    /// # Errors
    /// The kernel refused: it may have no nftables, or we lack the right to look.
    pub fn nft_elements(&mut self, place: Place) -> Result<Option<Vec<Interval>>, Error> {
        let mut held = self
            .netfilter
            .run(|socket| elements::read(socket, place))
            .map_err(about("read the nftables set", || place.set.to_owned()))?;
        if !place.intervals {
            // No element has an end there, and the reader takes the last one for an interval up to the last address.
            held.iter_mut().flatten().for_each(|element| *element = Interval::single(element.first()));
        }
        Ok(held)
    }

    /// Takes intervals out of a set of an `inet` table and puts others in. See [`elements::change`].
    ///
    /// # Errors
    /// The kernel refused; a part of it may have been done.
    pub fn nft_change_elements(&mut self, place: Place, out: &[Interval], into: &[Interval]) -> Result<(), Error> {
        self.netfilter
            .run(|socket| elements::change(socket, place, out, into))
            .map_err(about("change the nftables set", || place.set.to_owned()))
    }

    /// Empties a set of an `inet` table.
    ///
    /// # Errors
    /// The kernel refused: there may be no such set.
    pub fn nft_flush_set(&mut self, table: &str, set: &str) -> Result<(), Error> {
        self.netfilter
            .run(|socket| elements::flush(socket, table, set))
            .map_err(about("empty the nftables set", || set.to_owned()))
    }

    /// Reads the counters of the `inet` table of a name, by their names; none if there is no such table.
    ///
    /// # Errors
    /// The kernel refused: it may have no nftables, or we lack the right to look.
    pub fn nft_counters(&mut self, table: &str) -> Result<Map<String, Count>, Error> {
        self.netfilter
            .run(|socket| counters::list(socket, table))
            .map_err(about("read the counters of the nftables table inet", || table.to_owned()))
    }

    /// Whether an address is in a set of the `inet` table of a name; not, if there is no such set.
    ///
    /// # Errors
    /// The kernel refused: it may have no nftables, or we lack the right to look.
    pub fn nft_set_has(&mut self, table: &str, set: &str, address: IpAddr) -> Result<bool, Error> {
        self.netfilter
            .run(|socket| element::is_in(socket, table, set, address))
            .map_err(about("look into the nftables set", || set.to_owned()))
    }

    /// Says that `nft` will be needed soon: it starts while other things are done.
    pub fn nft_announce(&mut self) {
        if self.nft.is_none() {
            // If it cannot be started, that is said when it is needed.
            self.nft = nft::Waiting::start().ok();
        }
    }

    /// Ends an announced `nft` that was not needed after all. It holds a copy of the lock: left alone, it would keep
    /// everybody, us included, from ever taking the lock again.
    pub fn nft_dismiss(&mut self) {
        self.nft = None;
    }

    /// Gives one JSON document to `nft`, which applies all of it or nothing. `what` is for messages: "load the rules".
    ///
    /// # Errors
    /// `nft` is missing, hangs, or refuses the document.
    pub fn nft_apply(&mut self, what: &str, json: &str) -> Result<(), Error> {
        self.nft_transactions = self.nft_transactions.saturating_add(1);
        let nft = self.nft.take().map_or_else(nft::Waiting::start, Ok);
        self.nft_ports.extend(nft.as_ref().map(nft::Waiting::process));
        nft.and_then(|nft| nft.apply(json)).map_err(|fault| Error::Nft { what: what.to_owned(), fault })
    }

    /// Deletes the flows, of one family or both, whose mark has a value under a mask. No others, whatever is asked for.
    ///
    /// # Errors
    /// The value is 0 or no part of the mask; the kernel has no ctnetlink; the exchange failed.
    pub fn delete_flows(&mut self, family: Option<Family>, mark: u32, mask: u32) -> Result<(), Error> {
        let what = || format!("delete the flows with mark {mark:#x}/{mask:#x}");
        self.flows(what, |socket| conntrack::delete(socket, family, marked(mark, mask)?))
    }

    /// Counts the flows, of one family or both, whose mark has a value under a mask.
    ///
    /// # Errors
    /// As [`Kernel::delete_flows`].
    pub fn count_flows(&mut self, family: Option<Family>, mark: u32, mask: u32) -> Result<u64, Error> {
        let what = || format!("count the flows with mark {mark:#x}/{mask:#x}");
        self.flows(what, |socket| conntrack::count(socket, family, marked(mark, mask)?))
    }

    /// Counts the flows that have a mark under a mask, by family and mark, in one pass over all flows.
    ///
    /// # Errors
    /// The kernel has no ctnetlink, or the exchange failed.
    pub fn tally_flows(&mut self, mask: u32) -> Result<Tally, Error> {
        self.flows(|| "count the flows".to_owned(), |socket| conntrack::tally(socket, mask))
    }

    /// Looks at each tracked connection, in one pass and without keeping any. A kernel without ctnetlink has a text, if it
    /// has that.
    ///
    /// # Errors
    /// The kernel has neither, or the exchange failed.
    pub fn each_connection(&mut self, visit: &mut dyn FnMut(Connection)) -> Result<(), Error> {
        let missing = match self.flows(|| "list the connections".to_owned(), |socket| connection::each(socket, visit)) {
            Err(missing @ Error::NoCtnetlink { .. }) => missing,
            told => return told,
        };
        let path = Path::new(flows::FILE);
        let Ok(file) = File::open(path) else { return Err(missing) };
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|error| Error::Io { what: "read", path: path.to_owned(), error })?;
            if let Some(connection) = std::str::from_utf8(&line).ok().and_then(lines::read) {
                visit(connection);
            }
        }
        Ok(())
    }

    /// How many flows there are, marked or not. Costs next to nothing.
    ///
    /// # Errors
    /// The kernel has no ctnetlink, or the exchange failed.
    pub fn flow_total(&mut self) -> Result<u32, Error> {
        self.flows(|| "count the flows".to_owned(), conntrack::total)
    }

    /// Deletes the flows of a link, so that they are opened anew by another: by its mark, or, where the kernel cannot do
    /// that, by its own `addresses` of the family.
    ///
    /// # Errors
    /// The mark is 0 or no part of the mask; the kernel can do neither; the exchange failed.
    pub fn reset_flows(
        &mut self,
        family: Option<Family>,
        mark: u32,
        mask: u32,
        addresses: &[IpAddr],
    ) -> Result<Reset, Error> {
        let before = self.flow_total();
        match before.and_then(|before| self.delete_flows(family, mark, mask).map(|()| before)) {
            Ok(before) => Ok(Reset::Marked(before.saturating_sub(self.flow_total()?))),
            Err(error @ Error::NoCtnetlink { .. }) => {
                let of_family = |address: &&IpAddr| family.is_none_or(|family| Family::of(**address) == family);
                let addresses: Vec<IpAddr> = addresses.iter().filter(of_family).copied().collect();
                // With neither way open, ctnetlink is the one that can be had.
                let flushed =
                    !addresses.is_empty() && flows::flush_by_address(Path::new(flows::FILE), &addresses).is_ok();
                if flushed { Ok(Reset::Addressed) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    fn flows<T>(
        &mut self,
        what: impl FnOnce() -> String,
        run: impl FnOnce(&mut Socket) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.netfilter.run(run).map_err(|failure| {
            let what = what();
            if conntrack::is_missing(&failure) { Error::NoCtnetlink { what } } else { Error::Netlink { what, failure } }
        })
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

/// The flows with a mark, if it is one that can be asked for.
fn marked(mark: u32, mask: u32) -> Result<Marked, Failure> {
    let reason = || Some("it is the mark of flows that are not ours".to_owned());
    Marked::new(mark, mask).ok_or_else(|| Failure::Refused { errno: Errno::ERANGE, reason: reason() })
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
