//! `wansplit explain`.

use super::{Exit, Loaded, Place, facts, say, usage};
use crate::config;
use crate::config::model::{Config, Mac, NotAMac};
use crate::explain::kernel::{self, Asked, Verdict};
use crate::explain::running::Running;
use crate::explain::words::Words;
use crate::explain::{self, Decision, Details, From, Packet, question, record};
use crate::json;
use crate::kernel::Kernel;
use crate::kernel::netlink::lookup;
use crate::network::Facts;
use crate::plan::{self, Plan};
use crate::survey::{self, Trust};
use argh::FromArgs;
use serde_json::Value;
use std::net::IpAddr;

/// Says where the first packet of a connection goes, and why: the rule, the policy, the link, and what the kernel's own
/// lookup answers. Sends nothing.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "explain",
    example = "wansplit explain tcp 192.168.1.10:40000 1.1.1.1:443\nwansplit explain udp '[fd00::10]:5060' '[2001:db8::1]:5060' --at 'fri 23:00'\nwansplit explain tcp router 1.1.1.1:443",
    note = "A connection that runs already stays where it is, whatever the rules say now.",
    error_code(1, "the configuration has errors; what is good decides"),
    error_code(3, "the kernel could not be asked")
)]
pub struct Explain {
    /// tcp, udp, icmp or another protocol's name or number
    #[argh(positional)]
    pub(crate) protocol: String,

    /// the sender: an address, perhaps with a port, as 192.168.1.10:40000 or [fd00::10]:40000; or the word router, perhaps with a port
    #[argh(positional)]
    pub(crate) source: String,

    /// the receiver: an address, perhaps with a port
    #[argh(positional)]
    pub(crate) destination: String,

    /// the interface or device the packet comes in by (default: where the kernel would answer the sender)
    #[argh(option, arg_name = "name")]
    pub(crate) iface: Option<String>,

    /// the sender's Ethernet address
    #[argh(option, arg_name = "address")]
    pub(crate) mac: Option<String>,

    /// the DSCP value, 0 to 63
    #[argh(option, arg_name = "value", default = "0")]
    pub(crate) dscp: u8,

    /// the type of ICMP, as a number (default: a ping's)
    #[argh(option, arg_name = "number")]
    pub(crate) icmp_type: Option<u8>,

    /// the packet mark that another program gave it
    #[argh(option, arg_name = "mark")]
    pub(crate) mark: Option<String>,

    /// the time to ask about, as 23:00 or "fri 23:00": the next time it is that late (default: now)
    #[argh(option, arg_name = "time")]
    pub(crate) at: Option<String>,

    /// the number of the user whose program sends it, for the router's own packets
    #[argh(option, arg_name = "number")]
    pub(crate) uid: Option<u32>,

    /// print the answer as JSON
    #[argh(switch)]
    pub(crate) json: bool,
}

