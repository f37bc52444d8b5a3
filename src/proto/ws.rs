//! Handshake, then frames, as one engine: wsproto's `WSConnection`.

use super::{
    config::Config,
    connection::Connection,
    error::{Failed, LocalError},
    event::Event,
    handshake::{
        AcceptConnection, AcceptErrorKind, Agreement, ClientEvent, ClientHandshake, HandshakeConfig,
        RejectConnection, RejectData, Rejection, Request, RequestError, RequestReader, ResponseError,
        ServerHandshake,
    },
    random::{RandomSource, SystemRandom},
    role::Role,
    state::ConnectionState,
};
use http::request::Parts;

/// A whole connection from its first byte: the opening handshake, and then a [`Connection`].
///
/// The client sends a [`Request`]; the server receives it and sends an [`AcceptConnection`] or a [`RejectConnection`];
/// from then on both sides send and receive [`Event`]s. What the engine has to say of its own accord (a refusal of what
/// is no handshake, pongs, answers to close frames) comes from [`transmit`](Self::transmit).
///
/// ```
/// use wscope::proto::{AcceptConnection, Event, Request, WebSocketUri, WsConnection, WsEvent};
///
/// let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
/// let mut wire = Vec::new();
/// client.send(Request::to(&"ws://example.com/chat".parse::<WebSocketUri>()?), &mut wire)?;
///
/// let Some(WsEvent::Request(request)) = server.receive(&mut &mut wire[..])? else { panic!("a request") };
/// assert_eq!(request.path(), "/chat");
/// let mut wire = Vec::new();
/// server.send(AcceptConnection::new(), &mut wire)?;
/// server.send("welcome", &mut wire)?; // in the same segment: nothing is lost
///
/// let mut input = &mut wire[..];
/// assert!(matches!(client.receive(&mut input)?, Some(WsEvent::AcceptConnection(_))));
/// let Some(WsEvent::Connection(event)) = client.receive(&mut input)? else { panic!("a message") };
/// assert_eq!(event, Event::from("welcome"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WsConnection {
    role: Role,
    handshake: HandshakeConfig,
    config: Config,
    /// Moves into the connection when there is one.
    random: Option<Box<dyn RandomSource>>,
    phase: Phase,
    /// The refusal of a request that was no handshake.
    refusal: Vec<u8>,
}

#[allow(clippy::large_enum_variant, reason = "the largest is where a connection spends its life")]
#[derive(Debug)]
enum Phase {
    /// Client: nothing was sent yet.
    Unasked,
    /// Client: the answer is awaited.
    Asked(ClientHandshake),
    /// Client: refused; the body is awaited.
    Refused(ClientHandshake),
    /// Server: the request is awaited.
    Reading(RequestReader),
    /// Server: the request waits for its answer; `true` once the caller was told of it.
    Deciding(ServerHandshake, bool),
    /// Server: the body of a refusal is under way.
    Rejecting(Rejection),
    /// Accepted.
    Open(Connection),
    /// Refused, or failed before there was a connection.
    Closed(Option<WsFailed>),
}

/// What came from the peer, or what is to be sent to it.
#[derive(Debug)]
#[non_exhaustive]
pub enum WsEvent {
    /// The client asks for a connection.
    Request(Request),
    /// The server accepts.
    AcceptConnection(AcceptConnection),
    /// The server refuses.
    RejectConnection(RejectConnection),
    /// A piece of the body of the refusal.
    RejectData(RejectData),
    /// Anything after the handshake.
    Connection(Event),
}

impl WsConnection {
    /// The client's side. The first event to send is a [`Request`].
    #[must_use]
    pub fn client() -> Self {
        Self::new(Role::Client, Phase::Unasked)
    }

    /// The server's side. The first event to come is a [`Request`].
    #[must_use]
    pub fn server() -> Self {
        let reader = RequestReader::new(HandshakeConfig::new());
        Self::new(Role::Server, Phase::Reading(reader))
    }

