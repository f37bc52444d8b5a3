//! TLS by the library of the system, over any transport.
//!
//! ```text
//!   Tls ──▶ async_native_tls::TlsStream ──▶ Bridge ──▶ ReadAhead ──▶ Transport
//! ```
//!
//! - An end of the stream without the peer's `close_notify` is an error, `UnexpectedEof`: it may be an attacker's doing.
//! - Nothing of the library's leaves this file, but as the source of an error.

use std::{
    error, fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use async_native_tls::{Protocol, TlsAcceptor, TlsConnector, TlsStream};
use futures::io::{AsyncRead, AsyncWrite};

use super::{Transport, read_ahead::ReadAhead};

/// How a client checks a server, and who it says it is itself.
#[derive(Clone, Default)]
pub(crate) struct ClientSettings {
    pub(crate) roots: Vec<Certificate>,
    pub(crate) only_given_roots: bool,
    pub(crate) identity: Option<Identity>,
    pub(crate) accept_invalid_certificates: bool,
    pub(crate) accept_invalid_hostnames: bool,
}

/// A certificate that is trusted.
#[derive(Clone)]
pub(crate) struct Certificate(native_tls::Certificate);

impl Certificate {
    /// All certificates in a PEM file.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Vec<Self>, Failed> {
        let certificates = native_tls::Certificate::stack_from_pem(pem)?;
        Ok(certificates.into_iter().map(Self).collect())
    }

    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Failed> {
        Ok(Self(native_tls::Certificate::from_der(der)?))
    }
}

/// A certificate, the chain above it, and its private key.
#[derive(Clone)]
pub(crate) struct Identity(native_tls::Identity);

impl Identity {
    /// `key`: PKCS#8 in PEM.
    pub(crate) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Failed> {
        Self(native_tls::Identity::from_pkcs8(chain, key)?).checked()
    }

    pub(crate) fn from_pkcs12(der: &[u8], password: &str) -> Result<Self, Failed> {
        Self(native_tls::Identity::from_pkcs12(der, password)?).checked()
    }

    /// A server with a key that does not fit its certificate would be made without complaint, and refuse every client.
    /// A client is not even made.
    fn checked(self) -> Result<Self, Failed> {
        native_tls::TlsConnector::builder().identity(self.0.clone()).build()?;
        Ok(self)
    }
}

/// Makes TLS clients.
pub(crate) struct Connector(TlsConnector);

impl Connector {
    pub(crate) fn new(settings: &ClientSettings) -> Self {
        let mut builder = native_tls::TlsConnector::builder();
        builder
            .min_protocol_version(Some(MIN_PROTOCOL))
            .disable_built_in_roots(settings.only_given_roots)
            .danger_accept_invalid_certs(settings.accept_invalid_certificates)
            .danger_accept_invalid_hostnames(settings.accept_invalid_hostnames)
            .use_sni(true);
        for root in &settings.roots {
            builder.add_root_certificate(root.0.clone());
        }
        if let Some(identity) = &settings.identity {
            builder.identity(identity.0.clone());
        }
        Self(TlsConnector::from(builder))
    }

    /// Shakes hands as the client of `host`, a name or an address without brackets.
    ///
    /// The first poll reads the system's certificates, and so takes tens of milliseconds.
    pub(crate) async fn connect(&self, host: &str, transport: Transport) -> Result<Tls, Failed> {
        Ok(Tls::over(self.0.connect(host, Bridge(ReadAhead::new(transport))).await?))
    }
}

/// Makes TLS servers.
#[derive(Clone)]
pub(crate) struct Acceptor(TlsAcceptor);

impl Acceptor {
    pub(crate) fn new(identity: &Identity) -> Result<Self, Failed> {
        let mut builder = native_tls::TlsAcceptor::builder(identity.0.clone());
        Ok(Self(builder.min_protocol_version(Some(MIN_PROTOCOL)).build()?.into()))
    }

    /// Shakes hands as the server.
    pub(crate) async fn accept(&self, transport: Transport) -> Result<Tls, Failed> {
        Ok(Tls::over(self.0.accept(Bridge(ReadAhead::new(transport))).await?))
    }
}

