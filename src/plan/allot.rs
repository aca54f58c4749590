//! Gives every path its mark and its routing table.
//!
//! Values belong to names: the slot is a hash of the path's key, so that adding, removing or reordering sections does
//! not renumber the others (an established connection carries its number in the kernel). Two keys may hash to one slot;
//! then the one that sorts first keeps it and the other takes the next free one.

use crate::config::model::{Mark, Mask};
use crate::map::Set;
use crate::sort;
use std::fmt;

/// Tables that are not pinned start here: above what mwan3 (1 to 62, 2061), pbr (256 and up), Tailscale (52) and
/// netifd's own numbers use.
const FIRST_TABLE: u32 = 20_000;

/// Slots are hashed into a range no larger than this, so that tables stay in one block.
const MOST_SLOTS: u32 = 4_000;

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A text that stays the same as long as the path is the same path.
    pub key: String,
    /// The mark, if the owner pinned it.
    pub mark: Option<Mark>,
    /// The table, if the owner pinned it.
    pub table: Option<u32>,
    /// Whether it is one that comes with watching a link. Those take what the others leave, so that the others keep their
    /// numbers when watching begins.
    pub extra: bool,
}

/// What a path gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allotment {
    /// Its mark.
    pub mark: Mark,
    /// Its routing table.
    pub table: u32,
}

/// The mask has fewer marks than there are paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// How many paths there are.
    pub paths: usize,
    /// How many of them come with watching links.
    pub extra: usize,
    /// How many marks the mask has.
    pub marks: u32,
    /// The mask.
    pub mask: Mask,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { paths, extra, marks, mask } = self;
        write!(f, "links and policies need {paths} marks")?;
        if *extra > 0 {
            write!(f, " ({extra} of them for probes and flush_conntrack 'up')")?;
        }
        write!(f, ", mask {mask} has {marks}")
    }
}

/// Gives every request its mark and table, in the order of the requests.
///
/// # Errors
/// When there are more requests than marks.
pub fn allot(mask: Mask, requests: &[Request]) -> Result<Vec<Allotment>, Shortage> {
    let extra = requests.iter().filter(|r| r.extra).count();
    let shortage = Shortage { paths: requests.len(), extra, marks: mask.slots(), mask };
    let slots = slots(mask, requests).ok_or(shortage)?;
    let mut tables = Set::from_iter(requests.iter().filter_map(|r| r.table));
    let mut by_slot: Vec<usize> = (0..requests.len()).collect();
    sort::by_key(&mut by_slot, |n| (requests[*n].extra, slots[*n]));
    let mut allotments = vec![None; requests.len()];
    for n in by_slot {
        let table = requests[n].table.unwrap_or_else(|| {
            let start = FIRST_TABLE + slots[n] % (MOST_SLOTS + 1);
            let free = (start..).find(|table| !tables.contains(table)).unwrap_or(start);
            tables.insert(free);
            free
        });
        allotments[n] = mask.mark(slots[n]).map(|mark| Allotment { mark, table });
    }
    allotments.into_iter().collect::<Option<_>>().ok_or(shortage)
}

/// A slot for each request, or nothing if there are too few.
fn slots(mask: Mask, requests: &[Request]) -> Option<Vec<u32>> {
    let range = mask.slots().min(MOST_SLOTS);
    let mut taken = Set::from_iter(requests.iter().filter_map(|r| r.mark).map(|m| mask.slot(m)));
    let mut order: Vec<usize> = (0..requests.len()).collect();
    sort::by_key(&mut order, |n| (requests[*n].extra, wish(&requests[*n].key, range), &requests[*n].key));
    let mut slots = vec![0; requests.len()];
    for n in order {
        slots[n] = match requests[n].mark {
            Some(mark) => mask.slot(mark),
            None => {
                let first = wish(&requests[n].key, range);
                let free = (first..=range).chain(1..first).find(|slot| !taken.contains(slot))?;
                taken.insert(free);
                free
            }
        };
    }
    Some(slots)
}

