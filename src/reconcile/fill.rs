//! Fills sets of addresses: reads what each shall list and what it holds, and sends the difference.

use crate::interval::Interval;
use crate::kernel::netlink::elements::Place;
use crate::kernel::{Error, Kernel};
use crate::plan::ruleset::{List, TABLE};
use crate::survey::lists;
use std::cmp::Ordering;

/// What was taken out of a set and put in.
#[derive(Debug)]
pub struct Filled {
    /// The set.
    pub list: List,
    /// What was taken out.
    pub out: Vec<Interval>,
    /// What was put in.
    pub into: Vec<Interval>,
}

impl Filled {
    /// In words.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { list, out, into } = self;
        format!("~ set '{}' ({}): {} entries in, {} out", list.set.name, list.family, into.len(), out.len())
    }
}

/// Makes the set hold what it shall list; nothing is done, and nothing said, if it does.
///
/// # Errors
/// The kernel refused.
pub fn fill(kernel: &mut Kernel, list: &List) -> Result<Option<Filled>, Error> {
    let content = lists::content(&list.set);
    let held = kernel.nft_elements(place(list))?.unwrap_or_default();
    let mut wanted = content.addresses.get(list.index()).cloned().unwrap_or_default();
    if content.is_partial {
        // Better too much than too little: the file may only be late.
        wanted = wanted.iter().chain(held.iter().copied()).collect();
    }
    let wanted: Vec<Interval> = wanted.iter().collect();
    let (out, into) = difference(&held, &wanted);
    if out.is_empty() && into.is_empty() {
        return Ok(None);
    }
    kernel.nft_change_elements(place(list), &out, &into)?;
    Ok(Some(Filled { list: list.clone(), out, into }))
}

/// Takes back what [`fill`] did.
///
/// # Errors
/// The kernel refused.
pub fn take_back(kernel: &mut Kernel, filled: &Filled) -> Result<(), Error> {
    kernel.nft_change_elements(place(&filled.list), &filled.into, &filled.out)
}

fn place(list: &List) -> Place<'_> {
    Place { table: TABLE, set: &list.name, family: list.family, intervals: true }
}

/// What has to go and what has to come, both lists being sorted.
fn difference(held: &[Interval], wanted: &[Interval]) -> (Vec<Interval>, Vec<Interval>) {
    let (mut out, mut into) = (Vec::new(), Vec::new());
    let (mut held, mut wanted) = (held.iter().peekable(), wanted.iter().peekable());
    loop {
        match (held.peek(), wanted.peek()) {
            (Some(own), Some(new)) => match own.cmp(new) {
                Ordering::Less => out.extend(held.next()),
                Ordering::Greater => into.extend(wanted.next()),
                Ordering::Equal => {
                    held.next();
                    wanted.next();
                }
            },
            (Some(_), None) => out.extend(held.next()),
            (None, Some(_)) => into.extend(wanted.next()),
            (None, None) => return (out, into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_sent() {
        let set = |pairs: &[(u128, u128)]| pairs.iter().map(|(a, b)| Interval::new(*a, *b)).collect::<Vec<_>>();
        let held = set(&[(1, 1), (5, 9), (20, 29), (40, 40)]);
        let wanted = set(&[(1, 1), (5, 12), (40, 40), (50, 60)]);
        assert_eq!(difference(&held, &wanted), (set(&[(5, 9), (20, 29)]), set(&[(5, 12), (50, 60)])));
        assert_eq!(difference(&[], &wanted), (Vec::new(), wanted.clone()));
        assert_eq!(difference(&held, &[]), (held.clone(), Vec::new()));
    }
}