/// A TLS connection, its handshake done.
#[derive(Debug)]
pub(crate) struct Tls {
    stream: TlsStream<Bridge>,
    closing: Closing,
}

/// How far our end of sending has come.
#[derive(Debug)]
enum Closing {
    Open,
    /// `close_notify` is with the transport.
    Notified,
    Closed,
}

impl Tls {
    fn over(stream: TlsStream<Bridge>) -> Self {
        Self { stream, closing: Closing::Open }
    }

    pub(crate) fn transport(&self) -> &Transport {
        self.stream.get_ref().0.transport_ref()
    }

    pub(crate) fn look_again(&mut self) {
        self.stream.get_mut().0.transport().look_again();
    }

    /// One read. The end of the stream is one only after `close_notify`.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }

    /// One write. `Pending` has taken the bytes all the same: they must be offered again.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Sends `close_notify`, then ends sending below. Below it ends also where the notice cannot be sent.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut notified = Ok(());
        if let Closing::Open = self.closing {
            notified = ready!(Pin::new(&mut self.stream).poll_close(cx));
            self.closing = Closing::Notified;
        }
        if let Closing::Notified = self.closing {
            ready!(self.poll_flush(cx))?;
            ready!(self.stream.get_mut().0.transport().poll_close(cx))?;
            self.closing = Closing::Closed;
        }
        Poll::Ready(notified)
    }
}

/// The transport as the library wants it.
#[derive(Debug)]
struct Bridge(ReadAhead);

impl AsyncRead for Bridge {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.0.poll_read(cx, buffer)) {
            // The library does not ask after `close_notify`, so this end has not been announced.
            Ok(0) if !buffer.is_empty() => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            result => Poll::Ready(result),
        }
    }
}

impl AsyncWrite for Bridge {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.transport().poll_write_vectored(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.transport().poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.transport().poll_close(cx)
    }
}

/// Why there is no TLS.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) cause: Cause,
    pub(crate) source: Arc<dyn error::Error + Send + Sync>,
}

/// What can be told of a failure. The libraries of some systems tell less, and then it is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nobody whom we trust has signed the certificate.
    NotTrusted,
    WrongHost,
    Expired,
    NotYetValid,
    /// The peer has given up, and said so.
    Alert,
    /// The peer has left.
    Ended,
    /// The network has failed.
    Io(io::ErrorKind),
    Other,
}

impl Cause {
    fn of(error: &native_tls::Error) -> Self {
        let io = error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::UnexpectedEof) => Self::Ended,
            Some(kind) => Self::Io(kind),
            None => Self::told_by(&error.to_string()),
        }
    }

    /// The libraries have no codes in common, and the one of most systems hides its own; what is left is what they say.
    fn told_by(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let says = |phrase: &str| text.contains(phrase);
        PHRASES
            .iter()
            .find(|(phrases, _)| phrases.iter().all(|phrase| says(phrase)))
            .map_or(Self::Other, |(_, cause)| *cause)
    }
}

impl Failed {
    /// An error of the library on a stream whose handshake seemed done. `None`: it is the network's.
    pub(crate) fn late(error: &Arc<io::Error>) -> Option<Self> {
        let of_the_library = error.kind() == io::ErrorKind::Other && error.get_ref().is_some();
        of_the_library.then(|| Self { cause: Cause::told_by(&error.to_string()), source: error.clone() })
    }
}

impl From<native_tls::Error> for Failed {
    fn from(error: native_tls::Error) -> Self {
        Self { cause: Cause::of(&error), source: Arc::new(error) }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// Older ones have known weaknesses (RFC 8996).
const MIN_PROTOCOL: Protocol = Protocol::Tlsv12;

/// In words of OpenSSL: what it says when all of these are in it. The first that fits counts.
const PHRASES: &[(&[&str], Cause)] = &[
    (&["certificate verify failed", "hostname mismatch"], Cause::WrongHost),
    (&["certificate verify failed", "ip address mismatch"], Cause::WrongHost),
    (&["certificate verify failed", "has expired"], Cause::Expired),
    (&["certificate verify failed", "not yet valid"], Cause::NotYetValid),
    (&["certificate verify failed"], Cause::NotTrusted),
    (&[" alert "], Cause::Alert),
];
