//! TLS as a user sets it up: whom to trust, who we are, and what can go wrong.

use std::{
    error, fmt, fs,
    future::poll_fn,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    task::{Context, Poll},
};

use crate::{
    runtime::{
        Transport,
        tls::{self, Acceptor, Cause, Certificate, ClientSettings, Connector, Failed},
    },
    scope::blocking,
};

/// How a client speaks TLS. By default it trusts the roots of the system, and checks certificate and host name; TLS 1.2 or newer.
///
/// Each connection reads the system's roots anew: tens of milliseconds of CPU, on a thread that may block.
///
/// ```
/// use wscope::websocket::TlsConfig;
///
/// # fn own_root(pem: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let config = TlsConfig::new().root_certificate_pem(pem)?.only_given_roots();
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct TlsConfig(ClientSettings);

impl TlsConfig {
    /// Trusts the system's roots, and checks everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts these certificates too: one or more, in PEM.
    ///
    /// # Errors
    ///
    /// There is no certificate in it, or one that cannot be read.
    pub fn root_certificate_pem(self, pem: impl AsRef<[u8]>) -> Result<Self, IdentityError> {
        let roots = Certificate::from_pem(pem.as_ref()).map_err(IdentityError::unreadable)?;
        if roots.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        Ok(self.with(|settings| settings.roots.extend(roots)))
    }

    /// Trusts this certificate too, in DER.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn root_certificate_der(self, der: impl AsRef<[u8]>) -> Result<Self, IdentityError> {
        let root = Certificate::from_der(der.as_ref()).map_err(IdentityError::unreadable)?;
        Ok(self.with(|settings| settings.roots.push(root)))
    }

    /// Trusts the certificates that are given here, and not those of the system.
    #[must_use]
    pub fn only_given_roots(self) -> Self {
        self.with(|settings| settings.only_given_roots = true)
    }

    /// Shows a server that asks for it this certificate.
    #[must_use]
    pub fn identity(self, identity: Identity) -> Self {
        self.with(|settings| settings.identity = Some(identity.0))
    }

    /// Takes any certificate, of anybody: whoever sits in between can read and change everything.
    #[must_use]
    pub fn danger_accept_invalid_certificates(self) -> Self {
        self.with(|settings| settings.accept_invalid_certificates = true)
    }

    /// Takes the certificate of any host, as long as somebody trusted has signed it: whoever has a certificate of his own can sit
    /// in between.
    #[must_use]
    pub fn danger_accept_invalid_hostnames(self) -> Self {
        self.with(|settings| settings.accept_invalid_hostnames = true)
    }

    fn with(mut self, change: impl FnOnce(&mut ClientSettings)) -> Self {
        change(&mut self.0);
        self
    }
}

/// Says what is checked, and nothing of keys.
impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClientSettings { roots, only_given_roots, identity, .. } = &self.0;
        f.debug_struct("TlsConfig")
            .field("roots", &roots.len())
            .field("only_given_roots", only_given_roots)
            .field("identity", &identity.is_some())
            .field("accept_invalid_certificates", &self.0.accept_invalid_certificates)
            .field("accept_invalid_hostnames", &self.0.accept_invalid_hostnames)
            .finish()
    }
}

/// How a server speaks TLS: with this certificate, TLS 1.2 or newer. Clients are not asked for theirs.
///
/// ```
/// use wscope::websocket::{Identity, TlsServerConfig};
///
/// # fn start(chain: &[u8], key: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let config = TlsServerConfig::new(Identity::from_pem(chain, key)?)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TlsServerConfig(Acceptor);

impl TlsServerConfig {
    /// A server that shows `identity` to its clients.
    ///
    /// # Errors
    ///
    /// The system's TLS library does not take it: the key is too weak, say.
    pub fn new(identity: Identity) -> Result<Self, IdentityError> {
        Acceptor::new(&identity.0).map(Self).map_err(IdentityError::unreadable)
    }
}

impl fmt::Debug for TlsServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServerConfig").finish_non_exhaustive()
    }
}

