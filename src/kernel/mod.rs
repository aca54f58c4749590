//! The only code that touches the kernel.

pub mod connection;
#[doc(hidden)]
pub mod doors;
pub mod error;
pub(crate) mod file;
pub mod flows;
pub mod handle;
pub mod lock;
pub mod netlink;
pub mod nft;
pub mod privileges;
pub mod rt_tables;
pub mod sysctl;
pub mod users;
pub mod wireguard;

pub use error::Error;
pub use handle::Kernel;

/// Whether the kernel speaks IPv6 at all.
#[must_use]
pub fn speaks_ipv6() -> bool {
    std::path::Path::new("/proc/net/if_inet6").exists()
}
