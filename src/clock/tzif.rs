//! A file of zoneinfo, `/etc/localtime`. Only its end is looked at: there the rule for all years to come stands as POSIX
//! writes it (RFC 8536, 3.3).

/// The rule at the end of a file; none if it is no such file, or one of the first version, which has no rule.
#[must_use]
pub fn footer(file: &[u8]) -> Option<&str> {
    let body = file.strip_prefix(b"TZif")?;
    let version = *body.first()?;
    let text = body.strip_suffix(b"\n").filter(|_| version >= b'2')?;
    let begin = text.iter().rposition(|byte| *byte == b'\n')?;
    let rule = std::str::from_utf8(text.get(begin + 1..)?).ok()?;
    (!rule.is_empty()).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::footer;

    #[test]
    fn the_rule_is_between_the_last_two_line_ends() {
        assert_eq!(footer(b"TZif2\0\0data\n\0more\nCET-1CEST,M3.5.0,M10.5.0/3\n"), Some("CET-1CEST,M3.5.0,M10.5.0/3"));
        assert_eq!(footer(b"TZif3\0\0data\n<-03>3\n"), Some("<-03>3"));
        for file in [
            &b""[..],
            b"TZif",
            b"TZif2",
            b"TZif\0data\nCET-1\n",
            b"TZif2data\n\n",
            b"TZif2data\nCET-1",
            b"CET-1\n",
            b"TZif2\n\xff\n",
        ] {
            assert_eq!(footer(file), None, "{file:?}");
        }
    }
}
