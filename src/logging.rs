//! The system log: one line for each change, so that `logread` tells what happened and when.
//!
//! The `syslog` crate knows the protocol; the socket is our own, because the crate's would block for ever on a reader that
//! stalls, and would try the network where there is no `/dev/log`.

mod line;

use line::Line;
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::sync::Mutex;
use syslog::Logger;

/// Where the system log listens.
const SOCKET: &str = "/dev/log";
/// OpenWrt's logd cuts lines at 1,024 bytes.
const LONGEST: usize = 1_000;

/// Sends what is logged from here on to the system log, if there is one. People at a terminal are told by other means.
pub fn to_system_log(level: LevelFilter) {
    let Some(logger) = connect() else { return };
    let logger = Mutex::new(logger);
    if log::set_boxed_logger(Box::new(SystemLog { logger })).is_ok() {
        log::set_max_level(level);
    }
}

/// Sends what is logged to the system log, or to standard error where there is none: for the daemon, whom nobody sees.
pub fn to_system_log_or_stderr(level: LevelFilter) {
    to_system_log(level);
    if log::max_level() == LevelFilter::Off && log::set_boxed_logger(Box::new(Stderr)).is_ok() {
        log::set_max_level(level);
    }
}

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            // Nobody is left to be told if that fails.
            let _ = writeln!(io::stderr().lock(), "{}: {}", word(record.level()), record.args());
        }
    }

    fn flush(&self) {}
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        Level::Debug | Level::Trace => "debug",
    }
}

struct SystemLog {
    logger: Mutex<Logger<Socket, Line>>,
}

/// A line is a datagram.
struct Socket(UnixDatagram);

impl Write for Socket {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.send(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A full socket drops the line instead of stopping us.
fn connect() -> Option<Logger<Socket, Line>> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(SOCKET).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(Logger::new(Socket(socket), Line))
}

impl Log for SystemLog {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut line = record.args().to_string().replace(['\n', '\r'], " ");
        if let Some((end, _)) = line.char_indices().find(|(at, c)| at + c.len_utf8() > LONGEST) {
            line.truncate(end);
        }
        let Ok(mut logger) = self.logger.lock() else { return };
        if write(&mut logger, record.level(), &line) {
            return;
        }
        // logd was restarted: its old socket is dead for ever.
        if let Some(anew) = connect() {
            *logger = anew;
            write(&mut logger, record.level(), &line);
        }
    }

    fn flush(&self) {}
}

/// Whether the line is written, or the socket is only full.
fn write(logger: &mut Logger<Socket, Line>, level: Level, line: &str) -> bool {
    let outcome = match level {
        Level::Error => logger.err(line),
        Level::Warn => logger.warning(line),
        Level::Info => logger.info(line),
        Level::Debug | Level::Trace => logger.debug(line),
    };
    match outcome {
        Ok(()) => true,
        Err(syslog::Error::Io(error) | syslog::Error::Write(error)) => error.kind() == io::ErrorKind::WouldBlock,
        Err(_) => false,
    }
}
