//! What goes wrong behind a link whose cable is fine: silence, loss, a cable that comes and goes.

use crate::provider::Provider;
use std::thread;
use std::time::{Duration, Instant};

/// Which of the customer's packets a fault takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Those in both directions.
    Both,
    /// What the customer sends.
    Outgoing,
    /// What is sent to the customer.
    Incoming,
}

/// The IP versions a fault takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// Both.
    Both,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// Every fault lasts until [`Provider::speak`], and several add up. All take only what the provider forwards: its own
/// address, the customer's gateway, still answers, so that the link looks alive from its first hop.
impl Provider {
    /// Forwards nothing any more.
    pub fn silence(&self, direction: Direction) {
        self.silence_families(Families::Both, direction);
    }

    /// Forwards nothing of these families any more.
    pub fn silence_families(&self, families: Families, direction: Direction) {
        let family = match families {
            Families::Both => "",
            Families::V4 => "meta nfproto ipv4",
            Families::V6 => "meta nfproto ipv6",
        };
        let devices: &[&str] = match direction {
            Direction::Both => &["iifname", "oifname"],
            Direction::Outgoing => &["iifname"],
            Direction::Incoming => &["oifname"],
        };
        for device in devices {
            self.drop_forwarded(&format!("{family} {device} customer"));
        }
    }

    /// Drops this share of what the customer sends, in percent, each packet by chance.
    pub fn lose(&self, percent: u8) {
        self.drop_forwarded(&format!("iifname customer numgen random mod 100 < {percent}"));
    }

    /// Forwards nothing that matches an nft expression any more: `ip daddr 192.0.2.11`.
    pub fn drop_forwarded(&self, expression: &str) {
        self.host.nft(&format!("add rule inet provider faults {expression} drop"));
    }

    /// Ends all these faults.
    pub fn speak(&self) {
        self.host.nft("flush chain inet provider faults");
    }

    /// Takes the cable away and puts it back again and again; at the end it is in place. Returns how often it was away.
    pub fn flap(&self, every: Duration, total: Duration) -> u32 {
        let until = Instant::now() + total;
        let mut times = 0;
        while Instant::now() < until {
            self.carrier(false);
            thread::sleep(every);
            self.carrier(true);
            thread::sleep(every);
            times += 1;
        }
        times
    }
}
