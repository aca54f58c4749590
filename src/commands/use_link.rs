//! `wansplit use`.

use super::{Exit, Loaded, Place, apply, complain, facts, usage};
use crate::config::model::{Config, Family, LinkId};
use crate::config::suggest::nearest;
use crate::explain::way::why_not;
use crate::explain::{Outcome, outcome};
use crate::kernel::{Kernel, privileges};
use crate::network::Facts;
use crate::plan::path::Path;
use crate::plan::{Plan, users};
use crate::survey::Trust;
use argh::FromArgs;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Runs a command whose connections go by one link and no other, whatever the rules say.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "use",
    example = "wansplit use OI curl -4 https://example.com\nwansplit use EMB ping 1.1.1.1",
    note = "The command has all rights of root, but a user id of that link's own. If it runs, its exit code is the command's.",
    error_code(1, "the configuration cannot be used"),
    error_code(2, "there is no such link"),
    error_code(3, "not root, or the kernel refused"),
    error_code(4, "the link is down, or `wansplit apply` is due"),
    error_code(126, "the command is there, but cannot be run"),
    error_code(127, "there is no such command")
)]
pub struct Use {
    /// the link
    #[argh(positional)]
    link: String,

    /// the command and its own options
    #[argh(positional, greedy)]
    #[allow(dead_code, reason = "it stands here for the help: see `Line::command`")]
    command: Vec<String>,
}

/// Runs the verb. Returns only if the command cannot be run.
#[must_use]
pub fn run(place: &Place, verb: &Use, command: &[OsString]) -> Exit {
    let Some((program, arguments)) = command.split_first() else {
        return usage(&format!("use: say what to run by {}, as wansplit use {} ping 1.1.1.1", verb.link, verb.link));
    };
    match user(place, &verb.link) {
        Ok(user) => execute(user, program, arguments),
        Err(exit) => exit,
    }
}

/// Becomes the command.
fn execute(user: u32, program: &OsString, arguments: &[OsString]) -> Exit {
    if let Err(error) = privileges::become_user(user) {
        complain(&format!("cannot change to user {user}, which the link's ip rule is for: {error}"));
        return Exit::Kernel;
    }
    let error = Command::new(program).args(arguments).exec();
    let missing = error.kind() == io::ErrorKind::NotFound;
    let program = program.to_string_lossy();
    if missing {
        complain(&format!("there is no command '{program}'"));
        Exit::NotFound
    } else {
        complain(&format!("cannot run '{program}': {error}"));
        Exit::NotRunnable
    }
}

/// The user id that leads to the link, once it is sure that it does.
fn user(place: &Place, name: &str) -> Result<u32, Exit> {
    if !privileges::may_change_user() {
        complain("only root can bind a command to a link");
        return Err(Exit::Kernel);
    }
    let loaded = Loaded::read(place)?;
    let Some(config) = loaded.config.as_ref() else { return loaded.usable().map(|_| 0) };
    let link = link(config, name)?;
    if let Some(why) = apply::nothing_to_do(config) {
        return Err(refuse(why));
    }
    let mut kernel = Kernel::new();
    let world = facts::world(config, place)?;
    let (survey, plan) = facts::plan(&mut kernel, config, &world, Trust::Kernel)?;
    let path = &plan.paths[plan.paths.of_link(link)];
    let Some(user) = users::of_link(config, &plan.paths, link) else {
        return Err(refuse(&format!(
            "mark {} of link {name} is too large to make a user id of: pin a smaller one",
            path.mark
        )));
    };
    if !users::are_possible(&survey.facts) {
        return Err(refuse(&format!("this container was not lent user id {user}: see its map in /proc/self/uid_map")));
    }
    if let Some(whys) = down(&survey.facts, link, path) {
        return Err(refuse(&format!("link {name} is down ({whys})")));
    }
    if !is_held(&mut kernel, &plan, path, user).map_err(apply::refused)? {
        let what = "the kernel does not hold the rules and routes of link";
        let help = "`service wansplit start` or `wansplit apply` puts them there";
        return Err(refuse(&format!("{what} {name}: {help}")));
    }
    Ok(user)
}

fn refuse(why: &str) -> Exit {
    complain(&format!("{why}; the command was not run"));
    Exit::Nothing
}

fn link(config: &Config, name: &str) -> Result<LinkId, Exit> {
    if let Some(place) = config.links.iter().position(|link| link.name == name) {
        return Ok(LinkId(place));
    }
    let names = || config.links.iter().map(|link| link.name.as_str());
    let help = if config.policies.iter().any(|policy| policy.name == name) {
        "that is a policy: name one of its links".into()
    } else if let Some(meant) = nearest(name, names()) {
        format!("did you mean '{meant}'?")
    } else {
        format!("there are {}", names().collect::<Vec<_>>().join(", "))
    };
    Err(usage(&format!("use: there is no link '{name}': {help}")))
}

/// Why a link can carry neither family; nothing if it can carry one.
fn down(facts: &Facts, link: LinkId, path: &Path) -> Option<String> {
    let mut whys = Vec::new();
    for family in Family::BOTH.into_iter().filter(|family| facts.speaks(*family)) {
        if let Outcome::Links(_) = outcome(path, facts, family) {
            return None;
        }
        let why = facts.side(link, family).and_then(why_not).unwrap_or("not known");
        whys.push(format!("{family}: {why}"));
    }
    Some(whys.join("; "))
}

/// Whether the kernel holds what steers the user: all rules for it, and a route out.
fn is_held(kernel: &mut Kernel, plan: &Plan, path: &Path, user: u32) -> Result<bool, crate::kernel::Error> {
    let rules = kernel.rules()?.ours;
    let mut needed = plan.ip_rules.iter().filter(|rule| users::is_for(rule, user));
    let links = kernel.links()?;
    let routes = kernel.routes(&links)?.ours;
    let leads_out = routes.iter().any(|route| route.table == path.table && route.is_via());
    Ok(leads_out && needed.all(|rule| rules.contains(rule)))
}
