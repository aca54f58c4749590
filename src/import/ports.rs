//! Ports as other programs write them: numbers, ranges, and the names of services.

/// The names of services that stand in rules most often. Here ports have numbers.
const SERVICES: [(&str, u16); 24] = [
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("http", 80),
    ("www", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("ntp", 123),
    ("imap", 143),
    ("imap2", 143),
    ("snmp", 161),
    ("ldap", 389),
    ("https", 443),
    ("submissions", 465),
    ("smtps", 465),
    ("isakmp", 500),
    ("submission", 587),
    ("imaps", 993),
    ("pop3s", 995),
    ("sip", 5060),
    ("xmpp-client", 5222),
];

/// A port or a range in our words; nothing if it is none. An open end of a range is the first or the last port.
pub fn port(text: &str) -> Option<String> {
    let Some((first, last)) = text.split_once([':', '-']).filter(|_| number(text).is_none()) else {
        // Port 0 is used by nobody.
        return number(text).filter(|port| *port > 0).map(|port| port.to_string());
    };
    let first = if first.is_empty() { 1 } else { number(first)? };
    let last = if last.is_empty() { u16::MAX } else { number(last)? };
    (first <= last && last > 0).then(|| format!("{}-{last}", first.max(1)))
}

fn number(text: &str) -> Option<u16> {
    if let Some((_, port)) = SERVICES.iter().find(|(name, _)| *name == text) {
        return Some(*port);
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_in_our_words() {
        let said = |text| port(text).unwrap_or_default();
        assert_eq!(
            ["80", "http", "1024:2048", "8000-8080", "1024:", ":1023", "ftp-data", "0:5"].map(said),
            ["80", "80", "1024-2048", "8000-8080", "1024-65535", "1-1023", "20", "1-5"]
        );
        assert_eq!(["", "65536", "-1x", "9-1", "gopher", "+80", "0:0", "0"].map(said), [""; 8]);
    }
}
