//! What a rule's connections are called in the kernel's log.

use super::counters;
use crate::config::model::Rule;

/// `NF_LOG_PREFIXLEN` is 128 with the closing NUL.
const LONGEST: usize = 127;

/// What stands before a packet of a rule of this name: `wansplit navegacao: `. nft's language has no way to write a quote,
/// and takes a `$` for a variable; the log shows letters beyond ASCII as numbers. They become `_`.
#[must_use]
pub fn prefix(rule: &str) -> String {
    let fits = |c: char| (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '$');
    let plain = rule.chars().map(|c| if fits(c) { c } else { '_' });
    let (head, tail) = ("wansplit ", ": ");
    let name: String = plain.take(LONGEST - head.len() - tail.len()).collect();
    format!("{head}{name}{tail}")
}

/// The name of the chain of a rule that logs and does not count, given by its place. Two rules may have the same name.
#[must_use]
pub fn chain(rules: &[Rule], place: usize) -> String {
    let name = rules.get(place).map_or("", |rule| rule.name.as_str());
    let earlier = rules.iter().take(place).filter(|rule| rule.name == name).count();
    counters::name("log", name, u32::try_from(earlier).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn a_prefix_is_what_nft_and_the_kernel_take() {
        assert_eq!(prefix("navegacao"), "wansplit navegacao: ");
        assert_eq!(prefix("a \"b\" $c \\d é\n"), "wansplit a _b_ _c _d __: ");
        assert_eq!(prefix(&"x".repeat(300)).len(), 127);
        assert!(prefix(&"é".repeat(300)).ends_with("_: "));
    }
}
