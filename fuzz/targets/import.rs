//! Other programs' configurations: whatever they say, the result is one that ours takes without an error.
//!
//! Input: a text; behind a line `#### more` a further file that was named with it.

use std::sync::LazyLock;
use wansplit::config::diagnostics::{Severity, render_all};
use wansplit::config::read;
use wansplit::import::{Context, Format, Source};
use wansplit::network::netifd::{Dump, parse};

static NETIFD: LazyLock<Dump> = LazyLock::new(|| {
    parse(include_str!("../../tests/fixtures/network/network.interface-dump.json")).expect("a recorded dump")
});

/// Takes a configuration of mwan3 or mwan4.
pub fn mwan3(input: &[u8]) {
    import(Format::Mwan3, input);
}

/// Takes one of pbr.
pub fn pbr(input: &[u8]) {
    import(Format::Pbr, input);
}

/// Takes a shell script.
pub fn script(input: &[u8]) {
    import(Format::Script, input);
}

fn import(format: Format, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.split("#### more\n");
    let text = parts.next().unwrap_or_default();
    let more: Vec<Source> = parts.map(|text| Source { file: "more".into(), text: text.into() }).collect();
    for interfaces in [None, Some(NETIFD.interfaces.as_slice())] {
        let context = Context { file: "file", interfaces, more: &more };
        let imported = match format.import(text, &context) {
            Ok(imported) => imported,
            Err(why) => {
                assert!(!why.is_empty());
                continue;
            }
        };
        let lines = 1 + text.matches('\n').count();
        for remark in &imported.remarks {
            assert!(remark.line <= lines && !remark.text.is_empty(), "{remark:?}");
            assert!(!remark.to_string().chars().any(char::is_control), "{remark:?}");
        }
        let written = imported.draft.to_string();
        assert!(!written.chars().any(|c| c.is_control() && !"\n\t".contains(c)), "{written:?}");
        let mut reading = read(written.as_bytes());
        reading.diagnostics.retain(|finding| finding.severity >= Severity::Error);
        let said = render_all(&reading.diagnostics, "import", written.as_bytes());
        assert!(reading.diagnostics.is_empty() && reading.config.is_some(), "{said}\n{written}");
    }
}
