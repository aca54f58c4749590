//! Telling what has become of the links: one line in the log for each, the same on ubus, and to the owner's scripts.

use super::Daemon;
use super::events::{self, Action, Event};
use super::watch::Watch;
use super::words;
use crate::config::model::{Attachment, Config};
use crate::network::Facts;
use log::info;
use std::time::Instant;

impl Daemon {
    /// Tells what has become of the links since it was told last. `moved` is what goes elsewhere by it, and `flows` how
    /// many connections were made to choose anew.
    pub(super) fn announce(
        &mut self,
        config: &Config,
        facts: &Facts,
        moved: Vec<String>,
        flows: Option<u64>,
        now: Instant,
    ) {
        let mut events: Vec<Event> = Vec::new();
        for watch in self.watches.iter_mut() {
            if let Some(event) = news(config, facts, watch) {
                add(&mut events, event);
            }
        }
        for event in &mut events {
            let families = self.watches.iter().filter(|watch| watch.offered && config[watch.link].name == event.link);
            if families.count() < 2 {
                // It has only one: naming it would say nothing.
                event.family = None;
            }
        }
        match events.last_mut() {
            Some(last) => (last.moved, last.flows) = (moved, flows),
            // A link that is on trial again, or a route of main.
            None if !moved.is_empty() => info!("{}", moved.join(", ")),
            None => {}
        }
        for event in events {
            info!("{}", event.line());
            self.bus.send_event("wansplit.link", &event.json());
            self.hooks.tell(event.environment(), now);
            self.events.keep(event);
        }
    }
}

/// What has become of one link in one family, if that was not told yet.
fn news(config: &Config, facts: &Facts, watch: &mut Watch) -> Option<Event> {
    // Between two states nothing is told: the next one is.
    let action = watch.action()?;
    let condition = *watch.judge.condition();
    let before = watch.told.replace(condition);
    let was = before.as_ref().and_then(words::action).unwrap_or(Action::Up);
    if was == action || !watch.offered {
        return None;
    }
    let link = &config[watch.link];
    let interface = match &link.attachment {
        Attachment::Interface(name) => Some(name.clone()),
        Attachment::Device { .. } | Attachment::Unusable => None,
    };
    Some(Event {
        time: events::now(),
        link: link.name.clone(),
        family: Some(watch.family),
        action,
        reason: words::reason(&condition, before.as_ref(), watch),
        interface,
        device: facts.side(watch.link, watch.family).and_then(|side| side.device.clone()),
        moved: Vec::new(),
        flows: None,
    })
}

/// Both families at once are one change.
fn add(events: &mut Vec<Event>, event: Event) {
    match events.iter_mut().find(|other| other.link == event.link && other.action == event.action) {
        Some(other) => {
            other.family = None;
            if !other.reason.contains(&event.reason) {
                other.reason = format!("{}; {}", other.reason, event.reason);
            }
        }
        None => events.push(event),
    }
}
