//! What a part leaves on the machine's disk for those after it.

use lab::{Snapshot, assert_same};
use std::fs;

/// Keeps a text.
pub fn keep(name: &str, text: &str) {
    fs::write(format!("/root/{name}"), text).expect("the disk");
}

/// Panics unless a text is as it was kept.
pub fn compare(name: &str, text: &str, what: &str) {
    let kept = fs::read_to_string(format!("/root/{name}")).expect("the disk");
    assert_same(&Snapshot::from_text(text), &Snapshot::from_text(&kept), what);
}

/// Has this boot end without any service being stopped or file system unmounted.
pub fn cut_the_power() {
    fs::write("/run/cut", "").expect("/run");
}
