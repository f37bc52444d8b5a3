//! The extension seam: how an extension is agreed on, and how it changes messages (RFC 6455 §9).
//!
//! ```text
//! client  Extension::offers ──▶ Sec-WebSocket-Extensions ──▶ Extension::accept  server
//!         Extension::confirm ◀── Sec-WebSocket-Extensions ◀──┘
//!                 │                                           │
//!             Transforms { rsv, inbound, outbound }      Transforms { .. }
//! ```
//!
//! An [`Extension`] is the configuration of one extension and agrees on its parameters; the [`Transforms`] that come
//! out of the agreement hold its state for one connection. The two directions are two values, because encoder and
//! decoder work apart: compressing a large message must not hold up receiving.
//!
//! At most one extension is agreed on for a connection. RFC 6455 would allow a chain; the only registered extensions
//! that ever shipped are per-message compressions, of which two make no sense together.
//!
//! The one that stands here is `PermessageDeflate`, behind the feature `deflate`.

#[cfg(feature = "deflate")]
mod compressor;
#[cfg(feature = "deflate")]
mod decompressor;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(feature = "deflate")]
mod parameters;
#[cfg(feature = "deflate")]
mod pool;

use super::header::ExtensionItem;
#[cfg(feature = "deflate")]
pub use deflate::{InvalidWindowBits, Level, PermessageDeflate, WindowBits};
use std::fmt;

/// One extension as configured, on either side: what to offer, what to accept, what to confirm.
///
/// Parameters are checked here and nowhere else; the engine sees to it that the name was offered, that it stands once
/// in the answer, and that reserved bits are used by their owner alone. An item under another name than
/// [`name`](Self::name) never goes out: such an offer is left out, such an answer declines.
///
/// ```
/// use wscope::proto::{ExtensionItem, extension::{BrokenStream, Extension, InboundTransform, OutboundTransform, Rsv, Step, Transforms}};
///
/// /// Sends every byte upside down.
/// #[derive(Debug)]
/// struct Inverted;
///
/// impl Extension for Inverted {
///     fn name(&self) -> &'static str { "x-inverted" }
///     fn offers(&self) -> Vec<ExtensionItem> { self.name().parse().into_iter().collect() }
///     fn accept(&self, offer: &ExtensionItem) -> Option<(ExtensionItem, Transforms)> {
///         Some((offer.clone(), self.confirm(offer)?))
///     }
///     fn confirm(&self, answer: &ExtensionItem) -> Option<Transforms> {
///         let plain = answer.parameters().next().is_none();
///         plain.then(|| Transforms::new(Rsv::Rsv2, Box::new(Inverted), Box::new(Inverted)))
///     }
/// }
///
/// impl InboundTransform for Inverted {
///     fn transform(&mut self, input: &mut &[u8], output: &mut Vec<u8>, room: usize) -> Result<Step, BrokenStream> {
///         let (now, later) = input.split_at(room.min(input.len()));
///         output.extend(now.iter().map(|byte| !byte));
///         *input = later;
///         Ok(if later.is_empty() { Step::Done } else { Step::Full })
///     }
///     fn finish(&mut self, _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> { Ok(Step::Done) }
/// }
///
/// impl OutboundTransform for Inverted {
///     fn transform(&mut self, payload: &[u8], _: bool, _: bool, output: &mut Vec<u8>) -> bool {
///         output.extend(payload.iter().map(|byte| !byte));
///         true
///     }
/// }
///
/// # use wscope::proto::{AcceptConnection, Connection, Event, Request, WebSocketUri, WsConnection, WsEvent};
/// # use std::sync::Arc;
/// let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
/// let (mut wire, uri) = (Vec::new(), "ws://example.com/".parse::<WebSocketUri>()?);
/// client.send(Request::to(&uri).with_extension(Arc::new(Inverted)), &mut wire)?;
/// server.receive(&mut &mut wire[..])?; // the request
/// wire.clear();
/// server.send(AcceptConnection::new().with_extension(Arc::new(Inverted)), &mut wire)?;
/// assert!(server.connection().is_some_and(Connection::has_extension));
///
/// server.send("hello", &mut wire)?;
/// assert_eq!(wire[wire.len() - 5..], b"hello".map(|byte| !byte));
/// let mut input = &mut wire[..];
/// client.receive(&mut input)?; // the acceptance
/// let Some(WsEvent::Connection(event)) = client.receive(&mut input)? else { panic!("a message") };
/// assert_eq!(event, Event::from("hello"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Extension: fmt::Debug + Send + Sync {
    /// Registered name, a token (RFC 6455 §9.1): `permessage-deflate`.
    fn name(&self) -> &'static str;

    /// Client: what to offer, in order of preference. Several items of the one name are fallbacks (RFC 7692 §5).
    fn offers(&self) -> Vec<ExtensionItem>;

    /// Server: answers one offer of this name. `None` declines it: the next offer is tried, and without any the
    /// connection goes on without the extension.
    fn accept(&self, offer: &ExtensionItem) -> Option<(ExtensionItem, Transforms)>;

    /// Client: judges the server's answer to our offers. `None` fails the connection (RFC 6455 §9.1, RFC 7692 §7.1).
    fn confirm(&self, answer: &ExtensionItem) -> Option<Transforms>;
}

