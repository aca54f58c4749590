//! Takes out of a text what is nobody else's business. The same thing gets the same name throughout.

use super::addresses::Addresses;
use super::domains::Domains;
use super::secrets;

/// The names given so far.
#[derive(Debug, Default)]
pub struct Masker {
    domains: Domains,
    addresses: Addresses,
}

impl Masker {
    /// One that hides these domains.
    #[must_use]
    pub fn new(domains: Domains) -> Self {
        Self { domains, addresses: Addresses::default() }
    }

    /// The text without secrets, domains, public addresses and those of network cards.
    pub fn mask(&mut self, text: &str) -> String {
        self.addresses.mask(&self.domains.mask(&secrets::hide(text)))
    }
}
