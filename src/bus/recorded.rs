//! Exchanges recorded between the `ubus` command and a real ubusd, for tests.

/// Who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The `ubus` command.
    Client,
    /// ubusd.
    Server,
}

pub const DUMP: &str = include_str!("../../tests/fixtures/ubus-frames/dump.hex");
pub const ECHO: &str = include_str!("../../tests/fixtures/ubus-frames/echo.hex");
pub const DENIED: &str = include_str!("../../tests/fixtures/ubus-frames/denied.hex");
pub const NO_METHOD: &str = include_str!("../../tests/fixtures/ubus-frames/nomethod.hex");
pub const NOT_FOUND: &str = include_str!("../../tests/fixtures/ubus-frames/notfound.hex");
pub const LIST: &str = include_str!("../../tests/fixtures/ubus-frames/list.hex");
pub const LIST_VERBOSE: &str = include_str!("../../tests/fixtures/ubus-frames/listv.hex");
pub const LISTEN: &str = include_str!("../../tests/fixtures/ubus-frames/listen.hex");
pub const SUBSCRIBE: &str = include_str!("../../tests/fixtures/ubus-frames/subscribe.hex");

pub const ALL: [&str; 9] = [DUMP, ECHO, DENIED, NO_METHOD, NOT_FOUND, LIST, LIST_VERBOSE, LISTEN, SUBSCRIBE];

/// What was read at once, in order. One read may hold several messages.
pub fn reads(exchange: &str) -> Vec<(Side, Vec<u8>)> {
    let read = |line: &str| {
        let (side, hex) = line.split_once(' ')?;
        let side = if side == "S" { Side::Server } else { Side::Client };
        let bytes = (0..hex.len() / 2).map(|n| u8::from_str_radix(hex.get(n * 2..n * 2 + 2)?, 16).ok());
        Some((side, bytes.collect::<Option<Vec<u8>>>()?))
    };
    exchange.lines().filter_map(read).collect()
}

/// All that ubusd sent.
pub fn server(exchange: &str) -> Vec<u8> {
    let sent = reads(exchange).into_iter().filter(|(side, _)| *side == Side::Server);
    sent.flat_map(|(_, bytes)| bytes).collect()
}
