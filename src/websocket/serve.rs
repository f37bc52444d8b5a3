//! One connection of a server, from its first byte to its last: request, handler, close. Nothing that goes wrong here leaves here.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{StatusCode, header::ORIGIN};
use pin_project_lite::pin_project;

use super::{
    BoxError, Endpoint, ServerConfig, WebSocketRequest,
    driver::Driver,
    opening::{self, RequestFailed},
    registry::Registry,
    request::refuse_request,
    seats::{Seat, Seats},
    slot::{Owner, Slot},
};
use crate::{
    proto::{CloseCode, RequestError, RequestReader},
    runtime::{Timer, Transport, now},
};

/// What the connections of a server share.
pub(super) struct Serving {
    pub(super) config: ServerConfig,
    pub(super) live: Arc<Registry>,
    /// Of clients whose request is not complete.
    handshakes: Arc<Seats>,
    /// Of all others, from the request on: who waits for a decision may be let in.
    pub(super) connections: Arc<Seats>,
}

/// What went wrong with one connection of a server, and has harmed no other.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A handler returned an error; its connection was closed with 1011.
    #[error("the handler of {} failed: {error}", remote.client())]
    Handler {
        /// The client.
        remote: Endpoint,
        /// What it returned.
        #[source]
        error: BoxError,
    },
    /// A handler panicked; its connection was closed with 1011. The panic hook has said more.
    #[error("the handler of {} panicked", remote.client())]
    Panicked {
        /// The client.
        remote: Endpoint,
    },
    /// A handler neither accepted nor rejected in time; it was cancelled, and the client answered 503.
    #[error("the handler of {} neither accepted nor rejected within {limit:?} (decision_timeout)", remote.client())]
    DecisionTimeout {
        /// The client.
        remote: Endpoint,
        /// The time it had.
        limit: Duration,
    },
    /// What a client sent was no opening handshake; it was told so.
    #[error("{} sent no opening handshake: {error}", remote.client())]
    Request {
        /// The client.
        remote: Endpoint,
        /// What was wrong with it.
        #[source]
        error: RequestError,
    },
    /// The TLS handshake failed.
    #[cfg(feature = "tls")]
    #[error("no TLS with {}: {error}", remote.client())]
    Tls {
        /// The client.
        remote: Endpoint,
        /// What was wrong with it.
        #[source]
        error: super::TlsError,
    },
    /// No connection could be accepted: the process may be out of files. The server tries again, ever more seldom.
    #[error("no connection could be accepted: {0}")]
    Listen(std::io::Error),
}

impl Serving {
    pub(super) fn new(config: ServerConfig) -> Self {
        Self { config, live: Arc::default(), handshakes: Arc::default(), connections: Arc::default() }
    }

    /// A seat for one more handshake, if one is left.
    pub(super) fn seat(&self) -> Option<Seat> {
        self.handshakes.take(self.config.max_handshakes)
    }

    /// Serves one connection.
    ///
    /// What it takes to be asked is in a box, made here and gone when a connection is open: what is given to an asynchronous function
    /// stays in its future to the end.
    pub(super) fn serve<H, F>(
        self: Arc<Self>,
        transport: Transport,
        tls: Tls,
        handshake: Seat,
        handler: Arc<H>,
    ) -> impl Future<Output = ()>
    where
        H: Fn(WebSocketRequest) -> F,
        F: Future<Output = Result<(), BoxError>>,
    {
        let mut remote = Endpoint::remote(&transport);
        let slot = Arc::new(Slot::new(self.live.clone()));
        let asking = Box::pin(self.clone().request(transport, tls, slot.clone()));
        async move {
            let serving = AssertUnwindSafe(self.try_serve(&mut remote, asking, slot, handshake, handler));
            let error = match futures::FutureExt::catch_unwind(serving).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(_panic) => ServerError::Panicked { remote },
            };
            self.config.report(&error);
        }
    }

    async fn try_serve<H, F>(
        &self,
        remote: &mut Endpoint,
        asking: Pin<Box<impl Future<Output = Result<Option<(WebSocketRequest, Seat)>, ServerError>>>>,
        slot: Arc<Slot>,
        handshake: Seat,
        handler: Arc<H>,
    ) -> Result<(), ServerError>
    where
        H: Fn(WebSocketRequest) -> F,
        F: Future<Output = Result<(), BoxError>>,
    {
        let Some((request, _connection)) = asking.await? else { return Ok(()) };
        drop(handshake);
        remote.clone_from(request.remote()); // that knows of TLS
        let limit = self.config.decision_timeout;
        let (outcome, driver) = Served::new(slot, limit, || handler(request)).await;
        let remote = remote.clone();
        let (code, error) = match outcome {
            Outcome::Returned(Ok(())) => (CloseCode::NORMAL_CLOSURE, None),
            Outcome::Returned(Err(error)) => {
                (CloseCode::INTERNAL_ERROR, Some(ServerError::Handler { remote, error }))
            }
            Outcome::Panicked => (CloseCode::INTERNAL_ERROR, Some(ServerError::Panicked { remote })),
            Outcome::Late(limit) => {
                (CloseCode::INTERNAL_ERROR, Some(ServerError::DecisionTimeout { remote, limit }))
            }
        };
        if let Some(driver) = driver {
            driver.close(code).await;
        }
        error.map_or(Ok(()), Err)
    }

    /// The request, if there is one to be asked about.
    async fn request(
        self: Arc<Self>,
        transport: Transport,
        tls: Tls,
        slot: Arc<Slot>,
    ) -> Result<Option<(WebSocketRequest, Seat)>, ServerError> {
        let remote = Endpoint::remote(&transport);
        let deadline = self.config.handshake_timeout.and_then(|limit| now().checked_add(limit));
        let Some(encrypted) = before(deadline, encrypt(transport, tls)).await else { return Ok(None) };
        let mut transport = encrypted?;
        let (mut reader, mut out) = (RequestReader::new(self.config.handshake), Vec::new());
        let read = before(deadline, opening::read_request(&mut transport, &mut reader, &mut out)).await;
        let read = match read {
            Some(read) => read,
            None => match reader.time_out(&mut out) {
                Ok(()) => return Ok(None),
                Err(error) => Err(error.into()),
            },
        };
        let (handshake, early) = match read {
            Ok(request) => request,
            Err(RequestFailed::Network(_)) => return Ok(None), // who comes and goes has asked for nothing
            Err(RequestFailed::Request(error)) => {
                if out.is_empty() {
                    return Ok(None);
                }
                opening::turn_away(transport, out).await;
                return Err(ServerError::Request { remote, error });
            }
        };
        let request = handshake.request();
        let allowed = self.config.origin.allows(request.headers().get_all(ORIGIN).iter(), request.host());
        // First the seat, then the look: a server that stops waits for this request, or is seen here to stop.
        let seat = self.connections.take(self.config.max_connections.unwrap_or(usize::MAX));
        let seat = seat.filter(|_| !self.live.is_leaving());
        let status = match seat {
            Some(seat) if allowed => {
                return Ok(Some((
                    WebSocketRequest::new(transport, handshake, early, &self.config, slot),
                    seat,
                )));
            }
            Some(_) => StatusCode::FORBIDDEN,
            None => StatusCode::SERVICE_UNAVAILABLE,
        };
        refuse_request(transport, handshake, status).await;
        Ok(None)
    }
}

