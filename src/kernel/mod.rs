//! The only code that touches the kernel.

pub mod describe;
pub mod error;
mod file;
pub mod handle;
pub mod lock;
pub mod netlink;
pub mod nft;
pub mod routing;
pub mod rt_tables;
pub mod sysctl;

pub use error::Error;
pub use handle::Kernel;
pub use routing::Snapshot;
