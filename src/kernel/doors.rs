//! Doors for `fuzz/` and its tests to readers of small files, which are private otherwise.

use super::users;
use crate::interval::IntervalSet;

/// The user ids that `/proc/self/uid_map` leaves out.
#[must_use]
pub fn absent_users(map: &str) -> IntervalSet {
    users::beyond(map)
}
