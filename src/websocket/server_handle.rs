//! The handle of a server, with which it is spoken to while it runs.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::Waker,
};

use super::{Endpoint, WebSocketConnection, broadcast, serve::Serving};
use crate::{
    proto::Message,
    runtime::sync::{lock, poll_locked},
};

/// Speaks to a running server: lists, broadcasts, stops. Cheap to clone.
///
/// ```
/// use wscope::{Accept, Error, ServerHandle, nursery, open_websocket, serve_websocket};
///
/// /// Tells everybody; gives how many could not be told at once.
/// fn announce(server: &ServerHandle, what: &str) -> usize {
///     server.broadcast(what).len()
/// }
///
/// # fn main() -> Result<(), Error> {
/// wscope::run(nursery(async |n| {
///     let server = n
///         .start_service_with(async |status| {
///             let greet = async |request: wscope::WebSocketRequest| {
///                 let ws = request.accept(Accept::new()).await?;
///                 ws.send_message("welcome").await?;
///                 while ws.next_message().await?.is_some() {}
///                 Ok(())
///             };
///             serve_websocket("127.0.0.1:0", greet, status).await
///         })
///         .await?;
///     open_websocket(format!("ws://127.0.0.1:{}/", server.port()), async |ws| {
///         assert_eq!(ws.get_message().await?.as_text(), Some("welcome"));
///         assert_eq!(announce(&server, "closing at ten"), 0);
///         assert_eq!(ws.get_message().await?.as_text(), Some("closing at ten"));
///         server.stop();
///         assert_eq!(ws.next_message().await?, None); // 1001
///         Ok(())
///     })
///     .await
/// }))
/// # }
/// ```
#[derive(Clone)]
pub struct ServerHandle(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    endpoints: Vec<Endpoint>,
    serving: Option<Arc<Serving>>,
    stopped: bool,
    waiting: Option<Waker>,
}

impl ServerHandle {
    /// Of a server that listens nowhere yet.
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Port of the first TCP listener; 0 where there is none.
    #[must_use]
    pub fn port(&self) -> u16 {
        lock(&self.0).endpoints.iter().find_map(Endpoint::port).unwrap_or(0)
    }

    /// Where the server listens.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        lock(&self.0).endpoints.clone()
    }

    /// The live connections.
    #[must_use]
    pub fn connections(&self) -> Vec<WebSocketConnection> {
        let serving = lock(&self.0).serving.clone();
        serving.map_or_else(Vec::new, |serving| serving.live.connections())
    }

    /// Sends `message` to all live connections that have room for it, and returns those that have not. See [`broadcast()`].
    pub fn broadcast(&self, message: impl Into<Message>) -> Vec<WebSocketConnection> {
        let connections = self.connections();
        broadcast(&connections, message).into_iter().cloned().collect()
    }

    /// Stops the server gracefully: new requests are answered 503, connections are closed with 1001, handlers have the
    /// [`stop_timeout`](super::ServerConfig::stop_timeout) to come to an end, and are cancelled then. [`run`](super::WebSocketServer::run) returns.
    pub fn stop(&self) {
        let waiting = {
            let mut state = lock(&self.0);
            state.stopped = true;
            state.waiting.take()
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether both speak to the same server.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn listens_at(&self, endpoint: Endpoint) {
        lock(&self.0).endpoints.push(endpoint);
    }

    pub(super) fn opened(&self, serving: Arc<Serving>) -> Open<'_> {
        lock(&self.0).serving = Some(serving);
        Open(self)
    }

    pub(super) async fn stopped(&self) {
        let stopped = |state: &mut State| state.stopped.then_some(());
        poll_fn(|cx| poll_locked(&self.0, cx, stopped, |state| &mut state.waiting)).await;
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("endpoints", &self.endpoints()).finish_non_exhaustive()
    }
}

/// While it is there, handles find what is served; afterwards they keep nothing of it alive.
pub(super) struct Open<'a>(&'a ServerHandle);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let serving = lock(&self.0.0).serving.take();
        drop(serving);
    }
}
