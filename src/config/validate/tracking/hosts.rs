//! `track_ip`: the hosts that are asked.

use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{Family, Method, TrackedHost, Tracking};
use crate::config::source::Spanned;
use crate::config::validate::section::{Complaint, Section};
use std::net::{IpAddr, SocketAddr};

const OPTION: &str = "track_ip";
const FORMS: &str = "write an address, as 1.1.1.1 or 2606:4700:4700::1111, or with a port 1.1.1.1:443 or \
                     [2606:4700:4700::1111]:443";

/// The hosts that are asked; wrong ones are left out. Without a method (it is wrong) nothing is said of ports.
pub fn hosts(section: &Section, method: Option<Method>, diagnostics: &mut Vec<Diagnostic>) -> Vec<TrackedHost> {
    if let Some(at) = section.place(OPTION)
        && method == Some(Method::Arp)
    {
        let help = "delete these hosts, or choose another track_method; until then the gateway is asked";
        let complaint = Complaint::new("with track_method arp the gateway is asked, and nobody else", help);
        diagnostics.push(section.complain(OPTION, at, complaint));
        return Vec::new();
    }
    let mut hosts: Vec<TrackedHost> = Vec::new();
    for Spanned { value, at } in section.values(OPTION) {
        let mut remark = |severity, message: String, help: &str| {
            diagnostics.push(section.remark(severity, OPTION, *at, Complaint::new(message, help)));
        };
        let mut host = match parse(value) {
            Ok(host) => host,
            Err(Complaint { message, help }) => {
                remark(Severity::Error, message, &format!("{help} (until it is put right, this host is not asked)"));
                continue;
            }
        };
        let usual = method.and_then(Method::usual_port);
        if let Some(method) = method.filter(|_| host.port.is_some() && usual.is_none()) {
            let message = format!("{} has a port, and {} knows no ports", quote(value), method.word());
            remark(
                Severity::Error,
                message,
                "delete the port, or choose track_method tcp, dns or http (until then it is ignored)",
            );
            host.port = None;
        }
        let place = |host: &TrackedHost| (host.address, host.port.or(usual));
        let family = Family::of(host.address);
        if hosts.iter().any(|before| place(before) == place(&host)) {
            remark(Severity::Warning, format!("{} is in the list already", quote(value)), "delete one of them");
        } else if hosts.iter().filter(|before| Family::of(before.address) == family).count() >= Tracking::MOST_HOSTS {
            let message = format!("these are more than {} {family} hosts", Tracking::MOST_HOSTS);
            remark(Severity::Error, message, "two or three are enough; this one and those after it are not asked");
            break;
        } else {
            hosts.push(host);
        }
    }
    if method.is_none() {
        hosts.iter_mut().for_each(|host| host.port = None);
    }
    hosts
}

fn parse(text: &str) -> Result<TrackedHost, Complaint> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).filter(|inner| inner.contains(':'));
    let host = match (bare.unwrap_or(text).parse::<IpAddr>(), text.parse::<SocketAddr>()) {
        (Ok(address), _) => TrackedHost { address, port: None },
        // A zone has no place here: the link is what decides the interface.
        (_, Ok(place)) if !text.contains('%') => TrackedHost { address: place.ip(), port: Some(place.port()) },
        _ => return Err(Complaint::new(format!("{} is not an address", quote(text)), advice(text))),
    };
    if host.port == Some(0) {
        return Err(Complaint::new(format!("{} has port 0, which nobody listens on", quote(text)), FORMS));
    }
    let address = host.address;
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let mapped = matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
    if address.is_unspecified() || address.is_multicast() || address.is_loopback() || broadcast || mapped {
        let help = "name a host in the Internet that always answers, as 1.1.1.1";
        return Err(Complaint::new(format!("{} is not the address of a host behind the link", quote(text)), help));
    }
    Ok(host)
}

/// What to do instead of what is no address.
fn advice(text: &str) -> &'static str {
    if text.contains("//") {
        "write the address alone, without http:// and path"
    } else if text.contains(|c: char| c.is_ascii_alphabetic()) && text.matches(':').count() < 2 {
        "names are not looked up here: a probe must not depend on DNS, which may be what fails; write the address"
    } else {
        FORMS
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_and_without_ports() {
        let good = [
            ("1.1.1.1", "1.1.1.1"),
            ("1.1.1.1:443", "1.1.1.1:443"),
            ("2606:4700::1111", "2606:4700::1111"),
            ("[2606:4700::1111]", "2606:4700::1111"),
            ("[2606:4700::1111]:443", "[2606:4700::1111]:443"),
            ("2606:4700:0::1111", "2606:4700::1111"),
            ("192.168.1.1", "192.168.1.1"),
            ("fe80::1", "fe80::1"),
        ];
        for (text, expected) in good {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
        let bad = [
            "",
            "one.one.one.one",
            "example.org:443",
            "1.1.1",
            "1.1.1.1:",
            "1.1.1.1:0",
            "1.1.1.1:65536",
            "1.1.1.1:x",
            "[1.1.1.1]",
            "[1.1.1.1]:80",
            "1.1.1.0/24",
            "[::1",
            "[fe80::1%1]:80",
            "fe80::1%eth0",
            "http://1.1.1.1/",
            "0.0.0.0",
            "127.0.0.1",
            "::1",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "::ffff:1.1.1.1",
            " 1.1.1.1",
        ];
        for text in bad {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse("example.org").unwrap_err().help.contains("DNS"));
        assert!(parse("1.1.1.0/24").unwrap_err().help.contains("1.1.1.1:443"));
    }
}
