//! The other end of the door: a verb that asks a running daemon.

use super::{Request, SOCKET};
use crate::commands::Place;
use crate::config::model::Family;
use crate::json;
use crate::network::Standing;
use crate::survey::Standings;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The daemon answers between two turns of its loop; a turn in which `nft` runs may take a second or two.
const PATIENCE: Duration = Duration::from_secs(5);
/// Far more than any answer.
const LONGEST: u64 = 4 << 20;

/// What a running daemon says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its process number.
    pub pid: u64,
    /// The configuration it runs with.
    pub config: String,
    /// Its file of interfaces, if it does not ask netifd.
    pub network: Option<String>,
    /// What its probes have shown.
    pub standings: Standings,
}

impl Health {
    /// Whether the daemon reads the same files as a verb that was given these.
    #[must_use]
    pub fn runs_with(&self, place: &Place) -> bool {
        self.config == place.config && self.network == place.network
    }
}

/// Tells the daemon something; returns whether there is one.
///
/// # Errors
/// There is a daemon, but it does not take the message.
pub fn tell(request: Request) -> io::Result<bool> {
    let Some(mut stream) = connect()? else { return Ok(false) };
    writeln!(stream, "{}", request.word())?;
    Ok(true)
}

/// Tells the daemon something and waits until it has taken it in; returns whether there is one.
///
/// # Errors
/// There is a daemon, but it does not answer.
pub fn tell_and_wait(request: Request) -> io::Result<bool> {
    Ok(ask(request)?.is_some())
}

/// Asks the daemon; nothing if there is none.
///
/// # Errors
/// There is a daemon, but it does not answer, or not with JSON.
pub fn ask(request: Request) -> io::Result<Option<Value>> {
    let Some(mut stream) = connect()? else { return Ok(None) };
    writeln!(stream, "{}", request.word())?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    json::parse(&answer).map(Some).map_err(io::Error::other)
}

/// What the daemon says of itself; nothing if there is none.
///
/// # Errors
/// There is a daemon, but it does not answer as it should.
pub fn health() -> io::Result<Option<Health>> {
    let Some(answer) = ask(Request::Health)? else { return Ok(None) };
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let mut standings = Standings::new();
    for entry in answer["standings"].as_array().unwrap_or(&Vec::new()) {
        let family = if entry["family"] == "ipv6" { Family::V6 } else { Family::V4 };
        let standing = match entry["standing"].as_str() {
            Some("dead") => Standing::Dead,
            Some("poor") => Standing::Poor,
            _ => continue,
        };
        standings.insert((entry["link"].as_str().unwrap_or_default().to_owned(), family), standing);
    }
    Ok(Some(Health {
        pid: answer["pid"].as_u64().unwrap_or(0),
        config: text("config").unwrap_or_default(),
        network: text("network"),
        standings,
    }))
}

fn connect() -> io::Result<Option<UnixStream>> {
    let stream = match UnixStream::connect(SOCKET) {
        Ok(stream) => stream,
        // No daemon, or one that was killed and left its socket behind.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(Some(stream))
}
