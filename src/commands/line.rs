//! The words of the command line, as argh wants them.

use crate::kernel::nft::STANDARD_INPUT;
use std::ffi::OsString;

/// The options that every verb knows.
const COMMON: [&str; 2] = ["--config", "--network"];

/// The command line, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Our own words, `--option=value` taken apart and the options that every verb knows moved to the front.
    pub words: Vec<String>,
    /// The command that `use` runs: every word of it as it was written, be it like an option of ours or no text at all.
    pub command: Vec<OsString>,
}

impl Line {
    /// Takes the words behind the program's name apart.
    #[must_use]
    pub fn new(mut words: impl Iterator<Item = OsString>) -> Self {
        let (mut front, mut rest, mut command) = (Vec::new(), Vec::new(), Vec::new());
        // Of `use LINK COMMAND`.
        let mut named = Vec::new();
        while let Some(raw) = words.next() {
            let word = raw.to_string_lossy().into_owned();
            let is_option = word.starts_with('-');
            if is_bound(&named) && (!is_option || word == "--") {
                command.extend((!is_option).then_some(raw));
                command.extend(words);
                break;
            }
            let word = match word.as_str() {
                "-h" => "--help".into(),
                // argh takes all that begins with a dash for an option; this is the standard input.
                "-" => STANDARD_INPUT.into(),
                _ => word,
            };
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_string(), Some(value.to_string())),
                _ => (word, None),
            };
            if !is_option {
                named.push(name.clone());
            }
            let common = COMMON.contains(&name.as_str());
            let to = if common { &mut front } else { &mut rest };
            to.push(name);
            let value =
                value.or_else(|| if common { Some(words.next()?.to_string_lossy().into_owned()) } else { None });
            to.extend(value);
        }
        front.extend(rest);
        Self { words: front, command }
    }
}

/// Whether these words are `use` and a link: what follows is a command.
fn is_bound(named: &[String]) -> bool {
    matches!(named, [verb, _] if verb == "use")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn line(text: &str) -> (String, Vec<OsString>) {
        let Line { words, command } = Line::new(text.split(' ').map(OsString::from));
        (words.join(" "), command)
    }

    #[test]
    fn common_options_come_first() {
        assert_eq!(line("status --json --config=x"), ("--config x status --json".into(), vec![]));
        assert_eq!(line("explain -h --network y"), ("--network y explain --help".into(), vec![]));
    }

    #[test]
    fn a_command_is_left_alone() {
        let command = |words: &str| words.split(' ').map(OsString::from).collect::<Vec<_>>();
        let ours = "--config c use OI".to_string();
        for text in ["--config c use OI", "use --config c OI", "use OI --config=c", "use OI --config c --"] {
            for theirs in ["curl -4 --interface x -h --config=y --config z", "a", "use b c --", "env -- a=b"] {
                assert_eq!(line(&format!("{text} {theirs}")), (ours.clone(), command(theirs)), "{text} | {theirs}");
            }
        }
        assert_eq!(line("use OI --help"), ("use OI --help".into(), vec![]));
        assert_eq!(line("use OI -- --help"), ("use OI".into(), command("--help")));
        assert_eq!(line("use OI"), ("use OI".into(), vec![]));
        assert_eq!(line("explain tcp use OI"), ("explain tcp use OI".into(), vec![]));
        let raw = OsString::from_vec(vec![b'f', 0xff]);
        let words = ["use", "OI", "cat"].map(OsString::from).into_iter().chain([raw.clone()]);
        assert_eq!(Line::new(words).command, [OsString::from("cat"), raw]);
    }
}
