//! Which established connections are to choose their link anew.

use super::path::Paths;
use crate::config::model::{Config, Family, LinkId, Mark};
use crate::kernel::netlink::link::Link;
use crate::kernel::netlink::route::ForeignRoute;
use crate::network::Facts;

/// The connections of one link in one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// The link.
    pub link: LinkId,
    /// The family.
    pub family: Family,
    /// The marks they carry.
    pub marks: Vec<Mark>,
}

/// What main offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alternatives;

impl Alternatives {
    /// From the kernel's routes.
    #[must_use]
    pub fn from_routes(_: &[ForeignRoute], _: &[Link]) -> Self {
        Self
    }
}

/// To be filled.
#[must_use]
pub fn doomed(_: &Config, _: &Paths, _: &Facts, _: &Alternatives) -> Vec<Doomed> {
    Vec::new()
}

/// To be filled.
#[must_use]
pub fn returning(_: &Config, _: &Paths, _: &Facts, _: LinkId, _: Family) -> Vec<Doomed> {
    Vec::new()
}