impl Explain {
    /// From the arguments of the ubus method of the same name; none if one is missing or not of its type.
    pub(crate) fn from_json(arguments: &Value) -> Option<Self> {
        let text = |name: &str| arguments[name].as_str().map(str::to_owned);
        let number = |name: &str| match &arguments[name] {
            Value::Null => Some(None),
            number => number.as_u64().and_then(|n| u32::try_from(n).ok()).map(Some),
        };
        let byte = |name: &str| number(name)?.map(u8::try_from).transpose().ok();
        Some(Self {
            protocol: text("protocol")?,
            source: text("source")?,
            destination: text("destination")?,
            iface: text("iface"),
            mac: text("mac"),
            dscp: byte("dscp")?.unwrap_or(0),
            icmp_type: byte("icmp_type")?,
            mark: text("mark"),
            at: None,
            uid: number("uid")?,
            json: true,
        })
    }
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Explain) -> Exit {
    match attempt(place, verb) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn attempt(place: &Place, verb: &Explain) -> Result<Exit, Exit> {
    let asked = parse(verb).map_err(|complaint| usage(&format!("explain: {complaint}")))?;
    let at = verb.at.as_deref().map(question::time_of_week).transpose();
    let at = at.map_err(|complaint| usage(&format!("explain: {complaint}")))?;
    let loaded = Loaded::read(place)?;
    let config = loaded.usable()?;
    let mut kernel = Kernel::new();
    let world = facts::world(config, place)?;
    let (mut survey, mut plan) = facts::plan(&mut kernel, config, &world, Trust::File)?;
    if let Some((weekday, second)) = at {
        survey.facts.now = survey.facts.now.next(weekday, second);
        plan = plan::plan(config, &survey.facts).unwrap_or(plan);
    }
    let asked = Question { packet: asked, is_of_now: at.is_none() };
    if verb.json {
        say(&json::pretty(&answer(&mut kernel, config, &survey.facts, &plan, asked)));
    } else {
        let (packet, is_of_now) = (asked.packet.clone(), asked.is_of_now);
        let mut text = explained(&mut kernel, config, &survey.facts, &plan, asked, in_words);
        if is_of_now {
            let mut running = Running::new(config, &plan.paths, &packet);
            // Without conntrack's list the answer is as true.
            let _ = kernel.each_connection(&mut |connection| running.add(&connection));
            running.lines().iter().for_each(|line| text.push_str(&format!("\n{line}")));
        }
        say(&text);
    }
    Ok(loaded.exit())
}

/// The answer as JSON.
pub(crate) fn answer(kernel: &mut Kernel, config: &Config, facts: &Facts, plan: &Plan, asked: Question) -> Value {
    explained(kernel, config, facts, plan, asked, record::record)
}

fn explained<T>(
    kernel: &mut Kernel,
    config: &Config,
    facts: &Facts,
    plan: &Plan,
    asked: Question,
    say: impl FnOnce(&Words, &[Asked]) -> T,
) -> T {
    let mut packet = complete(kernel, facts, asked.packet);
    packet.details.destination_in = survey::sets_with(kernel, config, plan, packet.destination);
    packet.details.source_in =
        packet.source.map_or_else(Vec::new, |source| survey::sets_with(kernel, config, plan, source));
    let decision = explain::decide(config, &plan.paths, facts, &packet);
    // The kernel has the rules of this moment.
    let answers = if asked.is_of_now { ask(kernel, facts, plan, &packet, &decision) } else { Vec::new() };
    say(&Words { config, facts, paths: &plan.paths, packet: &packet, decision: &decision }, &answers)
}

/// What is asked.
pub(crate) struct Question {
    /// The packet.
    pub packet: Packet,
    /// Whether it is asked about this moment.
    pub is_of_now: bool,
}

/// The packet that was asked about; if it makes no sense, why not.
pub(crate) fn parse(verb: &Explain) -> Result<Packet, String> {
    let protocol = config::protocol_number(&verb.protocol)
        .ok_or_else(|| format!("'{}' is no protocol: say tcp, udp, icmp or a number up to 255", verb.protocol))?;
    let (destination, destination_port) = question::endpoint(&verb.destination)?;
    let own = verb.source.strip_prefix("router").filter(|rest| rest.is_empty() || rest.starts_with(':'));
    let router = own.is_some();
    let (source, source_port) = match own.map(|rest| rest.trim_start_matches(':')) {
        Some("") => (None, None),
        Some(port) => (None, Some(port.parse().map_err(|_| format!("'{port}' is no port: write router:51820"))?)),
        None => question::endpoint(&verb.source).map(|(address, port)| (Some(address), port))?,
    };
    if source.is_some_and(|source| source.is_ipv4() != destination.is_ipv4()) {
        return Err("the sender's address is of one IP version and the receiver's of the other".into());
    }
    let has_ports = question::has_ports(protocol);
    if !has_ports && (source_port.is_some() || destination_port.is_some()) {
        return Err(format!("{} has no ports: leave them out", verb.protocol));
    }
    if has_ports && destination_port.is_none() {
        return Err(format!("{} has ports: say which, as {}", verb.protocol, question::with_port(destination, 443)));
    }
    if verb.dscp > 63 {
        return Err("a DSCP value is 0 to 63".into());
    }
    let mac = verb.mac.as_deref().map(ethernet).transpose()?;
    if router && (mac.is_some() || verb.iface.is_some()) {
        return Err("the router's own packets come from no interface and no Ethernet address".into());
    }
    let origin = if router { From::Router } else { From::Device(verb.iface.clone(), mac) };
    // ICMP is another protocol in IPv6.
    let protocol = if protocol == 1 && destination.is_ipv6() { 58 } else { protocol };
    let details =
        Details { icmp_type: icmp_type(verb, protocol)?, mark: mark(verb)?, user: verb.uid, ..Details::default() };
    Ok(Packet { origin, source, destination, protocol, source_port, destination_port, dscp: verb.dscp, details })
}

/// The type of ICMP: a ping, if none is said.
fn icmp_type(verb: &Explain, protocol: u8) -> Result<Option<u8>, String> {
    let ping = match protocol {
        1 => Some(8),
        58 => Some(128),
        _ => None,
    };
    match verb.icmp_type {
        Some(_) if ping.is_none() => {
            Err(format!("{} has no types, only icmp has: leave --icmp-type out", verb.protocol))
        }
        written => Ok(written.or(ping)),
    }
}

/// The mark that somebody else gave the packet.
fn mark(verb: &Explain) -> Result<u32, String> {
    let Some(text) = &verb.mark else { return Ok(0) };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = hexadecimal.map_or_else(|| text.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| format!("'{text}' is no mark: write a number, as 0x10000"))
}

fn ethernet(text: &str) -> Result<Mac, String> {
    text.parse().map_err(|NotAMac| format!("'{text}' is no Ethernet address: write 02:00:00:00:00:01"))
}

/// Fills in what the machine knows: the device behind an interface's name or a sender's address, and whether the sender
/// is the router itself.
fn complete(kernel: &mut Kernel, facts: &Facts, mut packet: Packet) -> Packet {
    let From::Device(named, mac) = packet.origin.clone() else { return packet };
    let own = kernel.addresses().unwrap_or_default().iter().any(|own| Some(own.address) == packet.source);
    if own && named.is_none() {
        packet.origin = From::Router;
        return packet;
    }
    let device = match named {
        Some(name) => Some(facts.device_of(&name).to_string()),
        None => packet.source.and_then(|source| way_to(kernel, source)),
    };
    packet.origin = From::Device(device, mac);
    packet.details.user = None;
    packet
}

/// The device the kernel would use to reach an address.
fn way_to(kernel: &mut Kernel, address: IpAddr) -> Option<String> {
    let links = kernel.links().ok()?;
    let packet = question(address, 0);
    let answer = kernel.lookup(&links, &packet, lookup::Question::Way).ok()?;
    answer.hops.into_iter().next().map(|hop| hop.device)
}

fn question(destination: IpAddr, mark: u32) -> lookup::Packet {
    lookup::Packet {
        destination,
        source: None,
        mark,
        iif: None,
        oif: None,
        protocol: None,
        source_port: None,
        destination_port: None,
        user: None,
    }
}

fn ask(kernel: &mut Kernel, facts: &Facts, plan: &Plan, packet: &Packet, decision: &Decision) -> Vec<Asked> {
    let mut marks: Vec<u32> = decision.paths.iter().map(|(path, _)| plan.paths[*path].mark.bits()).collect();
    // The router's own packets get no mark before they are routed: an ip rule decides.
    if packet.origin == From::Router || marks.is_empty() {
        marks = vec![0];
    }
    let (links, family) = (kernel.links().unwrap_or_default(), packet.family());
    let index = |name: &str| links.iter().find(|link| link.name == name).map(|link| link.index);
    let iif = match &packet.origin {
        From::Device(Some(device), _) => index(device),
        _ => None,
    };
    let ask_for = |mark| {
        let packet = lookup::Packet {
            source: packet.source.filter(|_| iif.is_some() || packet.origin == From::Router),
            iif,
            protocol: Some(packet.protocol).filter(|protocol| question::has_ports(*protocol)),
            source_port: packet.source_port,
            destination_port: packet.destination_port,
            // Asked without a user the kernel takes the one who asks, and root may be in a rule's range: "nobody".
            user: (packet.origin == From::Router).then_some(packet.details.user.unwrap_or(u32::MAX)),
            ..question(packet.destination, mark)
        };
        let answer = kernel.lookup(&links, &packet, lookup::Question::Route).map_err(|error| error.to_string());
        let verdict = answer.as_ref().ok().map(|answer| kernel::compare(plan, facts, decision, family, mark, answer));
        Asked { mark, answer, verdict }
    };
    marks.into_iter().map(ask_for).collect()
}

fn in_words(words: &Words, answers: &[Asked]) -> String {
    let mut lines = vec![words.packet()];
    lines.push(String::new());
    lines.extend(words.passed_over());
    lines.extend(words.lines());
    if answers.is_empty() {
        lines.push(format!("kernel   not asked: that is about {}", words.facts.now.local()));
    }
    for asked in answers {
        let mark = if asked.mark == 0 { String::new() } else { format!("for mark {:#x}: ", asked.mark) };
        let verdict = match asked.verdict {
            Some(Verdict::Agrees) => ": agrees",
            Some(Verdict::MoreSpecific) => ": this more specific route of the main table wins over every policy",
            Some(Verdict::Differs) => ": differs: `wansplit apply` is due, see `wansplit status`",
            Some(Verdict::Main) | None => "",
        };
        let answer = match &asked.answer {
            Ok(answer) => kernel::answer(answer),
            Err(error) => error.clone(),
        };
        lines.push(format!("kernel   {mark}{answer}{verdict}"));
    }
    lines.join("\n")
}
