//! What `wansplit support` makes of the machine's account of itself: a text that its owner can show to strangers. Pure.

pub mod addresses;
pub mod domains;
pub mod firewall;
pub mod mask;
pub mod netifd;
pub mod readable;
pub mod report;
pub mod secrets;