/// A certificate, the chain above it, and the private key.
///
/// Making one tries whether the key belongs to the certificate, which takes tens of milliseconds.
///
/// ```no_run
/// use wscope::{WebSocketServer, websocket::{Identity, TlsServerConfig}};
///
/// async fn listen() -> Result<WebSocketServer, Box<dyn std::error::Error>> {
///     let identity = Identity::from_pem_files("chain.pem", "key.pem")?;
///     Ok(WebSocketServer::bind_tls("0.0.0.0:443", TlsServerConfig::new(identity)?).await?)
/// }
/// ```
#[derive(Clone)]
pub struct Identity(tls::Identity);

impl Identity {
    /// `chain`: the certificate, then those who signed it, in PEM. `key`: its private key, PKCS#8 in PEM.
    ///
    /// # Errors
    ///
    /// Something is missing, cannot be read, does not belong together, or the key is in another form.
    ///
    /// ```
    /// use wscope::websocket::{Identity, IdentityError};
    ///
    /// let error = Identity::from_pem("", "-----BEGIN EC PRIVATE KEY-----").unwrap_err();
    /// assert!(matches!(error, IdentityError::KeyForm { .. }));
    /// assert!(error.to_string().contains("openssl pkcs8 -topk8 -nocrypt"));
    /// ```
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, IdentityError> {
        let key = pkcs8(key.as_ref())?;
        if !has_line(chain.as_ref(), CERTIFICATE) {
            return Err(IdentityError::NoCertificate);
        }
        tls::Identity::from_pem(chain.as_ref(), key).map(Self).map_err(IdentityError::unreadable)
    }

    /// The same from two files. Blocks while it reads them: for when a program starts.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem`](Self::from_pem), and a file that cannot be read.
    pub fn from_pem_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, IdentityError> {
        Self::from_pem(read(chain.as_ref())?, read(key.as_ref())?)
    }

    /// From a PKCS#12 archive (`.p12`, `.pfx`).
    ///
    /// # Errors
    ///
    /// It cannot be read, or not with this password.
    pub fn from_pkcs12(der: impl AsRef<[u8]>, password: &str) -> Result<Self, IdentityError> {
        tls::Identity::from_pkcs12(der.as_ref(), password).map(Self).map_err(IdentityError::unreadable)
    }
}

/// Says nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Why a certificate or a key cannot be used. What is printed holds no part of a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// In the words of the system.
        #[source]
        error: io::Error,
    },
    /// There is no certificate where one should be.
    #[error("no certificate: the PEM has no line -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// There is no private key where one should be.
    #[error("no private key: the PEM has no line -----BEGIN PRIVATE KEY-----")]
    NoKey,
    /// There is a private key, but not in PKCS#8, or encrypted.
    #[error(
        "the key is `{label}`, not PKCS#8; to convert it: openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW_KEY"
    )]
    KeyForm {
        /// What it says it is, such as `RSA PRIVATE KEY`.
        label: &'static str,
    },
    /// The system's TLS library does not take it: broken, of the wrong password, or key and certificate are strangers.
    #[error("the TLS library refuses certificate or key: {0}")]
    Refused(#[source] Box<dyn error::Error + Send + Sync>),
}

impl IdentityError {
    fn unreadable(failed: Failed) -> Self {
        Self::Refused(Box::new(failed.source))
    }
}

