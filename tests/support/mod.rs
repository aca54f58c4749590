//! What several tests share: random rules and packets, the router they meet on, and a ruleset that is walked without a
//! kernel.

#![allow(dead_code)]

pub mod interpreter;
pub mod sample;
pub mod world;
