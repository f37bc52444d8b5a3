//! TLS by the library of the system, over any transport.
//!
//! ```text
//!   Tls ──▶ native_tls::TlsStream ──▶ Bridge (Read + Write) ──▶ ReadAhead ──▶ Transport
//! ```
//!
//! - A connector is made once and kept: making one reads every root certificate of the system, which costs tens of milliseconds.
//! - An end of the stream without the peer's `close_notify` is an error, `UnexpectedEof`: it may be an attacker's doing.
//! - Nothing of the library's leaves this file, but as the source of an error.

use std::{
    error, fmt,
    future::poll_fn,
    io::{self, Read, Write},
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use native_tls::{HandshakeError, Protocol, TlsStream};

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
#[derive(Clone)]
pub(crate) struct Connector(native_tls::TlsConnector);

impl Connector {
    /// Reads the system's certificates: blocks.
    pub(crate) fn new(settings: &ClientSettings) -> Result<Self, Failed> {
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
        Ok(Self(builder.build()?))
    }

    /// Shakes hands as the client of `host`, a name or an address without brackets.
    pub(crate) async fn connect(&self, host: &str, transport: Transport) -> Result<Tls, Failed> {
        handshake(transport, |bridge| self.0.connect(host, bridge)).await
    }
}

/// Makes TLS servers.
#[derive(Clone)]
pub(crate) struct Acceptor(native_tls::TlsAcceptor);

impl Acceptor {
    pub(crate) fn new(identity: &Identity) -> Result<Self, Failed> {
        let mut builder = native_tls::TlsAcceptor::builder(identity.0.clone());
        Ok(Self(builder.min_protocol_version(Some(MIN_PROTOCOL)).build()?))
    }

    /// Shakes hands as the server.
    pub(crate) async fn accept(&self, transport: Transport) -> Result<Tls, Failed> {
        handshake(transport, |bridge| self.0.accept(bridge)).await
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
    pub(crate) fn transport(&self) -> &Transport {
        self.stream.get_ref().below.transport_ref()
    }

    /// One read. The end of the stream is one only after `close_notify`.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, |stream| stream.read(buffer))
    }

    /// One write. `Pending` has taken the bytes all the same: they must be offered again.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, |stream| stream.write(bytes))
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, TlsStream::flush)
    }

    /// Sends `close_notify`, then ends sending below. Below it ends also where the notice cannot be sent.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut notified = Ok(());
        if let Closing::Open = self.closing {
            notified = ready!(self.poll(cx, TlsStream::shutdown));
            self.closing = Closing::Notified;
        }
        if let Closing::Notified = self.closing {
            ready!(self.poll_flush(cx))?;
            ready!(self.stream.get_mut().below.transport().poll_close(cx))?;
            self.closing = Closing::Closed;
        }
        Poll::Ready(notified)
    }

    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut call: impl FnMut(&mut TlsStream<Bridge>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.stream.get_mut().hear(cx.waker());
        loop {
            match call(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

/// The transport as the library wants it: calls that do not wait, but say `WouldBlock` and wake the task later.
#[derive(Debug)]
struct Bridge {
    below: ReadAhead,
    waker: Waker,
}

impl Bridge {
    /// Whom to wake from now on.
    fn hear(&mut self, waker: &Waker) {
        self.waker.clone_from(waker);
    }
}

impl Read for Bridge {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.below.poll_read(&mut Context::from_waker(&self.waker), buffer) {
            // The library does not ask after `close_notify`, so this end has not been announced.
            Poll::Ready(Ok(0)) if !buffer.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Bridge {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut cx = Context::from_waker(&self.waker);
        match self.below.transport().poll_write_vectored(&mut cx, &[io::IoSlice::new(bytes)]) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.below.transport().poll_flush(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// Goes on with a handshake each time the task is woken. Dropped half-way, it drops the transport.
async fn handshake(
    transport: Transport,
    begin: impl FnOnce(Bridge) -> Result<TlsStream<Bridge>, HandshakeError<Bridge>>,
) -> Result<Tls, Failed> {
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let mut step = begin(Bridge { below: ReadAhead::new(transport), waker });
    loop {
        match step {
            Ok(mut stream) => {
                stream.get_mut().hear(Waker::noop());
                return Ok(Tls { stream, closing: Closing::Open });
            }
            Err(HandshakeError::Failure(error)) => return Err(error.into()),
            Err(HandshakeError::WouldBlock(mut waiting)) => {
                waiting.get_mut().hear(Waker::noop()); // a task that owns this must not be kept by it
                let waker = woken().await;
                waiting.get_mut().hear(&waker);
                step = waiting.handshake();
            }
        }
    }
}

/// Waits until the task is polled again; the waker it has then.
async fn woken() -> Waker {
    let mut polled = false;
    poll_fn(|cx| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(cx.waker().clone()),
        false => Poll::Pending,
    })
    .await
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