    /// The server's side where an HTTP server has parsed the request already; wsproto's `initiate_upgrade_connection`.
    /// The request comes as the first event all the same.
    ///
    /// # Errors
    /// [`RequestError`] when the request is no opening handshake; [`RequestError::response`] is the answer to it.
    pub fn from_parts(parts: &Parts) -> Result<Self, RequestError> {
        Ok(Self::new(Role::Server, Phase::Deciding(ServerHandshake::from_parts(parts)?, false)))
    }

    fn new(role: Role, phase: Phase) -> Self {
        Self {
            role,
            handshake: HandshakeConfig::new(),
            config: Config::new(),
            random: None,
            phase,
            refusal: Vec::new(),
        }
    }

    /// Limits of the handshake. To be called before the first byte.
    #[must_use]
    pub fn with_handshake_config(mut self, config: HandshakeConfig) -> Self {
        self.handshake = config;
        if let Phase::Reading(reader) = &mut self.phase {
            *reader = RequestReader::new(config);
        }
        self
    }

    /// Limits and habits of the connection. To be called before the handshake is over.
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Where the nonce and the masking keys come from, in place of [`SystemRandom`]. To be called before the first byte.
    #[must_use]
    pub fn with_random(mut self, random: Box<dyn RandomSource>) -> Self {
        self.random = Some(random);
        self
    }

    /// Which side this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Where the connection stands.
    #[must_use]
    pub const fn state(&self) -> ConnectionState {
        match &self.phase {
            Phase::Unasked | Phase::Asked(_) | Phase::Reading(_) | Phase::Deciding(..) => {
                ConnectionState::Connecting
            }
            Phase::Refused(_) | Phase::Rejecting(_) => ConnectionState::Rejecting,
            Phase::Open(connection) => connection.state(),
            Phase::Closed(_) => ConnectionState::Closed,
        }
    }

    /// The engine of frames, once the handshake is over; [`Connection::has_extension`] tells whether the handshake agreed
    /// on an extension.
    #[must_use]
    pub const fn connection(&self) -> Option<&Connection> {
        if let Phase::Open(connection) = &self.phase { Some(connection) } else { None }
    }

    /// As [`connection`](Self::connection), for what it alone can do: [`fill_payload`](Connection::fill_payload),
    /// [`send_message`](Connection::send_message) without a copy, [`begin`](Connection::begin) for a large one,
    /// [`transmit_pongs`](Connection::transmit_pongs).
    #[must_use]
    pub const fn connection_mut(&mut self) -> Option<&mut Connection> {
        if let Phase::Open(connection) = &mut self.phase { Some(connection) } else { None }
    }

    /// Takes bytes until an event is complete: `input` is moved forward past what was used, and what comes after the
    /// event stays with the caller for the next call.
    ///
    /// `None`: all bytes are used, and more are needed. Bytes are not used while a server decides about a request (frames
    /// that come early stay in `input` until it is answered), and before a client has sent one.
    ///
    /// # Errors
    /// [`WsFailed`], and the same again on every later call. What tells the peer is queued for
    /// [`transmit`](Self::transmit).
    pub fn receive(&mut self, input: &mut &mut [u8]) -> Result<Option<WsEvent>, WsFailed> {
        match &mut self.phase {
            Phase::Open(connection) => Ok(connection.receive(input)?.map(WsEvent::Connection)),
            Phase::Reading(reader) => match reader.receive(input, &mut self.refusal) {
                Ok(None) => Ok(None),
                Ok(Some(handshake)) => {
                    self.phase = Phase::Deciding(handshake, false);
                    Ok(self.announce())
                }
                Err(error) => Err(self.fail(error.into())),
            },
            Phase::Asked(handshake) | Phase::Refused(handshake) => match handshake.receive(input) {
                Ok(event) => Ok(event.map(|event| self.answered(event))),
                Err(error) => Err(self.fail(error.into())),
            },
            Phase::Unasked | Phase::Deciding(..) => Ok(self.announce()),
            Phase::Rejecting(_) | Phase::Closed(None) => {
                *input = &mut [];
                Ok(None)
            }
            Phase::Closed(Some(failed)) => {
                *input = &mut [];
                Err(failed.clone())
            }
        }
    }

