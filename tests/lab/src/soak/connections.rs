//! New connections, and what `explain` says of them.

use super::configuration::{PINNED, PORTS};
use super::world::{Condition, World};
use crate::address::{INTERNET, LAN, Wan, client_address};
use crate::client::{Dial, Way};
use crate::dice::Dice;
use crate::program::Wansplit;
use crate::topology::Lab;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How many addresses the LAN host has besides its own.
pub(super) const CLIENTS: u8 = 10;

/// One to be made.
#[derive(Debug, Clone)]
pub(super) struct Question {
    tcp: bool,
    /// None for the router itself.
    from: Option<IpAddr>,
    to: SocketAddr,
}

/// What may become of it.
#[derive(Debug)]
struct Expected {
    links: Vec<u8>,
    refused: bool,
    silent: bool,
}

impl Question {
    /// One by chance.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let ipv6 = dice.below(2) == 1;
        let from = match dice.below(4) {
            0 => None,
            1 => Some(LAN[usize::from(ipv6)]),
            _ => Some(client_address(dice.small(CLIENTS))[usize::from(ipv6)]),
        };
        let host = 1 + dice.small(250);
        let to = match (dice.below(2), ipv6) {
            (0, _) => INTERNET[usize::from(ipv6)],
            (_, false) => Ipv4Addr::new(192, 0, 2, host).into(),
            (_, true) => Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, u16::from(host) << 8, 0, 0, 1).into(),
        };
        let port = match dice.below(4) {
            0 => PINNED + 1 + u16::from(dice.small(3)),
            1 => 1024 + u16::from(dice.small(200)),
            _ => dice.choose(&PORTS).split('-').next().and_then(|port| port.parse().ok()).unwrap_or(80),
        };
        Self { tcp: dice.below(2) == 0, from, to: SocketAddr::new(to, port) }
    }

    /// What speaks against the router: nothing if the connection goes where `explain` says.
    pub(super) fn objection(&self, lab: &Lab, wansplit: &Wansplit, world: &World) -> Option<String> {
        let protocol = if self.tcp { "tcp" } else { "udp" };
        let from = self.from.map_or("router".to_owned(), |from| SocketAddr::new(from, 40_000).to_string());
        let output = wansplit.run(&["explain", "--json", protocol, &from, &self.to.to_string()]);
        let Ok(answer) = serde_json::from_str::<Value>(&output.stdout) else {
            return Some(format!("explain {self:?}: {}{}", output.stdout, output.stderr));
        };
        let kernel = answer["kernel"].as_array().map_or(&[][..], Vec::as_slice);
        if kernel.iter().any(|asked| asked["agrees"] == false) {
            return Some(format!("the kernel does not agree with explain: {answer:#}"));
        }
        let expected = self.expected(world, &answer);
        let way = self.dial(lab);
        let fits = match way {
            Way::Link(link) => expected.links.contains(&link),
            Way::Refused => expected.refused,
            Way::Silence => expected.silent,
            Way::Direct(_) => false,
        };
        (!fits).then(|| format!("{self:?} went by {way:?}, and not as {expected:?}: {answer:#}"))
    }

    fn dial(&self, lab: &Lab) -> Way {
        let dial = Dial { from: self.from, ..Dial::default() };
        let host = if self.from.is_some() { &lab.lan } else { &lab.router };
        host.run(|| if self.tcp { dial.tcp(self.to) } else { dial.udp(self.to) })
    }

    fn expected(&self, world: &World, answer: &Value) -> Expected {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut expected = Expected { links: Vec::new(), refused: answer["refused"] == true, silent: false };
        let paths = list(&answer["paths"]);
        let target = answer["target"].as_str();
        let mut main = paths.is_empty() && !matches!(target, Some("unreachable" | "blackhole"));
        expected.refused |= target == Some("unreachable");
        expected.silent |= target == Some("blackhole");
        for path in paths {
            let links: Vec<u8> =
                list(&path["links"]).iter().filter_map(|name| world.configuration.number(name.as_str()?)).collect();
            if links.is_empty() {
                match path["fallback"].as_str() {
                    Some("unreachable") => expected.refused = true,
                    // The router's own are refused: nothing can be dropped without its program's knowledge.
                    Some("blackhole") => (expected.silent, expected.refused) = (true, self.from.is_none()),
                    _ => main = true,
                }
            }
            expected.links.extend(links);
        }
        if main {
            for asked in list(&answer["kernel"]) {
                let hops = list(&asked["hops"]);
                let link = |hop: &Value| (1..=3).find(|n| hop["device"] == Wan(*n).device());
                expected.refused |= hops.is_empty();
                expected.links.extend(hops.iter().filter_map(link));
            }
            // `main` knows nothing of silence, nor of carriers.
            let ill = |link: &u8| world.links[link] != Condition::Well;
            (expected.silent, expected.refused) = (expected.silent || expected.links.iter().any(ill), true);
        }
        // TCP does not listen to every ICMP error.
        expected.silent |= expected.refused;
        let ipv6 = self.to.is_ipv6();
        // It leads there, and nobody knows that no answer comes back.
        expected.silent |= expected.links.iter().any(|link| !world.answers(*link, ipv6));
        expected
    }
}
