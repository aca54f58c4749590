//! Who has which address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The Internet host, IPv4 and IPv6. All of 192.0.2.0/24 and 2001:db8:ffff::/64 is it too.
pub const INTERNET: [IpAddr; 2] = [v4(192, 0, 2, 10), v6([0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x10])];

/// The host in the first LAN.
pub const LAN: [IpAddr; 2] = [v4(192, 168, 1, 10), v6([0xfd00, 1, 0, 0, 0, 0, 0, 0x10])];

/// The router in the first LAN.
pub const LAN_GATEWAY: [IpAddr; 2] = [v4(192, 168, 1, 1), v6([0xfd00, 1, 0, 0, 0, 0, 0, 1])];

/// The host in the second LAN.
pub const LAN2: [IpAddr; 2] = [v4(192, 168, 2, 10), v6([0xfd00, 2, 0, 0, 0, 0, 0, 0x10])];

/// The router in the second LAN.
pub const LAN2_GATEWAY: [IpAddr; 2] = [v4(192, 168, 2, 1), v6([0xfd00, 2, 0, 0, 0, 0, 0, 1])];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(s: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]))
}

/// The addresses of the LAN's further clients, from 0 to 199: 192.168.1.11 and up, fd00:1::1:0 and up.
#[must_use]
pub fn client_address(number: u8) -> [IpAddr; 2] {
    [v4(192, 168, 1, 11 + number), v6([0xfd00, 1, 0, 0, 0, 0, 1, number.into()])]
}

/// A link's addresses, by its number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wan(pub u8);

impl Wan {
    /// The router's device.
    #[must_use]
    pub fn device(self) -> &'static str {
        // eth3 is the second LAN.
        ["eth1", "eth2", "eth4", "eth5", "eth6", "eth7"][usize::from(self.0) - 1]
    }

    /// netifd's names of the interface: IPv4 and its IPv6 twin.
    #[must_use]
    pub fn interfaces(self) -> [&'static str; 2] {
        [["wan", "wan6"], ["wanb", "wanb6"], ["wanc", "wanc6"], ["wand", "wand6"]][usize::from(self.0) - 1]
    }

    /// The router's addresses on it, /24 and /64.
    #[must_use]
    pub fn router(self) -> [IpAddr; 2] {
        self.first_lease().router()
    }

    /// The provider's addresses on it: the gateways.
    #[must_use]
    pub fn gateway(self) -> [IpAddr; 2] {
        self.first_lease().gateway()
    }

    /// The networks of the link itself.
    #[must_use]
    pub fn networks(self) -> [String; 2] {
        self.first_lease().networks()
    }

    /// The IPv6 prefix the provider delegates at first, /56.
    #[must_use]
    pub fn prefix(self) -> String {
        self.prefix_number(1)
    }

    /// The prefixes it delegates one after the other, from 1 to 99.
    #[must_use]
    pub fn prefix_number(self, number: u8) -> String {
        format!("2001:db8:{:x}:{number:x}00::/56", self.0)
    }

    /// The LAN host's address out of the first prefix, where prefixes are handed out.
    #[must_use]
    pub fn lan_host(self) -> IpAddr {
        self.lan_host_in(1)
    }

    /// Its address out of a later one.
    #[must_use]
    pub fn lan_host_in(self, number: u8) -> IpAddr {
        v6([0x2001, 0xdb8, self.0.into(), u16::from(number) << 8, 0, 0, 0, 0x10])
    }

    /// Whether the provider gave this address to its customer, by whichever lease.
    #[must_use]
    pub fn owns(self, address: IpAddr) -> bool {
        let leases = (0..=Lease::LAST).map(|number| Lease { wan: self, number }.addresses(0));
        match address {
            IpAddr::V4(address) => leases.into_iter().any(
                |[network, _]| matches!(network, IpAddr::V4(network) if address.octets()[..3] == network.octets()[..3]),
            ),
            IpAddr::V6(address) => {
                let segments = address.segments();
                let subnet = segments[3];
                let leased = subnet == 0 || (Lease::SUBNET..=Lease::SUBNET + u16::from(Lease::LAST)).contains(&subnet);
                segments[..3] == [0x2001, 0xdb8, self.0.into()] && (leased || (0x100..0x6400).contains(&subnet))
            }
        }
    }

    fn first_lease(self) -> Lease {
        Lease { wan: self, number: 0 }
    }
}

/// What a link is given by its provider until the next renewal: networks, the router's addresses, the gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The link.
    pub wan: Wan,
    /// 0 until the first renewal.
    pub number: u8,
}

impl Lease {
    /// So often can a lease be renewed before it is number 0's turn again.
    const LAST: u8 = 9;
    /// The IPv6 subnet of lease 0 is 0; of lease 1 it is the next after this one.
    const SUBNET: u16 = 0x8000;

    /// The one that follows, with another network in both families.
    #[must_use]
    pub fn next(self) -> Self {
        Self { number: (self.number + 1) % (Self::LAST + 1), ..self }
    }

    /// The router's addresses, /24 and /64.
    #[must_use]
    pub fn router(self) -> [IpAddr; 2] {
        self.addresses(2)
    }

    /// The provider's addresses: the gateways.
    #[must_use]
    pub fn gateway(self) -> [IpAddr; 2] {
        self.addresses(1)
    }

    /// The networks of the link itself.
    #[must_use]
    pub fn networks(self) -> [String; 2] {
        let [v4, v6] = self.addresses(0);
        [format!("{v4}/24"), format!("{v6}/64")]
    }

    fn addresses(self, host: u8) -> [IpAddr; 2] {
        let link = self.wan.0;
        let ipv4 = match (link, self.number) {
            (1, 0) => v4(198, 51, 100, host),
            (2, 0) => v4(203, 0, 113, host),
            (_, 0) => v4(198, 18, link, host),
            (_, number) => v4(198, 19, 10 * link + number, host),
        };
        let subnet = if self.number == 0 { 0 } else { Self::SUBNET + u16::from(self.number) };
        [ipv4, v6([0x2001, 0xdb8, link.into(), subnet, 0, 0, 0, host.into()])]
    }
}
