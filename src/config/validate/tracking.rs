//! How a link is watched. A wrong value never makes the link unusable: what it would be without the option holds, and
//! the error says so.

mod hosts;
pub(super) mod values;

use super::section::{Complaint, Section};
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Attachment, Family, Flush, Method, Tracking};
use crate::config::source::{Position, Spanned};
use std::time::Duration;
use values::in_words;

/// The options that mean nothing on a link nobody watches.
const DETAILS: [&str; 8] =
    ["track_method", "interval", "timeout", "down", "up", "reliability", "max_loss", "max_latency"];
/// What `timeout` is when it is not written: the interval, but in these bounds, in milliseconds.
const USUAL_TIMEOUT: (u32, u32) = (250, 1000);

/// What the options say of how a link is watched; none if nobody watches it.
pub fn tracking(section: &Section, attachment: &Attachment, diagnostics: &mut Vec<Diagnostic>) -> Option<Tracking> {
    let method = method(section, diagnostics);
    let hosts = hosts::hosts(section, method, diagnostics);
    let mut numbers = Numbers { section, diagnostics };
    let interval = numbers.or_default("interval");
    let timeout =
        numbers.get("timeout", "the interval, but at least 250ms and at most 1s").map(|timeout| timeout.value);
    let timeout = timeout.unwrap_or(interval.clamp(USUAL_TIMEOUT.0, USUAL_TIMEOUT.1));
    let (down, up) = (numbers.or_default("down"), numbers.or_default("up"));
    let reliability = numbers.get("reliability", "1");
    let max_loss = numbers.get("max_loss", "not looked at").and_then(|loss| u8::try_from(loss.value).ok());
    let max_latency = numbers.get("max_latency", "not looked at");

    let method = method.unwrap_or(Method::Ping);
    if hosts.is_empty() && method != Method::Arp {
        remark_on_idle_options(section, diagnostics);
        return None;
    }
    let milliseconds = |number: u32| Duration::from_millis(number.into());
    let mut tracking = Tracking {
        method,
        hosts,
        interval: milliseconds(interval),
        timeout: milliseconds(timeout),
        down,
        up,
        reliability: 1,
        max_loss,
        max_latency: max_latency.as_ref().map(|latency| milliseconds(latency.value)),
    };
    let mut remark = |severity, option, at, message: String, help: &str| {
        diagnostics.push(section.remark(severity, option, at, Complaint::new(message, help)));
    };
    if let Some(Spanned { value, at }) = reliability {
        tracking.reliability = possible_reliability(&tracking, value, |message, help| {
            remark(Severity::Error, "reliability", at, message, help);
        });
    }
    let least = tracking.timeout / Tracking::MOST_ROUNDS;
    if tracking.interval < least {
        let at = section.place("timeout").unwrap_or(section.at);
        let (rounds, least_words) = (Tracking::MOST_ROUNDS, in_words(least));
        let message = format!("more than {rounds} rounds would be on their way at once; the interval is {least_words}");
        remark(Severity::Warning, "timeout", at, message, "shorten the timeout, or lengthen the interval");
        tracking.interval = least;
    }
    if let Some(Spanned { value, at }) = max_latency
        && value >= timeout
    {
        let message = format!("it has no effect: after {} an answer counts as lost", in_words(tracking.timeout));
        remark(Severity::Warning, "max_latency", at, message, "make it shorter than the timeout");
    }
    remark_on_missing_family(section, attachment, &tracking, diagnostics);
    Some(tracking)
}

