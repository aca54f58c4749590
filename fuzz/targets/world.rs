//! A machine for a configuration, and packets that come near the edges of its rules.

use super::choices::Choices;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wansplit::clock::Now;
use wansplit::config::model::{Attachment, Choice, Config, Family, InSets, Mac, Part, SetId};
use wansplit::explain::{Details, From, Packet};
use wansplit::interval::{Interval, IntervalSet, to_ipv4, to_ipv6};
use wansplit::network::outer::Outer;
use wansplit::network::{Down, Facts, Hop, LinkFacts, Side, Standing, State};

/// A moment in each of the seasons, on different days of the week.
const INSTANTS: [i64; 4] = [1_784_000_000, 1_767_225_599, 0, 1_793_498_400];
const ZONES: [&str; 3] = ["UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "<-03>3"];

/// What the links of a configuration are like.
pub fn facts(config: &Config, choices: &mut Choices) -> Facts {
    let ipv6 = !choices.is();
    let now = Now { instant: choices.of(&INSTANTS), zone: choices.of(&ZONES).parse().expect("a zone") };
    let links: Vec<LinkFacts> = (0..config.links.len()).map(|n| link(config, n, choices)).collect();
    let mut facts = Facts { links, ipv6, now, ..Facts::default() };
    for (link, own) in config.links.iter().zip(&facts.links) {
        if let (Attachment::Interface(name), Some(device)) = (&link.attachment, &own.v4.device) {
            facts.interfaces.insert(name.clone(), device.clone());
        }
    }
    facts
}

fn link(config: &Config, n: usize, choices: &mut Choices) -> LinkFacts {
    let device = match &config.links[n].attachment {
        Attachment::Unusable => return LinkFacts::default(),
        Attachment::Device { device, .. } => device.clone(),
        // No other link has it.
        Attachment::Interface(_) => format!("fuzz-wan{n}"),
    };
    let number = u16::try_from(n).unwrap_or(u16::MAX);
    let v4 = side(&device, Ipv4Addr::new(198, 18, number as u8, 1).into(), choices);
    let v6 = side(&device, Ipv6Addr::new(0x2001, 0xdb8, number, 0, 0, 0, 0, 1).into(), choices);
    let prefixes = match choices.byte() {
        b'1' => vec![(Ipv6Addr::new(0x2001, 0xdb8, 0xff00, number, 0, 0, 0, 0), 64)],
        b'2' => vec![(Ipv6Addr::new(0xfd00, number, 0, 0, 0, 0, 0, 0), 48)],
        _ => Vec::new(),
    };
    let outer = match choices.byte() {
        b'1' => vec![Outer::from_port(51820)],
        b'2' => vec![Outer { protocol: Some(47), ..Outer::default() }],
        _ => Vec::new(),
    };
    LinkFacts { v4, v6, prefixes, translates6: choices.is(), outer }
}

fn side(device: &str, own: IpAddr, choices: &mut Choices) -> Side {
    let hop = |gateway| Hop { device: device.to_owned(), gateway };
    let gateway = match own {
        IpAddr::V4(own) => IpAddr::V4((own.to_bits() + 1).into()),
        IpAddr::V6(own) => IpAddr::V6((own.to_bits() + 1).into()),
    };
    let state = match choices.byte() {
        b'1' => State::Up(hop(None)),
        b'2' => State::NoCarrier(hop(Some(gateway))),
        b'3' => State::Down(Down::InterfaceDown),
        b'4' => State::Down(Down::NotOffered),
        _ => State::Up(hop(Some(gateway))),
    };
    let standing = choices.of(&[Standing::Good, Standing::Poor, Standing::Dead]);
    let addresses = if matches!(state, State::Down(_)) { Vec::new() } else { vec![own] };
    let device = (state != State::Down(Down::NotOffered)).then(|| device.to_owned());
    Side { device, addresses, state, standing }
}

/// Numbers that look random and are the same for the same input.
pub struct Dice(u64);

impl Dice {
    /// From an input.
    pub fn new(input: &[u8]) -> Self {
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(input.iter().fold(0xcbf2_9ce4_8422_2325, mix) | 1)
    }

    /// Below a number.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is smaller")
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// What the rules of a configuration speak of, and what lies beside it.
pub struct Near {
    addresses: [Vec<IpAddr>; 2],
    protocols: Vec<u8>,
    ports: Vec<u16>,
    devices: Vec<String>,
    macs: Vec<Option<Mac>>,
    users: Vec<Option<u32>>,
    icmp_types: Vec<u8>,
    marks: Vec<u32>,
}

impl Near {
    /// Of a configuration on a machine.
    pub fn new(config: &Config, facts: &Facts) -> Self {
        let mut near = Self {
            addresses: [
                ["192.168.1.10", "1.1.1.1", "255.255.255.255"].map(|text| text.parse().expect("an address")).to_vec(),
                ["2001:db8:ff00::10", "fd00::10", "2a00::1", "fe80::1", "ff02::1"]
                    .map(|text| text.parse().expect("an address"))
                    .to_vec(),
            ],
            protocols: vec![6, 17, 47],
            ports: vec![0, 443, 65535],
            devices: vec!["br-lan".into()],
            macs: vec![None, Some(Mac([2, 0, 0, 0, 0, 1]))],
            users: vec![None, Some(0), Some(1000)],
            icmp_types: vec![0, 8, 128],
            marks: vec![0, 1],
        };
        for rule in &config.rules {
            let matches = &rule.matches;
            near.protocols.extend(edges(matches.protocols.as_ref(), 255).map(|n| n as u8));
            for ports in [&matches.source_ports, &matches.destination_ports] {
                near.ports.extend(edges(ports.as_ref(), 65535).map(|n| n as u16));
            }
            for set in [&matches.source4, &matches.destination4] {
                near.addresses(set.as_ref(), Family::V4);
            }
            for set in [&matches.source6, &matches.destination6] {
                near.addresses(set.as_ref(), Family::V6);
            }
            for InSets { except4, except6, .. } in matches.source_sets.iter().chain(&matches.destination_sets) {
                near.addresses(Some(except4), Family::V4);
                near.addresses(Some(except6), Family::V6);
            }
            if let Some(Choice::OneOf(names) | Choice::NoneOf(names)) = &matches.interfaces {
                near.devices.extend(names.iter().map(|name| facts.device_of(name).to_owned()));
            }
            if let Some(Choice::OneOf(macs) | Choice::NoneOf(macs)) = &matches.macs {
                near.macs.extend(macs.iter().copied().map(Some));
            }
            near.users.extend(edges(matches.users.as_ref(), u32::MAX.into()).map(|n| Some(n as u32)));
            for types in matches.icmp_types.iter().flatten() {
                near.icmp_types.extend(edges(Some(types), 255).map(|n| n as u8));
            }
            near.marks.extend(matches.mark.iter().map(|mark| mark.value));
        }
        near.devices.extend(facts.links.iter().flat_map(|link| link.v4.device.clone()));
        for own in facts.links.iter().flat_map(|link| link.v4.addresses.iter().chain(&link.v6.addresses)) {
            near.addresses[usize::from(own.is_ipv6())].push(*own);
        }
        near
    }

    fn addresses(&mut self, set: Option<&IntervalSet>, family: Family) {
        let address = |n| if family == Family::V4 { to_ipv4(n).into() } else { IpAddr::V6(to_ipv6(n)) };
        self.addresses[usize::from(family == Family::V6)].extend(edges(set, family.max_address()).map(address));
    }

    /// A packet that comes in by a device.
    pub fn arriving(&self, config: &Config, dice: &mut Dice) -> Packet {
        let origin = From::Device(Some(dice.of(&self.devices)), dice.of(&self.macs));
        let packet = self.packet(origin, dice);
        let mut within = |family| -> Vec<SetId> {
            let can = |n: &usize| Part::BOTH.iter().any(|part| config.sets[*n].has(*part, family));
            (0..config.sets.len()).filter(can).filter(|_| dice.below(2) == 0).map(SetId).collect()
        };
        let (source_in, destination_in) = (within(packet.family()), within(packet.family()));
        Packet { details: Details { source_in, destination_in, user: None, ..packet.details.clone() }, ..packet }
    }

    /// A packet of the router's own.
    pub fn leaving(&self, dice: &mut Dice) -> Packet {
        let packet = self.packet(From::Router, dice);
        let source = packet.source.filter(|_| dice.below(2) == 0);
        Packet { source, details: Details { user: dice.of(&self.users), mark: 0, ..packet.details }, ..packet }
    }

    fn packet(&self, origin: From, dice: &mut Dice) -> Packet {
        let family = dice.below(2);
        let protocol = match (dice.of(&self.protocols), family) {
            (1, 1) => 58,
            (58, 0) => 1,
            (protocol, _) => protocol,
        };
        let mut port = || wansplit::explain::question::has_ports(protocol).then(|| dice.of(&self.ports));
        let (source_port, destination_port) = (port(), port());
        let icmp_type = matches!(protocol, 1 | 58).then(|| dice.of(&self.icmp_types));
        Packet {
            origin,
            source: Some(dice.of(&self.addresses[family])),
            destination: dice.of(&self.addresses[family]),
            protocol,
            source_port,
            destination_port,
            dscp: dice.of(&[0, 0, 46, 63]),
            details: Details { icmp_type, mark: dice.of(&self.marks), ..Details::default() },
        }
    }
}

/// The ends of each interval, and the numbers beside them.
fn edges(set: Option<&IntervalSet>, most: u128) -> impl Iterator<Item = u128> {
    let beside = move |interval: Interval| {
        let (first, last) = (interval.first(), interval.last());
        [Some(first), Some(last), first.checked_sub(1), last.checked_add(1).filter(|next| *next <= most)]
    };
    let intervals: Vec<Interval> = set.into_iter().flat_map(IntervalSet::iter).take(64).collect();
    intervals.into_iter().flat_map(beside).flatten()
}