/// What an agreed extension does to the messages of one connection.
///
/// ```
/// use wscope::proto::{Config, Connection, Role, extension::{OutboundTransform, Rsv, Transforms}};
/// # use wscope::proto::extension::{BrokenStream, InboundTransform, Step};
/// # #[derive(Debug)]
/// # struct Inverted;
/// # impl InboundTransform for Inverted {
/// #     fn transform(&mut self, _: &mut &[u8], _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> { Ok(Step::Done) }
/// #     fn finish(&mut self, _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> { Ok(Step::Done) }
/// # }
///
/// impl OutboundTransform for Inverted { // and `InboundTransform`
///     fn transform(&mut self, payload: &[u8], _: bool, _: bool, output: &mut Vec<u8>) -> bool {
///         output.extend(payload.iter().map(|byte| !byte));
///         true
///     }
/// }
///
/// // The handshake was done elsewhere; it has agreed on this extension.
/// let transforms = Transforms::new(Rsv::Rsv2, Box::new(Inverted), Box::new(Inverted));
/// let mut server = Connection::new(Role::Server, Config::new()).with_transforms(transforms);
/// let mut out = Vec::new();
/// server.send("hi", &mut out)?;
/// assert_eq!(out, [0x80 | Rsv::Rsv2 as u8 | 0x1, 2, !b'h', !b'i']);
/// # Ok::<(), wscope::proto::LocalError>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Transforms {
    /// The one reserved bit that marks a message as transformed.
    pub rsv: Rsv,
    /// Applied to what the peer sends.
    pub inbound: Box<dyn InboundTransform>,
    /// Applied to what we send.
    pub outbound: Box<dyn OutboundTransform>,
}

impl Transforms {
    /// The transforms of an extension that owns the reserved bit `rsv`.
    #[must_use]
    pub fn new(rsv: Rsv, inbound: Box<dyn InboundTransform>, outbound: Box<dyn OutboundTransform>) -> Self {
        Self { rsv, inbound, outbound }
    }
}

/// One of the three reserved bits of a frame header (RFC 6455 §5.2).
///
/// ```
/// use wscope::proto::extension::Rsv;
/// let compressed_text = 0x81 | Rsv::Rsv1 as u8; // the first byte of a header: FIN, RSV1, opcode 1
/// assert_eq!(compressed_text, 0xC1);
/// ```
#[allow(clippy::exhaustive_enums, reason = "the frame header has three reserved bits")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rsv {
    /// The highest reserved bit; permessage-deflate's (RFC 7692 §6).
    Rsv1 = 0x40,
    /// The middle one.
    Rsv2 = 0x20,
    /// The lowest one.
    Rsv3 = 0x10,
}

