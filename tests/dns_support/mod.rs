//! A router with a dnsmasq of its own, one that knows names in the second LAN, and clients that ask.
#![allow(dead_code)]

use lab::{Host, LAN_GATEWAY, LAN2, Lab, Way};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(15);
/// Where the router's dnsmasq listens; port 53 is the lab's.
const PORT: u16 = 5353;
const UPSTREAM_PORT: u16 = 5300;

/// The directory it reads more configuration from, and our file there.
pub const DIRECTORY: &str = "/run/dns/conf.d";
pub const FILE: &str = "/run/dns/conf.d/wansplit.conf";
/// A line for each time it was started.
const STARTS: &str = "/run/dns/starts";
/// Which signals it had blocked each time.
const SIGNALS: &str = "/run/dns/signals";
const LOG: &str = "/run/dns/log";

/// The names the upstream knows: in both families the last number is that of the address.
pub const NAMES: [(&str, u8); 6] = [
    ("example.com", 50),
    ("video.example.com", 51),
    ("a.video.example.com", 52),
    ("notexample.com", 60),
    ("cdn.example.net", 61),
    ("example.org", 70),
];
/// A name that is another one's.
const ALIAS: (&str, &str) = ("www.example.com", "cdn.example.net");

/// The two dnsmasqs, ended when this is dropped.
pub struct Dns {
    upstream: Option<Child>,
}

