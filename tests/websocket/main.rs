//! Connections, over real sockets and over streams in memory.

mod connection;
mod support;
mod ways_out;
