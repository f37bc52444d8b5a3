//! How far a tenant's link has come.
//!
//! ```text
//!   new ──open──▶ opening ──▶ open ──▶ closed, by either side, with a code and a reason that are kept
//!          ▲         │
//!          └─────────┘ it failed, or was dropped
//! ```

use std::{
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Waker},
};

use super::{endpoint::LinkEndpoint, link_error::LinkError};
use crate::{
    runtime::sync::lock,
    websocket::{CloseCode, WebSocketConnection},
};

/// One for all clones of a link.
#[derive(Clone)]
pub(super) struct Line(Arc<Mutex<Stage>>);

enum Stage {
    Unopened,
    /// Within the process: connected from the beginning, and not opened yet.
    Prepared(LinkEndpoint),
    Opening,
    Open(Arc<Wire>),
}

impl Line {
    pub(super) fn unopened() -> Self {
        Self(Arc::new(Mutex::new(Stage::Unopened)))
    }

    pub(super) fn prepared(endpoint: LinkEndpoint) -> Self {
        Self(Arc::new(Mutex::new(Stage::Prepared(endpoint))))
    }

    /// Takes the right to open the link, and what is connected already.
    pub(super) fn begin(&self) -> Result<(Opening, Option<LinkEndpoint>), LinkError> {
        let mut stage = lock(&self.0);
        let prepared = match std::mem::replace(&mut *stage, Stage::Opening) {
            Stage::Unopened => None,
            Stage::Prepared(endpoint) => Some(endpoint),
            opened @ (Stage::Opening | Stage::Open(_)) => {
                *stage = opened;
                return Err(LinkError::AlreadyOpened);
            }
        };
        Ok((Opening(self.clone()), prepared))
    }

    /// `None` before the link is open.
    pub(super) fn wire(&self) -> Option<Arc<Wire>> {
        match &*lock(&self.0) {
            Stage::Open(wire) => Some(wire.clone()),
            Stage::Unopened | Stage::Prepared(_) | Stage::Opening => None,
        }
    }
}

/// The right to open a link, given back when that comes to nothing.
pub(super) struct Opening(Line);

impl Opening {
    pub(super) fn done(self, wire: Arc<Wire>) {
        *lock(&self.0.0) = Stage::Open(wire);
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let mut stage = lock(&self.0.0);
        if let Stage::Opening = *stage {
            *stage = Stage::Unopened;
        }
    }
}

/// What an open link is made of. It stays when the link is closed, and then says how.
pub(super) struct Wire {
    pub(super) endpoint: LinkEndpoint,
    /// `None` within the process.
    pub(super) ws: Option<WebSocketConnection>,
    /// What the first welcome said.
    pub(super) endpoint_id: OnceLock<String>,
}

impl Wire {
    pub(super) fn websocket(ws: WebSocketConnection) -> Arc<Self> {
        Arc::new(Self { endpoint: ws.clone().into(), ws: Some(ws), endpoint_id: OnceLock::new() })
    }

    pub(super) fn local(endpoint: LinkEndpoint) -> Arc<Self> {
        Arc::new(Self { endpoint, ws: None, endpoint_id: OnceLock::new() })
    }
}

/// Closes a link within the process when its scope is left; one that is closed stays as it is.
pub(super) struct Hangup(pub(super) Arc<Wire>);

impl Drop for Hangup {
    fn drop(&mut self) {
        let code = if std::thread::panicking() { CloseCode::INTERNAL_ERROR } else { CloseCode::GOING_AWAY };
        // One poll closes it; there is nobody who could wait for more.
        let closing = std::pin::pin!(self.0.endpoint.close(code));
        let _closed = closing.poll(&mut Context::from_waker(Waker::noop()));
    }
}
