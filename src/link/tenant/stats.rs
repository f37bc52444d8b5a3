//! What a tenant has done, and what it holds.

/// A snapshot by [`Tenant::stats`](super::Tenant::stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantStats {
    /// Agents on the link.
    pub agents: usize,
    /// Requests that wait for their answer, hellos included.
    pub waiting: usize,
    /// Answers that came when nobody waited for them any more.
    pub late: u64,
    /// Deliveries that came.
    pub notified: u64,
    /// Of them, those that were handled before, or were waiting already.
    pub duplicates: u64,
    /// Deliveries for which there was no room; the hub was asked, or will be, for each of them again.
    pub put_down: u64,
    /// Deliveries for an agent that is not on the link. They stay owed.
    pub unattributed: u64,
    /// Bytes of deliveries that wait for a handler, or are being handled.
    pub queued: usize,
    /// Messages that were no frame.
    pub unreadable: u64,
    /// Errors of the hub that answered no hello; [`Tenant::last_error`](super::Tenant::last_error) has the last of them.
    pub errors: u64,
}
