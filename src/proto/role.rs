//! Which side of a connection we are (RFC 6455 §1.2).

use std::fmt;

/// Which side of a connection we are.
///
/// The client opens the connection and masks every frame that it sends; the server answers and never masks
/// (RFC 6455 §5.1).
///
/// ```
/// use wscope::proto::{Config, Connection, Role};
///
/// let (mut client, mut server) = (Connection::new(Role::Client, Config::new()), Connection::new(Role::Server, Config::new()));
/// let (mut asked, mut answered) = (Vec::new(), Vec::new());
/// client.send("hi", &mut asked)?;
/// server.send("hi", &mut answered)?;
/// assert_eq!((asked.len(), answered.len()), (8, 4)); // a mask takes four bytes
/// # Ok::<(), wscope::proto::LocalError>(())
/// ```
#[allow(clippy::exhaustive_enums, reason = "the protocol has two sides, and no third can come")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sent the opening handshake request.
    Client,
    /// The side that answered it.
    Server,
}

impl Role {
    /// The other side.
    ///
    /// ```
    /// use wscope::proto::Role;
    /// assert_eq!(Role::Client.peer(), Role::Server);
    /// ```
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}
