//! A router whose links are watched by the daemon, and the packets that must never notice.
#![allow(dead_code)]

use crate::packet_support::{configured, links, rule};
use lab::{Daemon, Flow, INTERNET, Knocker, Lab, Leaks, Setup, Wansplit, Way, side};
use serde_json::Value;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long anything may take that has no bound of its own: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Both families, as `status` names them.
pub const BOTH: &[&str] = &["ipv4", "ipv6"];

/// Ports that go by EMB and, if it fails, by OI.
pub const VOICE: u16 = 5060;
pub const WEB: u16 = 443;
/// Ports that go by OI and, if it fails, by EMB.
pub const STREAM: u16 = 2525;
pub const MAIL: u16 = 25;
/// A port that goes by EMB or not at all.
pub const BOUND: u16 = 6000;

/// Tracking by ping of the Internet host in both families, with these further options.
pub fn tracked(options: &str) -> String {
    let hosts: String = INTERNET.iter().map(|host| format!("list track_ip '{host}'\n           ")).collect();
    hosts + options
}

/// What goes where; the rules of every daemon test.
pub fn rules() -> String {
    "config policy 'bound'\n  list use 'EMB'\n  option fallback 'unreachable'\n".to_owned()
        + &rule("to_web", "443", "web")
        + &rule("to_voice", "5060", "web")
        + &rule("to_mail", "25", "mail")
        + &rule("to_stream", "2525", "mail")
        + &rule("to_bound", "6000", "bound")
}

/// Links EMB (eth1) and OI (eth2) by device, with these further options, and the rules.
pub fn by_device(options: &str) -> String {
    links(options) + &rules()
}

/// The same by netifd's interfaces.
pub fn by_interface(options: &str) -> String {
    let link =
        |name: &str, interface: &str| format!("config link '{name}'\n  option interface '{interface}'\n  {options}\n");
    let policy = |name: &str, first: &str, second: &str| {
        format!("config policy '{name}'\n  list use '{first}'\n  list use '{second}'\n")
    };
    "config globals 'globals'\n  option enabled '1'\n".to_owned()
        + &link("EMB", "wan")
        + &link("OI", "wanb")
        + &policy("web", "EMB", "OI")
        + &policy("mail", "OI", "EMB")
        + &rules()
}

/// Both links have a default route in `main`, EMB the better one.
pub fn lab() -> Lab {
    Lab::with(&Setup { main_default: vec![1, 2], ..Setup::default() })
}

/// The program with links by device.
pub fn with_devices<'a>(lab: &'a Lab, options: &str) -> Wansplit<'a> {
    configured(lab, &by_device(options))
}

/// The program with links by interface.
pub fn with_interfaces<'a>(lab: &'a Lab, options: &str) -> Wansplit<'a> {
    configured(lab, &by_interface(options)).with_network(&lab.network_dump(&[]))
}

/// Tells the daemon what netifd would: the facts have changed.
pub fn hotplug(wansplit: &Wansplit<'_>, action: &str, interface: &str) {
    let mut command = wansplit.prepare(&["hotplug"]);
    command.env("ACTION", action).env("INTERFACE", interface);
    let output: lab::Output = wansplit.router().start(&mut command).wait_with_output().unwrap().into();
    assert_eq!(output.code, 0, "{output:?}");
}

/// Flows on EMB, in both families.
pub struct OnEmb {
    /// UDP.
    pub voice: [Flow; 2],
    /// TCP.
    pub web: [Flow; 2],
}

impl OnEmb {
    /// Starts them.
    pub fn start(lab: &Lab) -> Self {
        let flows = Self {
            // So seldom that a second without answers does not fill the flow's window.
            voice: INTERNET.map(|to| Flow::udp(&lab.lan, to, VOICE, Duration::from_millis(20))),
            web: INTERNET.map(|to| Flow::tcp(&lab.lan, to, WEB, 1024, Duration::from_millis(20))),
        };
        for flow in flows.voice.iter().chain(&flows.web) {
            assert_eq!(flow.so_far().ways(), vec![Way::Link(1)]);
        }
        flows
    }

