//! The demo: a router with two Internet links, the classic recipe, real connections, and a link that dies.
//!
//! Everything happens in network namespaces of its own; nothing of the machine is touched.

use lab::{Direction, Flow, INTERNET, Lab, Wan, Wansplit, Way, snapshot};
use std::fmt::Display;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const CONFIG: &str = include_str!("../../../../examples/two-links.uci");
const PATIENCE: Duration = Duration::from_secs(5);

/// The services of the configuration: name, protocol, ports, the link they are meant for.
const SERVICES: [(&str, Protocol, &[u16], u8); 5] = [
    ("web", Protocol::Tcp, &[80, 443], 1),
    ("DNS", Protocol::Tcp, &[53], 1),
    ("DNS", Protocol::Udp, &[53], 1),
    ("mail", Protocol::Tcp, &[25, 110, 143, 465, 587, 993, 995], 2),
    ("anything else", Protocol::Tcp, &[22, 8443], 1),
];

#[derive(Clone, Copy)]
enum Protocol {
    Tcp,
    Udp,
}

fn main() -> ExitCode {
    let Some(binary) = std::env::args().nth(1) else {
        eprintln!("Start it by scripts/demo, which builds wansplit and gives its path.");
        return ExitCode::FAILURE;
    };
    if let Err(reason) = lab::re_executed() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let lab = Lab::new();
    let wansplit = Wansplit::new(&binary, &lab.router, CONFIG);
    let mut demo = Demo { lab: &lab, failures: 0 };
    demo.introduction();
    let before = snapshot(&lab.router);
    let start = Instant::now();
    wansplit.apply();
    println!("  wansplit apply: took {} ms\n", start.elapsed().as_millis());

    demo.outbound();
    demo.inbound();
    demo.carrier();
    demo.silence(&wansplit);

    wansplit.stop();
    let restored = demo.check(snapshot(&lab.router) == before, "yes", "NO");
    println!("  wansplit stop:  rules, routes, firewall and settings are as they were before: {restored}");
    let spoofed = lab.spoofed();
    let spoofed = demo.check(spoofed == 0, 0, spoofed);
    println!("  The providers saw {spoofed} packets with the other link's address");
    if demo.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The configuration with both links watched.
fn watched() -> String {
    let hosts: String = INTERNET.iter().map(|host| format!("\tlist track_ip '{host}'\n")).collect();
    CONFIG
        .lines()
        .map(|line| if line.starts_with("config link") { format!("{line}\n{hosts}") } else { format!("{line}\n") })
        .collect()
}

struct Demo<'a> {
    lab: &'a Lab,
    failures: u32,
}

