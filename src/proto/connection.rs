//! A connection after its handshake: the two halves, and the closing state between them (RFC 6455 §5 to §7).

use super::{
    close::{CloseCode, CloseFrames, CloseReason},
    config::Config,
    decoder::Decoder,
    encoder::Encoder,
    error::{Failed, LocalError, ProtocolError},
    event::{CloseConnection, Event, Payload, Piece},
    extension::Transforms,
    pongs::Pongs,
    random::RandomSource,
    role::Role,
    state::{ConnectionState, Transition},
    transforming::Transforming,
};

/// The engine of an open connection: bytes in, events out; events in, bytes out.
///
/// It moves no byte by itself. Feed it what came with [`receive`](Self::receive), send with [`send`](Self::send), and
/// write out what it has to say of its own (pongs, answers to close frames, the close frame after a fault) with
/// [`transmit`](Self::transmit) whenever events were taken. For HTTP/2, or after a handshake done elsewhere, this is all
/// that is needed; [`WsConnection`](super::WsConnection) does the handshake as well.
///
/// ```
/// use wscope::proto::{CloseCode, CloseConnection, Config, Connection, ConnectionState, Event, Role};
///
/// let mut client = Connection::new(Role::Client, Config::new());
/// let mut server = Connection::new(Role::Server, Config::new());
/// let mut wire = Vec::new();
/// client.send("hello", &mut wire)?;
/// client.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE), &mut wire)?;
///
/// let mut input = &mut wire[..];
/// assert_eq!(server.receive(&mut input)?, Some(Event::Message("hello".into())));
/// assert!(matches!(server.receive(&mut input)?, Some(Event::CloseConnection(_))));
/// assert_eq!(server.state(), ConnectionState::RemoteClosing);
///
/// let mut wire = Vec::new();
/// server.transmit(&mut wire); // the answer to the close frame
/// client.receive(&mut &mut wire[..])?;
/// assert_eq!((client.state(), server.state()), (ConnectionState::Closed, ConnectionState::Closed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    decoder: Decoder,
    encoder: Encoder,
    state: ConnectionState,
    close_frames: CloseFrames,
    /// Why nothing more is received. Once set it stays.
    failed: Option<Failed>,
    pongs: Pongs,
    /// A close frame of our own accord, an answer or the end after a fault, that waits for `transmit`.
    closing: Option<CloseConnection>,
}

impl Connection {
    /// An open connection without an extension, with masking keys of [`SystemRandom`](super::SystemRandom).
    #[must_use]
    pub fn new(role: Role, config: Config) -> Self {
        Self {
            decoder: Decoder::new(role, config),
            encoder: Encoder::new(role),
            state: ConnectionState::Open,
            close_frames: CloseFrames::default(),
            failed: None,
            pongs: Pongs::default(),
            closing: None,
        }
    }

    /// Takes masking keys from `random`. To be called before the first message; a server needs none.
    #[must_use]
    pub fn with_random(mut self, random: Box<dyn RandomSource>) -> Self {
        self.encoder = self.encoder.with_random(random);
        self
    }

    /// Lets messages pass through the extension that the handshake agreed on. To be called before the first byte.
    #[must_use]
    pub fn with_transforms(mut self, Transforms { rsv, inbound, outbound }: Transforms) -> Self {
        self.decoder = self.decoder.with_transform(rsv, inbound);
        self.encoder = self.encoder.with_transform(rsv, outbound);
        self
    }

