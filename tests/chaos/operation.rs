//! What is done to a connection while the network has its fault, and how it may end.

use std::{fmt, net::TcpListener, time::Duration};

use async_io::Async;
use futures::{StreamExt, channel::mpsc};
use wscope::{
    Accept, ClientConfig, CloseCode, ConnectionClosed, ConnectionConfig, Error, Nursery, ServerConfig,
    WebSocketConnection, WebSocketRequest, WebSocketServer, connect_websocket, move_on_after, nursery,
    proto::{ProtocolError, Role},
    scope::Join,
    websocket::{CloseCause, HandshakeError, PingError},
    wrap_server_stream,
};

use crate::proxy::{Fault, Proxy, Random};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Connect,
    Idle,
    Send,
    Receive,
    Ping,
    Close,
}

impl Operation {
    pub(crate) const ALL: [Self; 6] =
        [Self::Connect, Self::Idle, Self::Send, Self::Receive, Self::Ping, Self::Close];
}

impl Fault {
    /// Whether all bytes arrive as they were sent.
    fn is_harmless(self) -> bool {
        matches!(self, Self::Cut | Self::Merge | Self::Delay)
    }
}

/// How an operation ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// As it should.
    Done,
    /// No connection.
    Handshake(HandshakeError),
    /// The connection is closed, or closing.
    Closed(ConnectionClosed),
    /// No pong.
    Ping(PingError),
    /// No answer to the close frame.
    Unanswered,
}

/// One operation, by the end in the role `role`, under one fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) fault: Fault,
    pub(crate) operation: Operation,
    pub(crate) role: Role,
}

impl Cell {
    /// A fault that hides nothing changes nothing; and who hears nothing any more does not call it a success.
    pub(crate) fn may_end_with(self, outcome: &Outcome) -> bool {
        let done = matches!(outcome, Outcome::Done);
        let silence = matches!(self.fault, Fault::StallToServer | Fault::StallToClient | Fault::BlackHole);
        match self.operation {
            _ if self.fault.is_harmless() => done,
            Operation::Idle | Operation::Ping if silence => !done,
            Operation::Close if self.fault == Fault::BlackHole => !done,
            _ => true,
        }
    }

