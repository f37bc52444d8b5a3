//! Pings that wait for their own pong (RFC 6455 §5.5.2).

use std::{future::poll_fn, task::Poll, time::Duration};

use super::{ConnectionClosed, ConnectionConfig, pings::PingId, send, shared::Shared};
use crate::{
    proto::{ControlTooLong, Ping, Pong},
    runtime::now,
    scope::fail_after,
};

/// Why a ping has no round trip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PingError {
    /// The payload does not fit into a control frame. Nothing was sent.
    #[error(transparent)]
    TooLong(#[from] ControlTooLong),
    /// A ping with this payload is in flight, and their pongs could not be told apart. Nothing was sent.
    #[error("no ping sent to {peer}: one with this payload waits for its pong")]
    InFlight {
        /// As [`ConnectionClosed::peer`].
        peer: String,
    },
    /// Too many pings are in flight. Nothing was sent.
    #[error("no ping sent to {peer}: {limit} wait for their pongs, which is the limit")]
    TooMany {
        /// As [`ConnectionClosed::peer`].
        peer: String,
        /// How many there may be.
        limit: usize,
    },
    /// The pong did not come in time.
    #[error("{peer} sent no pong within {limit:?} (ping_timeout)")]
    TimedOut {
        /// As [`ConnectionClosed::peer`].
        peer: String,
        /// The time it had.
        limit: Duration,
    },
    /// The connection is closed, or was before the pong came.
    #[error(transparent)]
    Closed(#[from] ConnectionClosed),
}

/// Sends a ping and waits for its pong.
pub(super) async fn ping(shared: &Shared, payload: Option<&[u8]>) -> Result<Duration, PingError> {
    fail_after(shared.config.ping_timeout, send_and_wait(shared, payload))
        .await
        .unwrap_or_else(|slow| Err(PingError::TimedOut { peer: shared.facts.peer(), limit: slow.limit }))
}

/// Sends a pong that nobody asked for.
pub(super) async fn pong(shared: &Shared, payload: &[u8]) -> Result<(), PingError> {
    let pong = Pong::new(payload)?;
    wait_for_room(shared).await?;
    shared.work(|engine, after| match engine.closed() {
        Some(closed) => Err(closed.into()),
        None => engine.send_control(pong, after).map_err(|_| engine.refuse(after).into()),
    })
}

async fn send_and_wait(shared: &Shared, payload: Option<&[u8]>) -> Result<Duration, PingError> {
    let given = payload.map(Ping::new).transpose()?;
    wait_for_room(shared).await?;
    let mut waiting = Waiting { shared, id: None };
    let mut given = Some(given);
    poll_fn(|cx| {
        shared.work(|engine, after| {
            if let Some(given) = given.take() {
                if let Some(closed) = engine.closed() {
                    return Poll::Ready(Err(closed.into()));
                }
                let limit = ConnectionConfig::MAX_PINGS_IN_FLIGHT;
                if !engine.pings.make_room(limit) {
                    return Poll::Ready(Err(PingError::TooMany { peer: shared.facts.peer(), limit }));
                }
                let ping = match given {
                    Some(ping) if engine.pings.contains(ping.payload()) => {
                        return Poll::Ready(Err(PingError::InFlight { peer: shared.facts.peer() }));
                    }
                    Some(ping) => ping,
                    None => Ping::new(&engine.ping_payload())?,
                };
                // Before it leaves: whoever is set aside within the write would else find the pong there already.
                let sent = now();
                if engine.send_control(ping.clone(), after).is_err() {
                    return Poll::Ready(Err(engine.refuse(after).into()));
                }
                engine.stats.pings_sent += 1;
                waiting.id = Some(engine.pings.push(ping, sent, Some(cx.waker().clone())));
            }
            let Some(id) = waiting.id else { return Poll::Pending };
            let (round_trip, replaced) = engine.pings.poll(id, cx.waker());
            after.drop_waker(replaced);
            match (round_trip, engine.closed()) {
                (Some(round_trip), _) => Poll::Ready(Ok(round_trip)),
                (None, Some(closed)) => Poll::Ready(Err(closed.into())),
                (None, None) => Poll::Pending,
            }
        })
    })
    .await
}

/// Control frames go ahead of data and do not wait for it; but a queue beyond its mark takes none, or it would have no bound.
async fn wait_for_room(shared: &Shared) -> Result<(), ConnectionClosed> {
    let room = shared.work(|engine, after| {
        if !engine.has_room() {
            engine.flush(after);
        }
        engine.has_room() || engine.is_closing()
    });
    if room { Ok(()) } else { send::flush(shared).await }
}

/// A ping in flight, forgotten on drop: its payload may be used again, and a late pong is nobody's.
struct Waiting<'a> {
    shared: &'a Shared,
    id: Option<PingId>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let waker = self.shared.with(|engine, _| engine.pings.remove(id));
            drop(waker);
        }
    }
}
