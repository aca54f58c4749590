//! What others have put into the kernel that gets in our way. Pure; nothing of it is ever touched.

use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::Config;
use crate::config::source::Position;
use crate::kernel::netlink::route::{ForeignKind, ForeignRoute};
use crate::kernel::netlink::rule::{Action, ForeignRule};
use crate::plan::iproute::ip;
use crate::plan::path::Paths;
use crate::plan::state::TABLE_MAIN;

/// Findings about others' routes and rules.
#[must_use]
pub fn review(config: &Config, paths: &Paths, routes: &[ForeignRoute], rules: &[ForeignRule]) -> Vec<Diagnostic> {
    let mut findings: Vec<Diagnostic> = routes.iter().filter_map(|route| in_main(route, routes)).collect();
    findings.extend(routes.iter().filter_map(|route| in_our_table(route, paths)));
    findings.extend(rules.iter().filter_map(|rule| reads_our_bits(config, rule)));
    findings.dedup();
    findings
}

fn in_main(route: &ForeignRoute, all: &[ForeignRoute]) -> Option<Diagnostic> {
    if route.table != TABLE_MAIN || route.source_length != 0 {
        return None;
    }
    let family = route.family;
    if route.destination.1 == 1 {
        let (address, length) = route.destination;
        return Some(
            warning(format!("table main has {family} routes that cover everything ({address}/{length}): they win over every policy"))
                .help("a VPN made them to be the only way out; let it make a plain default route, and name its interface as a link"),
        );
    }
    let refuses = matches!(route.kind, ForeignKind::Unreachable | ForeignKind::Blackhole | ForeignKind::Prohibit);
    let same = |other: &&ForeignRoute| {
        (other.family, other.table, other.destination) == (family, TABLE_MAIN, route.destination)
    };
    let best = all.iter().filter(same).map(|other| other.metric).min();
    (refuses && best == Some(route.metric)).then(|| {
        warning(format!("the best {family} default route of table main refuses packets: it stops every policy too"))
            .help("give it a worse metric, or remove it; to hold back traffic use `fallback 'unreachable'`")
    })
}

fn in_our_table(route: &ForeignRoute, paths: &Paths) -> Option<Diagnostic> {
    let (_, path) = paths.iter().find(|(_, path)| path.table == route.table)?;
    Some(
        warning(format!(
            "routing table {} of '{}' holds {} route with metric {} that is not ours",
            route.table,
            path.name,
            if route.destination.1 == 0 {
                format!("an {} default", route.family)
            } else {
                format!("an {}", route.family)
            },
            route.metric
        ))
        .help(format!(
            "remove it (`{} route flush table {}`, then `wansplit apply`), or pin another `table`",
            ip(route.family),
            route.table
        )),
    )
}

fn reads_our_bits(config: &Config, foreign: &ForeignRule) -> Option<Diagnostic> {
    let ours = config.globals.mask.bits();
    let (value, mask) = foreign.rule.mark?;
    // A rule that compares the whole mark is only in the way if it wants our bits set.
    let clashes = mask & ours != 0 && (mask != u32::MAX || value & ours != 0);
    (clashes && foreign.action == Action::Lookup).then(|| {
        warning(format!(
            "the ip rule with priority {} of another program reads bits of our mark mask {}: fwmark {value:#x}/{mask:#x}",
            foreign.rule.priority, config.globals.mask
        ))
        .help("choose another `mask` in the section globals, one that no other program uses")
    })
}

fn warning(message: String) -> Diagnostic {
    Diagnostic::new(Severity::Warning, Position::default(), message)
}
