//! Rules of `proto`, one file for each of its files; every case runs as client and as server.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod close;
mod config;
mod connection;
mod decoder;
mod encoder;
mod error;
mod event;
mod extension;
mod frame;
mod handshake;
mod header;
mod http;
mod mask;
mod message;
#[cfg(feature = "deflate")]
#[path = "../support/payloads.rs"]
mod payloads;
mod pongs;
mod random;
mod role;
mod state;
mod text;
mod transforming;
mod tungstenite;
mod uri;
mod utf8;
mod wire;
mod ws;