    /// Which side this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.decoder.role()
    }

    /// Where the connection stands.
    #[must_use]
    pub const fn state(&self) -> ConnectionState {
        self.state
    }

    /// Both close frames and their order.
    #[must_use]
    pub const fn close_frames(&self) -> &CloseFrames {
        &self.close_frames
    }

    /// Why nothing more is received, if something went wrong.
    #[must_use]
    pub const fn failed(&self) -> Option<Failed> {
        self.failed
    }

    /// Whether an extension was agreed on, so that messages may be transformed on the wire.
    #[must_use]
    pub const fn has_extension(&self) -> bool {
        self.encoder.has_transform()
    }

    /// Bytes of the payloads of all messages sent so far as they travel: after an extension has done its work.
    #[must_use]
    pub const fn payload_sent(&self) -> u64 {
        self.encoder.payload_sent()
    }

    /// Bytes of the payloads of messages that have come, as they travelled: before an extension has done its work.
    #[must_use]
    pub const fn payload_received(&self) -> u64 {
        self.decoder.payload_received()
    }

    /// Takes bytes until an event is complete: `input` is moved forward past what was used, and what comes after the
    /// event stays with the caller for the next call. `None`: all bytes are used, and more are needed.
    ///
    /// The payload is unmasked in place, so the bytes before the new start of `input` are changed. After a close frame
    /// and after a fault bytes are taken and discarded (RFC 6455 §1.4, §7.1.7).
    ///
    /// # Errors
    /// [`Failed`], and the same again on every later call. The close frame that tells the peer is queued for
    /// [`transmit`](Self::transmit), and the state is [`Closed`](ConnectionState::Closed).
    #[inline]
    pub fn receive(&mut self, input: &mut &mut [u8]) -> Result<Option<Event>, Failed> {
        match self.find(input, &mut { usize::MAX }) {
            Ok(Some(event)) => Ok(Some(event)),
            Ok(None) => self.failed.map_or(Ok(None), Err),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// As [`receive`](Self::receive), but a fault is only found: what came before it may still be answered, until
    /// [`fail`](Self::fail) is told of it. Nothing may be received in between.
    ///
    /// An extension's work ends when it has made some `budget` bytes, which are taken from it: then this says `None` with bytes left
    /// in `input`.
    #[inline]
    pub(crate) fn find(
        &mut self,
        input: &mut &mut [u8],
        budget: &mut usize,
    ) -> Result<Option<Event>, ProtocolError> {
        match self.state {
            ConnectionState::Open | ConnectionState::LocalClosing => {
                match self.decoder.decode_within(input, budget) {
                    Ok(Some(event)) => {
                        self.received(&event);
                        Ok(Some(event))
                    }
                    Ok(None) => Ok(None),
                    Err(error) => {
                        *input = &mut [];
                        self.decoder.stop();
                        Err(error)
                    }
                }
            }
            ConnectionState::RemoteClosing
            | ConnectionState::Closed
            | ConnectionState::Connecting
            | ConnectionState::Rejecting => {
                *input = &mut [];
                Ok(None)
            }
        }
    }

    /// The stream has ended: there are no more bytes. After the peer's close frame that is as it should be, and the
    /// answer to it can still be written.
    ///
    /// # Errors
    /// [`Failed::UnexpectedEof`] when the peer's close frame was still to come, or an earlier failure.
    pub fn receive_eof(&mut self) -> Result<(), Failed> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        self.step(Transition::Eof);
        if self.close_frames.received.is_some() {
            return Ok(());
        }
        self.pongs.clear(); // nobody is there to read them
        self.decoder.stop();
        Err(*self.failed.insert(Failed::UnexpectedEof))
    }

    /// Lets `read` append the next bytes of a large binary message straight to its buffer, without a copy through a
    /// receive buffer: its second argument says how many are wanted at most. Afterwards call
    /// [`receive`](Self::receive), with an empty input if there is no other.
    ///
    /// `None` without a call of `read` where no such message is under way: at least 16 KiB of it must have come. A `read`
    /// that does anything but append at most as many bytes as wanted fails the connection.
    pub fn fill_payload<R>(&mut self, read: impl FnOnce(&mut Vec<u8>, usize) -> R) -> Option<R> {
        match self.state {
            ConnectionState::Open | ConnectionState::LocalClosing => {
                let (outcome, kept) = self.decoder.fill_payload(read)?;
                if !kept {
                    self.fail_with(Failed::PayloadBufferMisused, CloseCode::INTERNAL_ERROR.into());
                }
                Some(outcome)
            }
            ConnectionState::RemoteClosing
            | ConnectionState::Closed
            | ConnectionState::Connecting
            | ConnectionState::Rejecting => None,
        }
    }

    /// Appends the bytes of an event to `out`: a message, a piece of one, a ping, a pong, a close frame.
    ///
    /// A pong while our close frame is out is skipped: the peer no longer waits for it. A close frame, as the last one,
    /// takes the pongs along that are queued.
    ///
    /// # Errors
    /// [`LocalError`] when the state does not allow it, or when it would tear an unfinished message. Nothing is appended
    /// then.
    pub fn send(&mut self, event: impl Into<Event>, out: &mut Vec<u8>) -> Result<(), LocalError> {
        let event = event.into();
        let transition = match event {
            Event::Message(_) | Event::Piece(_) | Event::Ping(_) => Transition::SendData,
            Event::Pong(_) if self.state == ConnectionState::LocalClosing => return Ok(()),
            Event::Pong(_) => Transition::SendPong,
            Event::CloseConnection(_) => Transition::SendClose,
        };
        self.may_send(event.what(), transition)?;
        match event {
            Event::Message(message) => self.encoder.message(&message, out)?,
            Event::Piece(Piece { data, message_finished, .. }) => {
                self.encoder.fragment(&data, message_finished, out)?;
            }
            Event::Ping(ping) => self.encoder.ping(&ping, out),
            Event::Pong(pong) => self.encoder.pong(&pong, out),
            Event::CloseConnection(close) => self.send_close(close, out),
        }
        Ok(())
    }

    /// Appends a whole message to `out` without taking it: `send_message("text", ..)`, `send_message(&bytes[..], ..)`.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_message<'a>(
        &mut self,
        payload: impl Into<Payload<'a>>,
        out: &mut Vec<u8>,
    ) -> Result<(), LocalError> {
        self.may_send("a message", Transition::SendData)?;
        self.encoder.message(payload, out)
    }

    /// Appends the frame header of a whole message, for callers who write the payload right behind it, from where it lies. Says
    /// `false`, and appends nothing, where the payload does not travel as it is: masked by a client, or changed by an extension.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_header<'a>(
        &mut self,
        payload: impl Into<Payload<'a>>,
        out: &mut Vec<u8>,
    ) -> Result<bool, LocalError> {
        self.may_send("a message", Transition::SendData)?;
        self.encoder.header(payload, out)
    }

    /// Whether messages that begin from now on go out as they are, past the extension: not compressed, because they are already, or
    /// because their length would tell of a secret (RFC 7692 §8). What is sent in pieces stays as its first piece was.
    pub const fn skip_transform(&mut self, skip: bool) {
        self.encoder.skip_transform(skip);
    }

    /// Takes out the extension's work on a message ([`Piece::last`]) or on a piece of one, to be done apart: a large message then holds
    /// up nothing that is received. Bring it to [`finish`](Self::finish), or to [`withdraw`](Self::withdraw); until then other
    /// data is refused. `None`: there is no such work, and `piece` can be sent at once.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn begin(&mut self, piece: &Piece) -> Result<Option<Transforming>, LocalError> {
        self.may_send("a message", Transition::SendData)?;
        self.encoder.begin(piece)
    }

    /// Appends a message that was transformed apart, or a piece of one, after the rest of the work on it.
    ///
    /// # Errors
    /// [`LocalError::WrongState`] when a close frame was sent in between; then it is gone.
    pub fn finish(&mut self, transforming: Transforming, out: &mut Vec<u8>) -> Result<(), LocalError> {
        self.may_send("a message", Transition::SendData)?;
        self.encoder.finish(transforming, out);
        Ok(())
    }

    /// Takes back what was taken out and will not be sent, and gives it back: it is as if it had never begun.
    pub fn withdraw(&mut self, transforming: Transforming) -> Piece {
        self.encoder.withdraw(transforming)
    }

    /// Whether a whole message is being transformed apart, so that one that was encoded elsewhere can go before it.
    pub(crate) const fn is_whole_apart(&self) -> bool {
        self.encoder.is_whole_apart()
    }

    /// Appends what the engine has to say of its own accord: pongs first, then a close frame that answers the peer's or
    /// ends the connection after a fault. To be called after events were taken, and before the stream is waited for.
    ///
    /// Data that was accepted before belongs before a close frame: append it to `out` first.
    pub fn transmit(&mut self, out: &mut Vec<u8>) {
        self.transmit_pongs(out);
        if let Some(close) = self.closing.take() {
            self.encoder.close(&close, out);
            // An answer, even if the stream ended before it; the frame after a fault was recorded when it was queued.
            if self.close_frames.sent.is_none() {
                self.close_frames.sent(close.reason);
                self.step(Transition::SendClose);
            }
        }
    }

    /// Appends the queued pongs alone; for callers who order control frames and data by themselves.
    pub fn transmit_pongs(&mut self, out: &mut Vec<u8>) {
        let encoder = &mut self.encoder;
        self.pongs.drain(|payload| encoder.pong_with(payload, out));
    }

    /// Whether [`transmit`](Self::transmit) would append anything.
    #[must_use]
    pub const fn wants_transmit(&self) -> bool {
        !self.pongs.is_empty() || self.closing.is_some()
    }

    fn send_close(&mut self, close: CloseConnection, out: &mut Vec<u8>) {
        self.transmit_pongs(out);
        self.encoder.close(&close, out);
        self.closing = None; // an answer of our own would be a second one
        self.close_frames.sent(close.reason);
        self.step(Transition::SendClose);
    }

    const fn may_send(&self, what: &'static str, transition: Transition) -> Result<(), LocalError> {
        match self.state.on(transition) {
            Some(_) => Ok(()),
            None => Err(LocalError::WrongState { what, state: self.state }),
        }
    }

    /// What an event means for the connection itself.
    #[inline]
    fn received(&mut self, event: &Event) {
        match event {
            Event::Ping(ping) => {
                // After our close frame nothing may follow, so there a ping stays without an answer.
                if self.decoder.config().answer_pings && self.state == ConnectionState::Open {
                    self.pongs.push(ping);
                }
            }
            Event::CloseConnection(close) => {
                self.close_frames.received(close.reason.clone());
                self.step(Transition::ReceiveClose);
                self.decoder.stop();
                if self.state == ConnectionState::RemoteClosing && self.decoder.config().answer_close {
                    self.closing = Some(close.response());
                }
            }
            Event::Message(_) | Event::Piece(_) | Event::Pong(_) => {}
        }
    }

    /// Fails the connection (RFC 6455 §7.1.7): the close frame that says why is queued, unless one is out already.
    pub(crate) fn fail(&mut self, error: ProtocolError) -> Failed {
        self.fail_with(error.into(), CloseReason::truncated(error.close_code(), &error.to_string()))
    }

    fn fail_with(&mut self, failed: Failed, reason: CloseReason) -> Failed {
        if self.state == ConnectionState::Open {
            self.close_frames.sent(Some(reason.clone()));
            self.closing = Some(CloseConnection::new(reason));
        }
        self.step(Transition::Fail);
        self.decoder.stop();
        self.failed = Some(failed);
        failed
    }

    /// Every caller has asked the table, or takes a step that is open in its state.
    const fn step(&mut self, transition: Transition) {
        if let Some(next) = self.state.on(transition) {
            self.state = next;
        }
    }
}
