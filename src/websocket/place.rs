//! A place in one of a connection's queues, held by a future and given up on drop.

use super::{engine::Engine, shared::Shared};
use crate::runtime::turns::{Ticket, Turns};

/// For queues in which nobody is owed anything by who leaves.
pub(super) struct Place<'a> {
    shared: &'a Shared,
    queue: fn(&mut Engine) -> &mut Turns,
    pub(super) ticket: Option<Ticket>,
}

impl<'a> Place<'a> {
    pub(super) fn new(shared: &'a Shared, queue: fn(&mut Engine) -> &mut Turns) -> Self {
        Self { shared, queue, ticket: None }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.shared.with(|engine, after| (self.queue)(engine).leave(&mut self.ticket, after));
        }
    }
}
