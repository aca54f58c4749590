//! The whole lab: two LANs, the router, the providers, the Internet.

use crate::address::{INTERNET, LAN, LAN_GATEWAY, LAN2, LAN2_GATEWAY, Lease, Wan, client_address};
use crate::client::{Dial, Way};
use crate::echo::{serve_tcp, serve_udp};
use crate::firewall;
use crate::host::Host;
use crate::provider::{Counter, Provider};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// What a lab looks like. The default has two links, `main`'s default on link 1, and the firewall.
#[derive(Debug, Clone)]
pub struct Setup {
    /// How many links, 1 to 4.
    pub links: u8,
    /// The links that have a default route in `main`, best first. One alone has metric 0, several 10, 20, ...
    pub main_default: Vec<u8>,
    /// `rp_filter` on all of the router's devices: 0 off, 1 strict, 2 loose.
    pub rp_filter: u8,
    /// How many further addresses the LAN host plays clients with, 0 to 200.
    pub clients: u8,
    /// Whether the LAN host has an address out of each link's delegated prefix.
    pub prefixes: bool,
    /// Whether the firewall hands established connections to a flowtable (`option flow_offloading '1'`).
    pub offload: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { links: 2, main_default: vec![1], rp_filter: 0, clients: 0, prefixes: false, offload: false }
    }
}

/// The hosts of a lab.
#[derive(Debug)]
pub struct Lab {
    /// The host in the first LAN.
    pub lan: Host,
    /// The host in the second LAN.
    pub lan2: Host,
    /// The router under test.
    pub router: Host,
    /// The Internet host.
    pub internet: Host,
    providers: Vec<Provider>,
    main_default: Vec<u8>,
    offload: bool,
}

impl Lab {
    /// The default lab.
    #[must_use]
    pub fn new() -> Self {
        Self::with(&Setup::default())
    }

    /// Builds a lab; returns when packets flow.
    #[must_use]
    pub fn with(setup: &Setup) -> Self {
        Self::around(Host::new("router"), setup)
    }

    /// The same around a router that is there already.
    #[must_use]
    pub fn around(router: Host, setup: &Setup) -> Self {
        let (lan, lan2, internet) = (Host::new("lan"), Host::new("lan2"), Host::new("internet"));
        router.sysctl("net/ipv4/ip_forward", "1");
        router.sysctl("net/ipv6/conf/all/forwarding", "1");
        router.sysctl("net/ipv4/conf/all/rp_filter", &setup.rp_filter.to_string());
        router.sysctl("net/ipv4/conf/default/rp_filter", &setup.rp_filter.to_string());
        lan_side(&lan, &router, "eth0", LAN, LAN_GATEWAY);
        lan_side(&lan2, &router, "eth3", LAN2, LAN2_GATEWAY);
        internet.ip("addr add 192.0.2.10/32 dev lo
             addr add 2001:db8:ffff::10/128 dev lo nodad
             route add local 192.0.2.0/24 dev lo
             route add local 2001:db8:ffff::/64 dev lo");
        let names = ["isp1", "isp2", "isp3", "isp4"];
        let providers: Vec<Provider> =
            (1..=setup.links).zip(names).map(|(n, name)| Provider::new(Wan(n), name, &router, &internet)).collect();
        let main_default = setup.main_default.clone();
        let lab = Self { lan, lan2, router, internet, providers, main_default, offload: setup.offload };
        lab.address_router();
        lab.restore_defaults();
        lab.address_clients(setup);
        lab.router.nft(&firewall::ruleset(&lab.wans(), lab.offload));
        lab.start_servers();
        lab.wait_until_alive();
        lab
    }

    /// The links' numbers and addresses.
    #[must_use]
    pub fn wans(&self) -> Vec<Wan> {
        self.providers.iter().map(|provider| provider.wan).collect()
    }

    /// The provider of a link.
    #[must_use]
    pub fn provider(&self, link: u8) -> &Provider {
        &self.providers[usize::from(link) - 1]
    }

    /// Packets that left by a link with an address that is not that link's, over all links. Must stay 0.
    #[must_use]
    pub fn spoofed(&self) -> u64 {
        self.providers.iter().map(Provider::spoofed).sum()
    }

    /// What [`Lab::spoofed`] counts, a line for each source and destination.
    #[must_use]
    pub fn strays(&self) -> Vec<String> {
        self.providers.iter().flat_map(Provider::strays).collect()
    }

    /// Begins a new list of them; [`Lab::spoofed`] goes on counting.
    pub fn forget_strays(&self) {
        self.providers.iter().for_each(Provider::forget_strays);
    }

    /// Counts the packets that match an nft expression and leave by any link but this one.
    #[must_use]
    pub fn count_leaks(&self, link: u8, expression: &str) -> Leaks<'_> {
        let others = self.providers.iter().filter(|provider| provider.wan != Wan(link));
        Leaks(others.map(|provider| provider.count(expression)).collect())
    }