impl Demo<'_> {
    fn introduction(&self) {
        println!(
            "
  A router with two Internet links, in network namespaces of this machine:

                    .-- eth1  EMB  198.51.100.2  2001:db8:1::2 -- provider 1 --.
    LAN -- router --|                                                          |-- Internet
                    '-- eth2  OI   203.0.113.2   2001:db8:2::2 -- provider 2 --'

  Its ordinary default route is EMB. examples/two-links.uci: web and DNS by EMB, mail by OI.
"
        );
    }

    fn outbound(&mut self) {
        println!("  {:<56}IPv4      IPv6", "From the LAN, leaves by");
        for (name, protocol, ports, wanted) in SERVICES {
            let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
            let protocol_name = match protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
            };
            let [v4, v6] = INTERNET.map(|to| self.link_of(protocol, to, ports, wanted));
            row(name, &format!("{protocol_name} {list}"), &v4, &v6);
        }
        println!();
    }

    fn inbound(&mut self) {
        let lab = self.lab;
        println!("  {:<56}EMB       OI", "From the Internet, answered when it came in by");
        for (name, port) in [("ssh to the router", 22), ("web to the router", 80), ("forwarded", 8022)] {
            let [emb, oi] = [1, 2].map(|link| {
                self.answers(link, |address| matches!(lab.tcp(&lab.internet, address, port), Way::Direct(_)))
            });
            row(name, &format!("tcp {port}"), emb, oi);
        }
        let [emb, oi] = [1, 2].map(|link| self.answers(link, |address| lab.internet.ping(address, &[])));
        row("ping", "icmp", emb, oi);
        println!();
    }

    fn carrier(&mut self) {
        let lab = self.lab;
        // tcp 25 goes by OI: it must not notice anything.
        let mail = INTERNET.map(|to| Flow::tcp(&lab.lan, to, 25, 1024, Duration::from_millis(1)));
        let running = lab.router.processes().len();
        let running = self.check(running == 0, 0, running);
        println!("  EMB loses its carrier. Programs running on the router: {running}; the kernel knows what to do.");
        let since = Instant::now();
        lab.provider(1).carrier(false);
        self.new_connections(since, 2);
        let went_on = mail.iter().all(|flow| flow.goes_on(100));
        println!("  EMB is back.");
        let since = Instant::now();
        lab.provider(1).carrier(true);
        self.new_connections(since, 1);
        let went_on = went_on && mail.iter().all(|flow| flow.goes_on(100));
        let mail = mail.map(Flow::stop);
        let (rounds, lost) =
            mail.iter().fold((0, 0), |(rounds, lost), flow| (rounds + flow.answered, lost + flow.lost()));
        let stayed = went_on && mail.iter().all(|flow| flow.error.is_none() && flow.ways() == vec![Way::Link(2)]);
        let verdict = self.check(stayed && lost == 0, "not broken, still on OI", "DISTURBED");
        println!("  The mail connections meanwhile: {rounds} messages answered, {lost} lost, {verdict}.\n");
    }

    /// The cable is fine and the gateway answers, but nothing gets through: only probes can tell.
    fn silence(&mut self, wansplit: &Wansplit) {
        let lab = self.lab;
        wansplit.configure(&watched());
        let mut daemon = wansplit.daemon(&[]);
        let mail = INTERNET.map(|to| Flow::tcp(&lab.lan, to, 25, 1024, Duration::from_millis(1)));
        let web = INTERNET.map(|to| Flow::tcp(&lab.lan, to, 443, 1024, Duration::from_millis(50)));
        println!("  wansplit run: each link is asked once a second. EMB's provider goes silent behind its gateway.");
        let since = Instant::now();
        lab.provider(1).silence(Direction::Both);
        let found = ["IPv4", "IPv6"].map(|family| daemon.wait_for_line(since, &["link EMB", family], PATIENCE));
        self.failures += u32::from(found.iter().any(Option::is_none));
        let mut lines: Vec<_> = found.into_iter().flatten().collect();
        lines.sort_by_key(|line| line.at);
        for line in lines {
            let text = line.text.trim_start_matches("info: ");
            println!("    {:.1} s  {text}", (line.at - since).as_secs_f64());
        }
        self.new_connections(since, 2);
        let told = web.iter().all(|flow| flow.breaks(PATIENCE).is_some());
        let told = self.check(told, "told at once (reset)", "STILL WAITING");
        println!("  The web connections that were on EMB: {told}.");
        lab.provider(1).speak();
        println!("  EMB speaks again.");
        let since = Instant::now();
        self.new_connections(since, 1);
        let went_on = mail.iter().all(|flow| flow.goes_on(100));
        let lost: u32 = mail.map(Flow::stop).iter().map(lab::Report::lost).sum();
        let verdict = self.check(went_on && lost == 0, "not broken", "DISTURBED");
        println!("  The mail connections meanwhile: {lost} messages lost, {verdict}.\n");
        self.failures += u32::from(!daemon.terminate().success());
    }

    /// How long after `since` new web connections go by this link, in both families.
    fn new_connections(&mut self, since: Instant, wanted: u8) {
        for (name, to) in ["IPv4", "IPv6"].into_iter().zip(INTERNET) {
            let (took, way) = loop {
                let answer = self.lab.time_to_connect(since, &self.lab.lan, to, 443);
                let (took, way) = answer.unwrap_or((since.elapsed(), Way::Silence));
                if way == Way::Link(wanted) || took > PATIENCE {
                    break (took, way);
                }
            };
            let link = self.check(way == Way::Link(wanted), named(way), named(way) + " (WRONG)");
            let after = format!("after {:.1} ms", took.as_secs_f64() * 1000.0);
            row("a new connection", &format!("tcp 443, {name}"), &link, &after);
        }
    }

    /// The one link that connections to all these ports leave by.
    fn link_of(&mut self, protocol: Protocol, to: IpAddr, ports: &[u16], wanted: u8) -> String {
        let ways = ports.iter().map(|port| match protocol {
            Protocol::Tcp => self.lab.tcp(&self.lab.lan, to, *port),
            Protocol::Udp => self.lab.udp(&self.lab.lan, to, *port),
        });
        let wrong = ways.collect::<Vec<_>>().into_iter().find(|way| *way != Way::Link(wanted));
        self.check(wrong.is_none(), named(Way::Link(wanted)), wrong.map_or(String::new(), named) + " (WRONG)")
    }

    fn answers(&mut self, link: u8, asks: impl Fn(IpAddr) -> bool) -> &'static str {
        let answered = Wan(link).router().map(asks);
        self.failures += u32::from(answered != [true, true]);
        match answered {
            [true, true] => "yes",
            [true, false] => "IPv4 only",
            [false, true] => "IPv6 only",
            [false, false] => "NO",
        }
    }

    /// Counts a failure, and chooses what to print.
    fn check<T: Display>(&mut self, good: bool, yes: T, no: T) -> T {
        self.failures += u32::from(!good);
        if good { yes } else { no }
    }
}

/// A row of a table of two columns.
fn row(name: &str, what: &str, first: &str, second: &str) {
    println!("    {name:<18}{what:<36}{first:<10}{second}");
}

fn named(way: Way) -> String {
    match way {
        Way::Link(1) => "EMB".to_owned(),
        Way::Link(2) => "OI".to_owned(),
        Way::Link(number) => format!("link {number}"),
        Way::Direct(address) => address.to_string(),
        Way::Refused => "refused".to_owned(),
        Way::Silence => "no answer".to_owned(),
    }
}
