//! `sticky`: who stays on a link of a balanced policy, and for how long.

/// Who stays on the link that its first connection took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sticky {
    /// Who is remembered.
    pub who: Who,
    /// For how many seconds after the last new connection: `timeout`.
    pub seconds: u32,
}

/// Who is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A client: its source address.
    Client,
    /// A client and a destination: the two addresses.
    Destination,
}
