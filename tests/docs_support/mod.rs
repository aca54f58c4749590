//! What the tests of the manual share. How a page says what is to be run stands in docs/README.md.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod configuration;
pub mod page;
pub mod session;