    pub(crate) async fn run(self, seed: u64) -> Result<Outcome, Error> {
        nursery(async |n: Nursery<'_, Error>| match self.operation {
            Operation::Connect => self.connect(&n, seed).await,
            _ => self.operate(&n, seed).await,
        })
        .await
    }

    /// Short limits, where they are to be reached.
    fn limit(self) -> Duration {
        if self.fault.is_harmless() { Duration::from_secs(10) } else { SHORT }
    }

    fn opening_limit(self) -> Duration {
        if self.operation == Operation::Connect { self.limit() } else { ClientConfig::CONNECT_TIMEOUT }
    }

    fn connection(self) -> ConnectionConfig {
        let limit = self.limit();
        let config = ConnectionConfig::new()
            .keepalive_interval(limit)
            .keepalive_timeout(limit)
            .send_timeout(limit)
            .ping_timeout(limit)
            .close_timeout(limit);
        // A length that was flipped can make a message of all that comes: then only this one ends the wait.
        if self.operation == Operation::Receive { config.receive_timeout(limit) } else { config }
    }

    fn client(self, port: u16) -> Result<ClientConfig, HandshakeError> {
        let config = ClientConfig::new(&format!("ws://127.0.0.1:{port}/"))?;
        Ok(config.connection(self.connection()).connect_timeout(self.opening_limit()))
    }

    fn server(self) -> ServerConfig {
        ServerConfig::new().connection(self.connection()).handshake_timeout(self.opening_limit())
    }

    /// The fault is there from some byte of the opening handshake on.
    async fn connect(self, n: &Nursery<'_, Error>, seed: u64) -> Result<Outcome, Error> {
        let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0))?;
        let port = listener.get_ref().local_addr()?.port();
        let proxy = Proxy::start(n, port, self.fault, seed, Random(seed).below(200))?;
        let config = self.client(proxy.port)?;
        let accept = async {
            let (stream, _) = listener.accept().await.unwrap();
            wrap_server_stream(n, stream, &self.server()).await?.accept(Accept::new()).await
        };
        let (client, server) = (connect_websocket(n, config), accept).join().await;
        let outcome = match self.role {
            Role::Client => client,
            Role::Server => server,
        };
        Ok(outcome.map_or_else(Outcome::Handshake, |_| Outcome::Done))
    }

    /// The fault comes when all is well.
    async fn operate(self, n: &Nursery<'_, Error>, seed: u64) -> Result<Outcome, Error> {
        let (hand, mut hands) = mpsc::unbounded();
        let server = WebSocketServer::bind("127.0.0.1:0").await?.config(self.server());
        let proxy = Proxy::start(n, server.port(), self.fault, seed, usize::MAX)?;
        n.start_service(async move {
            server
                .run(move |request: WebSocketRequest| {
                    let hand = hand.clone();
                    async move {
                        let ws = request.accept(Accept::new()).await?;
                        hand.unbounded_send(ws.clone())?;
                        ws.wait_closed().await;
                        Ok(())
                    }
                })
                .await;
            Ok(())
        });
        let client = connect_websocket(n, self.client(proxy.port)?).await?;
        let Some(server) = hands.next().await else { return Err(Error::other("no connection")) };
        let (ws, peer) = match self.role {
            Role::Client => (client, server),
            Role::Server => (server, client),
        };
        n.start_service({
            let peer = peer.clone();
            async move {
                while peer.get_message().await.is_ok() {}
                Ok(())
            }
        });
        let _ = ws.ping(None).await; // both are there; on a machine that is busy it may take longer than the limit
        proxy.strike();
        let outcome = self.outcome(n, &ws, peer).await;
        ws.abort();
        Ok(outcome)
    }

    async fn outcome(
        self,
        n: &Nursery<'_, Error>,
        ws: &WebSocketConnection,
        peer: WebSocketConnection,
    ) -> Outcome {
        // Enough to fill every buffer on the way, where that is what matters.
        let (count, size) = if self.fault.is_harmless() { (20, 500) } else { (200, 64 * 1024) };
        match self.operation {
            Operation::Connect => Outcome::Done,
            Operation::Idle => match move_on_after(IDLE, ws.wait_closed()).await {
                None => Outcome::Done,
                Some(closed) => Outcome::Closed(closed),
            },
            Operation::Send => {
                for _ in 0..count {
                    if let Err(error) = ws.send_message("x".repeat(size)).await {
                        return Outcome::Closed(error.closed);
                    }
                }
                ws.flush().await.map_or_else(Outcome::Closed, |()| Outcome::Done)
            }
            Operation::Receive => {
                n.start_service(async move {
                    for _ in 0..count {
                        let _ = peer.send_message("x".repeat(size)).await; // the receiver is asked
                    }
                    Ok(())
                });
                for _ in 0..count {
                    if let Err(closed) = ws.get_message().await {
                        return Outcome::Closed(closed);
                    }
                }
                Outcome::Done
            }
            Operation::Ping => ws.ping(None).await.map_or_else(Outcome::Ping, |_| Outcome::Done),
            Operation::Close => match ws.aclose(CloseCode::NORMAL_CLOSURE).await {
                Err(_) => Outcome::Unanswered,
                Ok(()) => match ws.wait_closed().await {
                    closed if closed.is_clean() => Outcome::Done,
                    closed => Outcome::Closed(closed),
                },
            },
        }
    }
}

impl fmt::Display for Outcome {
    /// In a word or two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Done => "ok".to_owned(),
            Self::Handshake(error) => match error {
                HandshakeError::Network { error, .. } => format!("{:?}", error.kind()),
                HandshakeError::Timeout(_) => "timeout".to_owned(),
                other => first_word(other),
            },
            Self::Closed(closed) | Self::Ping(PingError::Closed(closed)) => match closed.cause() {
                CloseCause::Network(error) => format!("{:?}", error.kind()),
                CloseCause::Protocol(error) => first_word::<ProtocolError>(error),
                other => first_word(other),
            },
            Self::Ping(error) => first_word(error),
            Self::Unanswered => "unanswered".to_owned(),
        };
        f.pad(&word)
    }
}

fn first_word<T: fmt::Debug>(value: &T) -> String {
    format!("{value:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

const SHORT: Duration = Duration::from_millis(300);
/// In which keepalive finds out what it can.
const IDLE: Duration = Duration::from_millis(1200);
