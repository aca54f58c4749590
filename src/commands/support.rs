//! `wansplit support`.

mod around;
mod held;
mod own;
mod program;
mod system;

use super::{Exit, Place, say};
use crate::kernel::Kernel;
use crate::support::domains::Domains;
use crate::support::mask::Masker;
use crate::support::report;
use argh::FromArgs;

/// Prints all that somebody needs to know who is to help: versions, configuration, state, rules, routes, log. Changes
/// nothing.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "support",
    example = "wansplit support > /tmp/support.txt",
    note = "Public addresses, domains and secrets get names instead, the same thing always the same one. Read it before you post it."
)]
pub struct Support {
    /// leave the domains as they are
    #[argh(switch)]
    show_domains: bool,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Support) -> Exit {
    let mut kernel = Kernel::new();
    let netifd = around::netifd(place);
    let (own, text) = own::sections(&mut kernel, place);
    let mut sections = vec![system::section()];
    sections.extend(own);
    sections.extend(held::sections(&mut kernel));
    sections.extend(around::sections(place, &netifd));
    let domains = if verb.show_domains { Domains::default() } else { Domains::of(&report::without_comments(&text)) };
    say(&report::text(&first(verb), &sections, &mut Masker::new(domains)));
    Exit::Done
}

fn first(verb: &Support) -> String {
    let domains = if verb.show_domains { "" } else { "; domain-1: a domain of its rules" };
    let rights =
        if nix::unistd::geteuid().is_root() { "" } else { "Not run as root: what only root may see is missing.\n" };
    format!(
        "wansplit support, version {}\n{rights}\
         Hidden: public-N.H (IPv4) and public6-N.S.H (IPv6) stand for public addresses, by network and host; mac-N for \
         network cards{domains}.",
        env!("CARGO_PKG_VERSION")
    )
}
