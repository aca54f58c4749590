//! Which program's configuration a text is. The content says so, not the file's name.

use super::{Context, Imported, mwan3, pbr, script};
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::parse;
use crate::config::source::{Document, RawSection};

/// A format that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// mwan3 of OpenWrt's packages, and its port to nftables.
    Mwan3,
    /// mwan4 of mossdef-org.
    Mwan4,
    /// pbr.
    Pbr,
    /// A shell script with `ip` and `iptables` commands.
    Script,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mwan3, Self::Mwan4, Self::Pbr, Self::Script];

    /// Its word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Mwan3 => "mwan3",
            Self::Mwan4 => "mwan4",
            Self::Pbr => "pbr",
            Self::Script => "script",
        }
    }

    /// The format with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }

    /// Where such a configuration usually is.
    #[must_use]
    pub fn usual_file(self) -> Option<&'static str> {
        match self {
            Self::Mwan3 => Some("/etc/config/mwan3"),
            Self::Mwan4 => Some("/etc/config/mwan4"),
            Self::Pbr => Some("/etc/config/pbr"),
            Self::Script => None,
        }
    }

    /// Says a configuration in wansplit's words.
    ///
    /// # Errors
    /// The text is not of this format; the error says what it is, or where reading it ended.
    pub fn import(self, text: &str, context: &Context) -> Result<Imported, String> {
        let found = of(text)?;
        let imported = match (self, found) {
            (Self::Mwan3 | Self::Mwan4, Self::Mwan3 | Self::Mwan4) => mwan3::import(text, context),
            (Self::Pbr, Self::Pbr) => pbr::import(text, context),
            (Self::Script, Self::Script) => script::import(text, context),
            (asked, found) => Err(format!(
                "this is no configuration of {}, but looks like {}: wansplit import {} {}",
                asked.word(),
                found.what(),
                found.word(),
                context.file
            )),
        };
        imported?.accepted()
    }

    fn what(self) -> &'static str {
        match self {
            Self::Mwan3 => "one of mwan3",
            Self::Mwan4 => "one of mwan4",
            Self::Pbr => "one of pbr",
            Self::Script => "a shell script",
        }
    }
}

/// The format of a text.
///
/// # Errors
/// It is none that can be imported; the error says what is known of it.
pub fn of(text: &str) -> Result<Format, String> {
    let is_uci = |line: &str| {
        line.split_whitespace().next().is_some_and(|word| matches!(word, "config" | "option" | "list" | "package"))
    };
    if !text.starts_with("#!") {
        let (document, problems) = parse(text.as_bytes());
        if let Some(found) = of_sections(&document) {
            // The rest of a broken file may hold what its owner relies on.
            return broken(&problems).map_or(found, Err);
        }
        if text.lines().any(is_uci) {
            return Err(broken(&problems).unwrap_or_else(|| "its sections are none of mwan3, mwan4 or pbr".into()));
        }
    }
    if text.lines().any(|line| line.trim_start().starts_with(|c: char| c.is_ascii_alphanumeric())) {
        Ok(Format::Script)
    } else {
        Err("there is nothing in it".into())
    }
}

/// What is wrong with a UCI file's form.
fn broken(problems: &[Diagnostic]) -> Option<String> {
    let problem = problems.iter().find(|problem| problem.severity == Severity::Fatal)?;
    let help = problem.help.as_deref().unwrap_or_default();
    Some(format!("line {}: {}; {help}", problem.at.line, problem.message))
}

/// The format of a UCI file; nothing if it has no section that tells.
fn of_sections(document: &Document) -> Option<Result<Format, String>> {
    let sections = &document.sections;
    let is = |kind: &str| sections.iter().any(|section| section.kind.value == kind);
    let has = |option: &str| sections.iter().any(|section| has(section, option));
    if is("pbr") {
        return Some(Ok(Format::Pbr));
    }
    if is("strategy") || has("use_route") || has("use_strategy") {
        return Some(Ok(Format::Mwan4));
    }
    if is("member") || has("use_member") || has("use_policy") || has("mmx_mask") {
        return Some(Ok(Format::Mwan3));
    }
    if is("global") || has("probe_targets") || has("underlay_targets") {
        return Some(Err("this is mwan4 of claus778 (sections global, interface, policy), which cannot be imported: \
                         write a link for each of its interfaces (device, gateway), a policy with mode balance for \
                         those of one metric, and a rule for each of its policies"
            .into()));
    }
    if is("link") {
        return Some(Err("this is a configuration of wansplit already: wansplit check".into()));
    }
    let tracked = |section: &RawSection| {
        section.kind.value == "interface"
            && ["track_ip", "track_method", "initial_state", "reliability"].iter().any(|name| self::has(section, name))
    };
    if sections.iter().any(tracked) {
        return Some(Ok(Format::Mwan3));
    }
    if is("interface") && has("proto") {
        return Some(Err("this is the configuration of the network itself".into()));
    }
    let first = sections.first()?;
    let kind = quote(&first.kind.value);
    Some(Err(format!("line {}: a section of type {kind} is none of mwan3, mwan4 or pbr", first.kind.at.line)))
}

fn has(section: &RawSection, name: &str) -> bool {
    section.options.iter().any(|option| option.name.value == name)
}