#[cfg(feature = "tls")]
pub(super) type Tls = Option<Arc<super::TlsServerConfig>>;
/// Without the feature nobody speaks TLS.
#[cfg(not(feature = "tls"))]
#[derive(Clone, Default)]
pub(super) struct Tls {}

#[cfg(feature = "tls")]
async fn encrypt(transport: Transport, tls: Tls) -> Result<Transport, ServerError> {
    let remote = Endpoint::remote(&transport);
    match tls {
        Some(config) => {
            super::tls::accept(&config, transport).await.map_err(|error| ServerError::Tls { remote, error })
        }
        None => Ok(transport),
    }
}

#[cfg(not(feature = "tls"))]
async fn encrypt(transport: Transport, _: Tls) -> Result<Transport, ServerError> {
    Ok(transport)
}

async fn before<T>(deadline: Option<std::time::Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => crate::scope::move_on_at(deadline, future).await,
        None => Some(future.await),
    }
}

pin_project! {
    /// A handler, and the driver of the connection that it accepts.
    struct Served<F> {
        #[pin]
        handler: Option<F>,
        driver: Option<Driver>,
        owner: Owner,
        limit: Option<Duration>,
        // Only until there is a decision, so in a box.
        timer: Option<Box<Timer>>,
    }
}

enum Outcome {
    Returned(Result<(), BoxError>),
    Panicked,
    Late(Duration),
}

impl<F: Future<Output = Result<(), BoxError>>> Served<F> {
    fn new(slot: Arc<Slot>, limit: Option<Duration>, handler: impl FnOnce() -> F) -> Self {
        let owner = Owner(slot);
        let timer = limit.and_then(|limit| now().checked_add(limit)).map(|at| Box::new(Timer::at(at)));
        Self { handler: Some(handler()), driver: None, owner, limit, timer }
    }
}

impl<F: Future<Output = Result<(), BoxError>>> Future for Served<F> {
    type Output = (Outcome, Option<Driver>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let handler = this.handler.as_mut().as_pin_mut();
        let poll =
            || catch_unwind(AssertUnwindSafe(|| handler.map_or(Poll::Pending, |handler| handler.poll(cx))));
        let polled = match &this.driver {
            Some(driver) => {
                driver.shared().begin_turn();
                driver.shared().span.within(poll)
            }
            None => poll(),
        };
        let mut undecided = false;
        if this.driver.is_none() {
            match this.owner.0.poll_driver(cx) {
                Poll::Ready(Some(driver)) => *this.driver = Some(driver),
                Poll::Ready(None) => {}
                Poll::Pending => undecided = true,
            }
        }
        let outcome = match polled {
            Ok(Poll::Ready(returned)) => Outcome::Returned(returned),
            Err(_panic) => Outcome::Panicked,
            Ok(Poll::Pending) => {
                if let Some(driver) = this.driver {
                    driver.keep_on(cx);
                }
                let late = undecided && this.timer.as_mut().is_some_and(|timer| timer.poll(cx).is_ready());
                match *this.limit {
                    Some(limit) if late && this.owner.0.expire() => Outcome::Late(limit),
                    Some(_) | None => {
                        if !undecided || late {
                            *this.timer = None;
                        }
                        return Poll::Pending;
                    }
                }
            }
        };
        this.handler.set(None); // an unanswered request in it answers now
        Poll::Ready((outcome, this.driver.take()))
    }
}
