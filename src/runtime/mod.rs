//! The seam to the world that runs us: an executor, a clock and timers; sockets, TLS and the names of hosts.
//!
//! ```text
//!   scope, websocket, …                 name only what stands here
//!        │
//!   Ambient { sink, runtime }           what a nursery makes current while it, or a child of it, is polled
//!        │          │
//!      Sink      Runtime ──▶ Executor   spawn, unblock
//!                      └───▶ Clock      now, alarms (what a Timer is made of)
//!
//!   Listener ──accept──▶ Transport ◀──connect── Tcp, Unix
//!                          │  └─ Tls ─ read-ahead ─ Transport below
//!                          └──── Socket: one read for what one read can bring
//! ```
//!
//! Rules:
//!
//! - This is the only folder that names `async_std`, `async_io`, `Instant::now` or a sleep.
//! - No runtime is chosen by a Cargo feature. Which one is in force is ambient: the nursery at the root brings it, every
//!   nursery below inherits it, and children on the pool carry it along. So a test brings a virtual clock, and two runtimes can
//!   live in one process.
//! - Without a nursery, async-std and the system's clock are in force.
//! - Sockets stand on async-io's reactor, under every runtime. It wakes, and owns nothing: who drops a transport has closed it.
//!
//! What it never does: own a task. Whoever spawns decides when the task ends ([`scope`](crate::scope) does, and nobody else).

mod address;
mod ambient;
mod async_std;
mod bell;
mod clock;
mod executor;
mod listener;
#[cfg(feature = "tls")]
mod read_ahead;
mod resolve;
mod sink;
mod socket;
pub(crate) mod sync;
mod tcp;
mod timer;
#[cfg(feature = "tls")]
pub(crate) mod tls;
mod transport;
pub(crate) mod turns;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_listener;

pub use self::async_std::block_on;
pub(crate) use address::Address;
pub(crate) use ambient::{Ambient, Surrounded, current, enter};
pub use clock::{Alarm, Clock, now, unix_time};
pub(crate) use executor::{BoxFuture, Work};
pub use executor::{Executor, Runtime, Task};
pub(crate) use listener::Listener;
pub(crate) use resolve::resolve;
pub(crate) use sink::{Adoption, Sink};
pub(crate) use tcp::Tcp;
pub use timer::{Timer, sleep, sleep_until};
pub(crate) use transport::Transport;
#[cfg(unix)]
pub(crate) use unix::Unix;
#[cfg(unix)]
pub(crate) use unix_listener::UnixListener;
