//! The places where threads meet, under a scheduler that tries many interleavings (`shuttle`): the slot of a future that one
//! thread polls and another stops, and the hand-over of clean-ups from sink to sink.
//!
//! The source files themselves are compiled in here; only the locks and threads that they take from `runtime::sync` are others.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod runtime;
mod scope;
mod sink;
mod slot;

/// How many interleavings are tried: `MODEL` in the environment, or this many.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let rounds = std::env::var("MODEL").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3_000);
    let model = std::sync::Arc::new(model);
    let pct = model.clone();
    shuttle::check_random(move || model(), rounds);
    shuttle::check_pct(move || pct(), rounds, 3);
}
