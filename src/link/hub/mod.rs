//! The hub on its links: what a [`Switchboard`](super::Switchboard) decides is done here.
//!
//! ```text
//!   link ──▶ Attachment: reads ──▶ Exchange ─ one lock ─▶ Switchboard
//!   link ◀── Attachment: writes ◀─ Outbox ◀─── effects, in order ──┘
//!                        one of them keeps the time for all
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `handle` | [`Hub`]: what a user holds |
//! | `exchange` | the switchboard under its lock, and what is told to whom once the lock is free |
//! | `attachment` | one link, from its first message to its close |
//! | `outbox` | what is on its way to one link |
//! | `assembly` | messages out of pieces, with a bound |
//! | `timekeeper` | the one timer |
//! | `contained` | adapters and stores that may panic |
//!
//! Rules:
//!
//! - The lock is held for one input. Under it nobody waits, nobody is woken, and no code of a user runs but that of auth
//!   adapters and the store.
//! - Effects are put into outboxes under the lock, so their order is the switchboard's. Whoever has to write is woken after
//!   all messages that a link had for us have been dealt with: so the answers of one turn leave in one write.
//! - Each link is served by the future that attached it, and by no other task. When that is dropped, by whatever way, the
//!   switchboard forgets the link, and the peer is told.
//! - A link that does not read costs its window and no more: it is not read from either, and after a while it is closed.

mod assembly;
mod attachment;
mod contained;
mod exchange;
mod handle;
mod outbox;
mod timekeeper;

pub(super) use contained::{Contained, Fuse};
pub use handle::{AgentInfo, Exposed, Hub};