/// What `flush_conntrack` says.
pub fn flush(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Flush {
    const OPTION: &str = "flush_conntrack";
    let default = "until it is put right, it is down";
    let mut flush = Flush { down: false, up: false };
    let mut none = false;
    let values = section.values(OPTION);
    for Spanned { value, at } in values {
        match section.parse_word(OPTION, value) {
            Ok("down") => flush.down = true,
            Ok("up") => flush.up = true,
            Ok(_) => none = true,
            Err(Complaint { message, help }) => {
                diagnostics.push(section.complain(OPTION, *at, Complaint::new(message, format!("{help} ({default})"))));
                return Flush::default();
            }
        }
    }
    if let Some(last) = values.last()
        && none
        && flush != (Flush { down: false, up: false })
    {
        let help = format!("keep it alone, or the others ({default})");
        diagnostics.push(section.complain(OPTION, last.at, Complaint::new("'none' stands beside other words", help)));
        return Flush::default();
    }
    if values.is_empty() { Flush::default() } else { flush }
}

/// The method; none if it is wrong.
fn method(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Option<Method> {
    let parse = |text: &str| {
        section.parse_word("track_method", text).map_err(|Complaint { message, help }| {
            Complaint::new(message, format!("{help} (until it is put right, ping is used)"))
        })
    };
    let word = section.single("track_method", parse, diagnostics).ok()?;
    let word = word.map_or("ping", |word| word.value);
    Method::ALL.into_iter().find(|method| method.word() == word)
}

/// Reads options that are numbers or durations, which are numbers of milliseconds.
struct Numbers<'a, 's> {
    section: &'a Section<'s>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Numbers<'_, '_> {
    /// An option's value, or its default.
    fn or_default(&mut self, option: &str) -> u32 {
        let Some(spec) = self.section.kind.option(option) else { return 1 };
        let default = spec.default.unwrap_or_default();
        match self.get(option, default) {
            Some(written) => written.value,
            None => values::number(spec.value, default).unwrap_or(1),
        }
    }

    /// An option's value, if it is written and right. `default` is what holds otherwise, in words.
    fn get(&mut self, option: &str, default: &str) -> Option<Spanned<u32>> {
        let kind = self.section.kind.option(option)?.value;
        let parse = |text: &str| {
            values::number(kind, text).map_err(|Complaint { message, help }| {
                Complaint::new(message, format!("{help} (until it is put right, it is {default})"))
            })
        };
        self.section.single(option, parse, self.diagnostics).ok().flatten()
    }
}

/// The wanted reliability, or the largest that each family with hosts can have.
fn possible_reliability(tracking: &Tracking, wanted: u32, complain: impl FnOnce(String, &str)) -> u32 {
    if tracking.method == Method::Arp {
        if wanted > 1 {
            complain("arp asks one host only, the gateway".into(), "delete the option; it is 1");
        }
        return 1;
    }
    let counts = Family::BOTH.map(|family| (family, tracking.hosts_of(family).count()));
    let fewest = counts.into_iter().filter(|(_, count)| *count > 0).min_by_key(|(_, count)| *count);
    let Some((family, count)) = fewest else { return 1 };
    let most = u32::try_from(count).unwrap_or(u32::MAX);
    if wanted > most {
        let hosts = if count == 1 { "host is" } else { "hosts are" };
        let help = format!("each family is judged by itself; until it is put right, it is {most}");
        complain(format!("only {count} {family} {hosts} asked, so {wanted} can never answer"), &help);
    }
    wanted.min(most)
}

/// Says so if options stand there that nothing comes of, unless what is wrong has been said already.
fn remark_on_idle_options(section: &Section, diagnostics: &mut Vec<Diagnostic>) {
    if section.place("track_ip").is_some() {
        return;
    }
    let places = DETAILS.into_iter().filter_map(|option| Some((section.place(option)?, option)));
    if let Some((at, option)) = places.min_by_key(|(at, _)| *at) {
        let help = "name hosts that answer: list track_ip '1.1.1.1', or use track_method 'arp' for the gateway alone";
        let complaint = Complaint::new("nothing is watched: the link has no track_ip", help);
        diagnostics.push(section.remark(Severity::Warning, option, at, complaint));
    }
}

/// A family without hosts is not watched, though the link may carry it.
fn remark_on_missing_family(
    section: &Section,
    attachment: &Attachment,
    tracking: &Tracking,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let carries = |family| match attachment {
        Attachment::Interface(_) => true,
        // Without any gateway it is point-to-point, which carries both.
        Attachment::Device { gateway: None, gateway6: None, .. } => true,
        Attachment::Device { gateway, .. } if family == Family::V4 => gateway.is_some(),
        Attachment::Device { gateway6, .. } => gateway6.is_some(),
        Attachment::Unusable => false,
    };
    if tracking.method == Method::Arp {
        return;
    }
    let at = section.place("track_ip").unwrap_or(Position::START);
    for family in Family::BOTH.into_iter().filter(|family| carries(*family)) {
        if tracking.hosts_of(family).next().is_none() {
            let example = if family == Family::V4 { "1.1.1.1" } else { "2606:4700:4700::1111" };
            let message =
                format!("no {family} host is asked, so in {family} the link counts as up when the machine says so");
            let help = format!("to watch that too, add one: list track_ip '{example}'");
            diagnostics.push(section.remark(Severity::Note, "track_ip", at, Complaint::new(message, help)));
        }
    }
}
