//! RFC 6455 without I/O: bytes in, events out; events in, bytes out.

mod random;
mod role;

pub use random::{RandomSource, SystemRandom};
pub use role::Role;
