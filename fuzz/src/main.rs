//! libFuzzer's program. One program holds all targets: it is linked once, and a corpus moves freely between them.
//! Which one runs is said by the variable `FUZZ_TARGET`; `scripts/fuzz` sets it.

#![no_main]

#[path = "../targets/mod.rs"]
mod targets;

use libfuzzer_sys::{Corpus, fuzz_target};
use std::sync::OnceLock;
use targets::{TARGETS, Target};

fuzz_target!(
    init: {
        // What is logged costs nothing unless it is formatted.
        log::set_max_level(log::LevelFilter::Off);
        let _ = target();
    },
    |bytes: &[u8]| -> Corpus {
        (target().run)(bytes);
        Corpus::Keep
    }
);

fn target() -> &'static Target {
    static CHOSEN: OnceLock<&Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            eprintln!("FUZZ_TARGET is '{name}'; say one of: {}", names.join(" "));
            std::process::exit(2);
        })
    })
}
