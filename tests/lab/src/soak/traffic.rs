//! Who is on the links all the time, and what is sent to ports that are bound to one link.

use super::configuration::{LINKS, PINNED};
use super::world::World;
use crate::address::INTERNET;
use crate::client::Way;
use crate::flow::Flow;
use crate::knocker::Knocker;
use crate::topology::{Lab, Leaks};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

/// Pause between two packets of a flow.
const PAUSE: Duration = Duration::from_millis(20);
/// Answers that may be under way.
const IN_THE_AIR: u32 = 3;

/// Flows of both protocols and families on each link, for as long as nothing happens to that link.
pub(super) struct Traffic<'a> {
    lab: &'a Lab,
    flows: BTreeMap<u8, Vec<Flow>>,
    leaks: Vec<(u8, Leaks<'a>, u64)>,
    /// Packets and rounds of flows that were ended, and those of them that had no answer.
    pub(super) sent: u64,
    pub(super) lost: u64,
    /// Connections of the knocker.
    pub(super) knocks: u64,
    knocker: Option<Knocker>,
    /// Links whose bound connections may have begun elsewhere, while there was no rule for them.
    suspect: BTreeSet<u8>,
}

impl<'a> Traffic<'a> {
    /// Nothing yet.
    pub(super) fn new(lab: &'a Lab) -> Self {
        // First packets only: a connection that was made while nothing of ours was there may end by the link it took.
        let new = |link| {
            let port = PINNED + u16::from(link);
            [format!("udp dport {port}"), format!("tcp dport {port} tcp flags & (syn | ack) == syn")]
        };
        let leaks = |link| new(link).map(|first| (link, lab.count_leaks(link, &first), 0));
        let leaks = (1..=LINKS).flat_map(leaks).collect();
        Self {
            lab,
            flows: BTreeMap::new(),
            leaks,
            sent: 0,
            lost: 0,
            knocks: 0,
            knocker: None,
            suspect: BTreeSet::new(),
        }
    }

    /// Before an event: ends what is on the links that it touches, and starts what is missing on the others.
    pub(super) fn prepare(&mut self, world: &World, touched: &[u8]) {
        for link in touched {
            self.end(*link);
        }
        for link in world.well() {
            let spared = world.configuration.links.contains_key(&link) && !touched.contains(&link);
            if spared && !self.flows.contains_key(&link) {
                self.flows.insert(link, start(self.lab, link));
            }
        }
        self.lab.forget_strays();
        self.baseline();
        let targets = INTERNET.iter().flat_map(|to| (1..=LINKS).map(|link| (None, *to, PINNED + u16::from(link))));
        self.knocker = Some(Knocker::start_slowly(&self.lab.lan, targets.collect(), Duration::from_millis(10)));
    }

    /// After it: who is on a link has noticed nothing. With `lawful`, nothing went where it may not go.
    pub(super) fn check(&mut self, world: &World, lawful: bool) -> Vec<String> {
        if let Some(knocker) = self.knocker.take() {
            self.knocks += u64::from(knocker.stop());
        }
        let mut objections = Vec::new();
        for (link, flows) in &self.flows {
            for flow in flows {
                let until = Instant::now() + Duration::from_secs(3);
                while flow.so_far().lost() > IN_THE_AIR && Instant::now() < until {
                    thread::sleep(Duration::from_millis(10));
                }
                let goes_on = flow.goes_on(2);
                let report = flow.so_far();
                let whole =
                    report.lost() <= IN_THE_AIR && report.error.is_none() && report.ways() == [Way::Link(*link)];
                if !goes_on || !whole {
                    objections.push(format!("a flow on link {link}, which nothing happened to: {report:?}"));
                }
            }
        }
        if lawful {
            let bound = self
                .leaks
                .iter()
                .filter(|(link, ..)| world.configuration.links.contains_key(link) && !self.suspect.contains(link));
            for (link, leaks, before) in bound {
                let leaked = leaks.packets() - before;
                if leaked > 0 {
                    objections
                        .push(format!("{leaked} connections that may leave by link {link} alone left by another"));
                }
            }
            // What comes for an address that has gone is answered by an ICMP error, by whichever link, or goes back.
            let strays = self.lab.strays();
            let strays =
                strays.iter().filter(|stray| ["tcp", "udp", "echo-request"].iter().any(|word| stray.contains(word)));
            objections.extend(strays.map(|stray| format!("a packet with another link's address: {stray}")));
        }
        objections
    }

    /// After an event that let packets go astray. Connection tracking knows what began then, and takes the next UDP packet
    /// from the same port for one of that connection: so it forgets, or the leaks of those links mean nothing.
    pub(super) fn forgive(&mut self, touched: &[u8]) {
        if touched.len() == usize::from(LINKS) {
            self.lab.router.forget_connections();
            self.suspect.clear();
        } else {
            self.suspect.extend(touched);
        }
    }

    /// Ends them all.
    pub(super) fn end_all(&mut self) {
        (1..=LINKS).for_each(|link| self.end(link));
    }

    /// Ends what is on a link, which must have been whole until now.
    fn end(&mut self, link: u8) {
        for flow in self.flows.remove(&link).unwrap_or_default() {
            let report = flow.stop();
            self.sent += u64::from(report.sent);
            self.lost += u64::from(report.lost());
            report.assert_whole(Way::Link(link));
        }
    }

    fn baseline(&mut self) {
        for (_, leaks, before) in &mut self.leaks {
            *before = leaks.packets();
        }
    }
}

fn start(lab: &Lab, link: u8) -> Vec<Flow> {
    let port = PINNED + u16::from(link);
    let both = |to| [Flow::udp(&lab.lan, to, port, PAUSE), Flow::tcp(&lab.lan, to, port, 1024, PAUSE)];
    INTERNET.into_iter().flat_map(both).collect()
}
