//! What the operator of a hub can count.

/// What a hub has done, and what it holds: what [`Hub::stats`](crate::link::Hub::stats) gives.
///
/// ```
/// use wscope::link::Hub;
///
/// let stats = Hub::builder().build().stats();
/// assert_eq!((stats.endpoints, stats.agents, stats.posted), (0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubStats {
    /// Connections now.
    pub endpoints: usize,
    /// Agents now.
    pub agents: usize,
    /// Agents that are bound to a connection now.
    pub online: usize,
    /// Channels now, closed ones that can still be read included.
    pub channels: usize,
    /// Envelopes taken from tenants.
    pub posted: u64,
    /// Deliveries put on the wire.
    pub notified: u64,
    /// Deliveries acknowledged.
    pub acked: u64,
    /// Deliveries that a tenant could not deal with.
    pub nacked: u64,
    /// Deliveries given up: their time was over, or an inbox full.
    pub given_up: u64,
    /// Requests refused, and hellos whose name was unknown or whose claim was refused.
    pub refused: u64,
    /// Frames that could not be read.
    pub unreadable: u64,
    /// Turns at which an agent says it failed.
    pub failed_turns: u64,
}
