//! Connections, over real sockets and over streams in memory.

mod connection;
mod engine;
mod faults;
mod support;
mod ways_out;
