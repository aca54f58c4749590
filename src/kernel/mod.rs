//! The only code that touches the kernel.

pub mod describe;
pub mod error;
pub mod handle;
pub mod netlink;
pub mod nft;
pub mod routing;

pub use error::Error;
pub use handle::Kernel;
pub use routing::Snapshot;
