//! The daemon on ubus: its object, netifd's news, and its own events. Without ubus it does without, and tries again.

use super::Daemon;
use super::triggers::Look;
use crate::bus::{Argument, Incoming, Method, Service, Status};
use log::{debug, info};
use serde_json::Value;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// How soon to try again when ubus is not there; doubled each time up to `LONGEST`.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// What can be asked of us, with the names of the arguments.
pub const METHODS: &[Method] = &[
    Method { name: "status", arguments: &[] },
    Method {
        name: "explain",
        arguments: &[
            ("protocol", Argument::String),
            ("source", Argument::String),
            ("destination", Argument::String),
            ("iface", Argument::String),
            ("mac", Argument::String),
            ("dscp", Argument::Integer),
            ("icmp_type", Argument::Integer),
            ("mark", Argument::String),
            ("uid", Argument::Integer),
        ],
    },
    Method { name: "check", arguments: &[("config", Argument::String)] },
    Method { name: "apply", arguments: &[] },
    Method { name: "events", arguments: &[] },
];

/// The connection, or when to try again to make one.
pub struct Bus {
    service: Option<Service>,
    /// Where the service's time begins.
    start: Instant,
    retry: Instant,
    pause: Duration,
    /// Whether its absence was told.
    missed: bool,
}

impl Bus {
    /// Not connected yet; tries at `now`.
    pub fn new(now: Instant) -> Self {
        Self { service: None, start: now, retry: now, pause: FIRST, missed: false }
    }

    /// What to wait for, and whether there is something to be written.
    pub fn fd(&self) -> Option<(BorrowedFd<'_>, bool)> {
        self.service.as_ref().map(|service| (service.fd(), service.wants_write()))
    }

    /// When to try again, or to see whether ubus still answers.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.service {
            Some(service) => service.deadline().map(|moment| self.start + moment),
            None => Some(self.retry),
        }
    }

    /// Sends an event to whoever listens.
    pub fn send_event(&mut self, name: &str, data: &Value) {
        if let Some(service) = &mut self.service {
            service.send_event(name, data, self.start.elapsed());
        }
    }

    /// Connects, if it is time. Says whether that is new.
    fn connect(&mut self, now: Instant) -> bool {
        if self.service.is_some() || now < self.retry {
            return false;
        }
        match Service::connect(None, METHODS, now.saturating_duration_since(self.start)) {
            Ok(service) => {
                if self.missed {
                    info!("ubus is there");
                }
                (self.service, self.pause, self.missed) = (Some(service), FIRST, false);
                true
            }
            Err(error) => {
                debug!("{error}");
                self.lost(now);
                false
            }
        }
    }

    fn lost(&mut self, now: Instant) {
        self.service = None;
        self.retry = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST);
        self.missed = true;
    }
}

impl Daemon {
    /// Hears what netifd says and answers what is asked.
    pub(super) fn turn_bus(&mut self, now: Instant, readable: bool) {
        if self.bus.connect(now) {
            // What happened while nobody listened.
            self.triggers.touch(now, Look { config: false, network: true });
        }
        let overdue = self.bus.deadline().is_some_and(|at| at <= now);
        let moment = self.moment(now);
        let Some(service) = &mut self.bus.service else { return };
        if !readable && !overdue && !service.wants_write() {
            return;
        }
        let incoming = match service.turn(readable, moment) {
            Ok(incoming) => incoming,
            Err(error) => {
                info!("{error}");
                self.bus.lost(now);
                return;
            }
        };
        for message in incoming {
            match message {
                Incoming::Call { ticket, method, arguments } => {
                    let answer = self.answer_bus(&method, &arguments, now);
                    if let Some(service) = &mut self.bus.service {
                        match answer {
                            Ok(answer) => service.reply(ticket, &answer, Status::OK),
                            Err(status) => service.reply(ticket, &Value::Null, status),
                        }
                    }
                }
                // They come doubled, and out of order: each only says "look".
                // Every object that appears on ubus is announced; of netifd's we hear when we are subscribed.
                Incoming::Event { name, .. } if name == "ubus.object.add" => {}
                Incoming::Event { .. } | Incoming::Notification { .. } | Incoming::Subscribed { .. } => {
                    self.triggers.touch(now, Look { config: false, network: true });
                }
                // netifd has ended; it is about to come back. Until then what was known still counts.
                Incoming::Gone { object } => debug!("'{object}' has left ubus"),
            }
        }
    }
}
