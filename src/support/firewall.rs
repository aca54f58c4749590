//! What of the firewall's configuration has a say in routing: offloading, and which zones translate addresses.

/// Options that are shown, of the sections `defaults` and `zone`.
const OPTIONS: [&str; 6] = ["name", "network", "masq", "masq6", "flow_offloading", "flow_offloading_hw"];

/// Those lines, each section's in its order.
#[must_use]
pub fn lines(text: &str) -> String {
    let mut shown = false;
    let mut lines = String::new();
    for line in text.lines().map(str::trim) {
        let mut words = line.split_whitespace();
        let is_shown = match (words.next(), words.next()) {
            (Some("config"), kind) => {
                shown = kind.is_some_and(|kind| ["defaults", "zone"].contains(&kind.trim_matches(['\'', '"'])));
                shown
            }
            (Some("option" | "list"), Some(name)) => shown && OPTIONS.contains(&name),
            _ => false,
        };
        if is_shown {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    #[test]
    fn zones_are_shown_and_rules_are_not() {
        let text = "config defaults\n\toption input ACCEPT\n\toption flow_offloading '1'\n\nconfig zone\n\
            \toption name 'wan'\n\tlist network 'wan6'\n\toption masq '1'\n\nconfig rule\n\toption name 'Allow-Me'\n\
            \toption src_ip '93.184.216.34'\n";
        let expected = "config defaults\noption flow_offloading '1'\nconfig zone\noption name 'wan'\n\
            list network 'wan6'\noption masq '1'\n";
        assert_eq!(super::lines(text), expected);
    }
}
