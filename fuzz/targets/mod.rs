//! What is fuzzed: a function a target, which takes any bytes and panics where a promise is broken. libFuzzer calls them
//! (`fuzz/src/main.rs`), and so do ordinary tests, with the committed corpus (`tests/fuzz.rs`).

mod choices;
mod clock;
mod commands;
mod config;
mod files;
mod import;
mod lists;
mod netifd;
mod netlink;
mod plan;
mod probe;
mod router;
mod support;
mod transcript;
mod ubus;
mod world;

#[path = "../../tests/support/interpreter.rs"]
#[allow(dead_code)]
mod interpreter;

/// One target. Its corpus is `corpus/NAME`, its dictionary, if there is one, `dictionaries/NAME`.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
}

/// All of them. `scripts/fuzz` reads their names from these lines.
pub const TARGETS: &[Target] = &[
    Target { name: "config", run: config::run },
    Target { name: "plan", run: plan::run },
    Target { name: "router", run: router::run },
    Target { name: "netifd", run: netifd::run },
    Target { name: "netlink", run: netlink::run },
    Target { name: "blobmsg", run: ubus::blobmsg },
    Target { name: "ubus_service", run: ubus::service },
    Target { name: "ubus_call", run: ubus::call },
    Target { name: "import_mwan3", run: import::mwan3 },
    Target { name: "import_pbr", run: import::pbr },
    Target { name: "import_script", run: import::script },
    Target { name: "arguments", run: commands::run },
    Target { name: "probe", run: probe::run },
    Target { name: "lists", run: lists::run },
    Target { name: "files", run: files::run },
    Target { name: "clock", run: clock::run },
    Target { name: "support", run: support::run },
];
