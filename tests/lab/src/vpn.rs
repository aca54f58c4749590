//! A VPN's server somewhere in the Internet, reached by every provider, and tunnels from the router to it.
//!
//! ```text
//!   router  tunnel 198.18.5.2 ══════════ outer packets by any link ══════════ 198.18.5.1 tunnel  vpn
//!                                                                   vpn 10.10.0.2 ─ eth0 ─ inet
//! ```
//!
//! The router's address in the tunnel is that of link 5: a connection by the tunnel is [`Way::Link`](crate::Way::Link)`(5)`.

use crate::address::Wan;
use crate::host::Host;
use crate::topology::Lab;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The server's addresses in the Internet.
pub const VPN: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(10, 10, 0, 2)), IpAddr::V6(Ipv6Addr::new(0xfd0a, 0, 0, 0, 0, 0, 0, 2))];

/// The link that a tunnel is.
pub const TUNNEL: Wan = Wan(5);

/// The server's UDP port for WireGuard.
pub const WIREGUARD_PORT: u16 = 51820;

/// How long a tunnel's program may take to be there.
const PATIENCE: Duration = Duration::from_secs(15);

/// The server.
#[derive(Debug)]
pub struct Vpn {
    /// Its host.
    pub host: Host,
}

/// A program that runs until this is dropped. Should the test be killed first, it ends by itself.
#[derive(Debug)]
pub struct Running(Child);

/// One end of a WireGuard tunnel, in user space (`wireguard-go`) or in the kernel. In user space the device lives as long
/// as this.
#[derive(Debug)]
pub struct Wireguard<'a> {
    host: &'a Host,
    device: &'static str,
    key: String,
    program: Option<Running>,
}

impl Vpn {
    /// Joins a server to a lab's Internet.
    #[must_use]
    pub fn new(lab: &Lab) -> Self {
        let host = Host::new("vpn");
        host.cable("eth0", &lab.internet, "vpn");
        for (side, last) in [(&host, 2), (&lab.internet, 1)] {
            let device = if last == 2 { "eth0" } else { "vpn" };
            side.ip(&format!("addr add 10.10.0.{last}/24 dev {device}\naddr add fd0a::{last}/64 dev {device} nodad"));
            side.sysctl("net/ipv4/ip_forward", "1");
            side.sysctl("net/ipv6/conf/all/forwarding", "1");
        }
        host.ip("route add default via 10.10.0.1\nroute add default via fd0a::1");
        let [network4, network6] = TUNNEL.networks();
        lab.internet.ip(&format!(
            "route add {network4} via 10.10.0.2 src 192.0.2.10\nroute add {network6} via fd0a::2 src 2001:db8:ffff::10"
        ));
        for wan in lab.wans() {
            let provider = &lab.provider(wan.0).host;
            let n = wan.0;
            provider.ip(&format!("route add 10.10.0.0/24 via 10.9.{n}.2\nroute add fd0a::/64 via fd09:{n}::2"));
        }
        Self { host }
    }

    /// The server's end of a WireGuard tunnel.
    #[must_use]
    pub fn wireguard(&self) -> Wireguard<'_> {
        let end = Wireguard::new(&self.host, "wgs", Some(WIREGUARD_PORT));
        self.host.ip(&tunnel_addresses("wgs", TUNNEL.gateway()));
        end
    }
}

/// One end of an OpenVPN tunnel between two hosts that share a key: the device lives as long as this. Further options
/// say where the other end is.
#[must_use]
pub fn openvpn(host: &Host, device: &str, [own, other]: [[IpAddr; 2]; 2], options: &str) -> Running {
    const KEY: &str = "/run/openvpn.key";
    if !fs::exists(KEY).unwrap_or(false) {
        host.command("openvpn", &["--genkey", "secret", KEY]);
    }
    let text = format!(
        "--dev {device} --dev-type tun --secret {KEY} --cipher AES-256-CBC --auth-nocache --ping 1 --verb 3
         --ifconfig {} {} --ifconfig-ipv6 {}/64 {} {options}",
        own[0], other[0], own[1], other[1]
    );
    let running = Running::start(host, "openvpn", &text.split_whitespace().collect::<Vec<_>>());
    wait_for(&format!("OpenVPN's device {device}"), || {
        let addresses = host.output("ip", &["-6", "addr", "show", "dev", device, "up", "-tentative"]);
        addresses.stdout.contains(&own[1].to_string())
    });
    running
}

