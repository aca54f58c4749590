//! docs/troubleshooting.md explains what the program says: every text it quotes stands in the source, and every line of the log
//! stands in it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod symptom_support;

use symptom_support::{names, words};

#[test]
fn every_block_of_the_page_has_its_test() {
    let tests = include_str!("troubleshooting.rs");
    let untested: Vec<String> =
        names().into_iter().filter(|name| !tests.contains(&format!("Symptom::of(\"{name}\""))).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn what_the_page_explains_is_what_the_program_says() {
    let source = words::source(&[""]);
    let explained = words::explained();
    assert!(explained.len() > 60, "{} texts", explained.len());
    let gone: Vec<_> = explained.iter().flatten().filter(|part| !source.contains(part.as_str())).collect();
    assert!(gone.is_empty(), "no longer said by the program: {gone:#?}");
}

#[test]
fn what_the_program_logs_is_explained() {
    let explained: Vec<String> = words::explained().into_iter().flatten().collect();
    // What is said of a configuration has a page of its own.
    let parts = ["bus", "commands", "daemon", "kernel", "probe", "reconcile", "resolver", "survey"];
    let said = words::said(&words::source(&parts));
    assert!(said.len() > 40, "{} texts", said.len());
    let is_explained = |text: &Vec<String>| {
        text.iter().any(|part| {
            explained
                .iter()
                .any(|known| known.len() > 5 && (part.contains(known.as_str()) || known.contains(part.as_str())))
        })
    };
    let silent: Vec<_> = said.iter().filter(|text| !text.is_empty() && !is_explained(text)).collect();
    assert!(silent.is_empty(), "not in the table: {silent:#?}");
}
