//! Tools for tests, of this crate and of yours: time that does not pass, streams that fail on cue, and a count of the living.
//!
//! | want | use |
//! |---|---|
//! | a test that waits for hours and takes no time | [`Simulation`] |
//! | the same schedule again, or many others | [`Simulation::seed`] |
//! | two ends of a connection, without a network, with faults at chosen places | [`duplex()`], [`Fault`] |
//! | a future that is dropped half-way, at every place where it can be | [`polled()`] |
//! | to know whether anything is left | [`Census`] |
//!
//! Nothing here changes what other code does: a simulation is a [`Runtime`](crate::runtime::Runtime) like any other, and all
//! below its root uses it.

mod census;
mod clock;
mod duplex;
mod polled;
mod simulation;

pub use census::{Census, Presence};
pub use clock::VirtualClock;
pub use duplex::{DuplexStream, Fault, duplex};
pub use polled::{Polled, polled};
pub use simulation::Simulation;
