//! Reads the world: netifd's account of the interfaces, the kernel's devices and addresses, and what others have put
//! there.

mod clock;
mod findings;
mod gateways;
pub mod lists;
mod membership;
pub mod rivals;
mod router;
mod tunnels;

pub use findings::{neighbours, shortage};
pub use membership::sets_with;
pub use router::{Depth, router};

use crate::clock::Now;
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Attachment, Config, Family, LinkId};
use crate::config::source::Position;
use crate::kernel::netlink::link::Link as Device;
use crate::kernel::sysctl::{Key, Sysctls};
use crate::kernel::{self, Error, Kernel};
use crate::map::{Map, Set};
use crate::network::firewall::Firewall;
use crate::network::gather::{self, Absent, Sources};
use crate::network::known::Known;
use crate::network::netifd::{self, Dump};
use crate::network::{Facts, Standing};
use crate::plan::ip_rules;
use crate::plan::path::Paths;
use serde_json::Value;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

/// How long netifd may take to answer. It does so within milliseconds, unless it is stuck.
const PATIENCE: Duration = Duration::from_millis(700);

/// netifd's account of the interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// Its answer.
    Known(Dump),
    /// The configuration names no netifd interface: nobody has to be asked.
    NotNeeded,
    /// It could not be had, and why.
    Unknown(String),
}

impl Account {
    /// The answer, if there is one.
    #[must_use]
    pub fn dump(&self) -> Option<&Dump> {
        match self {
            Self::Known(dump) => Some(dump),
            Self::NotNeeded | Self::Unknown(_) => None,
        }
    }
}

/// Whom to believe about a device that the kernel does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The kernel: what is not there cannot be used.
    Kernel,
    /// The file given by `--network`, if there is one: it may be another machine's.
    File,
}

/// What probes have shown, by the link's name. A link that is not in it is [`Standing::Good`].
pub type Standings = Map<(String, Family), Standing>;

/// Facts, and what is odd about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The facts.
    pub facts: Facts,
    /// Links that cannot be used, and why.
    pub findings: Vec<Diagnostic>,
    /// The router's own addresses, but for those that it may not use yet; the ones not deprecated first.
    pub addresses: Vec<IpAddr>,
    /// The kernel's devices that this was made from.
    pub devices: Vec<Device>,
}

/// netifd's account from a file in the shape of its answer.
///
/// # Errors
/// The file cannot be read, or is something else; the text says which file.
pub fn account_in(file: &str) -> Result<Dump, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("cannot read the interfaces from {file}: {error}"))?;
    netifd::parse(&text).map_err(|error| format!("{file}: {error}")).and_then(|dump| complete(dump, file))
}

/// An account that names no interface at all, not even the loopback one, is that of a netifd that has just started.
fn complete(dump: Dump, who: &str) -> Result<Dump, String> {
    if dump.interfaces.is_empty() { Err(format!("{who} names no interface")) } else { Ok(dump) }
}

/// netifd's account by asking it, if the configuration names one of its interfaces.
#[must_use]
pub fn account_of_netifd(config: &Config, caller: &mut crate::bus::Caller) -> Account {
    if !needs_netifd(config) {
        return Account::NotNeeded;
    }
    ask_netifd(caller).map_or_else(Account::Unknown, Account::Known)
}

/// netifd's account by asking it.
///
/// # Errors
/// It does not answer, or with something else; the text says why.
pub fn ask_netifd(caller: &mut crate::bus::Caller) -> Result<Dump, String> {
    let answer = caller.call("network.interface", "dump", &Value::Null, PATIENCE);
    // It is asked seldom, and a connection that is kept takes 70 KB.
    caller.disconnect();
    let answer = answer.map_err(|error| error.to_string())?;
    let dump = netifd::read(&answer).map_err(|error| format!("netifd's answer cannot be understood: {error}"))?;
    complete(dump, "netifd")
}

/// Whether anything in the configuration is an interface of netifd, or may be.
fn needs_netifd(config: &Config) -> bool {
    links_of_netifd(config).next().is_some() || config.rules.iter().any(|rule| rule.matches.interfaces.is_some())
}

/// The links of which nothing can be known without netifd's account.
pub fn links_of_netifd(config: &Config) -> impl Iterator<Item = &str> {
    let by_interface = |link: &&crate::config::model::Link| matches!(link.attachment, Attachment::Interface(_));
    config.links.iter().filter(by_interface).map(|link| link.name.as_str())
}

/// What the links last had, as the kernel's rules of an earlier run tell. A kernel that cannot be asked knows nothing.
pub fn remembered(handle: &mut Kernel, config: &Config) -> Known {
    let needed = links_of_netifd(config).next().is_some();
    let paths = if needed { Paths::new(config).ok() } else { None };
    let held = paths.and_then(|paths| Some((paths, handle.rules().ok()?)));
    held.map_or_else(Known::nothing, |(paths, rules)| ip_rules::remembered(config, &paths, &rules.ours))
}