/// Undoes what the peer's extension did to a message. Called only for messages that carry the extension's bit.
///
/// The engine feeds the payload of one message through [`transform`](Self::transform) and ends it with
/// [`finish`](Self::finish). Both append to `output` at most `room` bytes and are called again, with what is left of the
/// input, until they report [`Step::Done`]: so the limit of a message holds *while* it is inflated.
///
/// ```
/// use wscope::proto::extension::{BrokenStream, InboundTransform, Step};
///
/// /// The peer sends each byte twice.
/// #[derive(Debug, Default)]
/// struct Twice {
///     first: Option<u8>,
/// }
///
/// impl InboundTransform for Twice {
///     fn transform(&mut self, input: &mut &[u8], output: &mut Vec<u8>, room: usize) -> Result<Step, BrokenStream> {
///         let full = output.len() + room;
///         while let Some((&byte, rest)) = input.split_first() {
///             match self.first {
///                 None => self.first = Some(byte),
///                 Some(first) if first != byte => return Err(BrokenStream::new()),
///                 Some(_) if output.len() == full => return Ok(Step::Full),
///                 Some(first) => {
///                     output.push(first);
///                     self.first = None;
///                 }
///             }
///             *input = rest;
///         }
///         Ok(Step::Done)
///     }
///
///     fn finish(&mut self, _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> {
///         if self.first.take().is_none() { Ok(Step::Done) } else { Err(BrokenStream::new()) }
///     }
/// }
///
/// let (mut twice, mut output) = (Twice::default(), Vec::new());
/// let mut input = &b"hhii"[..];
/// assert_eq!(twice.transform(&mut input, &mut output, 1), Ok(Step::Full));
/// assert_eq!((input, &output[..]), (&b"i"[..], &b"h"[..]));
/// assert_eq!(twice.transform(&mut input, &mut output, 1), Ok(Step::Done));
/// assert_eq!((twice.finish(&mut output, 0), &output[..]), (Ok(Step::Done), &b"hi"[..]));
/// ```
pub trait InboundTransform: fmt::Debug + Send {
    /// Transforms some of `input` (unmasked payload) and moves it forward past what was used. [`Step::Done`] means: all
    /// of `input` is used, and nothing waits for room.
    ///
    /// # Errors
    /// [`BrokenStream`] when the payload is not what the extension's specification allows.
    fn transform(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<Step, BrokenStream>;

    /// The last byte of the message has been fed: appends what is still to come.
    ///
    /// # Errors
    /// [`BrokenStream`] as above.
    fn finish(&mut self, output: &mut Vec<u8>, room: usize) -> Result<Step, BrokenStream>;
}

/// Transforms messages that we send.
///
/// ```
/// use wscope::proto::extension::OutboundTransform;
///
/// /// Sends each byte twice, if there are few.
/// #[derive(Debug)]
/// struct Twice;
///
/// impl OutboundTransform for Twice {
///     fn transform(&mut self, payload: &[u8], first: bool, last: bool, output: &mut Vec<u8>) -> bool {
///         if first && last && payload.len() > 100 {
///             return false; // plain, and without the extension's bit
///         }
///         output.extend(payload.iter().flat_map(|byte| [*byte; 2]));
///         true
///     }
/// }
///
/// let mut output = Vec::new();
/// assert!(Twice.transform(b"hi", true, true, &mut output));
/// assert_eq!(output, b"hhii");
/// assert!(!Twice.transform(&[0; 1000], true, true, &mut output));
/// ```
pub trait OutboundTransform: fmt::Debug + Send {
    /// Whether a message of `len` bytes that is sent whole is worth the work. Asked before a large one is transformed in
    /// steps, as if it were fragments.
    fn wants(&self, len: usize) -> bool {
        let _ = len;
        true
    }

    /// What was made of the message under way, or of the last one, is not sent after all: no later message may depend on
    /// it. Nothing to do for a transform that remembers nothing.
    fn discard(&mut self) {}

    /// Appends the transformed `payload` to `output`, or declines with `false`, having appended nothing: the message
    /// then goes out plain and without the extension's bit. Asked with `first` set for the first fragment of a message,
    /// `last` for the last one; having taken the first fragment it may not decline a later one.
    fn transform(&mut self, payload: &[u8], first: bool, last: bool, output: &mut Vec<u8>) -> bool;
}

/// How far an [`InboundTransform`] came.
#[allow(clippy::exhaustive_enums, reason = "a transform is done or it is not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All input is used, and nothing waits for room.
    Done,
    /// `room` is used up: there may be more.
    Full,
}

/// A payload that breaks the specification of its extension. The connection fails with 1007: RFC 7692 names no code, and
/// this one says that the *data* was bad (RFC 6455 §7.4.1).
///
/// ```
/// use wscope::proto::extension::BrokenStream;
///
/// fn length(header: &[u8]) -> Result<u8, BrokenStream> {
///     header.first().copied().ok_or(BrokenStream::new())
/// }
/// assert_eq!(length(b""), Err(BrokenStream::new()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the payload is not a valid stream of its extension")]
#[non_exhaustive]
pub struct BrokenStream;

impl BrokenStream {
    /// The fault.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}
