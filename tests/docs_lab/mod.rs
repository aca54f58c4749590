//! Plays the manual in the lab.

pub mod stage;
mod table;
