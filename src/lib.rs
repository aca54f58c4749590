//! wansplit sends each service out by the Internet link its owner chose for it.
//!
//! The straight line from a configuration to packets on the right link is
//! `config` → `network` (facts about the links) → `plan` (pure: what the kernel shall hold)
//! → `kernel` (the only code that touches it), joined by `reconcile`.

pub mod bus;
pub mod clock;
pub mod commands;
pub mod config;
pub mod daemon;
pub mod doctor;
pub mod explain;
pub mod health;
pub mod import;
pub mod interval;
pub mod json;
pub mod kernel;
pub mod launch;
pub mod logging;
pub mod map;
pub mod network;
pub mod plan;
pub mod probe;
pub mod reconcile;
pub mod report;
pub mod resolver;
mod sort;
pub mod support;
pub mod survey;
