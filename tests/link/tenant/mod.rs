//! Rules of a tenant: requests, agents, channels, serving, and what is left when they are dropped.

mod agent;
mod call;
mod cancel;
mod handle;
mod model;
mod opening;
mod serve;
