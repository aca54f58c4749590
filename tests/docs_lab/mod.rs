//! Plays the manual in the lab.

mod drawing;
mod network;
pub mod stage;
mod table;