/// Lets the router's firewall masquerade what leaves by a tunnel, as fw4 does it for the zone of the tunnel.
pub fn masquerade(router: &Host, device: &str) {
    router.nft(&format!(
        "add rule inet fw4 srcnat oifname {device} meta nfproto ipv4 masquerade
         add rule inet fw4 srcnat oifname {device} ip6 saddr fd00::/8 masquerade"
    ));
}

/// What `ip` is told to give a tunnel's device its addresses and switch it on.
#[must_use]
pub fn tunnel_addresses(device: &str, [v4, v6]: [IpAddr; 2]) -> String {
    format!("addr add {v4}/24 dev {device}\naddr add {v6}/64 dev {device} nodad\nlink set {device} up")
}

impl<'a> Wireguard<'a> {
    /// A device on a host, which listens on a port if one is given.
    #[must_use]
    pub fn new(host: &'a Host, device: &'static str, port: Option<u16>) -> Self {
        let program = Running::start(host, "wireguard-go", &["-f", device]);
        wait_for(&format!("wireguard-go's device {device}"), || {
            fs::exists(format!("/run/wireguard/{device}.sock")).unwrap_or(false)
                && host.output("ip", &["link", "show", device]).code == 0
        });
        Self::made(host, device, port, Some(program))
    }

    /// The same by the kernel, if it knows WireGuard.
    #[must_use]
    pub fn in_kernel(host: &'a Host, device: &'static str, port: Option<u16>) -> Self {
        host.ip(&format!("link add {device} type wireguard"));
        Self::made(host, device, port, None)
    }

    fn made(host: &'a Host, device: &'static str, port: Option<u16>, program: Option<Running>) -> Self {
        let key = host.command("wg", &["genkey"]).trim().to_owned();
        let file = format!("/run/{device}.key");
        fs::write(&file, &key).expect("/run is ours");
        host.command("wg", &["set", device, "private-key", &file]);
        if let Some(port) = port {
            host.command("wg", &["set", device, "listen-port", &port.to_string()]);
        }
        Self { host, device, key, program }
    }

    /// Its public key.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.host.output_with_input("wg", &["pubkey"], &self.key).stdout.trim().to_owned()
    }

    /// Adds a peer, or changes it: what it may send and is sent, and where it is, if that is known.
    pub fn peer(&self, peer: &Self, allowed: &str, endpoint: Option<(IpAddr, u16)>) {
        let (key, place) =
            (peer.public_key(), endpoint.map(|(address, port)| std::net::SocketAddr::new(address, port)));
        let place = place.map(|place| place.to_string());
        let mut arguments = vec!["set", self.device, "peer", &key, "allowed-ips", allowed, "persistent-keepalive", "1"];
        if let Some(place) = &place {
            arguments.extend(["endpoint", place]);
        }
        self.host.command("wg", &arguments);
    }

    /// The device's name.
    #[must_use]
    pub fn device(&self) -> &'static str {
        self.device
    }

    /// Where each peer was last heard from, as `wg` prints it.
    #[must_use]
    pub fn endpoints(&self) -> String {
        self.host.command("wg", &["show", self.device, "endpoints"])
    }

    /// Ends its program: the device goes with it.
    pub fn end(self) {
        let (host, device) = (self.host, self.device);
        drop(self.program);
        wait_for(&format!("the end of {device}"), || host.output("ip", &["link", "show", device]).code != 0);
    }
}

impl Running {
    /// Starts a program on a host. What it says goes to a file under `/run`.
    #[must_use]
    pub fn start(host: &Host, program: &str, arguments: &[&str]) -> Self {
        let log = fs::File::create(format!("/run/{program}.{}.log", host.name())).expect("/run is ours");
        let mut command = Command::new("timeout");
        command.args(["300", program]).args(arguments);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a copy of the log's descriptor")).stderr(log);
        Self(host.start(&mut command))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // `timeout` hands it on.
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.0.id().cast_signed()),
            nix::sys::signal::Signal::SIGTERM,
        );
        let _ = self.0.wait();
    }
}

/// Waits until something is so.
pub fn wait_for(what: &str, so: impl Fn() -> bool) {
    let since = Instant::now();
    while !so() {
        assert!(since.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
