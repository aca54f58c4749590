//! Hosts, providers and an Internet in network namespaces: where wansplit meets real packets.
//!
//! ```text
//!   lan  192.168.1.10 ─ eth0 ┌────────┐ eth1 ─ isp1 ┐
//!                            │ router │ eth2 ─ isp2 ├─ inet 192.0.2.10, 2001:db8:ffff::10
//!   lan2 192.168.2.10 ─ eth3 └────────┘ eth4 ─ isp3 ┘
//! ```
//!
//! Each provider drops what its customer sends with a source address it did not give out (BCP 38), and counts it:
//! a packet on the wrong link shows at once. The servers answer with the address they saw, so each check knows by
//! which link it went. A test is one function; nothing of it touches the machine:
//!
//! ```no_run
//! # use lab::{INTERNET, Lab, Way};
//! #[test]
//! fn the_internet_answers() {
//!     lab::isolated(|| {
//!         let lab = Lab::new();
//!         assert_eq!(lab.tcp(&lab.lan, INTERNET[0], 443), Way::Link(1));
//!     });
//! }
//! ```
//!
//! The crate is for tests and the demo only: what goes wrong here panics, with what was tried and what came of it.

mod address;
mod births;
mod change;
mod client;
mod conntrack;
mod crowd;
mod daemon;
mod dice;
mod echo;
mod fault;
mod firewall;
mod flow;
mod host;
mod isolate;
mod knocker;
mod latency;
mod program;
mod provider;
mod snapshot;
mod soak;
mod topology;
mod trouble;
mod vpn;

pub use address::{INTERNET, LAN, LAN_GATEWAY, LAN2, LAN2_GATEWAY, Lease, Wan, client_address};
pub use births::Births;
pub use client::{Dial, Way};
pub use crowd::crowd;
pub use daemon::{Daemon, Line, Usage, side};
pub use dice::Dice;
pub use echo::{serve_tcp, serve_udp};
pub use fault::{Direction, Families};
pub use flow::{Flow, Report};
pub use host::{Host, Output};
pub use isolate::{isolated, isolated_as_root, re_executed};
pub use knocker::Knocker;
pub use latency::Latency;
pub use program::Wansplit;
pub use provider::{Counter, Provider};
pub use snapshot::{Monitor, Snapshot, assert_same, snapshot};
pub use soak::{Soak, Summary};
pub use topology::{Lab, Leaks, Setup};
pub use trouble::Trouble;
pub use vpn::{Running, TUNNEL, VPN, Vpn, WIREGUARD_PORT, Wireguard, masquerade, openvpn, tunnel_addresses, wait_for};