    /// One TCP connection from a host.
    #[must_use]
    pub fn tcp(&self, from: &Host, to: IpAddr, port: u16) -> Way {
        from.run(|| Dial::default().tcp(SocketAddr::new(to, port)))
    }

    /// One UDP packet and its answer.
    #[must_use]
    pub fn udp(&self, from: &Host, to: IpAddr, port: u16) -> Way {
        from.run(|| Dial::default().udp(SocketAddr::new(to, port)))
    }

    /// Keeps opening new TCP connections, one every 4 ms, until one is answered: how long after `since` that was, and
    /// its way. Nothing if none is within 5 s.
    #[must_use]
    pub fn time_to_connect(&self, since: Instant, from: &Host, to: IpAddr, port: u16) -> Option<(Duration, Way)> {
        let deadline = Instant::now() + Duration::from_secs(5);
        let (report, answers) = std::sync::mpsc::channel();
        while Instant::now() < deadline {
            let report = report.clone();
            from.spawn(move || {
                let way = Dial::default().tcp(SocketAddr::new(to, port));
                // Nobody listens any more once one attempt has been answered.
                let _ = matches!(way, Way::Link(_) | Way::Direct(_)).then(|| report.send((since.elapsed(), way)));
            });
            if let Ok(answer) = answers.recv_timeout(Duration::from_millis(4)) {
                return Some(answer);
            }
        }
        None
    }

    /// Takes the default routes of `main` away and puts this link's there.
    pub fn move_main_default(&self, link: u8) {
        let [gateway4, gateway6] = Wan(link).gateway();
        self.router.ip(&format!("route flush default\nroute add default via {gateway4}"));
        self.router.ip6(&format!("route flush default\nroute add default via {gateway6}"));
    }

    /// Gives `main` the default routes it had at first, by the gateways of the present leases. A link without a device or
    /// without addresses gets none.
    pub fn restore_defaults(&self) {
        for (place, link) in self.main_default.iter().enumerate() {
            let metric = if self.main_default.len() == 1 { 0 } else { 10 * (place + 1) };
            for gateway in self.provider(*link).lease().gateway() {
                // IPv6 has no metric 0: the kernel makes 1024 of it.
                let family = if gateway.is_ipv4() { "-4" } else { "-6" };
                let route =
                    format!("{family} route replace default via {gateway} dev {} metric {metric}", Wan(*link).device());
                let _ = self.router.output("ip", &route.split(' ').collect::<Vec<_>>());
            }
        }
    }

    /// Switches the router's device of a link off and takes its addresses, as netifd does on `ifdown`.
    pub fn interface_down(&self, link: u8) {
        let device = Wan(link).device();
        self.router.ip(&format!("link set {device} down\naddr flush dev {device}"));
    }

    /// Undoes [`Lab::interface_down`]; default routes in `main` are not put back.
    pub fn interface_up(&self, link: u8) {
        self.router.ip(&wan_addresses(self.provider(link).lease()));
        self.router.ip(&format!("link set {} up", Wan(link).device()));
    }

    /// Puts the firewall in place anew, as fw4 does it when it is reloaded: all of it in one transaction.
    pub fn reload_firewall(&self) {
        let ruleset = firewall::ruleset(&self.wans(), self.offload);
        self.router.nft(&format!("table inet fw4\ndelete table inet fw4\n{ruleset}"));
    }

    /// What `ubus call network.interface dump` would say of the router; links in `down` are down.
    #[must_use]
    pub fn network_dump(&self, down: &[u8]) -> Value {
        let mut interfaces = vec![
            json!({"interface": "loopback", "up": true, "proto": "static", "device": "lo", "l3_device": "lo",
                "ipv4-address": [{"address": "127.0.0.1", "mask": 8}], "route": []}),
            json!({"interface": "lan", "up": true, "proto": "static", "device": "eth0", "l3_device": "eth0",
                "ipv4-address": [{"address": LAN_GATEWAY[0], "mask": 24}], "route": []}),
            json!({"interface": "lan2", "up": true, "proto": "static", "device": "eth3", "l3_device": "eth3",
                "ipv4-address": [{"address": LAN2_GATEWAY[0], "mask": 24}], "route": []}),
        ];
        for provider in &self.providers {
            interfaces.extend(wan_interfaces(provider, !down.contains(&provider.wan.0)));
        }
        json!({ "interface": interfaces })
    }

    fn address_router(&self) {
        for provider in &self.providers {
            self.router.ip(&wan_addresses(provider.lease()));
        }
    }

