//! A small typed codec for the few netlink messages wansplit needs.
//!
//! Numbers and layouts are those of the kernel's `uapi` headers `netlink.h`, `rtnetlink.h`, `fib_rules.h`,
//! `if_link.h`, `if_tunnel.h`, `if_addr.h`, `genetlink.h`, `wireguard.h`, `netfilter/nf_tables.h` and `netfilter/nfnetlink_conntrack.h`.

pub mod address;
pub mod connection;
pub mod conntrack;
pub mod counters;
#[doc(hidden)]
pub mod doors;
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
pub mod tunnel;
pub mod wireguard;

#[cfg(test)]
mod tests;
