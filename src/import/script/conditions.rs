//! What a packet must be like for an iptables rule or an ip rule to take it, in the words of our own rules.

use super::shell::is_unknown;
use crate::config::model::Family;
use crate::config::protocol_number;
use crate::import::{Section, address, ports};
use crate::interval::Interval;

/// Options of a rule and their values; all must hold, of the values of one option any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions(Vec<(&'static str, Vec<String>)>);

impl Conditions {
    /// The values of an option.
    pub fn get(&self, option: &str) -> Option<&[String]> {
        self.0.iter().find(|(own, _)| *own == option).map(|(_, values)| values.as_slice())
    }

    /// Whether every packet will do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes an option out.
    pub fn remove(&mut self, option: &str) {
        self.0.retain(|(own, _)| *own != option);
    }

    /// Adds what an option must be. False if it cannot be said together with what it must be already.
    #[must_use]
    pub fn and(&mut self, option: &'static str, values: Vec<String>) -> bool {
        let Some((_, own)) = self.0.iter_mut().find(|(own, _)| *own == option) else {
            self.0.push((option, values));
            return true;
        };
        let within =
            |some: &[String], all: &[String]| some.iter().all(|value| all.contains(value) && !value.starts_with('!'));
        let negated = |values: &[String]| values.iter().all(|value| value.starts_with('!'));
        if *own == values || within(own, &values) {
            return true;
        }
        if within(&values, own) {
            *own = values;
            return true;
        }
        // Exceptions add up, and may stand beside plain values.
        let adds = negated(&values) || negated(own);
        if adds {
            own.extend(values);
            return true;
        }
        match common(option, own, &values) {
            Some(values) => {
                *own = values;
                true
            }
            None => false,
        }
    }

    /// What holds when both hold; nothing if that cannot be said.
    pub fn and_all(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        other.0.iter().all(|(option, values)| both.and(option, values.clone())).then_some(both)
    }

    /// If two differ in the plain values of one option only: that option.
    pub fn only_difference(&self, other: &Self) -> Option<&'static str> {
        let mut different = None;
        for (option, values) in &self.0 {
            let theirs = other.get(option)?;
            if theirs != values.as_slice() {
                let plain = !values.iter().chain(theirs).any(|value| value.starts_with('!'));
                if different.is_some() || !plain {
                    return None;
                }
                different = Some(*option);
            }
        }
        different.filter(|_| self.0.len() == other.0.len())
    }

    /// Adds values of an option as alternatives.
    pub fn or(&mut self, option: &str, more: &Self) {
        let more = more.get(option).unwrap_or_default();
        if let Some((_, own)) = self.0.iter_mut().find(|(own, _)| *own == option) {
            own.extend(more.iter().filter(|value| !own.contains(value)).cloned().collect::<Vec<_>>());
        }
    }

    /// Writes them, in the order of [`ORDER`].
    pub fn write(&self, rule: &mut Section) {
        for option in ORDER {
            for value in self.get(option).unwrap_or_default() {
                rule.list(option, value.as_str());
            }
        }
    }

    /// The family that addresses decide.
    pub fn family(&self) -> Option<Family> {
        ["src_ip", "dest_ip"]
            .into_iter()
            .filter_map(|option| self.get(option))
            .flatten()
            .find_map(|text| address::family_of(text.trim_start_matches('!')))
    }
}

/// What two lists of networks or ports have in common; nothing if that is no list of these, or nothing.
fn common(option: &str, some: &[String], others: &[String]) -> Option<Vec<String>> {
    let interval = |text: &str| match option {
        "src_ip" | "dest_ip" => address::interval(text),
        "src_port" | "dest_port" => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            Some(Interval::new(first.parse().ok()?, last.parse().ok()?))
        }
        _ => None,
    };
    let mut all = Vec::new();
    for own in some {
        for other in others {
            let (a, b) = (interval(own)?, interval(other)?);
            match a.intersect(b) {
                None => {}
                Some(both) if both == a => all.push(own.clone()),
                Some(both) if both == b => all.push(other.clone()),
                Some(both) if option.ends_with("port") => all.push(format!("{}-{}", both.first(), both.last())),
                Some(_) => return None,
            }
            if all.len() > MOST {
                return None;
            }
        }
    }
    Some(all).filter(|all| !all.is_empty())
}

/// More values than these nobody compares.
const MOST: usize = 10_000;

/// The options in the order they are written.
pub const ORDER: [&str; 12] = [
    "proto",
    "icmp_type",
    "src_ip",
    "src_mac",
    "src_iface",
    "src_port",
    "dest_ip",
    "dest_set",
    "src_set",
    "dest_port",
    "dscp",
    "uid",
];

