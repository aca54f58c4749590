//! What runs already between the ends of a packet. It stays on its link whatever the rules say now, and is what a look at the
//! wire shows: who wonders about the difference is told.

use super::Packet;
use crate::config::model::{Config, LinkId};
use crate::kernel::connection::Connection;
use crate::plan::path::Paths;

/// How many connections like a packet's there are, by link.
pub struct Running<'a> {
    config: &'a Config,
    packet: &'a Packet,
    /// Marks of each link.
    marks: Vec<(u32, LinkId)>,
    found: Vec<(Option<LinkId>, u32)>,
}

impl<'a> Running<'a> {
    /// None yet.
    #[must_use]
    pub fn new(config: &'a Config, paths: &Paths, packet: &'a Packet) -> Self {
        let links = (0..config.links.len()).map(LinkId);
        let marks = links.flat_map(|link| paths.marks_of_link(link).into_iter().map(move |mark| (mark.bits(), link)));
        Self { config, packet, marks: marks.collect(), found: Vec::new() }
    }

    /// Counts a connection, if it has the same ends. Its source port is its own.
    pub fn add(&mut self, connection: &Connection) {
        let (ends, asked) = (&connection.original, self.packet);
        let same = connection.protocol == asked.protocol
            && Some(ends.source) == asked.source
            && ends.destination == asked.destination
            && ends.destination_port == asked.destination_port;
        if !same {
            return;
        }
        let bits = connection.mark & self.config.globals.mask.bits();
        let link = self.marks.iter().find(|(mark, _)| *mark == bits).map(|(_, link)| *link);
        match self.found.iter_mut().find(|(other, _)| *other == link) {
            Some((_, count)) => *count += 1,
            None => self.found.push((link, 1)),
        }
    }

    /// A line for each link: `running  2 connections with these ends on EMB: stay there, whatever the rules say now`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |(link, count): &(Option<LinkId>, u32)| {
            let (what, stay) = if *count == 1 { ("connection", "stays") } else { ("connections", "stay") };
            let link = link.map_or("no link of ours", |link| &self.config[link].name);
            format!("running  {count} {what} with these ends on {link}: {stay} there, whatever the rules say now")
        };
        self.found.iter().map(line).collect()
    }
}
