//! Tenants: programs that hold agents over one link to a hub.
//!
//! ```text
//!   Tenant ── register, hello, resume ──▶ Agent ── open_channel ──▶ Channel ── post ──▶ hub
//!     │ request, response                   │ serve
//!     ▼                                     ▼
//!   calls: who waits for which answer     lanes: what waits for a handler, a lane for each channel
//!     ▲                                     ▲                    │ handled
//!     └────── driver: reads the link ───────┘                    ▼
//!                                         memory: what was handled, beyond one link
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `opening`, `config` | how a tenant comes to be, and its habits |
//! | `handle`, `discovery`, `agent`, `channel`, `delivery`, `post`, `info` | what a user holds |
//! | `call` | one request, from its call to its answer |
//! | `serve` | handlers, and the answers that they give |
//! | `driver` | what reads, watches the clock, and answers pings |
//! | `calls`, `lanes`, `memory` | what is waited for, what waits, what is remembered; pure |
//! | `shared`, `stats`, `error` | what all of them have in common |
//!
//! Rules:
//!
//! - Reading never stops and never waits for room to send: not for a slow handler, not for a full inbox. So answers come, pings
//!   are answered, and one agent or channel holds up no other.
//! - What is kept is bounded: requests by who waits for them, deliveries in bytes, what was handled in number.
//! - Who waits is told: by the answer, at the deadline, or when the link or the scope of the tenant ends.
//! - A delivery is remembered as handled before it is acknowledged. So what is lost on the way back is not handled twice.
//! - A tenant does not reconnect. Whoever wants to go on opens another one, and [resumes](Tenant::resume) the agents on it.

mod agent;
mod call;
mod calls;
mod channel;
mod config;
mod delivery;
mod discovery;
mod driver;
mod error;
mod handle;
mod info;
mod lanes;
mod memory;
mod opening;
mod post;
mod serve;
mod shared;
mod stats;

pub use agent::Agent;
pub use channel::Channel;
pub use config::{IntoTenantConfig, InvitePolicy, TenantConfig};
pub use delivery::{Delivery, Invite};
pub use error::{RequestError, ServeError};
pub use handle::{Since, Tenant};
pub use info::{ChannelInfo, ManifestInfo, ParticipantInfo, PendingTurn};
pub use opening::{connect_tenant, open_tenant};
pub use post::Post;
pub use stats::TenantStats;
