//! `config link`. A wrong one keeps its name and counts as down.

use super::names::Named;
use super::quota;
use super::section::{Complaint, Reported, Section};
use super::tracking;
use super::tunnel;
use super::values;
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{Attachment, Fallback, Link, Mark, Mask};
use crate::config::source::{Position, Spanned};
use crate::map::Map;

/// Reads all links. `mask` is missing if it is wrong: then no mark is held against it.
pub fn links<'s>(
    named: impl Iterator<Item = Named<'s>>,
    mask: Option<Mask>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Link> {
    let mut taken = Taken::default();
    named.map(|named| link(named, mask, &mut taken, diagnostics)).collect()
}

/// What the links before have taken, and in which line.
#[derive(Default)]
struct Taken {
    marks: Map<Mark, u32>,
    tables: Map<u32, u32>,
    priorities: Map<u32, u32>,
    places: Map<String, u32>,
}

fn link(named: Named<'_>, mask: Option<Mask>, taken: &mut Taken, diagnostics: &mut Vec<Diagnostic>) -> Link {
    let Named { section, name } = named;
    let attachment = attachment(section, diagnostics).unwrap_or(Attachment::Unusable);
    if let Some((option, place)) = place(&attachment)
        && let Some(line) = taken.places.insert(format!("{option} {place}"), section.at.line)
    {
        let at = section.values(option).first().map_or(section.at, |value| value.at);
        let message = format!("the link in line {line} uses {option} {} too", quote(place));
        let help = "two links over the same way fail together; is one of them left over?";
        diagnostics.push(section.remark(Severity::Warning, option, at, Complaint::new(message, help)));
    }
    let tracking = tracking::tracking(section, &attachment, diagnostics);
    // With a wrong mask nothing is applied anyway.
    let mark = mask.map_or(Ok(None), |mask| section.single("mark", |text| values::mark(text, mask), diagnostics));
    let table = section.single("table", values::table, diagnostics);
    let priority = section.single("priority", values::priority, diagnostics);
    Link {
        name: name.to_owned(),
        at: section.at,
        attachment,
        mark: pin(section, "mark", mark, &mut taken.marks, diagnostics),
        table: pin(section, "table", table, &mut taken.tables, diagnostics),
        priority: pin(section, "priority", priority, &mut taken.priorities, diagnostics),
        fallback: fallback(section, diagnostics),
        masq6: section.word("masq6", diagnostics).ok().flatten().filter(|word| *word != "auto").map(|word| word == "1"),
        tracking,
        flush: tracking::flush(section, diagnostics),
        speed: section.single("speed", quota::speed, diagnostics).ok().flatten().map(|speed| speed.value),
        quota: quota::quota(section, diagnostics),
        endpoints: tunnel::endpoints(section, diagnostics),
        // Policies are not known yet: see `tunnel::underlays`.
        via: None,
    }
}

/// A pin that no link before has taken.
fn pin<T: Copy + Ord>(
    section: &Section,
    option: &str,
    given: Result<Option<Spanned<T>>, Reported>,
    taken: &mut Map<T, u32>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<T> {
    let Spanned { value, at } = given.ok().flatten()?;
    if let Some(line) = taken.get(&value) {
        let message = format!("the link in line {line} has pinned this {option} already");
        let help = "choose another one, or leave the option out; this pin is ignored";
        diagnostics.push(section.complain(option, at, Complaint::new(message, help)));
        return None;
    }
    taken.insert(value, section.at.line);
    Some(value)
}

/// What `fallback` says; the safe side if that is wrong, since a leak is worse than a stop.
pub fn fallback(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Fallback {
    let parse = |text: &str| {
        section.parse_word("fallback", text).map_err(|Complaint { message, help }| {
            let safe = "until it is put right, unreachable is used, so that nothing leaks";
            Complaint::new(message, format!("{help} ({safe})"))
        })
    };
    match section.single("fallback", parse, diagnostics) {
        Ok(None) => Fallback::Main,
        Ok(Some(word)) if word.value == "main" => Fallback::Main,
        Ok(Some(word)) if word.value == "blackhole" => Fallback::Blackhole,
        Ok(Some(_)) | Err(Reported) => Fallback::Unreachable,
    }
}

/// The option that says where a link is, and its value.
fn place(attachment: &Attachment) -> Option<(&'static str, &str)> {
    match attachment {
        Attachment::Interface(name) => Some(("interface", name)),
        Attachment::Device { device, .. } => Some(("device", device)),
        Attachment::Unusable => None,
    }
}

fn attachment(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<Attachment, Reported> {
    let interface = section.single("interface", values::interface_name, diagnostics);
    let device = section.single("device", values::device_name, diagnostics);
    let gateway = section.single("gateway", values::gateway, diagnostics);
    let gateway6 = section.single("gateway6", values::gateway6, diagnostics);
    // All four are read before the first error counts, so that every fault is reported.
    let (interface, device, gateway, gateway6) = (interface?, device?, gateway?, gateway6?);
    let mut fault = |at: Position, option: Option<&str>, message: &str, help: &str| {
        let finding = section.finding(Severity::Error, at, Complaint::new(message, help));
        diagnostics.push(match option {
            Some(option) => finding.on_option(option),
            None => finding,
        });
        Err(Reported)
    };
    match (interface, device) {
        (Some(_), Some(Spanned { at, .. })) => fault(
            at,
            Some("device"),
            "a link has an interface or a device, not both; it counts as down until this is put right",
            "keep interface if netifd manages it (/etc/config/network), else device",
        ),
        (None, None) => fault(
            section.at,
            None,
            "the link has neither an interface nor a device; it counts as down until this is put right",
            "name the netifd interface, for example: option interface 'wan'",
        ),
        (Some(interface), None) => {
            let given = gateway.map(|g| ("gateway", g.at)).or(gateway6.map(|g| ("gateway6", g.at)));
            match given {
                Some((option, at)) => fault(
                    at,
                    Some(option),
                    "a link with an interface takes its gateways from netifd; it counts as down until this is put right",
                    "delete the gateways, or name the device instead of the interface",
                ),
                None => Ok(Attachment::Interface(interface.value)),
            }
        }
        (None, Some(device)) => Ok(Attachment::Device {
            device: device.value,
            gateway: gateway.map(|gateway| gateway.value),
            gateway6: gateway6.map(|gateway| gateway.value),
        }),
    }
}
