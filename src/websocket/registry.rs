//! The live connections of a server.

use std::{
    collections::HashMap,
    sync::{Mutex, Weak},
};

use super::{ConnectionId, WebSocketConnection, connection::Handle};
use crate::{proto::CloseCode, runtime::sync::lock};

/// It keeps none alive: the last handle of a user is still the last.
#[derive(Default)]
pub(super) struct Registry {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: HashMap<ConnectionId, Weak<Handle>>,
    /// All have been sent away, and so is who comes now.
    leaving: bool,
}

impl Registry {
    pub(super) fn insert(&self, ws: &WebSocketConnection) {
        let leaving = {
            let mut state = lock(&self.state);
            state.live.insert(ws.id(), ws.downgrade());
            state.leaving
        };
        if leaving {
            ws.close(CloseCode::GOING_AWAY);
        }
    }

    pub(super) fn remove(&self, id: ConnectionId) {
        lock(&self.state).live.remove(&id);
    }

    /// Whether all have been sent away.
    pub(super) fn is_leaving(&self) -> bool {
        lock(&self.state).leaving
    }

    /// Closes all with 1001, and all that will come.
    pub(super) fn leave(&self) {
        lock(&self.state).leaving = true;
        for ws in self.connections() {
            ws.close(CloseCode::GOING_AWAY);
        }
    }

    /// Those that are open and that somebody has a handle of.
    pub(super) fn connections(&self) -> Vec<WebSocketConnection> {
        let mut connections: Vec<_> =
            lock(&self.state).live.values().filter_map(WebSocketConnection::upgrade).collect();
        connections.retain(|ws| ws.closed().is_none());
        connections
    }
}
