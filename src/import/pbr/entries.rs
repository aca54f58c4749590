//! What stands in src_addr, dest_addr and the ports: entries of several kinds, some negated.

use crate::config::model::{Family, Mac, NotAMac};
use crate::import::address::family_of;
use crate::import::foreign::Foreign;
use crate::import::ports;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An address, network or range.
    Address(Family),
    /// An Ethernet address.
    Mac,
    /// A Linux device packets come in by: `@br-guest`.
    Device,
    /// A list that is downloaded, or a file.
    Url,
    /// A domain or the name of a host.
    Name,
    /// None of these.
    Unknown,
}

/// One entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Whether a `!` stands before it.
    pub negated: bool,
    /// What it is.
    pub kind: Kind,
    /// Its text, without what only says the kind.
    pub text: &'a str,
}

impl<'a> Entry<'a> {
    fn of(word: &'a str) -> Self {
        let (negated, text) = word.strip_prefix('!').map_or((false, word), |text| (true, text));
        let (kind, text) = match text.strip_prefix('@') {
            Some(device) => (Kind::Device, device),
            None => (kind_of(text), text),
        };
        Self { negated, kind, text }
    }
}

fn kind_of(text: &str) -> Kind {
    if text.contains("://") {
        return Kind::Url;
    }
    if let Some(family) = family_of(text) {
        return Kind::Address(family);
    }
    let mac: Result<Mac, NotAMac> = text.parse();
    if mac.is_ok() {
        return Kind::Mac;
    }
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'/' | b'-'));
    let is_name = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if !numeric && text.len() <= 253 && text.trim_end_matches('.').split('.').all(is_name) {
        Kind::Name
    } else {
        Kind::Unknown
    }
}

/// The entries of an option, whether it is a list or one text, with whatever pbr takes between them.
pub fn entries<'a>(section: &Foreign<'a>, option: &str) -> Vec<Entry<'a>> {
    let words = section.many(option).into_iter().flat_map(words);
    words.map(Entry::of).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '{' | '}')).filter(|word| !word.is_empty())
}

/// Ports in our words, or the word that is none. A `!` before the first negates the whole text.
pub fn ports<'a>(section: &Foreign<'a>, option: &str) -> Result<Vec<String>, &'a str> {
    let mut all = Vec::new();
    for text in section.many(option) {
        let sign = if text.starts_with('!') { "!" } else { "" };
        for word in words(text) {
            let port = ports::port(word.trim_start_matches('!')).ok_or(word)?;
            all.push(format!("{sign}{port}"));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_entry_is() {
        let kind = |text| Entry::of(text).kind;
        let v4 = Kind::Address(Family::V4);
        assert_eq!(["192.168.1.1", "10.0.0.0/8", "!10.0.0.1", "10.0.0.1-10.0.0.9"].map(kind), [v4; 4]);
        assert_eq!(["::1", "2001:db8::/32"].map(kind), [Kind::Address(Family::V6); 2]);
        assert_eq!(["00:11:22:33:44:55", "!AA-BB-CC-DD-EE-FF"].map(kind), [Kind::Mac; 2]);
        assert_eq!(["@br-guest", "!@wg0"].map(kind), [Kind::Device; 2]);
        assert_eq!(["example.com", "laptop", "!a-b.c.", "com"].map(kind), [Kind::Name; 4]);
        assert_eq!(["https://x.example/list", "file:///etc/list"].map(kind), [Kind::Url; 2]);
        assert_eq!(["256.1.1.1", "1.2.3", "10.0.0.0/33", "!", "a..b", "fe80::%x", ""].map(kind), [Kind::Unknown; 7]);
    }
}
