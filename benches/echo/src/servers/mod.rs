//! The echo servers: each sends back every message as it came. Each library in its plain use, as its own examples have it; where a
//! library offers a batching of its own, it is a second server.
//!
//! Each runs in a process of its own, prints its port, and ends with its standard input. Those on async-std have as many
//! threads as `ASYNC_STD_THREAD_COUNT` says, and those on tokio have one.

mod on_async_std;
mod on_tokio;

use std::io;

use tungstenite::handshake::derive_accept_key;

/// Serves for ever.
pub type Serve = fn(identity: Option<Identity>) -> io::Result<()>;

/// What ends one connection, and no other.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Certificate and key, in PEM.
pub type Identity = (Vec<u8>, Vec<u8>);

/// Ourselves.
pub const OURS: &str = "wscope";

/// Ourselves as we were: wscope in another build of this program, which the variable `BEFORE` names.
pub const BEFORE: &str = "before";

/// All servers by name.
pub const SERVERS: [(&str, Serve); 11] = [
    (OURS, on_async_std::wscope),
    ("async-tungstenite", on_async_std::async_tungstenite),
    ("tokio-tungstenite", on_tokio::tokio_tungstenite),
    ("fastwebsockets", on_tokio::fastwebsockets),
    ("tokio-websockets", on_tokio::tokio_websockets),
    ("yawc", on_tokio::yawc),
    ("yawc+batch", on_tokio::yawc_batch),
    ("sockudo-ws", on_tokio::sockudo),
    ("sockudo-ws+batch", on_tokio::sockudo_batch),
    ("raw/async-std", on_async_std::raw),
    ("raw/tokio", on_tokio::raw),
];

/// Tells the generator where to connect.
fn listening(port: u16) {
    println!("{port}");
}

/// The answer to an opening handshake, for libraries that begin after it. `None` while the request is not complete.
fn answer(head: &[u8]) -> Option<Vec<u8>> {
    let head = head.strip_suffix(b"\r\n\r\n")?;
    let text = std::str::from_utf8(head).ok()?;
    let key = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))?;
    let accept = derive_accept_key(key.as_bytes());
    Some(
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .into_bytes(),
    )
}
