//! Doors for `fuzz/` and its tests: whole exchanges of this module over a socket of the test's own, which are private
//! otherwise.

use super::caller::Session;
use super::transport::Patience;
use super::{Error, Method, Service, json};
use serde_json::{Map, Value};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Our place on the bus, over a socket that is non-blocking already.
#[must_use]
pub fn service(stream: UnixStream, methods: &'static [Method]) -> Service {
    Service::over(stream, methods, Duration::ZERO)
}

/// One call, from the greeting to the end of the answer, over a socket on which all of ubusd's messages wait.
///
/// # Errors
/// As of [`Caller::call`](super::Caller::call).
pub fn call(stream: UnixStream, object: &str, method: &str, arguments: &Value) -> Result<(u32, Value), Error> {
    let fields = json::write(arguments).map_err(Error::Unsayable)?;
    let mut session = Session::new(stream, Patience::new(Duration::from_secs(1)))?;
    let number = session.find(object)?;
    let mut answer = Map::new();
    let status = session.invoke(number, method, &fields, &mut answer)?;
    Ok((status.0, Value::Object(answer)))
}
