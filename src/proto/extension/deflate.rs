//! permessage-deflate: what is offered, accepted and confirmed, and how each side then compresses (RFC 7692 §7).
//!
//! ```text
//! PermessageDeflate ──offers──▶ parameters ──accept──▶ parameters ──confirm──▶ agreed on
//!                                                          │                      │
//!                                               compressor, decompressor   compressor, decompressor
//!                                                          └── pool: what is idle between messages
//! ```
//!
//! Whatever the agreement says, who sends decides: a message that is short, or that would grow, goes out plain.

use super::{
    Extension, OutboundTransform, Rsv, Transforms,
    compressor::{Compressor, Plain},
    decompressor::Decompressor,
    parameters::{ClientWindow, Parameters},
    pool::Kind,
};
use crate::proto::header::ExtensionItem;

/// The extension permessage-deflate as one side wants it (RFC 7692 §7).
///
/// [`shared`](Self::shared) costs a connection next to nothing, [`dedicated`](Self::dedicated) compresses similar messages
/// much better; every parameter can be set from there.
///
/// ```
/// use std::sync::Arc;
/// use wscope::proto::{AcceptConnection, Request, WebSocketUri, WsConnection};
/// use wscope::proto::extension::{PermessageDeflate, WindowBits};
///
/// let (mut client, mut server) = (WsConnection::client(), WsConnection::server());
/// let (mut wire, uri) = (Vec::new(), "ws://example.com/".parse::<WebSocketUri>()?);
/// let wanted = PermessageDeflate::dedicated().server_max_window_bits(WindowBits::new(12)?);
/// client.send(Request::to(&uri).with_extension(Arc::new(wanted)), &mut wire)?;
/// server.receive(&mut &mut wire[..])?;
/// wire.clear();
/// server.send(AcceptConnection::new().with_extension(Arc::new(PermessageDeflate::shared())), &mut wire)?;
/// let answer = String::from_utf8_lossy(&wire);
/// assert!(answer.contains("server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12"));
///
/// wire.clear();
/// server.send("sea ".repeat(1000), &mut wire)?;
/// assert!(wire.len() < 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PermessageDeflate {
    /// The server compresses each message by itself. A client asks for it, a server says so.
    pub server_no_context_takeover: bool,
    /// The client compresses each message by itself. A client says so, a server asks for it.
    pub client_no_context_takeover: bool,
    /// Largest window of the server's compressor. Default [`WindowBits::MAX`]. A client asks for a smaller one, and goes on with the
    /// largest if the server knows no such limit; a server keeps to it.
    pub server_max_window_bits: WindowBits,
    /// Largest window of the client's compressor. Default [`WindowBits::MAX`]. A client keeps to it; a server asks for it where the
    /// client said that it can be asked.
    pub client_max_window_bits: WindowBits,
    /// Time spent to find repetitions. Default [`Level::Fast`].
    pub level: Level,
    /// Shorter messages are sent plain, in bytes. Default [`THRESHOLD`](Self::THRESHOLD). A message that is sent in fragments is
    /// always compressed.
    pub threshold: usize,
}

impl PermessageDeflate {
    /// 512 B: below it, compression costs more time than the bytes that it saves.
    pub const THRESHOLD: usize = 512;

    /// Each message by itself, in both directions. Between messages a connection holds no stream: the thread's serve all.
    #[must_use]
    pub const fn shared() -> Self {
        Self { server_no_context_takeover: true, client_no_context_takeover: true, ..Self::dedicated() }
    }

    /// Messages may point back into earlier ones, in both directions. The connection holds a compressor and an inflater of its own from
    /// the first message on that needs them; see the page of defaults for what that costs.
    #[must_use]
    pub const fn dedicated() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: WindowBits::MAX,
            client_max_window_bits: WindowBits::MAX,
            level: Level::Fast,
            threshold: Self::THRESHOLD,
        }
    }

    /// Sets [`server_no_context_takeover`](Self::server_no_context_takeover).
    #[must_use]
    pub const fn server_no_context_takeover(mut self, each_by_itself: bool) -> Self {
        self.server_no_context_takeover = each_by_itself;
        self
    }

    /// Sets [`client_no_context_takeover`](Self::client_no_context_takeover).
    #[must_use]
    pub const fn client_no_context_takeover(mut self, each_by_itself: bool) -> Self {
        self.client_no_context_takeover = each_by_itself;
        self
    }

    /// Sets [`server_max_window_bits`](Self::server_max_window_bits).
    #[must_use]
    pub const fn server_max_window_bits(mut self, bits: WindowBits) -> Self {
        self.server_max_window_bits = bits;
        self
    }

    /// Sets [`client_max_window_bits`](Self::client_max_window_bits).
    #[must_use]
    pub const fn client_max_window_bits(mut self, bits: WindowBits) -> Self {
        self.client_max_window_bits = bits;
        self
    }

    /// Sets [`level`](Self::level).
    #[must_use]
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets [`threshold`](Self::threshold).
    #[must_use]
    pub const fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }

    /// What we offer first.
    const fn wish(&self) -> Parameters {
        let (server, client) = (self.server_max_window_bits.0, self.client_max_window_bits.0);
        let largest = WindowBits::MAX.0;
        Parameters {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: if server < largest { Some(server) } else { None },
            client_max_window_bits: Some(if client < largest {
                ClientWindow::Bits(client)
            } else {
                ClientWindow::Any
            }),
        }
    }

    /// What a server answers, if it can accept the offer (RFC 7692 §7.1).
    fn answer(&self, offer: Parameters) -> Option<Parameters> {
        let server_max_window_bits = match offer.server_max_window_bits {
            Some(bits) if bits < WindowBits::MIN.0 => return None, // a compressor of zlib-rs cannot keep to it
            Some(bits) => Some(bits.min(self.server_max_window_bits.0)),
            None => None,
        };
        // Only a client that says so understands the parameter (RFC 7692 §7.1.2.2).
        let client = offer.client_max_window_bits.map(|window| match window {
            ClientWindow::Any => self.client_max_window_bits.0,
            ClientWindow::Bits(bits) => bits.min(self.client_max_window_bits.0),
        });
        Some(Parameters {
            server_no_context_takeover: offer.server_no_context_takeover || self.server_no_context_takeover,
            client_no_context_takeover: offer.client_no_context_takeover || self.client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits: client.filter(|bits| *bits < WindowBits::MAX.0).map(ClientWindow::Bits),
        })
    }

    /// Whether a server may give this answer to one of our offers (RFC 7692 §7.1).
    fn allows(&self, answer: Parameters) -> bool {
        let within = answer.server_max_window_bits.is_none_or(|bits| bits <= self.server_max_window_bits.0);
        let takeover = self.server_no_context_takeover && !answer.server_no_context_takeover;
        within && !takeover && answer.client_max_window_bits != Some(ClientWindow::Any)
    }

    /// The streams of the side that compresses with `window_bits`.
    fn transforms(&self, window_bits: u8, takeover: bool, peer_takeover: bool) -> Transforms {
        let kind = Kind { window_bits, level: self.level as u8 };
        let outbound: Box<dyn OutboundTransform> = if window_bits < WindowBits::MIN.0 {
            Box::new(Plain)
        } else {
            Box::new(Compressor::new(kind, takeover, self.threshold))
        };
        Transforms::new(Rsv::Rsv1, Box::new(Decompressor::new(peer_takeover)), outbound)
    }
}

