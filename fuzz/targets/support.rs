//! A report for strangers: no secret and no public address comes through, whatever stands around it.
//!
//! Input: a text. Secrets are written at each of its line ends that are followed by `@`.

use std::net::IpAddr;
use wansplit::support::domains::Domains;
use wansplit::support::firewall;
use wansplit::support::mask::Masker;
use wansplit::support::readable::is_readable;
use wansplit::support::report::{Section, text, without_comments};

/// No word of any dictionary, and no hexadecimal digits only.
const SECRET: &str = "Zq7vXk9w";
const FORMS: [&str; 6] = [
    "\toption password 'SECRET'",
    "list psk \"SECRET\"",
    "  \"private_key\": \"SECRET\",",
    "psk=SECRET",
    "login: SECRET",
    "--auth-token=SECRET x",
];

/// Takes one input.
pub fn run(input: &[u8]) {
    let given = String::from_utf8_lossy(input);
    if given.contains(SECRET) {
        return;
    }
    let mut planted = String::new();
    for (n, line) in given.split('\n').enumerate() {
        if line.starts_with('@') {
            planted.push_str(&FORMS[n % FORMS.len()].replace("SECRET", SECRET));
        } else {
            planted.push_str(line);
        }
        planted.push('\n');
    }
    let body = without_comments(&planted);
    assert_eq!(body.matches('\n').count(), planted.lines().count(), "no line is lost");
    let sections = [Section::new("configuration", body), Section::new("firewall", firewall::lines(&planted))];
    let report = text("first", &sections, &mut Masker::new(Domains::of(&planted)));
    assert!(!report.contains(SECRET), "a secret comes through:\n{report}");
    assert!(!report.chars().any(|c| c.is_control() && !"\n\t".contains(c)), "{report:?}");
    let of_a_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '_' | '-');
    for word in report.split(|c| !of_a_word(c)) {
        if let Ok(address) = word.parse::<IpAddr>() {
            let length = report.split_once(&format!("{word}/")).and_then(|(_, rest)| length(rest));
            assert!(is_readable(address, length), "{word} comes through:\n{report}");
        }
    }
}

fn length(rest: &str) -> Option<u8> {
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}
