//! `config member`: an interface with a metric and a weight. mwan4 calls it a route.

use super::dialect::Dialect;
use super::interface::Links;
use crate::config::source::Document;
use crate::import::foreign::{Foreign, Report};

/// The largest metric that counts.
const MOST_METRIC: u32 = 256;

/// A member.
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its link, and the IP versions it is for; none if its interface is no link.
    pub link: Option<(String, [bool; 2])>,
    /// Lower ones come first.
    pub metric: u32,
    /// Its share among those of its metric.
    pub weight: u32,
}

/// Reads the members.
pub fn members(document: &Document, dialect: &Dialect, links: &Links, report: &mut Report) -> Vec<Member> {
    let mut members = Vec::new();
    for section in &Foreign::all(&document.sections, dialect.member) {
        let interface = section.one("interface").unwrap_or_default();
        let metric = number(section, "metric", 0, report);
        let weight = number(section, "weight", 1, report);
        let link = match links.of(interface) {
            _ if metric > MOST_METRIC => {
                let text = format!("above {MOST_METRIC} the program leaves the member out of its policies");
                report.dropped(section, "metric", text);
                None
            }
            Ok((name, families)) => Some((name.to_owned(), families)),
            Err(is_off) => {
                if !is_off {
                    let text = match interface {
                        "" => "it names no interface".into(),
                        _ => format!("there is no interface '{interface}'"),
                    };
                    report.dropped(section, "interface", text);
                }
                None
            }
        };
        report.unseen(section, dialect.program);
        members.push(Member { name: section.name.clone(), link, metric, weight });
    }
    members
}

fn number(section: &Foreign, option: &str, least: u32, report: &mut Report) -> u32 {
    let Some(text) = section.one(option) else { return 1 };
    text.parse().ok().filter(|number| *number >= least).unwrap_or_else(|| {
        report.changed(section, option, format!("'{text}' is no number from {least}: it is 1 here"));
        1
    })
}
