//! `import mwan3`: golden cases, and what is refused.
//!
//! A case is `NAME.uci` and `NAME.expected` in `tests/golden/import/mwan3`: the result, then what is said about it. With
//! `NAME.network.json` netifd's interfaces are known. `UPDATE=1 cargo test` writes the expected files anew: read the
//! difference before you commit it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use wansplit::config::diagnostics::{Severity, render_all};
use wansplit::config::read;
use wansplit::import::{Context, Format, Imported, Source};
use wansplit::network::netifd;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import/mwan3");
    let mut cases: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "uci"));
    cases.sort();
    assert!(cases.len() >= 15, "only {} cases were found", cases.len());
    cases
}

fn imported(path: &Path) -> Imported {
    let text = std::fs::read_to_string(path).unwrap();
    let facts = path.with_extension("network.json");
    let dump = facts.exists().then(|| netifd::parse(&std::fs::read_to_string(facts).unwrap()).unwrap());
    let interfaces = dump.as_ref().map(|dump| dump.interfaces.as_slice());
    Format::Mwan3.import(&text, &Context { file: "/etc/config/mwan3", interfaces, more: &[] }).unwrap()
}

#[test]
fn every_case_is_imported_as_expected() {
    let mut different = Vec::new();
    for path in cases() {
        let imported = imported(&path);
        let remarks: String = imported.remarks.iter().map(|remark| format!("{remark}\n")).collect();
        let got = format!("{}---\n{remarks}", imported.draft);
        let expected_path = path.with_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected_path, &got).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if got != expected {
            different.push(format!("{}\n--- expected\n{expected}\n--- got\n{got}", path.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What comes out must be a configuration without errors, and switched off.
#[test]
fn every_result_is_read_without_errors() {
    let mut wrong = Vec::new();
    for path in cases() {
        let text = imported(&path).draft.to_string();
        let reading = read(text.as_bytes());
        let errors = reading.diagnostics.iter().any(|finding| finding.severity >= Severity::Error);
        let on = reading.config.as_ref().is_none_or(|config| config.globals.enabled);
        if errors || on {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            wrong.push(render_all(&reading.diagnostics, &name, text.as_bytes()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Sets that dnsmasq or the firewall fill there are found in their files.
#[test]
fn sets_of_others_are_found_in_files_named_besides() {
    let text = "config rule 'r'\n\toption ipset 'streams'\n\toption use_policy 'default'\n";
    let dhcp =
        "config dnsmasq\n\nconfig ipset\n\tlist name 'other'\n\tlist name 'streams'\n\tlist domain 'example.com'\n";
    let firewall = "config ipset\n\toption name 'streams'\n\toption match 'dest_net'\n\tlist entry '192.0.2.0/24'\n\n\
                    config ipset\n\toption name 'else'\n\tlist entry '192.0.2.7'\n";
    let more = [("dhcp", dhcp), ("firewall", firewall), ("network", "not UCI at all '")];
    let more = more.map(|(file, text)| Source { file: file.into(), text: text.into() });
    let context = Context { file: "mwan3", interfaces: None, more: &more };
    let written = Format::Mwan3.import(text, &context).unwrap().draft.to_string();
    let set =
        "config set 'streams'\n\tlist domain 'example.com'\n\tlist entry '192.0.2.0/24'\n\t# as in dhcp, firewall\n";
    assert!(written.contains(set), "{written}");
    let config = read(written.as_bytes()).config.unwrap();
    assert_eq!((config.sets.len(), config.rules.len()), (1, 1));
}

fn refused(format: Format, text: &str) -> String {
    format.import(text, &Context { file: "FILE", interfaces: None, more: &[] }).unwrap_err()
}

#[test]
fn what_is_something_else_is_refused_by_its_name() {
    let mwan3 = "config member 'm'\n";
    let cases = [
        (Format::Pbr, mwan3, "wansplit import mwan3 FILE"),
        (Format::Script, mwan3, "wansplit import mwan3 FILE"),
        (Format::Mwan3, "config pbr 'config'\n\toption enabled '1'\n", "wansplit import pbr FILE"),
        (Format::Mwan4, "config pbr 'config'\n\toption enabled '1'\n", "wansplit import pbr FILE"),
        (Format::Mwan3, "#!/bin/sh\nip rule add fwmark 1 table 100\n", "wansplit import script FILE"),
        (Format::Mwan3, "ip rule add fwmark 1 table 100\n", "wansplit import script FILE"),
        (Format::Mwan3, "config global 'global'\nconfig interface 'eth1'\n\toption gateway '192.0.2.1'\n", "claus778"),
        (Format::Mwan3, "config link 'wan'\n\toption interface 'wan'\n", "wansplit check"),
        (Format::Mwan3, "config interface 'lan'\n\toption proto 'static'\n", "the network itself"),
        (Format::Mwan3, "config zone\n\toption name 'lan'\n", "line 1: a section of type 'zone'"),
        (Format::Mwan3, "", "nothing in it"),
        (Format::Mwan3, "# nothing\n", "nothing in it"),
        (Format::Mwan3, "config member 'm'\n\toption interface 'wan\n", "line 2: this quote is never closed"),
        (
            Format::Mwan3,
            "config interface 'wan'\n\toption track_ip '192.0.2.1'\n",
            "nothing in it that could be imported",
        ),
    ];
    for (format, text, expected) in cases {
        let error = refused(format, text);
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}
