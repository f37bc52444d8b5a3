//! HTTP heads and bodies, seen through the two ends of a handshake.

mod body;
mod head;
mod write;
