//! Hub and tenants, on the wire of AG2 networks.
//!
//! A hub knows agents by name, opens channels between them, keeps every envelope of a channel in a log, and delivers each
//! one until its recipient acknowledges it. A tenant is a program that holds agents, over one connection.
//!
//! ```text
//!   tenant                                        hub
//!   ──────  request register / hello  ──────▶   bound: the connection holds the agent
//!           request post_envelope     ──────▶   stamped, logged, owed to each recipient
//!           ◀──────  notify           ──────    until
//!           receipt ack               ──────▶   the cursor moves
//! ```
//!
//! What is decided is decided without a clock, randomness, waiting or I/O: time is an argument, randomness follows from a seed,
//! and what is to be done comes out as a list of effects. What moves texts stands on links, and a link is a WebSocket or two
//! queues within a process. The parts:
//!
//! - the wire: [`Frame`], [`Envelope`], [`Payload`], [`Id`], [`Timestamp`], [`Operation`], [`ErrorCode`];
//! - what is known of agents: [`Passport`], [`Resume`], [`Rule`];
//! - who may use a name: [`AuthAdapter`], [`NoAuth`], [`ApiKeys`], [`Secret`], [`Claim`];
//! - where envelopes are kept: [`Store`], [`MemoryStore`];
//! - the hub's mind: [`Switchboard`];
//! - links: [`LinkEndpoint`], [`LocalLink`];
//! - the hub on its links: [`Hub`];
//! - a tenant on its link: [`TenantLink`] for frames; [`Tenant`], [`Agent`] and [`Channel`] for what is done with them.
//!
//! Compatible means: a peer of AG2 1.2.1 (0.13.3 and later) cannot tell the difference, but for being served better. So no
//! frame and no record has a field that AG2 does not write; what is new is a new operation or a new error code.
//!
//! # What it never does
//!
//! It names no socket, no executor and no frame of a WebSocket: those are [`websocket`](crate::websocket)'s and
//! [`scope`](crate::scope)'s. Hub and tenant name each other nowhere. A tenant does not reconnect. A hub gives up no envelope to make
//! room for another, unless the recipient's own rule says so.
//!
//! How it works inside is told in `docs/src/design/link-room.md`, what goes over the wire in `docs/src/reference/link-wire.md`.

mod auth;
mod channel;
mod cursor;
mod endpoint;
mod envelope;
mod frame;
mod hub;
mod id;
mod json;
mod line;
mod link_error;
mod local;
mod operation;
mod rate;
mod recent;
mod record;
mod refusal;
mod rule;
mod store;
mod switchboard;
mod tenant;
mod tenant_link;
mod time;

pub use auth::{ApiKeys, AuthAdapter, AuthError, Claim, NoAuth, Secret};
pub use channel::{ChannelState, ChannelType, Labels};
pub use endpoint::LinkEndpoint;
pub use envelope::{Envelope, Priority};
pub use frame::{
    ErrorFrame, Frame, FrameError, Hello, Notify, Receipt, ReceiptStatus, Request, Response, Welcome,
};
pub use hub::{AgentInfo, Exposed, Hub};
pub use id::{Id, IdSource, InvalidId};
pub use json::{FieldError, InvalidJson, MAX_DEPTH, MAX_FIELDS, Payload};
pub use link_error::{LinkError, LinkPingError, NextFrameError, SendFrameError};
pub use local::LocalLink;
pub use operation::{CreateChannel, ListAgents, Operation, Register};
pub use record::{AuthBlock, CostProfile, ObservedStat, Passport, PassportKind, Resume, ResumeExample};
pub use refusal::{ErrorCode, Refusal};
pub use rule::{Access, ChannelTypes, Inbox, InvalidTtl, Limits, Overflow, Rate, Rule, Ttl, glob_matches};
pub use store::{Entry, MemoryStore, Store, StoreError};
pub use switchboard::{Effect, Farewell, HubConfig, HubLimits, HubStats, Outgoing, Switchboard};
pub use tenant::{
    Agent, Channel, ChannelInfo, Delivery, IntoTenantConfig, Invite, InvitePolicy, ManifestInfo,
    ParticipantInfo, PendingTurn, Post, RequestError, ServeError, Since, Tenant, TenantConfig, TenantStats,
    connect_tenant, open_tenant,
};
pub use tenant_link::{IntoTenantLink, TenantLink, open_link};
pub use time::{InvalidTimestamp, Timestamp};
