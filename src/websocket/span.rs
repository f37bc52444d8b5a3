//! Under what name a connection is found in logs: a `tracing` span `connection` with the fields `id` and `remote`, in which its handler,
//! or the body of its scope, is polled. Nothing of it is there without the feature `tracing`.

use super::{ConnectionClosed, shared::Facts};

#[cfg(feature = "tracing")]
pub(super) struct Span(tracing::Span);

#[cfg(feature = "tracing")]
impl Span {
    /// Of a connection that has just been opened.
    pub(super) fn opened(facts: &Facts) -> Self {
        let span = tracing::info_span!("connection", id = %facts.id, remote = %facts.remote);
        tracing::debug!(parent: &span, "opened");
        Self(span)
    }

    pub(super) fn within<R>(&self, act: impl FnOnce() -> R) -> R {
        self.0.in_scope(act)
    }

    pub(super) fn closed(&self, closed: &ConnectionClosed) {
        tracing::debug!(parent: &self.0, "{closed}");
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) struct Span;

#[cfg(not(feature = "tracing"))]
impl Span {
    pub(super) fn opened(_: &Facts) -> Self {
        Self
    }

    pub(super) fn within<R>(&self, act: impl FnOnce() -> R) -> R {
        act()
    }

    pub(super) fn closed(&self, _: &ConnectionClosed) {}
}
