//! The live connections of a server.

use std::{
    collections::HashMap,
    sync::{Mutex, Weak},
};

use super::{ConnectionId, WebSocketConnection, connection::Handle};
use crate::runtime::sync::lock;

/// It keeps none alive: the last handle of a user is still the last.
#[derive(Default)]
pub(super) struct Registry {
    live: Mutex<HashMap<ConnectionId, Weak<Handle>>>,
}

impl Registry {
    pub(super) fn insert(&self, ws: &WebSocketConnection) {
        lock(&self.live).insert(ws.id(), ws.downgrade());
    }

    pub(super) fn remove(&self, id: ConnectionId) {
        lock(&self.live).remove(&id);
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.live).len()
    }

    /// Those that somebody has a handle of.
    pub(super) fn connections(&self) -> Vec<WebSocketConnection> {
        let live = lock(&self.live);
        live.values().filter_map(WebSocketConnection::upgrade).collect()
    }
}
