//! What several tests share: random rules and packets, and a ruleset that is walked without a kernel.

pub mod interpreter;
pub mod sample;
