//! `wansplit set`.

use super::{Exit, Loaded, Place, apply, complain, say};
use crate::config::describe::range;
use crate::config::model::{Family, Part, SetId};
use crate::kernel::Kernel;
use crate::kernel::netlink::elements::Place as Where;
use crate::plan::ruleset::{TABLE, kept};
use argh::FromArgs;

/// Looks into sets of addresses, or reads their files again.
#[derive(FromArgs)]
#[argh(subcommand, name = "set")]
pub struct Set {
    #[argh(subcommand)]
    what: What,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum What {
    Reload(Reload),
    Show(Show),
}

/// Reads the files of all sets again and sends the kernel what is new in them and what is gone: for a cron job that has
/// downloaded a list.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "reload",
    error_code(1, "the configuration has errors; what is good was applied"),
    error_code(3, "the kernel refused; the state from before is in place"),
    error_code(4, "nothing to act on: switched off, empty, or no link")
)]
struct Reload {}

/// Prints what the kernel holds of a set, an address or network a line.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "show",
    example = "wansplit set show streams",
    error_code(1, "the configuration cannot be used"),
    error_code(2, "there is no such set"),
    error_code(3, "the kernel could not be asked"),
    error_code(4, "the kernel has no such set: no rule looks into it, or `wansplit apply` is due")
)]
struct Show {
    /// the set, or the rule whose domains are meant
    #[argh(positional)]
    name: String,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Set) -> Exit {
    match &verb.what {
        // To compare all with the kernel is cheap, and a file is as much a part of the configuration as any option.
        What::Reload(Reload {}) => apply::run(place, &apply::Apply::plain()),
        What::Show(show) => match elements(place, &show.name) {
            Ok(exit) | Err(exit) => exit,
        },
    }
}

fn elements(place: &Place, name: &str) -> Result<Exit, Exit> {
    let loaded = Loaded::load(place).map_err(|why| {
        complain(&why);
        Exit::Config
    })?;
    let config = loaded.usable()?;
    let Some(id) = config.sets.iter().position(|set| set.name == name).map(SetId) else {
        let names: Vec<&str> = config.sets.iter().map(|set| set.name.as_str()).collect();
        complain(&format!("there is no set '{name}'; sets are: {}", names.join(", ")));
        return Err(Exit::Usage);
    };
    let mut kernel = Kernel::new();
    let mut is_there = false;
    for part in Part::BOTH {
        for family in Family::BOTH.into_iter().filter(|family| config[id].has(part, *family)) {
            let set = kept::name(config, id, part, family);
            let place = Where { table: TABLE, set: &set, family, intervals: part == Part::Listed };
            let Some(held) = kernel.nft_elements(place).map_err(apply::refused)? else { continue };
            is_there = true;
            held.into_iter().for_each(|interval| say(&range(interval, family)));
        }
    }
    if is_there {
        return Ok(Exit::Done);
    }
    complain("the kernel has no such set: no rule looks into it, or `wansplit apply` is due");
    Err(Exit::Nothing)
}
