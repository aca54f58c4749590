//! A small typed codec for the few netlink messages wansplit needs.
//!
//! Numbers and layouts are those of the kernel's `uapi` headers `netlink.h`, `rtnetlink.h`, `fib_rules.h`,
//! `if_link.h`, `if_addr.h`, `netfilter/nf_tables.h` and `netfilter/nfnetlink_conntrack.h`.

pub mod address;
pub mod conntrack;
pub mod counters;
pub mod element;
pub mod elements;
pub mod link;
pub mod lookup;
pub mod message;
pub mod monitor;
pub mod neighbour;
pub mod news;
pub mod nftables;
pub mod route;
mod route_reader;
pub mod rule;
pub mod socket;

#[cfg(test)]
mod tests;