/// A value of an option as iptables and ip write it, in our words: a list, each with a `!` if it is negated; none if all
/// will do.
///
/// # Errors
/// It cannot be said; the text says why.
pub fn values(option: &str, text: &str, negated: bool, family: Family) -> Result<Vec<String>, String> {
    if is_unknown(text) {
        return Err(format!("what {text} is, is not known here"));
    }
    let sign = if negated { "!" } else { "" };
    let mut all = Vec::new();
    for item in text.split(',').filter(|item| !item.is_empty()) {
        let value = value(option, item, family)?;
        match value {
            Some(value) => all.push(format!("{sign}{value}")),
            None if negated => return Err(format!("nothing is left without {item}")),
            None => return Ok(Vec::new()),
        }
    }
    if all.is_empty() { Err("a value is missing".into()) } else { Ok(all) }
}

fn value(option: &str, item: &str, family: Family) -> Result<Option<String>, String> {
    let lower = item.to_ascii_lowercase();
    let wrong = |what: &str| Err(format!("{item} is no {what} known here"));
    match option {
        "proto" => match lower.as_str() {
            "all" | "any" | "0" => Ok(None),
            // Our icmp is that of either family.
            "icmpv6" | "ipv6-icmp" | "58" if family == Family::V6 => Ok(Some("icmp".into())),
            "1" => Ok(Some("icmp".into())),
            _ if protocol_number(&lower).is_some() => Ok(Some(lower)),
            _ => wrong("protocol"),
        },
        "src_ip" | "dest_ip" => {
            let item = if matches!(item, "0/0" | "default" | "all" | "any") { "0.0.0.0/0" } else { item };
            match address::family_of(item) {
                Some(_) if address::is_everything(item) => Ok(None),
                Some(own) if own == family => Ok(Some(item.into())),
                Some(_) => Err(format!("{item} is an address of the other IP version")),
                None => Err(format!("{item} is no address: write the address of a host, not its name")),
            }
        }
        "src_port" | "dest_port" => match ports::port(&lower) {
            Some(port) if port == "1-65535" => Ok(None),
            Some(port) => Ok(Some(port)),
            None => wrong("port"),
        },
        "src_iface" if item.ends_with('+') => Err(format!("{item} stands for several devices: name each")),
        "icmp_type" => match lower.as_str() {
            "any" | "255" => Ok(None),
            _ if lower.contains('/') => Err(format!("{item} is a type with a code, and only types are known here")),
            "ping" => Ok(Some("echo-request".into())),
            "pong" => Ok(Some("echo-reply".into())),
            _ => Ok(Some(lower)),
        },
        "dscp" => Ok(Some(lower)),
        _ => Ok(Some(item.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(all: &[(&'static str, &str)]) -> Conditions {
        let mut conditions = Conditions::default();
        for (option, text) in all {
            assert!(conditions.and(option, text.split(' ').map(str::to_owned).collect()));
        }
        conditions
    }

    #[test]
    fn both_hold() {
        let a = conditions(&[("proto", "tcp"), ("dest_port", "80 443")]);
        let b = conditions(&[("dest_port", "443"), ("src_ip", "!10.0.0.1")]);
        assert_eq!(a.and_all(&b), Some(conditions(&[("proto", "tcp"), ("dest_port", "443"), ("src_ip", "!10.0.0.1")])));
        assert_eq!(a.and_all(&conditions(&[("dest_port", "25")])), None);
        let (wide, narrow) =
            (conditions(&[("src_ip", "10.0.0.0/8 192.168.1.1")]), conditions(&[("src_ip", "10.9.0.0/16")]));
        assert_eq!(wide.and_all(&narrow), Some(narrow));
        let ports = conditions(&[("dest_port", "80-90")])
            .and_all(&conditions(&[("dest_port", "85-99 10")]))
            .unwrap_or_default();
        assert_eq!(ports, conditions(&[("dest_port", "85-90")]));
        let excepted = a.and_all(&conditions(&[("dest_port", "!80")])).unwrap_or_default();
        assert_eq!(excepted.get("dest_port"), Some(&["80".to_owned(), "443".into(), "!80".into()][..]));
    }

    #[test]
    fn one_difference() {
        let a = conditions(&[("proto", "tcp"), ("dest_port", "80")]);
        assert_eq!(a.only_difference(&conditions(&[("proto", "tcp"), ("dest_port", "443")])), Some("dest_port"));
        assert_eq!(a.only_difference(&conditions(&[("proto", "udp"), ("dest_port", "443")])), None);
        assert_eq!(a.only_difference(&conditions(&[("proto", "tcp"), ("dest_port", "!443")])), None);
        assert_eq!(a.only_difference(&conditions(&[("proto", "tcp"), ("src_port", "80")])), None);
    }
}
