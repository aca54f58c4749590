//! The demo: a router with two Internet links, the classic recipe, real connections, and a link that dies.
//!
//! Everything happens in network namespaces of its own; nothing of the machine is touched.

use lab::{Flow, INTERNET, Lab, Wan, Wansplit, Way, snapshot};
use std::fmt::Display;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const CONFIG: &str = include_str!("../../../../examples/two-links.uci");
const PATIENCE: Duration = Duration::from_secs(5);

/// The services of the configuration: name, protocol, ports, the link they are meant for.
const SERVICES: [(&str, Protocol, &[u16], u8); 5] = [
    ("web", Protocol::Tcp, &[80, 443], 1),
    ("names", Protocol::Tcp, &[53], 1),
    ("names", Protocol::Udp, &[53], 1),
    ("mail", Protocol::Tcp, &[25, 110, 143, 465, 587, 993, 995], 2),
    ("anything else", Protocol::Tcp, &[22, 8443], 1),
];

#[derive(Clone, Copy)]
enum Protocol {
    Tcp,
    Udp,
}

fn main() -> ExitCode {
    if let Err(reason) = lab::re_executed() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let lab = Lab::new();
    let binary = std::env::args().nth(1).expect("the path of the wansplit binary");
    let wansplit = Wansplit::new(&binary, &lab.router, CONFIG);
    let mut demo = Demo { lab: &lab, failures: 0 };
    demo.introduction();
    let before = snapshot(&lab.router);
    let start = Instant::now();
    wansplit.apply();
    println!("  wansplit apply   took {} ms\n", start.elapsed().as_millis());

    demo.outbound();
    demo.inbound();
    demo.carrier();

    wansplit.stop();
    let restored = demo.check(snapshot(&lab.router) == before, "yes", "NO");
    println!("  wansplit stop    rules, routes, firewall and settings are as they were before: {restored}");
    let spoofed = lab.spoofed();
    let spoofed = demo.check(spoofed == 0, 0, spoofed);
    println!("  providers        saw {spoofed} packets with the other link's address");
    if demo.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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

                          eth1  EMB  198.51.100.2  2001:db8:1::2   provider 1
      LAN ---- router ---<                                                    >---- Internet
                          eth2  OI   203.0.113.2   2001:db8:2::2   provider 2

  Its ordinary default route is EMB. examples/two-links.uci: web and DNS by EMB, mail by OI."
        );
    }

    fn outbound(&mut self) {
        println!("  {:<45}{:<10}IPv6", "From the LAN, leaves by", "IPv4");
        for (name, protocol, ports, wanted) in SERVICES {
            let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
            let protocol_name = match protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
            };
            let cells = INTERNET.map(|to| self.link_of(protocol, to, ports, wanted));
            println!("    {name:<14}{protocol_name} {list:<25}{:<10}{}", cells[0], cells[1]);
        }
        println!();
    }

    fn inbound(&mut self) {
        println!("  {:<45}{:<10}OI", "From the Internet, answered when it came by", "EMB");
        for (name, port) in [("ssh of the router", 22), ("web of the router", 80), ("forwarded to the LAN", 8022)] {
            let cells = [1, 2].map(|link| self.answers(link, |address| self.connects(address, port)));
            println!("    {name:<25}tcp {port:<12}{:<10}{}", cells[0], cells[1]);
            self.failures += cells.iter().filter(|cell| **cell != "yes").count() as u32;
        }
        let cells = [1, 2].map(|link| self.answers(link, |address| self.lab.internet.ping(address, &[])));
        println!("    {:<41}{:<10}{}\n", "ping", cells[0], cells[1]);
        self.failures += cells.iter().filter(|cell| **cell != "yes").count() as u32;
    }

    fn carrier(&mut self) {
        let lab = self.lab;
        // tcp 25 goes by OI: it must not notice anything.
        let mail = INTERNET.map(|to| Flow::tcp(&lab.lan, to, 25, 1024, Duration::from_millis(1)));
        let running = lab.router.processes().len();
        let running = self.check(running == 0, 0, running);
        println!("  EMB loses its carrier. Programs running on the router: {running}; the kernel knows what to do.");
        lab.provider(1).carrier(false);
        self.new_connections(2);
        println!("  EMB is back.");
        lab.provider(1).carrier(true);
        self.new_connections(1);
        let mail = mail.map(Flow::stop);
        let (rounds, lost) =
            mail.iter().fold((0, 0), |(rounds, lost), flow| (rounds + flow.answered, lost + flow.lost()));
        let stayed = mail.iter().all(|flow| flow.error.is_none() && flow.ways() == vec![Way::Link(2)]);
        let verdict = self.check(stayed && lost == 0, "not broken, still on OI", "DISTURBED");
        println!("  The mail connections meanwhile: {rounds} messages answered, {lost} lost, {verdict}.\n");
    }

    /// How long until new web connections go by this link, in both families.
    fn new_connections(&mut self, wanted: u8) {
        for (name, to) in ["IPv4", "IPv6"].into_iter().zip(INTERNET) {
            let start = Instant::now();
            let way = loop {
                let answer = self.lab.time_to_connect(&self.lab.lan, to, 443, PATIENCE);
                let way = answer.map_or(Way::Silence, |(_, way)| way);
                if way == Way::Link(wanted) || start.elapsed() > PATIENCE {
                    break way;
                }
            };
            let took = start.elapsed().as_millis();
            let link = self.check(way == Way::Link(wanted), named(way), named(way) + " (WRONG)");
            println!("    {:<41}{link:<10}after {took} ms", format!("a new web connection, {name}"));
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

    fn answers(&self, link: u8, asks: impl Fn(IpAddr) -> bool) -> &'static str {
        match Wan(link).router().map(asks) {
            [true, true] => "yes",
            [true, false] => "IPv4 only",
            [false, true] => "IPv6 only",
            [false, false] => "NO",
        }
    }

    fn connects(&self, address: IpAddr, port: u16) -> bool {
        matches!(self.lab.tcp(&self.lab.internet, address, port), Way::Direct(_))
    }

    /// Counts a failure, and chooses what to print.
    fn check<T: Display>(&mut self, good: bool, yes: T, no: T) -> T {
        self.failures += u32::from(!good);
        if good { yes } else { no }
    }
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