impl Extension for PermessageDeflate {
    fn name(&self) -> &'static str {
        "permessage-deflate"
    }

    /// The wish; then, where it limits the server's window, the same without that limit, which not every server knows.
    fn offers(&self) -> Vec<ExtensionItem> {
        let wish = self.wish();
        let fallback = Parameters { server_max_window_bits: None, ..wish };
        let mut offers = vec![wish.item()];
        if fallback != wish {
            offers.push(fallback.item());
        }
        offers
    }

    fn accept(&self, offer: &ExtensionItem) -> Option<(ExtensionItem, Transforms)> {
        let offer = Parameters::read(offer)?;
        let answer = self.answer(offer)?;
        let window_bits = answer.server_max_window_bits.unwrap_or(self.server_max_window_bits.0);
        let (server, client) = (!answer.server_no_context_takeover, !answer.client_no_context_takeover);
        Some((answer.item(), self.transforms(window_bits, server, client)))
    }

    fn confirm(&self, answer: &ExtensionItem) -> Option<Transforms> {
        let answer = Parameters::read(answer).filter(|answer| self.allows(*answer))?;
        let window_bits = match answer.client_max_window_bits {
            Some(ClientWindow::Bits(bits)) => bits.min(self.client_max_window_bits.0),
            Some(ClientWindow::Any) | None => self.client_max_window_bits.0,
        };
        let client = !(answer.client_no_context_takeover || self.client_no_context_takeover);
        Some(self.transforms(window_bits, client, !answer.server_no_context_takeover))
    }
}

/// Size of a compressor's window, as its base-2 logarithm: how far back repetitions are found (RFC 7692 §7.1.2).
///
/// From 9 to 15. The RFC allows 8 too, which zlib-rs cannot keep to.
///
/// ```
/// use wscope::proto::extension::WindowBits;
///
/// assert_eq!(WindowBits::new(12)?.get(), 12);
/// assert!(WindowBits::new(8).is_err());
/// # Ok::<(), wscope::proto::extension::InvalidWindowBits>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 9: 512 bytes.
    pub const MIN: Self = Self(9);
    /// 15: 32 KiB.
    pub const MAX: Self = Self(15);

    /// A window of 2^`bits` bytes.
    ///
    /// # Errors
    /// [`InvalidWindowBits`] outside of 9 to 15.
    pub const fn new(bits: u8) -> Result<Self, InvalidWindowBits> {
        if Self::MIN.0 <= bits && bits <= Self::MAX.0 {
            Ok(Self(bits))
        } else {
            Err(InvalidWindowBits { bits })
        }
    }

    /// The logarithm.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A window that no compressor of ours can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no window of {bits} bits: take {} to {} (RFC 7692 §7.1.2)", WindowBits::MIN.0, WindowBits::MAX.0)]
#[non_exhaustive]
pub struct InvalidWindowBits {
    /// What was asked for.
    pub bits: u8,
}

/// Time that a compressor spends to find repetitions.
///
/// ```
/// use wscope::proto::extension::{Level, PermessageDeflate};
///
/// let archive = PermessageDeflate::dedicated().level(Level::Best);
/// assert_eq!(PermessageDeflate::dedicated().level, Level::Fast);
/// assert_eq!((Level::default(), archive.level as u8), (Level::Fast, 9));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Level {
    /// zlib's level 1.
    #[default]
    Fast = 1,
    /// zlib's level 6: several times the work for a fifth to a third fewer bytes.
    Balanced = 6,
    /// zlib's level 9: for what is sent once and read by many.
    Best = 9,
}