    /// The stream has ended: there are no more bytes. The end may complete the body of a refusal.
    ///
    /// # Errors
    /// [`WsFailed`] when more was to come, or an earlier failure.
    pub fn receive_eof(&mut self) -> Result<Option<WsEvent>, WsFailed> {
        match &mut self.phase {
            Phase::Open(connection) => connection.receive_eof().map(|()| None).map_err(WsFailed::from),
            Phase::Reading(reader) => {
                let ended = reader.receive_eof(&mut self.refusal);
                ended.map(|()| None).map_err(|error| self.fail(error.into()))
            }
            Phase::Asked(handshake) | Phase::Refused(handshake) => match handshake.receive_eof() {
                Ok(event) => Ok(event.map(|event| self.answered(event))),
                Err(error) => Err(self.fail(error.into())),
            },
            Phase::Unasked | Phase::Deciding(..) => Err(self.fail(Failed::UnexpectedEof.into())),
            Phase::Rejecting(_) | Phase::Closed(None) => Ok(None),
            Phase::Closed(Some(failed)) => Err(failed.clone()),
        }
    }

    /// Server: the caller's clock ran out before the request was complete. Queues the refusal (408); afterwards the
    /// connection is closed. Without effect once there is a request.
    pub fn time_out(&mut self) {
        if let Phase::Reading(reader) = &mut self.phase
            && let Err(error) = reader.time_out(&mut self.refusal)
        {
            self.fail(error.into());
        }
    }

    /// Appends the bytes of an event to `out`. Legal are, on a client, a [`Request`] as the first; on a server that has
    /// received one, [`AcceptConnection`] or [`RejectConnection`], and [`RejectData`] after a refusal whose body
    /// follows; and after the handshake what [`Connection::send`] takes.
    ///
    /// # Errors
    /// [`WsLocalError`] when the event is not legal now. Nothing was appended then, and the engine is as it was before.
    pub fn send(&mut self, event: impl Into<WsEvent>, out: &mut Vec<u8>) -> Result<(), WsLocalError> {
        let (event, state) = (event.into(), self.state());
        let wrong_state = |what| Err(LocalError::WrongState { what, state }.into());
        // The phase is taken, so that a handshake can be consumed by its answer; every arm gives the next one.
        let (phase, sent) = match (std::mem::replace(&mut self.phase, Phase::Closed(None)), event) {
            (Phase::Open(mut connection), WsEvent::Connection(event)) => {
                let sent = connection.send(event, out).map_err(WsLocalError::from);
                (Phase::Open(connection), sent)
            }
            (Phase::Unasked, WsEvent::Request(request)) => {
                let random = self.random.get_or_insert_with(|| Box::new(SystemRandom::new()));
                let handshake = ClientHandshake::start(request, self.handshake, random.as_mut(), out);
                (Phase::Asked(handshake), Ok(()))
            }
            (Phase::Deciding(handshake, announced), WsEvent::AcceptConnection(accept)) => {
                match handshake.accept(accept, out) {
                    Ok(agreement) => (self.open(agreement), Ok(())),
                    Err(error) => (Phase::Deciding(*error.handshake, announced), Err(error.kind.into())),
                }
            }
            (Phase::Deciding(handshake, _), WsEvent::RejectConnection(reject)) => {
                (Phase::after(handshake.reject(reject, out)), Ok(()))
            }
            (Phase::Rejecting(mut rejection), WsEvent::RejectData(data)) => {
                let sent = rejection.send(data, out).or_else(|_| wrong_state("the body of a refusal"));
                (Phase::after(rejection), sent)
            }
            (phase, event) => (phase, wrong_state(event.what())),
        };
        self.phase = phase;
        sent
    }

