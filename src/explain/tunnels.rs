//! Packets of the router's that tunnels consist of.

use super::Packet;
use crate::config::model::{Config, LinkId};
use crate::network::Facts;
use crate::network::outer::Outer;
use crate::plan::path::{PathId, Paths};
use crate::plan::underlay;

/// The tunnel whose own packet this is, and the path it goes by (none is the main table), if that is not for the rule to
/// say that matches, given by its place.
pub(super) fn caught(
    config: &Config,
    paths: &Paths,
    facts: &Facts,
    packet: &Packet,
    matched: Option<usize>,
) -> Option<(LinkId, Option<PathId>)> {
    let mut own = underlay::own_packets(config, facts, packet.family());
    own.retain(|own| is(packet, &own.outer));
    let via = own.iter().find_map(|own| Some((own.link, own.path(paths)?)));
    let caught = own.iter().find(|own| own.before.is_some_and(|rule| matched.is_none_or(|matched| rule <= matched)));
    via.or_else(|| caught.map(|own| (own.link, None)))
}

/// Whether a packet looks like a tunnel's own. One whose source port is not given does not, if that is what they are
/// known by.
fn is(packet: &Packet, outer: &Outer) -> bool {
    outer.destination.is_none_or(|address| address == packet.destination)
        && outer.protocol.is_none_or(|protocol| protocol == packet.protocol)
        && outer.source_port.is_none_or(|port| packet.source_port == Some(port))
        && outer.destination_port.is_none_or(|port| packet.destination_port == Some(port))
}
