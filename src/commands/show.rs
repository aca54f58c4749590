//! `wansplit show`.

use super::{Exit, Loaded, Place, facts, say};
use crate::config::model::Family;
use crate::kernel::Kernel;
use crate::kernel::nft::STANDARD_INPUT;
use crate::plan::ruleset::{json, text};
use crate::plan::{Plan, Sysctl, iproute};
use crate::survey::Trust;
use argh::FromArgs;
use std::fmt::Write;

/// Prints the state wanted, whatever the kernel holds now. Changes nothing.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "show",
    example = "wansplit show nft --text\nwansplit show ip",
    error_code(1, "the configuration has errors; what is good is shown"),
    error_code(3, "the kernel could not be asked")
)]
pub struct Show {
    /// nft: the nftables table, as JSON for `nft -j -f`; ip: routes and rules, as commands of iproute2; all (default): both, as one shell script for an empty router
    #[argh(positional, default = "String::from(\"all\")")]
    what: String,

    /// the nftables table in nft's own language, for `nft -f`
    #[argh(switch)]
    text: bool,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Show) -> Exit {
    if !["nft", "ip", "all"].contains(&verb.what.as_str()) {
        return super::usage(&format!("show: there is no '{}': say nft, ip or all", verb.what));
    }
    match wanted(place) {
        Ok((loaded, plan)) => {
            match verb.what.as_str() {
                "nft" => say(&nft(&plan, verb.text)),
                "ip" => say(&ip(&plan)),
                _ => say(&all(&plan, verb.text)),
            }
            loaded.exit()
        }
        Err(exit) => exit,
    }
}

fn wanted(place: &Place) -> Result<(Loaded, Plan), Exit> {
    let loaded = Loaded::read(place)?;
    let config = loaded.usable()?;
    let mut kernel = Kernel::new();
    let world = facts::world(config, place)?;
    let (_, plan) = facts::plan(&mut kernel, config, &world, Trust::File)?;
    Ok((loaded, plan))
}

fn nft(plan: &Plan, as_text: bool) -> String {
    if as_text { text::table(&plan.ruleset) } else { json::pretty(&json::everything(&plan.ruleset)) + "\n" }
}

fn ip(plan: &Plan) -> String {
    let mut lines = String::new();
    for sysctl in &plan.sysctls {
        let _ = writeln!(lines, "echo {} > {}", sysctl.value, path(sysctl));
    }
    for route in &plan.routes {
        let _ = writeln!(lines, "{}", iproute::add_route(route));
    }
    for rule in &plan.ip_rules {
        let _ = writeln!(lines, "{}", iproute::add_rule(rule));
    }
    lines
}

fn all(plan: &Plan, as_text: bool) -> String {
    let option = if as_text { "" } else { "-j " };
    format!("{}nft {option}-f {STANDARD_INPUT} <<'END'\n{}END\n", ip(plan), nft(plan, as_text))
}

/// The file of a setting. Not the dotted form: a device's name may have dots.
fn path(sysctl: &Sysctl) -> String {
    let family = match sysctl.family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    };
    format!("/proc/sys/net/{family}/conf/{}/{}", sysctl.device, sysctl.name)
}
