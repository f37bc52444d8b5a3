//! Each error that a public call gives becomes the error of a program by `?`, and that of a nursery that names no other.

use std::{io, marker::PhantomData, time::Duration};

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

/// A nursery that names no error has few variants; whoever hands on what comes out of it still tells errors apart.
#[test]
fn an_error_that_went_through_a_nursery_has_its_variant_again() {
    let errors: [Error; 8] = [
        wscope::ClientConfig::new("http://h/").unwrap_err().into(),
        proto::CloseCode::new(1005).unwrap_err().into(),
        proto::CloseReason::new(proto::CloseCode::GOING_AWAY, "x".repeat(124)).unwrap_err().into(),
        proto::Ping::new(&[0; 126]).unwrap_err().into(),
        TooSlow { limit: Duration::ZERO }.into(),
        Cancelled.into(),
        io::Error::from(io::ErrorKind::NotFound).into(),
        Error::other("no such room"),
    ];
    for error in errors {
        let (before, said) = (std::mem::discriminant(&error), error.to_string());
        let inside = scope::Error::from(error);
        assert_eq!(inside.to_string(), said);
        let after = Error::from(inside);
        assert_eq!((std::mem::discriminant(&after), after.to_string()), (before, said));
    }
    assert!(matches!(scope::Error::from(Error::from(Cancelled)), scope::Error::Cancelled(Cancelled)));
    let in_time = Error::from(TooSlow { limit: Duration::ZERO });
    assert!(matches!(scope::Error::from(in_time), scope::Error::TooSlow(_)));
    let missing = Error::from(io::Error::from(io::ErrorKind::NotFound));
    assert!(matches!(scope::Error::from(missing), scope::Error::Io(_)));
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
