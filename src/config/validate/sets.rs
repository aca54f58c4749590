//! Lists of values that may be negated: the union of the plain ones, or everything if there is none, without the negated.

use super::section::{Complaint, Reported, Section};
use crate::config::diagnostics::Diagnostic;
use crate::config::model::Choice;
use crate::config::source::{Position, Spanned};
use crate::interval::{Interval, IntervalSet};
use crate::map::Set;

/// A value, and whether a `!` stood before it.
pub struct Signed<T> {
    pub negated: bool,
    pub value: T,
    pub at: Position,
}

/// All values of an option, or nothing if one of them is wrong.
pub fn signed<T>(
    section: &Section,
    option: &str,
    parse: impl Fn(&str) -> Result<T, Complaint>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<Signed<T>>, Reported> {
    let written = section.shapely(option)?;
    let mut values = Vec::with_capacity(written.len());
    let mut result = Ok(());
    for Spanned { value: text, at } in written {
        let (negated, rest) = text.strip_prefix('!').map_or((false, *text), |rest| (true, rest));
        match parse(rest) {
            Ok(value) => values.push(Signed { negated, value, at: *at }),
            Err(complaint) => {
                diagnostics.push(section.complain(option, *at, explain(rest, negated, complaint)));
                result = Err(Reported);
            }
        }
    }
    result.map(|()| values)
}

/// Finds the mistakes that are the same for all kinds of values.
fn explain(text: &str, negated: bool, complaint: Complaint) -> Complaint {
    if text.is_empty() && negated {
        return Complaint::new(
            "a '!' stands alone",
            "write it directly in front of the value it negates, without a blank",
        );
    }
    if text.is_empty() {
        return Complaint::new("the value is empty", "delete the entry, or give a value");
    }
    if text.contains(',') {
        return Complaint {
            help: "separate values by blanks, or give each a list entry of its own".into(),
            ..complaint
        };
    }
    if text.contains(char::is_whitespace) {
        return Complaint { help: "give each value a list entry of its own".into(), ..complaint };
    }
    complaint
}

/// An option whose values are numbers within `universe`. `None` if it was not written.
pub fn numbers(
    section: &Section,
    option: &str,
    universe: Interval,
    parse: impl Fn(&str) -> Result<IntervalSet, Complaint>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<IntervalSet>, Reported> {
    let mut values = signed(section, option, parse, diagnostics)?;
    let Some(first) = values.first() else { return Ok(None) };
    let at = first.at;
    // Mostly one value is written, and that is all.
    if let [only] = values.as_mut_slice()
        && !only.negated
    {
        return Ok(Some(std::mem::take(&mut only.value)));
    }
    let union = |negated| -> IntervalSet {
        values.iter().filter(|value| value.negated == negated).flat_map(|value| value.value.iter()).collect()
    };
    let plain = if values.iter().all(|value| value.negated) { [universe].into_iter().collect() } else { union(false) };
    let set = plain.without(&union(true), universe.last());
    if set.is_empty() { Err(nothing_left(section, option, at, diagnostics)) } else { Ok(Some(set)) }
}

/// An option whose values are names. `None` if it was not written.
pub fn choice<T: Ord>(
    section: &Section,
    option: &str,
    parse: impl Fn(&str) -> Result<T, Complaint>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<Choice<T>>, Reported> {
    let values = signed(section, option, parse, diagnostics)?;
    let Some(first) = values.first() else { return Ok(None) };
    let at = first.at;
    let only_negated = values.iter().all(|value| value.negated);
    let (negated, plain): (Vec<_>, Vec<_>) = values.into_iter().partition(|value| value.negated);
    let none_of = Set::from_iter(negated.into_iter().map(|value| value.value));
    if only_negated {
        return Ok(Some(Choice::NoneOf(none_of)));
    }
    let one_of = Set::from_iter(plain.into_iter().map(|value| value.value).filter(|value| !none_of.contains(value)));
    if one_of.is_empty() {
        Err(nothing_left(section, option, at, diagnostics))
    } else {
        Ok(Some(Choice::OneOf(one_of)))
    }
}

/// Everything that was named is also excluded.
pub fn nothing_left(section: &Section, option: &str, at: Position, diagnostics: &mut Vec<Diagnostic>) -> Reported {
    let message = "no packet can match: the values with a '!' take away all the others";
    let help =
        "the option means: one of the plain values (or anything, if there is none), and none of those with a '!'";
    diagnostics.push(section.complain(option, at, Complaint::new(message, help)));
    Reported
}
