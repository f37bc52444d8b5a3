//! Each error that a public call gives becomes the error of a program by `?`, and that of a nursery that names no other.

use std::marker::PhantomData;

use wscope::{Cancelled, ConnectionClosed, Error, TooSlow, link, proto, scope, websocket};

use crate::errors;

/// Errors that only stand inside of others, as their fields and sources.
const INNER: [&str; 11] = [
    "AcceptErrorKind",
    "CloseCause",
    "ConnectionRejected",
    "ConnectionTimeout",
    "DialError",
    "HeadError",
    "JsonError",
    "NetworkError",
    "ServerError",
    "TlsError",
    "Unreachable",
];

macro_rules! taken {
    ($($error:ty),* $(,)?) => { [$(taken(stringify!($error), PhantomData::<$error>)),*] };
}

/// Does not compile for anything else.
fn taken<E: Into<Error> + Into<scope::Error>>(name: &'static str, _: PhantomData<E>) -> &'static str {
    name.rsplit("::").next().unwrap()
}

#[test]
fn each_error_of_a_call_becomes_the_error_of_a_program() {
    let taken = taken!(
        Cancelled,
        TooSlow,
        ConnectionClosed,
        websocket::DisconnectionTimeout,
        websocket::GetJsonError,
        websocket::HandshakeError,
        websocket::IdentityError,
        websocket::InvalidOrigin,
        websocket::PingError,
        websocket::SendError,
        websocket::SendJsonError,
        websocket::SinkError,
        link::AuthError,
        link::Exposed,
        link::FieldError,
        link::FrameError,
        link::InvalidId,
        link::InvalidJson,
        link::InvalidTimestamp,
        link::InvalidTtl,
        link::LinkError,
        link::LinkPingError,
        link::NextFrameError,
        link::Refusal,
        link::RequestError,
        link::SendFrameError,
        link::ServeError,
        link::StoreError,
        proto::AcceptError,
        proto::BodyFinished,
        proto::ControlTooLong,
        proto::Failed,
        proto::HeaderError,
        proto::InvalidCloseCode,
        proto::InvalidStatus,
        proto::InvalidUtf8,
        proto::ListError,
        proto::LocalError,
        proto::NotAToken,
        proto::ProtocolError,
        proto::ReasonTooLong,
        proto::RequestError,
        proto::ResponseError,
        proto::UriError,
        proto::WsFailed,
        proto::WsLocalError,
        proto::extension::BrokenStream,
        proto::extension::InvalidWindowBits,
    );
    let mut missing = Vec::new();
    for layer in ["proto", "scope", "websocket", "link"] {
        for (name, _) in errors::of(&format!("src/{layer}")) {
            if name != "Error" && !taken.contains(&&*name) && !INNER.contains(&&*name) {
                missing.push(format!("{layer}::{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "`?` takes none of these: {missing:?}");
}
