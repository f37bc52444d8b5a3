//! Rules of `link`, one file for each of its files, and a model of the whole.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod auth;
mod channel;
mod endpoint;
mod envelope;
mod frame;
mod greedy;
mod guest;
mod hostile;
mod hub;
mod id;
#[path = "../support/intercepted.rs"]
mod intercepted;
mod json;
mod local;
mod model;
mod operation;
mod record;
mod recorded;
mod refusal;
mod rule;
mod store;
mod support;
mod switchboard;
mod tenant;
mod tenant_link;
mod time;
mod town;
