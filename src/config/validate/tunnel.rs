//! `endpoint` and `via`: what is said of the packets that a tunnel consists of.

use super::names::Names;
use super::section::{Complaint, Section};
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{Endpoint, Link, LinkId, Policy, Target, Underlay};
use crate::config::source::Spanned;
use std::net::{IpAddr, SocketAddr};

const FORMS: &str = "write the server's address, as 203.0.113.7 or 2001:db8::7, or with its port 203.0.113.7:1194 or \
                     [2001:db8::7]:1194; for a server whose address changes its port alone, as *:1194";

/// The servers of a tunnel; wrong ones are left out.
pub fn endpoints(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for Spanned { value, at } in section.values("endpoint") {
        let mut remark = |severity, complaint| diagnostics.push(section.remark(severity, "endpoint", *at, complaint));
        match parse(value) {
            Err(complaint) => remark(Severity::Error, complaint),
            Ok(known) if endpoints.contains(&known) => {
                let message = format!("{} is in the list already", quote(value));
                remark(Severity::Warning, Complaint::new(message, "delete one of them"));
            }
            Ok(endpoint) => endpoints.push(endpoint),
        }
    }
    endpoints
}

fn parse(text: &str) -> Result<Endpoint, Complaint> {
    let wrong = || Complaint::new(format!("{} is not the place of a server", quote(text)), FORMS);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).filter(|inner| inner.contains(':'));
    let endpoint = if let Some(port) = text.strip_prefix("*:") {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        Endpoint { address: None, port: Some(port.parse().ok().filter(|_| digits).ok_or_else(wrong)?) }
    } else if let Ok(address) = bare.unwrap_or(text).parse::<IpAddr>() {
        Endpoint { address: Some(address), port: None }
    } else {
        let place = text.parse::<SocketAddr>().ok().filter(|_| !text.contains('%')).ok_or_else(|| {
            let name = text.contains(|c: char| c.is_ascii_alphabetic()) && text.matches(':').count() < 2;
            let help = "names are not looked up here: write the server's address, or if that changes its port alone, as *:1194";
            if name { Complaint { help: help.into(), ..wrong() } } else { wrong() }
        })?;
        Endpoint { address: Some(place.ip()), port: Some(place.port()) }
    };
    let nowhere = |address: IpAddr| address.is_unspecified() || address.is_multicast() || address.is_loopback();
    if endpoint.port == Some(0) || endpoint.address.is_some_and(nowhere) {
        return Err(wrong());
    }
    Ok(endpoint)
}

/// Enters into the links what carries their own packets. What would go in a circle is left out.
pub fn underlays(names: &Names<'_>, policies: &[Policy], links: &mut [Link], diagnostics: &mut Vec<Diagnostic>) {
    for (n, named) in names.links().enumerate() {
        let parse = |name: &str| underlay(names, name);
        let Ok(Some(Spanned { value, at })) = named.section.single("via", parse, diagnostics) else { continue };
        if carriers(policies, value).contains(&LinkId(n)) {
            let message = "a tunnel cannot carry itself";
            let help =
                "name links it is not among; until then its own packets go by the rules for the router's traffic";
            diagnostics.push(named.section.complain("via", at, Complaint::new(message, help)));
        } else if let Some(other) = circle(links, policies, n, value) {
            let message = format!("this goes in a circle: the packets of link '{other}' are carried by this one");
            let help = "one of them must go by a link that is no tunnel; until then this option is ignored";
            diagnostics.push(named.section.complain("via", at, Complaint::new(message, help)));
        } else if let Some(link) = links.get_mut(n) {
            link.via = Some(value);
        }
    }
}

fn underlay(names: &Names<'_>, name: &str) -> Result<Underlay, Complaint> {
    match names.target(name) {
        Some(Target::Link(link)) => Ok(Underlay::Link(link)),
        Some(Target::Policy(policy)) => Ok(Underlay::Policy(policy)),
        Some(Target::Main) => Ok(Underlay::Main),
        Some(Target::Unreachable | Target::Blackhole) => Err(Complaint::new(
            format!("{} carries nothing", quote(name)),
            "name a link, a policy or main; to hold the tunnel back altogether switch it off",
        )),
        None => {
            let help = match names.nearest(name, true) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => "name a link, a policy or main".into(),
            };
            Err(Complaint::new(format!("there is no link or policy {}", quote(name)), help))
        }
    }
}

/// The links that may carry what goes by an underlay.
fn carriers(policies: &[Policy], underlay: Underlay) -> Vec<LinkId> {
    match underlay {
        Underlay::Link(link) => vec![link],
        Underlay::Policy(policy) => policies
            .get(policy.0)
            .map_or(Vec::new(), |policy| policy.members.iter().map(|member| member.link).collect()),
        Underlay::Main => Vec::new(),
    }
}

/// Whether link `n` would come to be carried by itself: the name of the link in between.
fn circle(links: &[Link], policies: &[Policy], n: usize, underlay: Underlay) -> Option<String> {
    let mut open = carriers(policies, underlay);
    let mut seen = Vec::new();
    while let Some(next) = open.pop() {
        let Some((link, via)) = links.get(next.0).and_then(|link| Some((link, link.via?))) else { continue };
        let below = carriers(policies, via);
        if below.contains(&LinkId(n)) {
            return Some(link.name.clone());
        }
        seen.push(next);
        open.extend(below.into_iter().filter(|link| !seen.contains(link)));
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_with_and_without_ports() {
        for (text, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:1194", "203.0.113.7:1194"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:51820", "[2001:db8::7]:51820"),
            ("*:1194", "*:1194"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
        for text in
            ["", "*", "*:", "*:0", "*:+1", "*:65536", "0.0.0.0", "127.0.0.1:1", "203.0.113.7:0", "203.0.113.0/24"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse("vpn.example.net:1194").unwrap_err().help.contains("names are not looked up"));
    }
}