/// Why TLS could not be begun. The source, where there is one, is the error of the system's TLS library or of the network.
///
/// What exactly was wrong with a certificate is known where the library is OpenSSL; elsewhere it may be `Handshake`.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Nobody whom we trust has signed the server's certificate.
    #[error("the certificate of `{host}` is not trusted: {source}")]
    NotTrusted {
        /// Whom we wanted to talk to.
        host: String,
        /// In the words of the library.
        source: Arc<dyn error::Error + Send + Sync>,
    },
    /// The certificate is somebody else's.
    #[error("the certificate that was shown is not that of `{host}`")]
    WrongHost {
        /// Whom we wanted to talk to.
        host: String,
    },
    /// The server's certificate has expired.
    #[error("the certificate of `{host}` has expired")]
    Expired {
        /// Whom we wanted to talk to.
        host: String,
    },
    /// The server's certificate is not yet valid; or our clock is wrong.
    #[error("the certificate of `{host}` is not yet valid")]
    NotYetValid {
        /// Whom we wanted to talk to.
        host: String,
    },
    /// The peer has ended the handshake, and sent an alert that says why.
    #[error("the peer refuses TLS with us: {0}")]
    Alert(#[source] Arc<dyn error::Error + Send + Sync>),
    /// The peer has closed the connection during the handshake.
    #[error("the peer has left during the TLS handshake: is this a port of TLS?")]
    Ended,
    /// The network has failed during the handshake.
    #[error("the network has failed during the TLS handshake: {0}")]
    Io(io::ErrorKind),
    /// The handshake has failed for another reason, such as a peer that does not speak TLS.
    #[error("the TLS handshake has failed, as with a peer that does not speak TLS: {0}")]
    Handshake(#[source] Arc<dyn error::Error + Send + Sync>),
}

impl TlsError {
    /// Of a client that has finished its handshake: with TLS 1.3 a server that refuses its certificate, or the lack of one, says so
    /// only then. `None`: the network has failed.
    pub(crate) fn late(error: &Arc<io::Error>, host: &str) -> Option<Self> {
        Failed::late(error).map(|failed| Self::of(failed, host))
    }

    fn of(failed: Failed, host: &str) -> Self {
        let Failed { cause, source } = failed;
        let host = host.to_owned();
        match cause {
            Cause::NotTrusted => Self::NotTrusted { host, source },
            Cause::WrongHost => Self::WrongHost { host },
            Cause::Expired => Self::Expired { host },
            Cause::NotYetValid => Self::NotYetValid { host },
            Cause::Alert => Self::Alert(source),
            Cause::Ended => Self::Ended,
            Cause::Io(kind) => Self::Io(kind),
            Cause::Other => Self::Handshake(source),
        }
    }
}

/// Speaks TLS over `transport`, as the client of `host`: a name or an address, in brackets or not.
///
/// No limit in time. Dropped half-way, it drops the transport.
pub(crate) async fn connect(
    config: &TlsConfig,
    host: &str,
    transport: Transport,
) -> Result<Transport, TlsError> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let (connector, name) = (Connector::new(&config.0), host.to_owned());
    let handshake = async move { connector.connect(&name, transport).await };
    let connected = begun_elsewhere(handshake).await;
    connected.map(|tls| Transport::Tls(Box::new(tls))).map_err(|failed| TlsError::of(failed, host))
}

/// Awaits `work`, whose first poll blocks: that one is done by a thread that may.
async fn begun_elsewhere<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let mut work = Box::pin(work);
    let begun = blocking(move || {
        let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
        (work, polled)
    });
    match begun.await {
        (_, Poll::Ready(value)) => value,
        (work, Poll::Pending) => work.await,
    }
}

/// Speaks TLS over `transport`, as the server.
///
/// No limit in time. Dropped half-way, it drops the transport.
pub(crate) async fn accept(config: &TlsServerConfig, transport: Transport) -> Result<Transport, TlsError> {
    let accepted = config.0.accept(transport).await;
    // A server checks no certificate, so the host is in none of its errors.
    accepted.map(|tls| Transport::Tls(Box::new(tls))).map_err(|failed| TlsError::of(failed, ""))
}

fn read(path: &Path) -> Result<Vec<u8>, IdentityError> {
    fs::read(path).map_err(|error| IdentityError::File { path: path.to_owned(), error })
}

/// `pem` from where the PKCS#8 key begins: tools put parameters and remarks in front.
fn pkcs8(pem: &[u8]) -> Result<&[u8], IdentityError> {
    if let Some(begin) = find(pem, PKCS8) {
        return Ok(&pem[begin..]);
    }
    match OTHER_KEYS.iter().find(|label| has_line(pem, label)) {
        Some(label) => Err(IdentityError::KeyForm { label }),
        None => Err(IdentityError::NoKey),
    }
}

fn has_line(pem: &[u8], label: &str) -> bool {
    find(pem, format!("-----BEGIN {label}-----").as_bytes()).is_some()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

const CERTIFICATE: &str = "CERTIFICATE";
const PKCS8: &[u8] = b"-----BEGIN PRIVATE KEY-----";
const OTHER_KEYS: &[&str] =
    &["RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];
