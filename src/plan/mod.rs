//! From configuration and facts to the state the kernel shall hold. Pure: no I/O, no clock.

pub mod state;
