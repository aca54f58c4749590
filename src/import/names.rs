//! Names for what the result holds.

use crate::config::diagnostics::escape;
use crate::config::options::RESERVED_NAMES;
use crate::map::Set;

/// The names that are taken. UCI has one name space for sections of all types.
pub struct Names(Set<String>);

impl Names {
    /// None is taken but those that mean something in a rule's `use`.
    pub fn new() -> Self {
        Self(RESERVED_NAMES.iter().map(|name| (*name).to_owned()).chain(["globals".to_owned()]).collect())
    }

    /// This name; with a number behind it if it is taken. What no name can hold is left out.
    pub fn fresh(&mut self, wanted: &str) -> String {
        let words: Vec<&str> = wanted.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let wanted = escape(&words.join(" "));
        let wanted = match wanted.trim() {
            "" => "unnamed",
            name => name,
        };
        let mut name = wanted.to_owned();
        let mut number = 1_u32;
        while !self.0.insert(name.clone()) {
            number += 1;
            name = format!("{wanted} {number}");
        }
        name
    }

    /// The same for a set, whose name has letters, digits and underscores only.
    pub fn fresh_word(&mut self, wanted: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let wanted: String = wanted.chars().take(24).map(plain).collect();
        let wanted = match wanted.trim_matches('_') {
            "" => "list",
            name => name,
        };
        let mut name = wanted.to_owned();
        let mut number = 1_u32;
        while !self.0.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let mut names = Names::new();
        let all = ["wan", "wan", "main", " a\tb ", "", "wan"].map(|name| names.fresh(name));
        assert_eq!(all, ["wan", "wan 2", "main 2", "a b", "unnamed", "wan 3"]);
        assert_eq!(
            ["Net.Flix", "net-flix", "…"].map(|name| names.fresh_word(name)),
            ["net_flix", "net_flix_2", "list"]
        );
    }
}
