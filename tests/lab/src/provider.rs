//! A provider: gives its customer addresses, drops what comes with others, and counts.

use crate::address::{Lease, Wan};
use crate::host::Host;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// The sets that note spoofed packets.
const STRAYS: [&str; 4] = ["strays4", "strays6", "stray_icmp4", "stray_icmp6"];

/// The network of one provider.
#[derive(Debug)]
pub struct Provider {
    /// Its router.
    pub host: Host,
    /// The link it serves.
    pub wan: Wan,
    counters: AtomicU32,
    lease: AtomicU8,
    prefix: AtomicU8,
}

/// Counts the customer's packets of one kind at a provider, those with a wrong source too.
#[derive(Debug)]
pub struct Counter<'a> {
    provider: &'a Provider,
    name: String,
}

impl Provider {
    /// Joins a provider to its customer's router and to the Internet.
    pub(crate) fn new(wan: Wan, name: &'static str, router: &Host, internet: &Host) -> Self {
        let host = Host::new(name);
        host.sysctl("net/ipv4/ip_forward", "1");
        host.sysctl("net/ipv6/conf/all/forwarding", "1");
        // Taking the cable away is switching this end off, which would drop its IPv6 addresses.
        host.sysctl("net/ipv6/conf/default/keep_addr_on_down", "1");
        host.sysctl("net/ipv6/conf/all/keep_addr_on_down", "1");
        host.cable("uplink", internet, name);
        let (n, prefix) = (wan.0, wan.prefix());
        host.ip(&format!(
            "addr add 10.9.{n}.1/30 dev uplink
             addr add fd09:{n}::1/64 dev uplink nodad
             route add 192.0.2.0/24 via 10.9.{n}.2
             route add 2001:db8:ffff::/64 via fd09:{n}::2"
        ));
        internet.ip(&format!(
            "addr add 10.9.{n}.2/30 dev {name}
             addr add fd09:{n}::2/64 dev {name} nodad
             route add {prefix} via fd09:{n}::1 src 2001:db8:ffff::10"
        ));
        host.nft(&format!(
            "table inet provider {{
               counter passed {{}}
               counter stale {{}}
               counter spoofed {{}}
               set given4 {{ type ipv4_addr; flags interval; }}
               set given6 {{ type ipv6_addr; flags interval; elements = {{ {prefix} }}; }}
               set taken_back4 {{ type ipv4_addr; flags interval; }}
               set taken_back6 {{ type ipv6_addr; flags interval; }}
               set strays4 {{ type ipv4_addr . ipv4_addr . inet_proto; flags dynamic; }}
               set strays6 {{ type ipv6_addr . ipv6_addr . inet_proto; flags dynamic; }}
               set stray_icmp4 {{ type ipv4_addr . icmp_type; flags dynamic; }}
               set stray_icmp6 {{ type ipv6_addr . icmpv6_type; flags dynamic; }}
               chain watched {{}}
               chain prerouting {{
                 type filter hook prerouting priority raw; policy accept;
                 iifname != customer accept
                 jump watched
                 ip daddr 224.0.0.0/4 accept
                 ip6 daddr ff00::/8 accept
                 icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
                 ip6 saddr fe80::/10 accept
                 ip saddr @given4 counter name passed accept
                 ip6 saddr @given6 counter name passed accept
                 ip saddr @taken_back4 counter name stale drop
                 ip6 saddr @taken_back6 counter name stale drop
                 update @strays4 {{ ip saddr . ip daddr . meta l4proto }}
                 update @strays6 {{ ip6 saddr . ip6 daddr . meta l4proto }}
                 update @stray_icmp4 {{ ip saddr . icmp type }}
                 update @stray_icmp6 {{ ip6 saddr . icmpv6 type }}
                 counter name spoofed drop
               }}
               chain faults {{}}
               chain forward {{ type filter hook forward priority filter; policy accept; jump faults; }}
             }}"
        ));
        let provider =
            Self { host, wan, counters: AtomicU32::new(0), lease: AtomicU8::new(0), prefix: AtomicU8::new(1) };
        provider.connect(router);
        provider.give(internet);
        provider
    }

    /// Lays the cable to the customer, whose device is new then.
    pub(crate) fn connect(&self, router: &Host) {
        self.host.cable("customer", router, self.wan.device());
        self.address(self.lease());
        self.route_prefix();
    }

    /// What the customer is given now.
    #[must_use]
    pub fn lease(&self) -> Lease {
        Lease { wan: self.wan, number: self.lease.load(Ordering::Relaxed) }
    }

    /// The number of the prefix that is delegated to the customer now.
    #[must_use]
    pub fn prefix_number(&self) -> u8 {
        self.prefix.load(Ordering::Relaxed)
    }

    /// Delegates another prefix. The old one stays until [`Provider::take_prefix_back`].
    pub(crate) fn delegate_next(&self, internet: &Host) {
        let next = self.prefix_number() + 1;
        self.prefix.store(next, Ordering::Relaxed);
        let (n, prefix) = (self.wan.0, self.wan.prefix_number(next));
        self.host.nft(&format!("add element inet provider given6 {{ {prefix} }}"));
        internet.ip(&format!("route replace {prefix} via fd09:{n}::1 src 2001:db8:ffff::10"));
        self.route_prefix();
    }

    /// Ends the delegation of a prefix: what still comes out of it is dropped, and counted as stale.
    pub(crate) fn take_prefix_back(&self, number: u8) {
        let prefix = self.wan.prefix_number(number);
        self.host.nft(&format!(
            "delete element inet provider given6 {{ {prefix} }}\nadd element inet provider taken_back6 {{ {prefix} }}"
        ));
    }

    /// Gives the customer another lease. The gateways of the old one stay until [`Provider::take_back`].
    pub(crate) fn renew(&self, internet: &Host) {
        self.lease.store(self.lease().next().number, Ordering::Relaxed);
        self.address(self.lease());
        self.give(internet);
        self.route_prefix();
    }

    /// Ends a lease: what still comes with its addresses is dropped, and counted as stale.
    pub(crate) fn take_back(&self, old: Lease) {
        let ([network4, network6], [gateway4, gateway6]) = (old.networks(), old.gateway());
        self.host.ip(&format!("addr del {gateway4}/24 dev customer\naddr del {gateway6}/64 dev customer"));
        self.host.nft(&format!(
            "delete element inet provider given4 {{ {network4} }}
             delete element inet provider given6 {{ {network6} }}
             add element inet provider taken_back4 {{ {network4} }}
             add element inet provider taken_back6 {{ {network6} }}"
        ));
    }

    fn address(&self, lease: Lease) {
        let [gateway4, gateway6] = lease.gateway();
        self.host.ip(&format!("addr add {gateway4}/24 dev customer\naddr add {gateway6}/64 dev customer nodad"));
    }

    /// Lets the lease's addresses in, and the Internet's answers back.
    fn give(&self, internet: &Host) {
        let (n, [network4, network6]) = (self.wan.0, self.lease().networks());
        self.host.nft(&format!(
            "add element inet provider given4 {{ {network4} }}\nadd element inet provider given6 {{ {network6} }}"
        ));
        // The source of what the Internet host sends is its public address, also of answers on unbound sockets.
        internet.ip(&format!(
            "route replace {network4} via 10.9.{n}.1 src 192.0.2.10
             route replace {network6} via fd09:{n}::1 src 2001:db8:ffff::10"
        ));
    }

    /// Takes the cable away (`false`) or puts it back: the router's device loses its carrier and keeps all else.
    pub fn carrier(&self, on: bool) {
        self.host.ip(if on { "link set customer up" } else { "link set customer down" });
        if on {
            self.route_prefix();
        }
    }

    /// Packets the customer sent with an address that is not his. Anything but 0 is a packet on the wrong link.
    #[must_use]
    pub fn spoofed(&self) -> u64 {
        self.host.counted("provider", "spoofed")
    }

    /// The spoofed packets as "source . destination . protocol" and "source . ICMP type", for people.
    #[must_use]
    pub fn strays(&self) -> Vec<String> {
        let sets = STRAYS.map(|set| self.host.command("nft", &["list", "set", "inet", "provider", set]));
        let elements = sets.iter().filter_map(|text| text.split_once("elements = {")?.1.split_once('}'));
        let strays = elements.flat_map(|(elements, _)| elements.split(','));
        strays.map(|stray| format!("{}: {}", self.host.name(), stray.trim())).collect()
    }

    /// Begins a new list of them.
    pub fn forget_strays(&self) {
        self.host.nft(&STRAYS.map(|set| format!("flush set inet provider {set}\n")).concat());
    }

    /// Packets the customer sent with an address that was his until a renewal.
    #[must_use]
    pub fn stale(&self) -> u64 {
        self.host.counted("provider", "stale")
    }

    /// Packets the customer sent that were let through.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.host.counted("provider", "passed")
    }

    /// Counts the customer's packets that match an nft expression from now on: `tcp dport 25`.
    #[must_use]
    pub fn count(&self, expression: &str) -> Counter<'_> {
        let name = format!("watch{}", self.counters.fetch_add(1, Ordering::Relaxed));
        self.host.nft(&format!(
            "add counter inet provider {name}
             add rule inet provider watched {expression} counter name {name}"
        ));
        Counter { provider: self, name }
    }

    /// The way to the delegated prefix goes when the customer's device goes down.
    fn route_prefix(&self) {
        self.host.ip(&format!(
            "route replace {} via {} dev customer onlink",
            self.wan.prefix_number(self.prefix_number()),
            self.lease().router()[1]
        ));
    }
}

impl Counter<'_> {
    /// Packets so far.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.provider.host.counted("provider", &self.name)
    }
}
