//! The last changes of links: for the log, for `wansplit.link` on ubus, for the owner's scripts, and to be asked for later.

use super::hooks::Environment;
use crate::config::model::Family;
use crate::json::object;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many changes are kept.
const KEPT: usize = 100;

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It works.
    Up,
    /// It does not.
    Down,
    /// It answers badly: it is second choice.
    Degraded,
    /// It comes and goes: it is second choice for a while.
    Held,
}

impl Action {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Degraded => "degraded",
            Self::Held => "held",
        }
    }

    /// `ACTION` for scripts.
    #[must_use]
    pub fn script_word(self) -> &'static str {
        match self {
            Self::Up => "link_up",
            Self::Down => "link_down",
            Self::Degraded => "link_degraded",
            Self::Held => "link_held",
        }
    }
}

/// One change of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in seconds since 1970.
    pub time: u64,
    /// The link's name.
    pub link: String,
    /// The family, if only one of them changed.
    pub family: Option<Family>,
    /// What became of it.
    pub action: Action,
    /// Why: "3 of 3 probes lost to 1.1.1.1, 9.9.9.9".
    pub reason: String,
    /// The netifd interface, if the link has one.
    pub interface: Option<String>,
    /// The device, if it is known.
    pub device: Option<String>,
    /// What goes elsewhere now: "web moved to EMB".
    pub moved: Vec<String>,
    /// Established connections that were made to choose again, if any could be.
    pub flows: Option<u64>,
}

impl Event {
    /// The line for the log: `link OI down: 3 of 3 probes lost to 1.1.1.1; web moved to EMB, 14 flows reset`.
    #[must_use]
    pub fn line(&self) -> String {
        let family = self.family.map_or(String::new(), |family| format!(" ({family})"));
        let flows = match self.flows {
            None | Some(0) => None,
            Some(1) => Some("1 flow reset".to_string()),
            Some(n) => Some(format!("{n} flows reset")),
        };
        let then: Vec<String> = self.moved.iter().cloned().chain(flows).collect();
        let then = if then.is_empty() { String::new() } else { format!("; {}", then.join(", ")) };
        format!("link {}{family} {}: {}{then}", self.link, self.action.word(), self.reason)
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        object! {
            "time": self.time, "link": self.link.as_str(), "family": self.family.map(word),
            "action": self.action.word(), "reason": self.reason.as_str(), "interface": self.interface.as_deref(),
            "device": self.device.as_deref(), "moved": self.moved.as_slice(), "flows_reset": self.flows,
            "text": self.line(),
        }
    }

    /// What a script is given.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![
            ("ACTION", self.action.script_word().to_owned()),
            ("LINK", self.link.clone()),
            ("FAMILY", self.family.map(word).unwrap_or_default().to_owned()),
            ("INTERFACE", text(&self.interface)),
            ("DEVICE", text(&self.device)),
            ("REASON", self.reason.clone()),
        ]
    }
}

/// The family's name in JSON and for scripts.
#[must_use]
pub fn word(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}

/// The wall clock, in seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The last changes, oldest first.
#[derive(Debug, Default)]
pub struct Events(VecDeque<Event>);

impl Events {
    /// Keeps one more.
    pub fn keep(&mut self, event: Event) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    /// All of them, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        object! { "events": self.0.iter().map(Event::json).collect::<Vec<_>>() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            time: 7,
            link: "OI".into(),
            family: None,
            action: Action::Down,
            reason: "3 of 3 probes lost to 1.1.1.1, 9.9.9.9".into(),
            interface: Some("wanb".into()),
            device: None,
            moved: vec!["web moved to EMB".into()],
            flows: Some(14),
        }
    }

    #[test]
    fn a_change_is_one_line_that_says_why_and_what_follows() {
        let line = "link OI down: 3 of 3 probes lost to 1.1.1.1, 9.9.9.9; web moved to EMB, 14 flows reset";
        assert_eq!(event().line(), line);
        let alone = Event { family: Some(Family::V6), moved: Vec::new(), flows: Some(0), ..event() };
        assert_eq!(alone.line(), "link OI (IPv6) down: 3 of 3 probes lost to 1.1.1.1, 9.9.9.9");
    }

    #[test]
    fn scripts_get_every_variable_also_where_there_is_nothing_to_say() {
        let given = event().environment();
        let value = |name| given.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
        assert_eq!(value("ACTION"), Some("link_down"));
        assert_eq!(value("INTERFACE"), Some("wanb"));
        assert_eq!(value("DEVICE"), Some(""));
        assert_eq!(value("FAMILY"), Some(""));
    }

    #[test]
    fn only_the_last_hundred_are_kept() {
        let mut events = Events::default();
        for time in 0..250 {
            events.keep(Event { time, ..event() });
        }
        let json = events.json();
        let times: Vec<u64> =
            json["events"].as_array().into_iter().flatten().filter_map(|e| e["time"].as_u64()).collect();
        assert_eq!((times.len(), times.first(), times.last()), (100, Some(&150), Some(&249)));
    }
}
