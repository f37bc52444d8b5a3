//! How much of everything a hub takes.

use std::time::Duration;

use crate::link::rule::Rate;
#[cfg(doc)]
use crate::link::store::MemoryStore;

/// How much of everything a hub takes. What is over a limit is refused with a code; nothing else suffers from it.
///
/// ```
/// use std::time::Duration;
/// use wscope::link::{Hub, HubLimits};
///
/// let limits = HubLimits::new().max_agents(1_000).bind_timeout(Duration::from_secs(2));
/// let hub = Hub::builder().limits(limits).build();
/// # let _ = hub;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubLimits {
    /// Bytes in one message, either way. Default [`MAX_MESSAGE_SIZE`](Self::MAX_MESSAGE_SIZE).
    pub max_message_size: usize,
    /// Bytes in one message of a connection that holds no agent. Default
    /// [`MAX_UNBOUND_MESSAGE_SIZE`](Self::MAX_UNBOUND_MESSAGE_SIZE).
    pub max_unbound_message_size: usize,
    /// How long a connection may take to hold an agent, before it is closed with 1008. Default
    /// [`BIND_TIMEOUT`](Self::BIND_TIMEOUT).
    pub bind_timeout: Duration,
    /// Refused claims on one connection, before it is closed with 1008. Default [`MAX_REFUSALS`](Self::MAX_REFUSALS).
    pub max_refusals: usize,
    /// Connections; one more is closed with 1013. Default [`MAX_ENDPOINTS`](Self::MAX_ENDPOINTS).
    pub max_endpoints: usize,
    /// Agents. Default [`MAX_AGENTS`](Self::MAX_AGENTS).
    pub max_agents: usize,
    /// Agents on one connection. Default [`MAX_AGENTS_PER_ENDPOINT`](Self::MAX_AGENTS_PER_ENDPOINT).
    pub max_agents_per_endpoint: usize,
    /// Bytes in each of a passport, a resume, a skill text and a rule, in JSON, for each agent. Default
    /// [`MAX_RECORD_SIZE`](Self::MAX_RECORD_SIZE).
    pub max_record_size: usize,
    /// Bytes in the records of all agents. Default [`MAX_RECORDS_SIZE`](Self::MAX_RECORDS_SIZE).
    pub max_records_size: usize,
    /// Channels that are not closed, of one agent. Default [`MAX_CHANNELS_PER_AGENT`](Self::MAX_CHANNELS_PER_AGENT).
    pub max_channels_per_agent: usize,
    /// Agents in one channel. Default [`MAX_PARTICIPANTS`](Self::MAX_PARTICIPANTS).
    pub max_participants: usize,
    /// Closed channels that can still be read; the oldest is forgotten first. Default
    /// [`MAX_CLOSED_CHANNELS`](Self::MAX_CLOSED_CHANNELS).
    pub max_closed_channels: usize,
    /// How often one agent may post, whatever its rule says. Default: no limit.
    pub rate: Rate,
    /// Bytes of envelopes that one agent has posted and that are still kept. Default [`MAX_POSTED_SIZE`](Self::MAX_POSTED_SIZE).
    pub max_posted_size: usize,
    /// Envelopes that wait for one agent, whatever its rule says. Default [`MAX_INBOX`](Self::MAX_INBOX).
    pub max_inbox: u64,
    /// How long the invited may take to join. Default [`JOIN_TIMEOUT`](Self::JOIN_TIMEOUT).
    pub join_timeout: Duration,
    /// Bytes on their way to one connection, beyond which deliveries wait in the log. Default [`WINDOW`](Self::WINDOW); at least one
    /// delivery is on its way, whatever it is.
    pub window: usize,
    /// Bytes on their way to one connection, answers included, beyond which it is closed with 1013. Default
    /// [`MAX_UNSENT_SIZE`](Self::MAX_UNSENT_SIZE).
    pub max_unsent_size: usize,
    /// How long a connection may take no byte of what waits for it, before it is closed with 1013. Default
    /// [`STALL_TIMEOUT`](Self::STALL_TIMEOUT).
    pub stall_timeout: Duration,
}

