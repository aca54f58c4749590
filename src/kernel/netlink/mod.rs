//! A small typed codec for the few netlink messages wansplit needs.
//!
//! Numbers and layouts are those of the kernel's `uapi` headers `netlink.h`, `rtnetlink.h`, `fib_rules.h`,
//! `if_link.h`, `if_addr.h` and `netfilter/nf_tables.h`.

pub mod address;
pub mod link;
pub mod lookup;
pub mod message;
pub mod neighbour;
pub mod nftables;
pub mod route;
mod route_reader;
pub mod rule;
pub mod socket;

#[cfg(test)]
mod tests;
