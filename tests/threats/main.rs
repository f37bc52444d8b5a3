//! What peers do who mean harm, or are broken: each threat of `docs/src/reference/security.md`, under its number, against a real socket.
//!
//! The attacker is a blocking socket of the standard library; the victim is a server or a client of ours. While the attack is on and
//! after it, [`victim::attacked`] measures the memory and the open files of this process, so one attack runs at a time. After each a good
//! peer must still be served at once. `--nocapture` prints what was measured.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod attacker;
mod client;
mod frames;
mod gauge;
mod handshake;
mod resources;
mod victim;

#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
