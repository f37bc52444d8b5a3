//! The hub's mind: frames of many connections in, effects out.
//!
//! ```text
//!   attach, receive, sent, detach, wake          Effect::Send, Effect::Close
//!   ─────────────────────────────────▶ Switchboard ─────────────────────────▶  whoever owns the sockets
//!                                      deadline() ─────────────────────────▶
//! ```
//!
//! Each input is dealt with at once and to its end; what has to wait (a channel that is being opened, a delivery to a slow
//! tenant) is state, not a task. So nobody waits behind another's request, and two agents of one connection can open a
//! channel with each other.
//!
//! | file | what it decides |
//! |---|---|
//! | `board` | which frame goes where, and how it is answered |
//! | `hello` | who may hold an agent: hello, takeover, receipts |
//! | `request` | the operations that read and change what is known of agents and channels |
//! | `opening`, `closing` | how a channel begins and ends |
//! | `post` | whether an envelope is taken |
//! | `delivery` | when it goes out, and to whom |
//! | `registry`, `endpoint`, `channel`, `alarm` | agents, connections, channels, timers |
//! | `config`, `limits`, `effect`, `stats` | what goes in and comes out |
//!
//! Rules that hold after each input:
//!
//! - an agent is bound to one connection at most, and both sides of the binding say so;
//! - a delivery is owed until it is acknowledged, given up, or its channel has ended unseen;
//! - a connection has at most a window of unsent bytes, whatever is owed to its agents;
//! - ids of envelopes, and so the deliveries of a channel, strictly increase.

mod alarm;
mod board;
mod channel;
mod closing;
mod config;
mod delivery;
mod effect;
mod endpoint;
mod hello;
mod limits;
mod opening;
mod post;
mod registry;
mod request;
mod stats;

pub use board::Switchboard;
pub use config::HubConfig;
pub use effect::{Effect, Farewell, Outgoing};
pub use limits::HubLimits;
pub use stats::HubStats;
