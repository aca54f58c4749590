//! Interfaces that policies name: each becomes a link.

use super::network::Network;
use super::settings::Settings;
use crate::config::diagnostics::quote;
use crate::config::model::is_interface_name;
use crate::config::options::SectionKind;
use crate::import::foreign::{Foreign, Report};
use crate::import::names::Names;
use crate::import::{Context, Kind, Section};
use crate::network::gather::are_twins;
use crate::network::netifd::Interface;

/// The links of the result.
pub struct Links<'a> {
    /// Interfaces, and what their links are called.
    links: Vec<(String, String)>,
    settings: &'a Settings,
    network: &'a Network,
    interfaces: Option<&'a [Interface]>,
    /// The main link's name.
    uplink: String,
}

/// What a rule's `use` names.
pub struct Target(pub String);

/// Where an interface of a policy leads that is no link.
const OTHERS: [(&str, &str); 3] = [
    ("tor", "Tor is out of reach here: redirect ports 53, 80 and 443 of these sources to it in /etc/config/firewall"),
    ("xray_", "a transparent proxy is out of reach here: keep the proxy's own firewall rules for it"),
    (
        "mwan4_strategy_",
        "it leads to a strategy of mwan4: import that configuration too (wansplit import mwan4), join the two, and name \
         the strategy's policy in use",
    ),
];

/// Interfaces that never lead to the Internet.
const LANS: [&str; 2] = ["lan", "loopback"];

impl<'a> Links<'a> {
    /// Only the main link, until policies name others.
    pub fn new(settings: &'a Settings, context: &Context<'a>, network: &'a Network, names: &mut Names) -> Self {
        let uplink = names.fresh(&settings.uplink);
        let links = vec![(settings.uplink.clone(), uplink.clone())];
        Self { links, settings, network, interfaces: context.interfaces, uplink }
    }

    /// What an interface's traffic is sent to, or why it is sent nowhere.
    pub fn target(&mut self, interface: &str, names: &mut Names) -> Result<Target, String> {
        let named = |words: &[String]| words.iter().any(|word| word == interface);
        if interface == "ignore" {
            return Ok(Target("main".into()));
        }
        if interface == self.settings.uplink6 {
            return Ok(Target(self.uplink.clone()));
        }
        if let Some((_, name)) = self.links.iter().find(|(own, _)| own == interface) {
            return Ok(Target(name.clone()));
        }
        if let Some((_, text)) = OTHERS.iter().find(|(word, _)| is_other(interface, word)) {
            return Err((*text).into());
        }
        if !is_interface_name(interface) {
            return Err(format!("{} cannot be the name of an interface", quote(interface)));
        }
        if !named(&self.settings.supported) {
            let why = if LANS.contains(&interface) {
                Some("a LAN is no way to the Internet")
            } else if named(&self.settings.ignored) {
                Some("ignored_interface names it")
            } else if self.network.is_server(interface) {
                Some("it has a listen_port: it is a WireGuard server, which others connect to")
            } else {
                None
            };
            if let Some(why) = why {
                return Err(format!("pbr takes {} for no target ({why}), and passes this over too", quote(interface)));
            }
        }
        let name = names.fresh(interface);
        self.links.push((interface.to_owned(), name.clone()));
        Ok(Target(name))
    }

    /// The target of an option of `config pbr`; if there is none, that is said.
    pub fn usable(
        &mut self,
        interface: &str,
        names: &mut Names,
        at: &Foreign,
        option: &str,
        report: &mut Report,
    ) -> Option<Target> {
        match self.target(interface, names) {
            Ok(target) => Some(target),
            Err(why) => {
                report.dropped(at, option, why);
                None
            }
        }
    }

    /// Whether any link is not the main one.
    pub fn has_tunnels(&self) -> bool {
        self.links.len() > 1
    }

    /// The links as sections.
    pub fn into_sections(self, settings: &Settings, report: &mut Report) -> Vec<Section> {
        self.look(report);
        let section = |(interface, name): (String, String)| {
            let mut link = Section::new(SectionKind::Link, &name);
            link.option("interface", interface);
            if settings.strict {
                link.option("fallback", "unreachable");
            }
            link
        };
        self.links.into_iter().map(section).collect()
    }

    /// What netifd knows of the links.
    fn look(&self, report: &mut Report) {
        let Some(interfaces) = self.interfaces else { return };
        let find = |name: &str| interfaces.iter().find(|interface| interface.name == name);
        for (name, _) in &self.links {
            if find(name).is_none() {
                let text =
                    format!("netifd has no interface {}: the link counts as down until it is there", quote(name));
                report.whole(Kind::Look, text);
            }
        }
        if let (Some(main), Some(twin)) = (find(&self.settings.uplink), find(&self.settings.uplink6))
            && !are_twins(main, twin)
        {
            let text = format!(
                "{} is on another device than {}: write a link of its own for it, and a policy with both",
                quote(&twin.name),
                quote(&main.name)
            );
            report.whole(Kind::Look, text);
        }
    }
}

/// Whether an interface's name is one of a kind: the word itself, or if it ends in `_`, anything that begins so.
fn is_other(interface: &str, word: &str) -> bool {
    if word.ends_with('_') { interface.starts_with(word) } else { interface == word }
}