    /// Waits until the UDP flows come by a link; how long each took.
    pub fn voice_comes_by(&self, link: u8) -> [Duration; 2] {
        let since = Instant::now();
        [&self.voice[0], &self.voice[1]].map(|flow| {
            flow.comes_by(Way::Link(link), PATIENCE)
                .unwrap_or_else(|| panic!("not by link {link}: {:?}", flow.so_far()));
            since.elapsed()
        })
    }

    /// Waits until the TCP flows are reset; how long each took.
    pub fn web_is_reset(&self) -> [Duration; 2] {
        let since = Instant::now();
        [&self.web[0], &self.web[1]].map(|flow| {
            flow.breaks(PATIENCE).unwrap_or_else(|| panic!("the connection hangs: {:?}", flow.so_far()));
            let error = flow.so_far().error.unwrap_or_default();
            assert!(error.contains("reset"), "{error}");
            since.elapsed()
        })
    }
}

/// What must hold whatever happens to EMB: flows on OI lose nothing, nothing bound to EMB leaves by another link, and no
/// packet has another link's address.
pub struct Unharmed<'a> {
    lab: &'a Lab,
    flows: Vec<Flow>,
    leaks: Leaks<'a>,
    knocker: Knocker,
}

impl<'a> Unharmed<'a> {
    /// Starts the flows.
    pub fn watch(lab: &'a Lab) -> Self {
        Self::watch_every(lab, Duration::from_millis(5))
    }

    /// The same with this pause between packets, for a slow machine.
    pub fn watch_every(lab: &'a Lab, pause: Duration) -> Self {
        let leaks = lab.count_leaks(1, &format!("meta l4proto {{ tcp, udp }} th dport {BOUND}"));
        let start = |to| [Flow::udp(&lab.lan, to, STREAM, pause), Flow::tcp(&lab.lan, to, MAIL, 4096, pause)];
        let flows = INTERNET.into_iter().flat_map(start).collect();
        let targets = INTERNET.map(|to| (None, to, BOUND)).to_vec();
        Self { lab, flows, leaks, knocker: Knocker::start_slowly(&lab.lan, targets, 2 * pause) }
    }

    /// Ends the flows and looks.
    pub fn assert(self) {
        let lab = self.lab;
        self.assert_but_icmp_answers();
        assert_eq!(lab.spoofed(), 0, "packets with the wrong link's address: {:?}", lab.strays());
    }

    /// The same where a link loses its address: what still comes for it from outside is answered by an ICMP error that may
    /// leave by the other link, or goes back where it came from, and nobody can hinder it.
    pub fn assert_but_icmp_answers(self) {
        assert!(self.knocker.stop() > 0);
        for flow in self.flows {
            assert!(flow.goes_on(10), "{:?}", flow.so_far());
            flow.stop().assert_whole(Way::Link(2));
        }
        assert_eq!(self.leaks.packets(), 0, "packets bound to EMB that left by another link");
        let strays = self.lab.strays();
        let harmless =
            strays.iter().all(|stray| !["tcp", "udp", "echo-request"].iter().any(|word| stray.contains(word)));
        assert!(harmless, "packets with the wrong link's address: {strays:?}");
    }
}

/// One packet every 5 ms.
pub fn udp(lab: &Lab, to: IpAddr, port: u16) -> Flow {
    Flow::udp(&lab.lan, to, port, Duration::from_millis(5))
}

/// Waits until new connections to a port go by a link in both families; how long that took.
pub fn new_connections_by(lab: &Lab, port: u16, link: u8) -> Duration {
    let since = Instant::now();
    let ways = || INTERNET.map(|to| lab.udp(&lab.lan, to, port));
    loop {
        let ways = ways();
        if ways == [Way::Link(link); 2] {
            return since.elapsed();
        }
        assert!(since.elapsed() < PATIENCE, "new connections to {port} do not go by link {link}: {ways:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until both links are up and the kernel holds what is wanted.
pub fn wait_until_well(daemon: &Daemon<'_>, patience: Duration) -> Duration {
    daemon.wait_for_status("all is well", patience, is_well)
}

/// Whether both links are up in both families, and the kernel holds what is wanted.
pub fn is_well(status: &Value) -> bool {
    let up = |link| BOTH.iter().all(|family| side(status, link, family)["state"] == "up");
    status["in_sync"] == true && up("EMB") && up("OI")
}