    fn address_clients(&self, setup: &Setup) {
        let clients = (0..setup.clients).map(client_address);
        let lines = clients.map(|[v4, v6]| format!("addr add {v4}/24 dev eth0\naddr add {v6}/64 dev eth0 nodad\n"));
        self.lan.ip(&lines.collect::<String>());
        if setup.prefixes {
            for wan in self.wans() {
                let prefix = format!("2001:db8:{:x}:100::", wan.0);
                self.router.ip(&format!("addr add {prefix}1/64 dev eth0 nodad"));
                self.lan.ip(&format!("addr add {}/64 dev eth0 nodad", wan.lan_host()));
            }
        }
    }

    fn start_servers(&self) {
        // Every port of every address of the Internet is the echo server.
        self.internet.nft(
            "table inet everywhere {
               chain prerouting {
                 type nat hook prerouting priority dstnat; policy accept;
                 ip daddr 192.0.2.0/24 meta l4proto { tcp, udp } dnat ip to 192.0.2.10:7
                 ip6 daddr 2001:db8:ffff::/64 meta l4proto { tcp, udp } dnat ip6 to [2001:db8:ffff::10]:7
               }
             }",
        );
        for address in INTERNET {
            serve_tcp(&self.internet, SocketAddr::new(address, 7));
            serve_udp(&self.internet, SocketAddr::new(address, 7));
        }
        for (host, address) in [(&self.lan, LAN), (&self.lan2, LAN2)] {
            for address in address {
                serve_tcp(host, SocketAddr::new(address, 22));
                serve_udp(host, SocketAddr::new(address, 53));
            }
        }
        for address in LAN_GATEWAY {
            serve_udp(&self.router, SocketAddr::new(address, 53));
        }
        for port in [22, 80] {
            serve_tcp(&self.router, SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port));
        }
    }

    /// Routes of a new cable work once the kernel's link watch has seen it; wait for each.
    fn wait_until_alive(&self) {
        let cables = self.wans().into_iter().flat_map(Wan::gateway).chain(LAN).chain(LAN2);
        let deadline = Instant::now() + Duration::from_secs(10);
        for neighbour in cables {
            while !self.router.ping(neighbour, &[]) {
                assert!(Instant::now() < deadline, "the router cannot reach {neighbour}");
            }
        }
    }
}

/// Packets that left by a link that is not theirs.
#[derive(Debug)]
pub struct Leaks<'a>(Vec<Counter<'a>>);

impl Leaks<'_> {
    /// How many so far. For what a kill switch holds it must stay 0.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.0.iter().map(Counter::packets).sum()
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

fn lan_side(host: &Host, router: &Host, device: &str, own: [IpAddr; 2], gateway: [IpAddr; 2]) {
    host.cable("eth0", router, device);
    for (side, device, [v4, v6]) in [(host, "eth0", own), (router, device, gateway)] {
        side.ip(&format!("addr add {v4}/24 dev {device}\naddr add {v6}/64 dev {device} nodad"));
    }
    host.ip(&format!("route add default via {}\nroute add default via {}", gateway[0], gateway[1]));
}

/// What `ip` is told to give the router the addresses of a lease.
pub(crate) fn wan_addresses(lease: Lease) -> String {
    let ([v4, v6], device) = (lease.router(), lease.wan.device());
    format!("addr add {v4}/24 dev {device}\naddr add {v6}/64 dev {device} nodad")
}

fn wan_interfaces(provider: &Provider, up: bool) -> [Value; 2] {
    let (lease, wan) = (provider.lease(), provider.wan);
    let ([v4, v6], [gateway4, gateway6], [name4, name6]) = (lease.router(), lease.gateway(), wan.interfaces());
    if !up {
        return [name4, name6]
            .map(|name| json!({"interface": name, "up": false, "proto": "static", "device": wan.device()}));
    }
    let common = |name: &str| json!({"interface": name, "up": true, "proto": "static", "device": wan.device(), "l3_device": wan.device()});
    let (mut wan4, mut wan6) = (common(name4), common(name6));
    wan4["ipv4-address"] = json!([{"address": v4, "mask": 24}]);
    wan4["route"] = json!([{"target": "0.0.0.0", "mask": 0, "nexthop": gateway4, "source": "0.0.0.0/0"}]);
    wan6["ipv6-address"] = json!([{"address": v6, "mask": 64}]);
    wan6["route"] = json!([{"target": "::", "mask": 0, "nexthop": gateway6, "source": "::/0"}]);
    let prefix = wan.prefix_number(provider.prefix_number());
    let address = prefix.trim_end_matches("/56");
    wan6["ipv6-prefix"] = json!([{"address": address, "mask": 56, "class": name6, "assigned": {"lan": {"address": address, "mask": 64}}}]);
    [wan4, wan6]
}
