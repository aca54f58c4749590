//! Rounds and judge together, on a link that exists only in numbers.
