//! The command line and the exit codes, nothing else.

use argh::FromArgs;
use std::ffi::OsString;
use std::process::ExitCode;
use wansplit::commands::line::Line;
use wansplit::commands::{
    self, Exit, Place, apply, check, explain, hotplug, import, rpcd, run, schema, set, show, status, stop, support,
    use_link, version,
};
use wansplit::launch;

/// Sends each service out by the Internet link its owner chose.
#[derive(FromArgs)]
#[argh(
    example = "wansplit check\nwansplit status\nwansplit explain tcp 192.168.1.10:40000 1.1.1.1:443",
    note = "wansplit COMMAND --help says more about a command. Every command takes --config and --network, anywhere.",
    error_code(1, "the configuration has errors; what is good was applied"),
    error_code(2, "wrong usage"),
    error_code(3, "the kernel refused; nothing is half-applied"),
    error_code(4, "nothing to act on")
)]
struct Wansplit {
    /// the configuration, UCI or JSON by its content (default: /etc/config/wansplit)
    #[argh(option, arg_name = "file")]
    config: Option<String>,

    /// the interfaces, as `ubus call network.interface dump` prints them
    #[argh(option, arg_name = "file")]
    network: Option<String>,

    /// print the version
    #[argh(switch)]
    version: bool,

    #[argh(subcommand)]
    verb: Option<Verb>,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Verb {
    Check(check::Check),
    Show(show::Show),
    Apply(apply::Apply),
    Stop(stop::Stop),
    Status(status::Status),
    Explain(explain::Explain),
    Use(use_link::Use),
    Run(run::Run),
    Hotplug(hotplug::Hotplug),
    Set(set::Set),
    Import(import::Import),
    Support(support::Support),
    Rpcd(rpcd::Rpcd),
    Schema(schema::Schema),
    Version(version::Version),
}

fn main() -> ExitCode {
    if let Some(code) = launch::become_other(std::env::args_os().skip(1)) {
        return code.into();
    }
    let Line { words, command } = Line::new(std::env::args_os().skip(1));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let exit = match Wansplit::from_args(&["wansplit"], &words) {
        Ok(wansplit) => dispatch(wansplit, &command),
        Err(early) if early.status.is_ok() => commands::help(&early.output),
        Err(early) => commands::usage(&early.output),
    };
    ExitCode::from(exit as u8)
}

fn dispatch(wansplit: Wansplit, command: &[OsString]) -> Exit {
    let place = Place::new(wansplit.config, wansplit.network);
    match wansplit.verb {
        _ if wansplit.version => version::run(),
        Some(Verb::Check(verb)) => check::run(&place, &verb),
        Some(Verb::Show(verb)) => show::run(&place, &verb),
        Some(Verb::Apply(verb)) => apply::run(&place, &verb),
        Some(Verb::Stop(verb)) => stop::run(&verb),
        Some(Verb::Status(verb)) => status::run(&place, &verb),
        Some(Verb::Explain(verb)) => explain::run(&place, &verb),
        Some(Verb::Use(verb)) => use_link::run(&place, &verb, command),
        Some(Verb::Run(verb)) => run::run(&place, &verb),
        Some(Verb::Hotplug(verb)) => hotplug::run(&place, &verb),
        Some(Verb::Set(verb)) => set::run(&place, &verb),
        Some(Verb::Import(verb)) => import::run(&place, &verb),
        Some(Verb::Support(verb)) => support::run(&place, &verb),
        Some(Verb::Rpcd(verb)) => rpcd::run(&place, &verb),
        Some(Verb::Schema(_)) => schema::run(),
        Some(Verb::Version(_)) => version::run(),
        None => commands::usage("No command given."),
    }
}
