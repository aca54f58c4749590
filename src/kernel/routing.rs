//! What the kernel holds that concerns us, at one moment.

use super::error::Error;
use super::handle::Kernel;
use super::netlink::address::Address;
use super::netlink::link::Link;
use super::netlink::route::{ForeignRoute, Routes};
use super::netlink::rule::Rules;
use std::path::Path;

/// Devices, addresses, ip rules and routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// All network devices.
    pub links: Vec<Link>,
    /// The router's addresses, without link-local IPv6 ones.
    pub addresses: Vec<Address>,
    /// All ip rules, ours and everybody else's.
    pub rules: Rules,
    /// Our routes.
    pub routes: Routes,
    /// Everybody else's default routes.
    pub foreign_routes: Vec<ForeignRoute>,
    /// Whether the kernel speaks IPv6 at all.
    pub ipv6: bool,
}

impl Snapshot {
    /// Reads everything. Nothing is locked: the parts may be milliseconds apart.
    ///
    /// # Errors
    /// An exchange with the kernel failed.
    pub fn read(kernel: &mut Kernel) -> Result<Self, Error> {
        // Devices first: routes name them by number.
        let links = kernel.links()?;
        Ok(Self {
            addresses: kernel.addresses()?,
            rules: kernel.rules()?,
            routes: kernel.routes(&links)?,
            foreign_routes: kernel.foreign_routes(&links)?,
            links,
            ipv6: Path::new("/proc/net/if_inet6").exists(),
        })
    }
}
