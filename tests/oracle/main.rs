//! tungstenite as oracle: another implementation, in memory, on the other end or beside ours on the same bytes.
//!
//! Where the two differ on purpose the test says so by name: `refusals` and `handshake` hold the lists.

mod closing;
#[path = "../fuzz/mod.rs"]
mod fuzz;
mod handshake;
mod messages;
mod peer;
mod refusals;