impl HubLimits {
    /// 1 MiB: AG2's tenants can receive no more, and would be cut off.
    pub const MAX_MESSAGE_SIZE: usize = 1 << 20;
    /// 64 KiB: a passport, a resume, a skill text and a rule of ordinary sizes.
    pub const MAX_UNBOUND_MESSAGE_SIZE: usize = 64 << 10;
    /// 10 s, as a handshake has.
    pub const BIND_TIMEOUT: Duration = Duration::from_secs(10);
    /// 5: somebody may mistype a key.
    pub const MAX_REFUSALS: usize = 5;
    /// 65,536: what a process may have open, mostly.
    pub const MAX_ENDPOINTS: usize = 65_536;
    /// 65,536: one for each connection.
    pub const MAX_AGENTS: usize = 65_536;
    /// 1,024: a program that holds a team.
    pub const MAX_AGENTS_PER_ENDPOINT: usize = 1_024;
    /// 64 KiB: a long skill text.
    pub const MAX_RECORD_SIZE: usize = 64 << 10;
    /// 256 MiB: 4 KiB for each of 65,536 agents.
    pub const MAX_RECORDS_SIZE: usize = 256 << 20;
    /// 1,024: more than anybody keeps open.
    pub const MAX_CHANNELS_PER_AGENT: usize = 1_024;
    /// 256: a large discussion.
    pub const MAX_PARTICIPANTS: usize = 256;
    /// 4,096: long enough to read how it ended.
    pub const MAX_CLOSED_CHANNELS: usize = 4_096;
    /// 128 MiB: an eighth of [`MemoryStore::MAX_BYTES`].
    pub const MAX_POSTED_SIZE: usize = 128 << 20;
    /// 65,536: a rule says 1,000 by default; this bounds those that say more.
    pub const MAX_INBOX: u64 = 65_536;
    /// 30 s, as AG2's.
    pub const JOIN_TIMEOUT: Duration = Duration::from_secs(30);
    /// 256 KiB: four times what a connection queues by itself, so that it never runs dry.
    pub const WINDOW: usize = 256 << 10;
    /// 8 MiB: answers come on top of the window, and what others cause on top of these.
    pub const MAX_UNSENT_SIZE: usize = 8 << 20;
    /// 20 s, as for a ping's pong.
    pub const STALL_TIMEOUT: Duration = Duration::from_secs(20);

    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            max_message_size: Self::MAX_MESSAGE_SIZE,
            max_unbound_message_size: Self::MAX_UNBOUND_MESSAGE_SIZE,
            bind_timeout: Self::BIND_TIMEOUT,
            max_refusals: Self::MAX_REFUSALS,
            max_endpoints: Self::MAX_ENDPOINTS,
            max_agents: Self::MAX_AGENTS,
            max_agents_per_endpoint: Self::MAX_AGENTS_PER_ENDPOINT,
            max_record_size: Self::MAX_RECORD_SIZE,
            max_records_size: Self::MAX_RECORDS_SIZE,
            max_channels_per_agent: Self::MAX_CHANNELS_PER_AGENT,
            max_participants: Self::MAX_PARTICIPANTS,
            max_closed_channels: Self::MAX_CLOSED_CHANNELS,
            rate: Rate::default(),
            max_posted_size: Self::MAX_POSTED_SIZE,
            max_inbox: Self::MAX_INBOX,
            join_timeout: Self::JOIN_TIMEOUT,
            window: Self::WINDOW,
            max_unsent_size: Self::MAX_UNSENT_SIZE,
            stall_timeout: Self::STALL_TIMEOUT,
        }
    }

    /// Sets [`max_message_size`](Self::max_message_size).
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Sets [`max_unbound_message_size`](Self::max_unbound_message_size).
    #[must_use]
    pub fn max_unbound_message_size(mut self, bytes: usize) -> Self {
        self.max_unbound_message_size = bytes;
        self
    }

    /// Sets [`bind_timeout`](Self::bind_timeout).
    #[must_use]
    pub fn bind_timeout(mut self, limit: Duration) -> Self {
        self.bind_timeout = limit;
        self
    }

    /// Sets [`max_refusals`](Self::max_refusals).
    #[must_use]
    pub fn max_refusals(mut self, claims: usize) -> Self {
        self.max_refusals = claims;
        self
    }

    /// Sets [`max_endpoints`](Self::max_endpoints).
    #[must_use]
    pub fn max_endpoints(mut self, connections: usize) -> Self {
        self.max_endpoints = connections;
        self
    }

    /// Sets [`max_agents`](Self::max_agents).
    #[must_use]
    pub fn max_agents(mut self, agents: usize) -> Self {
        self.max_agents = agents;
        self
    }

    /// Sets [`max_agents_per_endpoint`](Self::max_agents_per_endpoint).
    #[must_use]
    pub fn max_agents_per_endpoint(mut self, agents: usize) -> Self {
        self.max_agents_per_endpoint = agents;
        self
    }

    /// Sets [`max_record_size`](Self::max_record_size).
    #[must_use]
    pub fn max_record_size(mut self, bytes: usize) -> Self {
        self.max_record_size = bytes;
        self
    }

    /// Sets [`max_records_size`](Self::max_records_size).
    #[must_use]
    pub fn max_records_size(mut self, bytes: usize) -> Self {
        self.max_records_size = bytes;
        self
    }

    /// Sets [`max_channels_per_agent`](Self::max_channels_per_agent).
    #[must_use]
    pub fn max_channels_per_agent(mut self, channels: usize) -> Self {
        self.max_channels_per_agent = channels;
        self
    }

    /// Sets [`max_participants`](Self::max_participants).
    #[must_use]
    pub fn max_participants(mut self, agents: usize) -> Self {
        self.max_participants = agents;
        self
    }

    /// Sets [`max_closed_channels`](Self::max_closed_channels).
    #[must_use]
    pub fn max_closed_channels(mut self, channels: usize) -> Self {
        self.max_closed_channels = channels;
        self
    }

    /// Sets [`rate`](Self::rate).
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// Sets [`max_posted_size`](Self::max_posted_size).
    #[must_use]
    pub fn max_posted_size(mut self, bytes: usize) -> Self {
        self.max_posted_size = bytes;
        self
    }

    /// Sets [`max_inbox`](Self::max_inbox).
    #[must_use]
    pub fn max_inbox(mut self, envelopes: u64) -> Self {
        self.max_inbox = envelopes;
        self
    }

    /// Sets [`join_timeout`](Self::join_timeout).
    #[must_use]
    pub fn join_timeout(mut self, limit: Duration) -> Self {
        self.join_timeout = limit;
        self
    }

    /// Sets [`window`](Self::window).
    #[must_use]
    pub fn window(mut self, bytes: usize) -> Self {
        self.window = bytes;
        self
    }

    /// Sets [`max_unsent_size`](Self::max_unsent_size).
    #[must_use]
    pub fn max_unsent_size(mut self, bytes: usize) -> Self {
        self.max_unsent_size = bytes;
        self
    }

    /// Sets [`stall_timeout`](Self::stall_timeout).
    #[must_use]
    pub fn stall_timeout(mut self, limit: Duration) -> Self {
        self.stall_timeout = limit;
        self
    }
}

impl Default for HubLimits {
    fn default() -> Self {
        Self::new()
    }
}
