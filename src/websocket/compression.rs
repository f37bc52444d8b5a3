//! The switch for compression (RFC 7692). What it does is `proto`'s affair.

use std::sync::Arc;

use crate::proto::{
    AcceptConnection, Request,
    extension::{Extension, PermessageDeflate},
};

/// Whether messages are compressed, and how. Default: [`off`](Self::off).
///
/// It is used where both sides want it, and a peer that does not know it is spoken to without. Each of the parameters can be set on
/// [`PermessageDeflate`], which becomes one of these. Beware of compressing what is secret together with what a stranger chose: the
/// length tells of it (RFC 7692 §8).
///
/// ```
/// use wscope::proto::extension::{Level, PermessageDeflate};
/// use wscope::websocket::{ClientConfig, Compression, ServerConfig};
///
/// let client = ClientConfig::new("wss://example.com/")?.compression(Compression::shared());
/// assert_eq!(client.request().extensions().len(), 1);
///
/// let server = ServerConfig::new().compression(PermessageDeflate::dedicated().level(Level::Balanced).threshold(2048));
/// assert_ne!(server.compression, Compression::dedicated());
/// # Ok::<(), wscope::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compression(Choice);

#[derive(Clone, Debug, Default)]
enum Choice {
    #[default]
    Off,
    Deflate(Arc<PermessageDeflate>),
    Other(Arc<dyn Extension>),
}

impl Compression {
    /// None.
    #[must_use]
    pub const fn off() -> Self {
        Self(Choice::Off)
    }

    /// Each message by itself: [`PermessageDeflate::shared`]. Costs a connection next to no memory.
    #[must_use]
    pub fn shared() -> Self {
        PermessageDeflate::shared().into()
    }

    /// Messages point back into earlier ones: [`PermessageDeflate::dedicated`]. Makes similar messages much shorter, and costs a connection
    /// hundreds of kilobytes.
    #[must_use]
    pub fn dedicated() -> Self {
        PermessageDeflate::dedicated().into()
    }

    /// An extension of your own in its place. What it does to short messages, and to all that come, is done under the lock of the
    /// connection, so it must not call it.
    #[must_use]
    pub const fn other(extension: Arc<dyn Extension>) -> Self {
        Self(Choice::Other(extension))
    }

    /// `request` with our offers, in place of those before.
    pub(super) fn offer(self, request: Request) -> Request {
        match self.0.extension() {
            Some(extension) => request.with_extension(extension),
            None => request.without_extension(),
        }
    }

    /// `accept` with what we use if it was offered.
    pub(super) fn accept(self, accept: AcceptConnection) -> AcceptConnection {
        match self.0.extension() {
            Some(extension) => accept.with_extension(extension),
            None => accept,
        }
    }
}

impl From<PermessageDeflate> for Compression {
    fn from(deflate: PermessageDeflate) -> Self {
        Self(Choice::Deflate(Arc::new(deflate)))
    }
}

impl Choice {
    fn extension(self) -> Option<Arc<dyn Extension>> {
        match self {
            Self::Off => None,
            Self::Deflate(deflate) => Some(deflate),
            Self::Other(extension) => Some(extension),
        }
    }
}

impl PartialEq for Choice {
    /// Extensions of your own are equal where they are the same one.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Off, Self::Off) => true,
            (Self::Deflate(one), Self::Deflate(two)) => one == two,
            (Self::Other(one), Self::Other(two)) => Arc::ptr_eq(one, two),
            (Self::Off | Self::Deflate(_) | Self::Other(_), _) => false,
        }
    }
}

impl Eq for Choice {}