/// The slot a key would like: 1 to `range`.
fn wish(key: &str, range: u32) -> u32 {
    fnv1a(key.as_bytes()) % range + 1
}

/// FNV-1a, 32 bits: small, and the same on every machine and in every version, which std's hashers do not promise.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// The pairs of keys that would like the same slot: their numbers may change when a section is added or removed.
#[must_use]
pub fn collisions<'a>(mask: Mask, keys: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let range = mask.slots().min(MOST_SLOTS);
    let mut wished: Vec<(u32, &str)> = keys.iter().map(|key| (wish(key, range), *key)).collect();
    sort::by(&mut wished, Ord::cmp);
    wished.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0].1, pair[1].1)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ask(keys: &[&str]) -> Vec<Request> {
        keys.iter().map(|key| Request { key: (*key).into(), mark: None, table: None, extra: false }).collect()
    }

    #[test]
    fn order_does_not_matter() {
        let mask = Mask::new(0xff00_0000).unwrap();
        let keys: Vec<String> = (0..100).map(|n| format!("link{n}")).collect();
        let forward: Vec<&str> = keys.iter().map(String::as_str).collect();
        let backward: Vec<&str> = forward.iter().rev().copied().collect();
        let one = allot(mask, &ask(&forward)).unwrap();
        let mut two = allot(mask, &ask(&backward)).unwrap();
        two.reverse();
        assert_eq!(one, two);
        let marks: Set<Mark> = one.iter().map(|a| a.mark).collect();
        let tables: Set<u32> = one.iter().map(|a| a.table).collect();
        assert_eq!((marks.len(), tables.len()), (100, 100));
    }

    #[test]
    fn pins_are_kept_and_avoided() {
        let mask = Mask::new(0xff).unwrap();
        let mut requests = ask(&["a", "b", "c"]);
        let unpinned = allot(mask, &requests).unwrap();
        requests[0].mark = Some(unpinned[1].mark);
        requests[0].table = Some(unpinned[2].table);
        let pinned = allot(mask, &requests).unwrap();
        assert_eq!(pinned[0], Allotment { mark: unpinned[1].mark, table: unpinned[2].table });
        assert_ne!(pinned[1].mark, pinned[0].mark);
        assert_ne!(pinned[2].table, pinned[0].table);
    }

    #[test]
    fn probes_take_what_the_others_leave() {
        let mask = Mask::new(0x1f).unwrap();
        let links = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
        let mut alone = ask(&links);
        // A pin stands in the way of somebody's table.
        alone[0].table = Some(allot(mask, &alone).unwrap()[1].table);
        let probes = links.map(|name| Request { extra: true, ..ask(&[&format!("{name}.probes")]).remove(0) });
        let all: Vec<Request> = probes.iter().cloned().chain(alone.iter().cloned()).collect();
        let together = allot(mask, &all).unwrap();
        assert_eq!(together[probes.len()..], allot(mask, &alone).unwrap());
        let marks: Set<Mark> = together.iter().map(|a| a.mark).collect();
        let tables: Set<u32> = together.iter().map(|a| a.table).collect();
        assert_eq!((marks.len(), tables.len()), (24, 24));
        let short = allot(Mask::new(0xf).unwrap(), &all).unwrap_err();
        let words =
            "links and policies need 24 marks (12 of them for probes and flush_conntrack 'up'), mask 0xf has 15";
        assert_eq!(short.to_string(), words);
    }

    #[test]
    fn a_small_mask_is_filled_and_then_refused() {
        let mask = Mask::new(0x3).unwrap();
        assert!(allot(mask, &ask(&["a", "b", "c"])).is_ok());
        assert_eq!(allot(mask, &ask(&["a", "b", "c", "d"])).unwrap_err().marks, 3);
    }
}
