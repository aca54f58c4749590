//! The words of iptables: flags, targets, numbers.

/// Flags that say what a packet must be like, and our options.
pub const MATCHES: [(&str, &str); 31] = [
    ("-p", "proto"),
    ("--protocol", "proto"),
    ("--proto", "proto"),
    ("-s", "src_ip"),
    ("--source", "src_ip"),
    ("--src", "src_ip"),
    ("--src-range", "src_ip"),
    ("-d", "dest_ip"),
    ("--destination", "dest_ip"),
    ("--dst", "dest_ip"),
    ("--dst-range", "dest_ip"),
    ("-i", "src_iface"),
    ("--in-interface", "src_iface"),
    ("--dport", "dest_port"),
    ("--dports", "dest_port"),
    ("--destination-port", "dest_port"),
    ("--destination-ports", "dest_port"),
    ("--sport", "src_port"),
    ("--sports", "src_port"),
    ("--source-port", "src_port"),
    ("--source-ports", "src_port"),
    ("--mac-source", "src_mac"),
    ("--dscp", "dscp"),
    ("--dscp-class", "dscp"),
    ("--icmp-type", "icmp_type"),
    ("--icmpv6-type", "icmp_type"),
    ("--uid-owner", "uid"),
    ("--state", ""),
    ("--ctstate", ""),
    ("--syn", ""),
    ("--comment", ""),
];

/// Targets that are no chains.
pub const BUILT_IN: [&str; 18] = [
    "DROP", "REJECT", "LOG", "NFLOG", "ULOG", "TOS", "DSCP", "TTL", "HL", "TCPMSS", "TPROXY", "CT", "NOTRACK", "QUEUE",
    "NFQUEUE", "CLASSIFY", "IMQ", "MARK",
];

/// `V` or `V/M`, in decimal, hexadecimal or octal.
pub fn mark(text: &str) -> Option<(u32, u32)> {
    let (value, mask) = match text.split_once('/') {
        Some((value, mask)) => (number(value)?, number(mask)?),
        None => (number(text)?, u32::MAX),
    };
    Some((value & mask, mask))
}

fn number(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// `0.25`, `.5`, `1`.
pub fn in_a_million(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let million: u32 = digits.parse().ok()?;
    match whole {
        "" | "0" => Some(million),
        "1" => Some(1_000_000),
        _ => None,
    }
}
