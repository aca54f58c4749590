//! How much a metered link may carry.

/// `max` and `max_per`: a hint, not a lock. A link that is used up is second choice until the period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes in a period, both directions together.
    pub bytes: u64,
    /// The period.
    pub per: Period,
}

/// How often a quota begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Period {
    /// At midnight.
    Day,
    /// In the night to Monday.
    Week,
    /// In the night to the first.
    #[default]
    Month,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word of the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The one that is running: "this month".
    #[must_use]
    pub fn current(self) -> &'static str {
        match self {
            Self::Day => "today",
            Self::Week => "this week",
            Self::Month => "this month",
        }
    }
}
