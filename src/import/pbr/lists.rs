//! Lists that policies name by their address: each becomes a set that reads a file.

use crate::config::diagnostics::quote;
use crate::config::options::SectionKind;
use crate::import::Section;
use crate::import::foreign::{Foreign, Report};
use crate::import::names::Names;

/// The lists so far.
#[derive(Default)]
pub struct Lists {
    /// Addresses of lists, and what their sets are called.
    lists: Vec<(String, String)>,
    /// The sets.
    pub sets: Vec<Section>,
}

impl Lists {
    /// The name of the set that a list fills.
    pub fn set(&mut self, url: &str, names: &mut Names, section: &Foreign, report: &mut Report) -> String {
        if let Some((_, name)) = self.lists.iter().find(|(own, _)| own == url) {
            return name.clone();
        }
        let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let stem = last.split(['.', '?', '#']).next().unwrap_or_default();
        let name = names.fresh_word(stem);
        let mut set = Section::new(SectionKind::Set, &name);
        let text = match url.strip_prefix("file://") {
            Some(path) => {
                set.list("file", path);
                format!(
                    "{url} is read where it is, when wansplit starts and at wansplit set reload; only addresses in it count"
                )
            }
            None => {
                let path = format!("/etc/wansplit/{name}.list");
                let text = format!(
                    "the list is not downloaded: do that yourself, by cron if you like (uclient-fetch -O {path} {}; \
                     wansplit set reload); only addresses in it count",
                    quote(url)
                );
                set.comment(format!("from {url}")).list("file", path);
                text
            }
        };
        report.changed(section, "", text);
        self.sets.push(set);
        self.lists.push((url.to_owned(), name.clone()));
        name
    }
}
