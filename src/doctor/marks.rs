//! nftables rules of others that write bits of our mark. What is read is what `nft -j list ruleset` prints.

use super::{Case, warning};
use crate::config::diagnostics::Diagnostic;
use crate::json;
use crate::plan::ruleset::TABLE;
use serde_json::Value;

/// A chain that writes packet or connection marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Its table with the family, and its name: `inet fw4 mangle_forward`.
    pub chain: String,
    /// The bits that its rules may change.
    pub bits: u32,
}

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let mask = case.config.globals.mask;
    let clashing = case.router.writers.iter().filter(|writer| writer.bits & mask.bits() != 0);
    let finding = |writer: &Writer| {
        warning(
            format!("the nftables chain '{}' of another program writes bits of our mark {mask}: connections lose their link", writer.chain),
            "let it write its own bits only (in a firewall rule: set_mark '0x1/0xff'), or choose another `mask` in the section globals".into(),
        )
    };
    clashing.map(finding).collect()
}

/// The chains of others that write marks.
#[must_use]
pub fn writers(ruleset: &str) -> Vec<Writer> {
    let Ok(document) = json::parse::<Value>(ruleset) else { return Vec::new() };
    let mut writers: Vec<Writer> = Vec::new();
    for rule in document["nftables"].as_array().into_iter().flatten().map(|item| &item["rule"]) {
        if rule["table"] == TABLE && rule["family"] == "inet" {
            continue;
        }
        let written = |statement: &Value| {
            let mangle = &statement["mangle"];
            let is_mark = ["meta", "ct"].iter().any(|kind| mangle["key"][*kind]["key"] == "mark");
            is_mark.then(|| bits(&mangle["key"], &mangle["value"]))
        };
        let all = rule["expr"].as_array().into_iter().flatten().filter_map(written).fold(0, |all, bits| all | bits);
        let word = |name: &str| rule[name].as_str().unwrap_or_default();
        let chain = format!("{} {} {}", word("family"), word("table"), word("chain"));
        match writers.iter_mut().find(|writer| writer.chain == chain) {
            Some(writer) => writer.bits |= all,
            None if all != 0 => writers.push(Writer { chain, bits: all }),
            None => {}
        }
    }
    writers
}

/// The bits of a mark that may change when this value is written to it: none of those that are taken over from itself.
fn bits(key: &Value, value: &Value) -> u32 {
    if value == key {
        return 0;
    }
    let operands = |sign: &str| {
        let [left, right] = value[sign].as_array()?.as_slice() else { return None };
        Some((bits(key, left), u32::try_from(right.as_u64()?).ok()?))
    };
    if let Some((left, mask)) = operands("&") {
        left | !mask
    } else if let Some((left, set)) = operands("|").or_else(|| operands("^")) {
        left | set
    } else {
        u32::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, says};
    use super::*;

    fn ruleset(table: &str, key: &str, value: &str) -> String {
        format!(
            r#"{{"nftables": [{{"metainfo": {{}}}}, {{"table": {{"family": "inet", "name": "{table}"}}}},
            {{"rule": {{"family": "inet", "table": "{table}", "chain": "c", "expr": [{{"counter": null}},
            {{"mangle": {{"key": {key}, "value": {value}}}}}]}}}}]}}"#
        )
    }

    const META: &str = r#"{"meta": {"key": "mark"}}"#;
    const CT: &str = r#"{"ct": {"key": "mark"}}"#;

    #[test]
    fn the_bits_that_change_are_known() {
        let kept = |mask: u32, sign: &str, set: u32| format!(r#"{{"{sign}": [{{"&": [{META}, {mask}]}}, {set}]}}"#);
        for (key, value, expected) in [
            (META, "1".to_owned(), Some(u32::MAX)),
            (META, kept(0xff00_ffff, "|", 0x0004_0000), Some(0x00ff_0000)),
            (META, kept(0xffff_c0ff, "^", 0x0100_0000), Some(0x0100_3f00)),
            (META, format!(r#"{{"|": [{META}, 16777216]}}"#), Some(0x0100_0000)),
            (CT, META.to_owned(), Some(u32::MAX)),
            (META, r#"{"numgen": {"mode": "inc", "mod": 2}}"#.to_owned(), Some(u32::MAX)),
            (META, META.to_owned(), None),
            (r#"{"meta": {"key": "priority"}}"#, "1".to_owned(), None),
        ] {
            let found = writers(&ruleset("fw4", key, &value));
            let expected: Vec<_> =
                expected.map(|bits| Writer { chain: "inet fw4 c".into(), bits }).into_iter().collect();
            assert_eq!(found, expected, "{key} {value}");
        }
        assert_eq!(writers(&ruleset(TABLE, META, "1")), []);
        for text in ["", "{}", "[]", r#"{"nftables": 7}"#, r#"{"nftables": [{"rule": {"expr": [{"mangle": 1}]}}]}"#] {
            assert_eq!(writers(text), [], "{text}");
        }
    }

    #[test]
    fn who_writes_our_bits_is_named() {
        let writer = |bits| Writer { chain: "inet fw4 c".into(), bits };
        for (bits, found) in
            [(0x00ff_0000, &[][..]), (u32::MAX, &["the nftables chain 'inet fw4 c' of another program writes bits"])]
        {
            let mut sample = Sample::new("");
            sample.router.writers = vec![writer(bits)];
            says(&sample, found);
        }
    }
}
