//! The states of a connection and every step between them (RFC 6455 §4, §7.1).
//!
//! ```text
//!                 Reject         EndReject
//!  Connecting ──────────▶ Rejecting ──────────────────────────▶ Closed
//!      │ Accept                                                 ▲ ▲
//!      ▼       SendClose                 ReceiveClose           │ │
//!    Open ──────────────▶ LocalClosing ─────────────────────────┘ │
//!      │       ReceiveClose              SendClose                │
//!      └────────────────▶ RemoteClosing ──────────────────────────┘
//! ```
//!
//! `Fail` and `Eof` lead to `Closed` from everywhere, but for the end of a stream after the peer's close frame: that is
//! how a peer that closes leaves, and the answer to it can still be written.
//!
//! The table does not know our role, so the two sides cannot drift apart. Invariant: nothing leaves `Closed`.

use std::fmt;

/// Where a connection stands: wsproto's six states.
#[allow(clippy::exhaustive_enums, reason = "a new state would change the meaning of the others")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// The opening handshake is under way.
    Connecting,
    /// Messages flow both ways.
    Open,
    /// The peer sent a close frame; ours, its answer, is still to be written.
    RemoteClosing,
    /// We sent a close frame; the peer may still send messages, and its own close frame is awaited.
    LocalClosing,
    /// Nothing more is sent or received.
    Closed,
    /// The handshake was refused, and the body of the refusal is under way.
    Rejecting,
}

/// What happens to a connection.
#[allow(
    clippy::exhaustive_enums,
    reason = "closed together with ConnectionState: the table covers every pair"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// The handshake succeeds.
    Accept,
    /// The handshake is refused.
    Reject,
    /// The body of a refusal ends, or there is none.
    EndReject,
    /// We send a message, a piece of one, or a ping.
    SendData,
    /// We send a pong.
    SendPong,
    /// We send a close frame.
    SendClose,
    /// A frame comes that is no close frame.
    ReceiveData,
    /// A close frame comes.
    ReceiveClose,
    /// The peer breaks the protocol, or exceeds a limit.
    Fail,
    /// The stream ends.
    Eof,
}

impl ConnectionState {
    /// All states, in wsproto's order.
    pub const ALL: [Self; 6] = [
        Self::Connecting,
        Self::Open,
        Self::RemoteClosing,
        Self::LocalClosing,
        Self::Closed,
        Self::Rejecting,
    ];

    /// The next state, or `None` where the transition may not happen.
    ///
    /// ```
    /// use wscope::proto::{ConnectionState::*, Transition};
    /// assert_eq!(Open.on(Transition::SendClose), Some(LocalClosing));
    /// assert_eq!(LocalClosing.on(Transition::SendData), None); // RFC 6455 §5.5.1
    /// ```
    #[must_use]
    pub const fn on(self, transition: Transition) -> Option<Self> {
        use ConnectionState::*;
        use Transition::*;
        // Every pair, and never `_`: a new state must break this build.
        match (self, transition) {
            (Connecting, Accept) => Some(Open),
            (Connecting, Reject) => Some(Rejecting),
            (Rejecting, EndReject) => Some(Closed),

            (Open, SendData | SendPong | ReceiveData) => Some(Open),
            (Open, SendClose) => Some(LocalClosing),
            (Open, ReceiveClose) => Some(RemoteClosing),
            (LocalClosing, ReceiveData) => Some(LocalClosing),
            (LocalClosing, ReceiveClose) => Some(Closed),
            // The peer has said that it will not read on, but our close frame is not out yet (RFC 6455 §5.5.1).
            (RemoteClosing, SendPong | Eof) => Some(RemoteClosing),
            (RemoteClosing, SendClose) => Some(Closed),

            (Connecting | Open | RemoteClosing | LocalClosing | Closed | Rejecting, Fail | Eof) => {
                Some(Closed)
            }

            (Open | RemoteClosing | LocalClosing | Closed | Rejecting, Accept | Reject)
            | (Connecting | Open | RemoteClosing | LocalClosing | Closed, EndReject)
            | (Connecting | Rejecting | RemoteClosing | Closed, ReceiveData | ReceiveClose)
            | (Connecting | Rejecting | LocalClosing | Closed, SendClose | SendPong)
            | (Connecting | Rejecting | RemoteClosing | LocalClosing | Closed, SendData) => None,
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::RemoteClosing => "remote closing",
            Self::LocalClosing => "local closing",
            Self::Closed => "closed",
            Self::Rejecting => "rejecting",
        })
    }
}
