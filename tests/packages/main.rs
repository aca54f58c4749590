//! `scripts/package`: what it writes is read back here, by readers of their own, and by opkg and apk where they are.
//!
//! Most tests pack a short script as the program: the packer does not mind, and it is quick.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adb;
mod apk;
mod contents;
mod feeds;
mod ipk;
mod luci;
mod maintainer_scripts;
mod makefile;
mod managers;
mod packing;
mod refusals;
mod same_bytes;
mod signatures;
mod stopped;
