//! The layer `testing`, used from outside. Files are named after those of `src/testing`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod census;
mod clock;
mod duplex;
mod polled;
mod simulation;

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
