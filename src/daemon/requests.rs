//! What is asked of the daemon, by the other verbs and over ubus, and its answers: the same JSON as on the command line.

use super::Daemon;
use super::control::Request;
use super::triggers::Look;
use crate::bus::Status;
use crate::commands::{Loaded, check, explain};
use crate::config;
use crate::config::diagnostics::Diagnostic;
use crate::json::{self, object};
use crate::map::Set;
use crate::network::{Facts, Standing};
use crate::sort;
use crate::survey::{self, Depth, Trust};
use log::info;
use serde_json::Value;
use std::time::Instant;

impl Daemon {
    /// Answers what the other verbs ask.
    pub(super) fn answer_control(&mut self, now: Instant) {
        for (ticket, request) in self.server.turn(now) {
            let answer = match request {
                Request::Changed => {
                    self.triggers.touch(now, Look { config: false, network: true });
                    Value::Null
                }
                Request::Reload => {
                    self.reload(now);
                    true.into()
                }
                Request::Pause => {
                    if !self.resting {
                        info!("resting until `wansplit apply`");
                    }
                    self.resting = true;
                    self.triggers = super::Triggers::default();
                    self.failing = false;
                    self.sweeps = super::Sweeps::default();
                    true.into()
                }
                Request::Health => self.health(),
                Request::Status => self.status(now),
                Request::Events => self.events.json(),
            };
            self.server.answer(ticket, &json::text(&answer));
        }
    }

    /// Answers what is asked over ubus.
    pub(super) fn answer_bus(&mut self, method: &str, arguments: &Value, now: Instant) -> Result<Value, Status> {
        match method {
            "status" => Ok(self.status(now)),
            "events" => Ok(self.events.json()),
            "explain" => self.explain(arguments),
            "check" => self.check(arguments),
            "apply" => {
                self.resting = false;
                self.look(Look { config: true, network: true });
                Ok(self.status(now))
            }
            _ => Err(Status::METHOD_NOT_FOUND),
        }
    }

    fn health(&self) -> Value {
        let standings = self.watches.standings().into_iter().filter_map(|((link, family), standing)| {
            let word = match standing {
                Standing::Good => return None,
                Standing::Poor => "poor",
                Standing::Dead => "dead",
            };
            Some(object! { "link": link, "family": super::events::word(family), "standing": word })
        });
        object! {
            "pid": std::process::id(), "config": self.place.config.as_str(), "network": self.place.network.as_deref(),
            "resting": self.resting, "standings": standings.collect::<Vec<_>>(),
        }
    }

    fn explain(&mut self, arguments: &Value) -> Result<Value, Status> {
        let question = explain::Explain::from_json(arguments).ok_or(Status::INVALID_ARGUMENT)?;
        let packet = match explain::parse(&question) {
            Ok(packet) => packet,
            Err(why) => return Ok(object! { "error": why }),
        };
        let Some(current) = &self.current else { return Err(Status::NOT_FOUND) };
        let (Some(config), Some((survey, plan))) = (&current.loaded.config, &current.state) else {
            return Err(Status::NOT_FOUND);
        };
        // The look that these facts are of may be minutes ago.
        let facts = Facts { now: survey::now(config), ..survey.facts.clone() };
        Ok(explain::answer(&mut self.kernel, config, &facts, plan, explain::Question { packet, is_of_now: true }))
    }

    /// The findings about a text, or about the file.
    fn check(&mut self, arguments: &Value) -> Result<Value, Status> {
        let (config, mut findings, file) = match arguments["config"].as_str() {
            Some(text) => {
                let reading = config::read(text.as_bytes());
                (reading.config, reading.diagnostics, "config".to_string())
            }
            None => match Loaded::load(&self.place) {
                Ok(loaded) => (loaded.config, loaded.diagnostics, loaded.file),
                Err(why) => return Ok(object! { "error": why }),
            },
        };
        let valid = findings.iter().all(Diagnostic::is_harmless);
        if let (Some(config), Some(current)) = (&config, &self.current) {
            let known = survey::remembered(&mut self.kernel, config);
            let found = survey::survey(&mut self.kernel, config, &current.account, Trust::File, &known, &self.firewall);
            if let Ok(survey) = found {
                // What takes no time: connections wait meanwhile.
                let around = check::Around { dump: current.account.dump(), place: &self.place, depth: Depth::Quick };
                findings.extend(check::findings(&mut self.kernel, config, survey, &Set::new(), &around));
            }
        }
        sort::by_key(&mut findings, |finding| finding.at);
        let records: Vec<Value> =
            findings.iter().filter_map(|finding| json::parse(&json::text(&finding.record(&file))).ok()).collect();
        Ok(object! { "valid": valid, "findings": records })
    }
}