impl Dns {
    /// Starts both. `/etc/init.d/dnsmasq` restarts the router's, as on OpenWrt.
    pub fn start(lab: &Lab) -> Self {
        let mut dns = Self::silent(lab);
        let mut command = Command::new("timeout");
        command.args(["300", "dnsmasq", "-d", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="]);
        command.args([format!("--port={UPSTREAM_PORT}"), format!("--listen-address={}", LAN2[0])]);
        command.arg(format!("--cname={},{}", ALIAS.0, ALIAS.1));
        command.args(NAMES.map(|(name, n)| format!("--host-record={name},{},{}", address(n)[0], address(n)[1])));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        dns.upstream = Some(lab.lan2.start(&mut command));
        let since = Instant::now();
        while ask(&lab.lan, "example.com", Kind::A).is_empty() {
            assert!(since.elapsed() < PATIENCE, "no answer: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
        // What was asked so far stays in no memory.
        dns.restart(lab);
        dns
    }

    /// The router's alone: there is nobody behind it.
    pub fn silent(lab: &Lab) -> Self {
        fs::create_dir_all(DIRECTORY).expect("/run is ours");
        if !Path::new("/etc/init.d").is_dir() {
            panic!("a directory /etc/init.d is needed to put a script over");
        }
        mount(Some("tmpfs"), "/etc/init.d", Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("our own init.d");
        let main = format!(
            "port={PORT}\nlisten-address={}\nbind-interfaces\nno-resolv\nno-hosts\nserver={}#{UPSTREAM_PORT}\n\
             conf-dir={DIRECTORY}\nlog-facility={LOG}\nlog-queries\n",
            LAN_GATEWAY[0], LAN2[0]
        );
        fs::write("/run/dns/main.conf", main).expect("/run is ours");
        let script = format!(
            "#!/bin/sh\nexec 9>/run/dns/lock; flock 9\n[ -f /run/dns/broken ] && exit 7\n\
             if [ -f /run/dns/pid ]; then pid=$(cat /run/dns/pid); kill $pid; \
             while [ -e /proc/$pid/exe ]; do sleep 0.02; done; rm /run/dns/pid; fi\n\
             [ $1 = stop ] && exit 0\necho $1 >>{STARTS}; grep SigBlk /proc/self/status >>{SIGNALS}\n\
             timeout 300 dnsmasq -d --conf-file=/run/dns/main.conf 9>&- & echo $! >/run/dns/pid\n\
             for n in $(seq 100); do ss -Hlnu sport = {PORT} | grep -q {PORT} && exit 0; sleep 0.02; done\n\
             exit 1\n"
        );
        write_program("/etc/init.d/dnsmasq", &script);
        let dns = Self { upstream: None };
        dns.restart(lab);
        dns
    }

    /// Restarts the router's, as its owner does.
    pub fn restart(&self, lab: &Lab) {
        script(lab, "restart");
        wait_until_listening(&lab.router);
    }

    /// Stops the router's, as its owner does.
    pub fn stop(&self, lab: &Lab) {
        script(lab, "stop");
    }

    /// How often the router's was started.
    pub fn starts(&self) -> usize {
        fs::read_to_string(STARTS).unwrap_or_default().lines().count()
    }

    /// Which signals were blocked in what started it last; a dnsmasq that has TERM blocked cannot be stopped any more.
    pub fn blocked_signals(&self) -> u64 {
        let lines = fs::read_to_string(SIGNALS).unwrap_or_default();
        let last = lines.lines().last().and_then(|line| line.strip_prefix("SigBlk:"));
        u64::from_str_radix(last.expect("a start").trim(), 16).expect("a mask")
    }

    /// Waits until it was started so often, and listens.
    pub fn wait_for_starts(&self, lab: &Lab, wanted: usize) {
        let since = Instant::now();
        while self.starts() < wanted {
            assert!(since.elapsed() < PATIENCE, "{} starts, not {wanted}", self.starts());
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.starts(), wanted);
        wait_until_listening(&lab.router);
    }
}

fn script(lab: &Lab, action: &str) {
    let mut command = Command::new("/etc/init.d/dnsmasq");
    command.arg(action).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(lab.router.start(&mut command).wait().expect("its end").success());
}

impl Drop for Dns {
    fn drop(&mut self) {
        let _ = fs::remove_file("/run/dns/broken");
        let _ = Command::new("/etc/init.d/dnsmasq").arg("stop").stderr(Stdio::null()).status();
        if let Some(child) = &mut self.upstream {
            // TERM, which `timeout` hands on.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
        let _ = umount2("/etc/init.d", MntFlags::MNT_DETACH);
        if thread::panicking() {
            eprintln!("dnsmasq's log:\n{}\nits configuration:\n{}", log(), file());
        }
    }
}

/// What the router's dnsmasq has written.
pub fn log() -> String {
    fs::read_to_string(LOG).unwrap_or_default()
}

/// Our file; empty if there is none.
pub fn file() -> String {
    fs::read_to_string(FILE).unwrap_or_default()
}

/// Puts another program in the place of dnsmasq, until [`RealAgain`] is dropped.
pub fn replace_dnsmasq(script: &str) -> RealAgain {
    let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(|directory| Path::new(directory).join("dnsmasq"));
    let place = places.into_iter().find(|place| place.exists()).expect("dnsmasq").canonicalize().expect("its place");
    write_program("/run/other-dnsmasq", script);
    mount(Some("/run/other-dnsmasq"), &place, None::<&str>, MsFlags::MS_BIND, None::<&str>).expect("a mount over it");
    RealAgain(place)
}

/// A dnsmasq that is built without sets: its version says so, and it does not start with a line about them.
pub const WITHOUT_SETS: &str = "#!/bin/sh
echo 'Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley'
echo 'Compile time options: IPv6 GNU-getopt no-DBus UBus no-i18n no-IDN DHCP no-DHCPv6 no-Lua TFTP no-conntrack no-ipset no-nftset no-auth'
";

/// See [`replace_dnsmasq`].
pub struct RealAgain(PathBuf);

impl Drop for RealAgain {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

/// Writes a program.
pub fn write_program(path: &str, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its permissions");
}

/// The addresses of a name's number.
pub fn address(n: u8) -> [IpAddr; 2] {
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, n.into());
    [Ipv4Addr::new(192, 0, 2, n).into(), v6.into()]
}

/// Asks the router for a name in both families, as a client does before it connects. Returns the addresses.
pub fn resolve(lab: &Lab, name: &str) -> Vec<IpAddr> {
    [Kind::A, Kind::Aaaa].into_iter().flat_map(|kind| ask(&lab.lan, name, kind)).collect()
}

/// How a new connection to each address of a name goes, after the name was asked for.
pub fn ways(lab: &Lab, name: &str, port: u16) -> Vec<Way> {
    let addresses = resolve(lab, name);
    assert_eq!(addresses.len(), 2, "{name}: {addresses:?}\n{}", log());
    addresses.into_iter().map(|to| lab.tcp(&lab.lan, to, port)).collect()
}

#[derive(Clone, Copy)]
enum Kind {
    A = 1,
    Aaaa = 28,
}

fn ask(host: &Host, name: &str, kind: Kind) -> Vec<IpAddr> {
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).expect("a label"));
        question.extend(label.as_bytes());
    }
    question.extend([0, 0, kind as u8, 0, 1]);
    let mut answer = [0; 1500];
    let length = host.run(|| {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
        // A router that does not listen yet refuses.
        let sent = socket.connect(SocketAddr::new(LAN_GATEWAY[0], PORT)).and_then(|()| socket.send(&question));
        sent.and_then(|_| socket.recv(&mut answer)).unwrap_or(0)
    });
    addresses(&answer[..length], question.len(), kind)
}

/// The addresses in an answer.
fn addresses(answer: &[u8], question: usize, kind: Kind) -> Vec<IpAddr> {
    let mut found = Vec::new();
    if answer.len() < question || answer[3] & 0x0f != 0 {
        return found;
    }
    let mut at = question;
    for _ in 0..u16::from_be_bytes([answer[6], answer[7]]) {
        while answer[at] & 0xc0 == 0 && answer[at] != 0 {
            at += 1 + usize::from(answer[at]);
        }
        at += if answer[at] == 0 { 1 } else { 2 };
        let length = usize::from(u16::from_be_bytes([answer[at + 8], answer[at + 9]]));
        let data = &answer[at + 10..at + 10 + length];
        if answer[at + 1] == kind as u8 {
            found.push(match <[u8; 4]>::try_from(data) {
                Ok(v4) => IpAddr::from(v4),
                Err(_) => IpAddr::from(<[u8; 16]>::try_from(data).expect("an address")),
            });
        }
        at += 10 + length;
    }
    found
}

fn wait_until_listening(router: &Host) {
    let since = Instant::now();
    let port = format!("{PORT}");
    while !router.command("ss", &["-Hlnu", "sport", "=", &port]).contains(&port) {
        assert!(since.elapsed() < PATIENCE, "dnsmasq does not listen: {}", log());
        thread::sleep(Duration::from_millis(10));
    }
}

/// The addresses in a set of ours; nothing if there is no such set.
pub fn elements(lab: &Lab, set: &str) -> Option<Vec<String>> {
    let output = lab.router.output("nft", &["list", "set", "inet", "wansplit", set]);
    let text = (output.code == 0).then_some(output.stdout)?;
    let inner = text.split_once("elements = {").and_then(|(_, rest)| rest.split_once('}')).map_or("", |(all, _)| all);
    Some(inner.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
}
