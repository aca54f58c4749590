//! `wansplit import`.

use super::{Exit, Place, complain, say_err, usage};
use crate::bus::Caller;
use crate::config::options::SectionKind;
use crate::import::{Context, Format, Imported, Kind, Source};
use crate::kernel::nft::STANDARD_INPUT;
use crate::survey;
use argh::FromArgs;
use std::io::{ErrorKind, Read, Write};

/// Prints another program's configuration in wansplit's words, and on standard error what could not be carried over as it
/// was. Changes nothing, neither there nor here.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "import",
    example = "wansplit import mwan3 > /tmp/wansplit\nwansplit --config /tmp/wansplit check",
    error_code(1, "a file cannot be read or written, or is something else")
)]
pub struct Import {
    /// mwan3, mwan4, pbr or script (of `ip` and `iptables` commands)
    #[argh(positional)]
    format: String,

    /// the file, or - for standard input (default: that program's own below /etc/config); behind it others that it needs, as /etc/config/dhcp and /etc/config/firewall for the sets of mwan3, /etc/config/network for pbr
    #[argh(positional)]
    files: Vec<String>,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Import) -> Exit {
    let Some(format) = Format::from_word(&verb.format) else {
        return usage(&format!("import: '{}' is nothing to import from: say mwan3, mwan4, pbr or script", verb.format));
    };
    let usual: Vec<String> = format.usual_file().map(str::to_owned).into_iter().collect();
    let files = if verb.files.is_empty() { &usual } else { &verb.files };
    if files.is_empty() {
        return usage("import script: name the script's file, or - for standard input");
    }
    match imported(place, format, files) {
        Ok(imported) => print(&imported),
        Err(error) => {
            complain(&error);
            Exit::Config
        }
    }
}

/// What becomes of the first of these files, with the help of the others.
pub(super) fn imported(place: &Place, format: Format, files: &[String]) -> Result<Imported, String> {
    let mut texts = files.iter().map(|file| source(file, format)).collect::<Result<Vec<_>, _>>()?.into_iter();
    let Some(Source { file, text }) = texts.next() else { return Err("no file was named".into()) };
    let account = match &place.network {
        Some(file) => Some(survey::account_in(file)?),
        // Without netifd there is less to know, and the result says so.
        None => survey::ask_netifd(&mut Caller::new(None)).ok(),
    };
    let more: Vec<Source> = texts.collect();
    let interfaces = account.as_ref().map(|dump| dump.interfaces.as_slice());
    format.import(&text, &Context { file: &file, interfaces, more: &more }).map_err(|error| format!("{file}: {error}"))
}

/// A file's text. Scripts are often older than UTF-8, and only their comments are in other letters.
fn source(file: &str, format: Format) -> Result<Source, String> {
    let mut bytes = Vec::new();
    let read = match file {
        STANDARD_INPUT => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
        _ => std::fs::read(file).map(|content| bytes = content),
    };
    let file = if file == STANDARD_INPUT { "standard input" } else { file };
    read.map_err(|error| format!("cannot read {file}: {error}"))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if format == Format::Script => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        Err(error) => {
            let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = 1 + good.filter(|byte| **byte == b'\n').count();
            return Err(format!("{file}: line {line}: the text is not valid UTF-8; save the file as UTF-8"));
        }
    };
    Ok(Source { file: file.into(), text })
}

/// The configuration to standard output, all else to standard error.
fn print(imported: &Imported) -> Exit {
    let mut out = std::io::stdout().lock();
    // Whoever sends it to a file must not take half of it for the whole.
    if let Err(error) = write!(out, "{}", imported.draft).and_then(|()| out.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        complain(&format!("the configuration could not be written: {error}"));
        return Exit::Config;
    }
    let mut report = String::new();
    for remark in &imported.remarks {
        report.push_str(&format!("{remark}\n"));
    }
    let sections = |kind| imported.draft.sections.iter().filter(|section| section.kind() == kind).count();
    let said = |kind| imported.remarks.iter().filter(|remark| remark.kind == kind).count();
    report.push_str(&format!(
        "links: {}, policies: {}, rules: {}; dropped: {}, changed: {}, to look at: {}\n",
        sections(SectionKind::Link),
        sections(SectionKind::Policy),
        sections(SectionKind::Rule),
        said(Kind::Dropped),
        said(Kind::Changed),
        said(Kind::Look),
    ));
    say_err(&report);
    Exit::Done
}