/// What the firewall's configuration says, from its file: the one beside our own. Where there is none, nothing is
/// translated.
#[must_use]
pub fn firewall(file: &Path) -> Firewall {
    match std::fs::read(file) {
        Ok(text) => Firewall::read(&file.display().to_string(), &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Firewall::default(),
        Err(error) => Firewall::unknown(format!("cannot read {}: {error}", file.display())),
    }
}

/// Joins the account, the kernel's devices and addresses, the firewall's zones, and what the links last had. What probes have shown is entered
/// by [`judge`].
///
/// # Errors
/// The kernel could not be asked.
pub fn survey(
    handle: &mut Kernel,
    config: &Config,
    account: &Account,
    trust: Trust,
    known: &Known,
    firewall: &Firewall,
) -> Result<Survey, Error> {
    let devices = handle.links()?;
    let addresses = handle.addresses()?;
    let dump = account.dump();
    let without_ipv6 = without_ipv6(config, dump);
    let believed = trust == Trust::File && dump.is_some();
    let sources = Sources {
        netifd: dump.map(|dump| dump.interfaces.as_slice()),
        devices: &devices,
        addresses: &addresses,
        ipv6: kernel::speaks_ipv6(),
        without_ipv6: &without_ipv6,
        absent: if believed { Absent::Believed } else { Absent::Missing },
        known,
        firewall,
    };
    let mut facts = gather::gather(config, &sources);
    look_into_tunnels(handle, &mut facts, &devices);
    let wans = facts.links.iter().filter_map(|link| link.v4.device.clone());
    let checks = source_checks(wans);
    let checked = |how| Set::from_iter(checks.iter().filter(|(_, own)| *own == how).map(|(device, _)| device.clone()));
    (facts.strict_devices, facts.loose_devices) = (checked(1), checked(2));
    facts.absent_users = kernel::users::absent();
    let warnings = dump.map_or(&[][..], |dump| &dump.warnings).iter();
    let (now, doubt) = clock::now(config);
    facts.now = now;
    let mut findings: Vec<Diagnostic> =
        warnings.map(|message| Diagnostic::new(Severity::Warning, Position::default(), message)).collect();
    findings.extend((0..config.links.len()).filter_map(|n| findings::unusable(config, &facts, LinkId(n), account)));
    findings.extend(findings::untranslated(config, firewall));
    findings.extend(doubt);
    let of_age = |deprecated| addresses.iter().filter(move |own| !own.tentative && own.deprecated == deprecated);
    let addresses = of_age(false).chain(of_age(true)).map(|own| own.address).collect();
    Ok(Survey { facts, findings, addresses, devices })
}

/// What time it is, as far as the configuration asks.
#[must_use]
pub fn now(config: &Config) -> Now {
    clock::now(config).0
}

/// Enters into the facts what the links' own packets look like, where they are tunnels.
fn look_into_tunnels(handle: &mut Kernel, facts: &mut Facts, devices: &[Device]) {
    for link in &mut facts.links {
        let names = Set::from_iter([&link.v4, &link.v6].into_iter().filter_map(|side| side.device.clone()));
        let own = devices.iter().filter(|device| names.contains(&device.name));
        link.outer = own.filter_map(|device| handle.outer(device)).collect();
    }
}

/// Enters into the facts what probes have shown.
pub fn judge(config: &Config, facts: &mut Facts, standings: &Standings) {
    for (link, own) in config.links.iter().zip(&mut facts.links) {
        let standing = |family| standings.get(&(link.name.clone(), family)).copied().unwrap_or_default();
        (own.v4.standing, own.v6.standing) = (standing(Family::V4), standing(Family::V6));
    }
}

/// How the kernel checks source addresses on each device (`rp_filter`): the larger of its own value and that of `all`
/// counts.
fn source_checks(devices: impl Iterator<Item = String>) -> Vec<(String, u32)> {
    let value = |device: &str| setting(Family::V4, device, "rp_filter");
    let all = value("all");
    let checked = |device: String| {
        let own = value(&device);
        (device, own.max(all))
    };
    devices.map(checked).collect()
}

/// The devices named by the configuration or by netifd on which IPv6 is switched off.
fn without_ipv6(config: &Config, dump: Option<&Dump>) -> Set<String> {
    let by_hand = config.links.iter().filter_map(|link| match &link.attachment {
        Attachment::Device { device, .. } => Some(device.as_str()),
        Attachment::Interface(_) | Attachment::Unusable => None,
    });
    let interfaces = dump.map_or(&[][..], |dump| &dump.interfaces);
    let devices = by_hand.chain(interfaces.iter().filter_map(|interface| interface.l3_device.as_deref()));
    devices.filter(|device| setting(Family::V6, device, "disable_ipv6") == 1).map(str::to_owned).collect()
}

/// A number under `/proc/sys/net`; 0 if it is not there.
fn setting(family: Family, device: &str, name: &str) -> u32 {
    let key = Key { family, device: device.to_owned(), name: name.to_owned() };
    Sysctls::default().read(&key).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