    /// Appends what the engine has to say of its own accord; see [`Connection::transmit`]. Close the transport when this
    /// is written and the state is [`Closed`](ConnectionState::Closed).
    pub fn transmit(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.refusal);
        if let Phase::Open(connection) = &mut self.phase {
            connection.transmit(out);
        }
    }

    /// Whether [`transmit`](Self::transmit) would append anything.
    #[must_use]
    pub const fn wants_transmit(&self) -> bool {
        match &self.phase {
            Phase::Open(connection) => connection.wants_transmit(),
            Phase::Unasked
            | Phase::Asked(_)
            | Phase::Refused(_)
            | Phase::Reading(_)
            | Phase::Deciding(..)
            | Phase::Rejecting(_)
            | Phase::Closed(_) => !self.refusal.is_empty(),
        }
    }

    /// Tells the caller of the request, once.
    fn announce(&mut self) -> Option<WsEvent> {
        let Phase::Deciding(handshake, announced) = &mut self.phase else { return None };
        let told = std::mem::replace(announced, true);
        (!told).then(|| WsEvent::Request(handshake.request().clone()))
    }

    /// What the server's answer makes of the client.
    fn answered(&mut self, event: ClientEvent) -> WsEvent {
        match event {
            ClientEvent::AcceptConnection(accept, agreement) => {
                self.phase = self.open(agreement);
                WsEvent::AcceptConnection(accept)
            }
            ClientEvent::RejectConnection(reject) => {
                let phase = std::mem::replace(&mut self.phase, Phase::Closed(None));
                if let (Phase::Asked(handshake), true) = (phase, reject.has_body()) {
                    self.phase = Phase::Refused(handshake);
                }
                WsEvent::RejectConnection(reject)
            }
            ClientEvent::RejectData(data) => {
                if data.is_finished() {
                    self.phase = Phase::Closed(None);
                }
                WsEvent::RejectData(data)
            }
        }
    }

    fn open(&mut self, agreement: Agreement) -> Phase {
        let mut connection = Connection::new(self.role, self.config.clone());
        if let Some(random) = self.random.take() {
            connection = connection.with_random(random);
        }
        if let Some(transforms) = agreement.extension {
            connection = connection.with_transforms(transforms);
        }
        Phase::Open(connection)
    }

    fn fail(&mut self, failed: WsFailed) -> WsFailed {
        self.phase = Phase::Closed(Some(failed.clone()));
        failed
    }
}

impl Phase {
    /// What follows a refusal of which this much is written.
    fn after(rejection: Rejection) -> Self {
        if rejection.is_finished() { Self::Closed(None) } else { Self::Rejecting(rejection) }
    }
}

impl WsEvent {
    const fn what(&self) -> &'static str {
        match self {
            Self::Request(_) => "a request",
            Self::AcceptConnection(_) => "an acceptance",
            Self::RejectConnection(_) => "a refusal",
            Self::RejectData(_) => "the body of a refusal",
            Self::Connection(event) => event.what(),
        }
    }
}

/// Why a [`WsConnection`] receives no more. Sticky: once given, every later call gives the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WsFailed {
    /// Server: what came is no opening handshake; the refusal is queued.
    #[error("the client sent no opening handshake: {0}")]
    Request(#[from] RequestError),
    /// Client: what came is no answer to the handshake.
    #[error("the server's answer is no opening handshake: {0}")]
    Response(#[from] ResponseError),
    /// The connection failed after the handshake, or ended while a server decided about a request.
    #[error(transparent)]
    Connection(#[from] Failed),
}

/// Misuse by the caller. Nothing was written, and the engine is as it was before the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WsLocalError {
    /// The event is not legal in this state, or would tear an unfinished message.
    #[error(transparent)]
    State(#[from] LocalError),
    /// The handshake cannot be accepted in this way; another answer can still be given.
    #[error(transparent)]
    Accept(#[from] AcceptErrorKind),
}

impl From<Request> for WsEvent {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<AcceptConnection> for WsEvent {
    fn from(accept: AcceptConnection) -> Self {
        Self::AcceptConnection(accept)
    }
}

impl From<RejectConnection> for WsEvent {
    fn from(reject: RejectConnection) -> Self {
        Self::RejectConnection(reject)
    }
}

impl From<RejectData> for WsEvent {
    fn from(data: RejectData) -> Self {
        Self::RejectData(data)
    }
}

impl<E: Into<Event>> From<E> for WsEvent {
    fn from(event: E) -> Self {
        Self::Connection(event.into())
    }
}
