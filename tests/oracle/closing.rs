//! Closing handshakes between the oracle and us, begun by either, with and without a reason.

use crate::{fuzz::wire::FixedKey, peer::Peer};
use tungstenite::{Error, Message as OracleMessage, protocol::CloseFrame};
use wscope::proto::{
    CloseCode, CloseConnection, CloseReason, Config, Connection, ConnectionState, Event, Role, Side,
};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// The same close frame for us and for the oracle: none, each registered code that it knows, the borders of the open
/// ranges, the longest reason.
fn closes() -> Vec<(Option<CloseReason>, Option<CloseFrame>)> {
    let codes = (1000..=1003).chain(1007..=1013).chain([3000, 3999, 4000, 4999]);
    let longest = "ü".repeat(61) + "z";
    let reasons = codes.flat_map(|code| ["", "why", &longest].map(|reason| (code, reason.to_owned())));
    let both = reasons.map(|(code, reason)| {
        let number = CloseCode::new(code).expect("a legal code");
        let ours = CloseReason::new(number, reason.as_str()).expect("at most 123 bytes");
        (Some(ours), Some(CloseFrame { code: code.into(), reason: reason.into() }))
    });
    [(None, None)].into_iter().chain(both).collect()
}

/// For each close frame and for us as each role: we and the oracle.
fn each_close(mut case: impl FnMut(Connection, Peer, CloseConnection, Option<CloseFrame>)) {
    for role in ROLES {
        for (ours, theirs) in closes() {
            let connection = Connection::new(role, Config::new()).with_random(Box::new(FixedKey));
            let close = ours.map_or_else(CloseConnection::empty, CloseConnection::new);
            case(connection, Peer::new(role.peer(), Config::MAX_MESSAGE_SIZE), close, theirs);
        }
    }
}

/// What the last read of the oracle gives when all went well: a server ends by itself, a client waits for the end of the
/// stream (RFC 6455 §7.1.1).
fn ends_well(mut peer: Peer, role: Role, error: Option<Error>) {
    let error = if role == Role::Client { error } else { error.or_else(|| peer.receive_eof()) };
    assert!(matches!(error, Some(Error::ConnectionClosed)), "{error:?}");
}

#[test]
fn the_oracle_answers_our_close_frame() {
    each_close(|mut connection, mut peer, close, theirs| {
        let mut wire = Vec::new();
        connection.send(close.clone(), &mut wire).expect("an open connection");
        let (received, error) = peer.receive(&wire);
        assert_eq!(received, [OracleMessage::Close(theirs)]);

        let answer = Event::CloseConnection(close.clone());
        assert_eq!(connection.receive(&mut &mut peer.written()[..]), Ok(Some(answer)));
        assert_eq!(connection.state(), ConnectionState::Closed);
        assert_eq!(connection.receive_eof(), Ok(()));
        let frames = connection.close_frames();
        assert_eq!((&frames.sent, &frames.received), (&Some(close.reason.clone()), &Some(close.reason)));
        assert_eq!(frames.first, Some(Side::Local));
        ends_well(peer, connection.role(), error);
    });
}

#[test]
fn we_answer_the_oracles_close_frame() {
    each_close(|mut connection, mut peer, close, theirs| {
        let mut wire = peer.send(OracleMessage::Close(theirs.clone()));
        let event = Event::CloseConnection(close.clone());
        assert_eq!(connection.receive(&mut &mut wire[..]), Ok(Some(event)));
        assert_eq!(connection.state(), ConnectionState::RemoteClosing);

        let mut answer = Vec::new();
        connection.transmit(&mut answer);
        let (received, error) = peer.receive(&answer);
        assert_eq!(received, [OracleMessage::Close(theirs)]);
        assert_eq!((connection.state(), connection.receive_eof()), (ConnectionState::Closed, Ok(())));
        let frames = connection.close_frames();
        assert_eq!((&frames.sent, &frames.received), (&Some(close.reason.clone()), &Some(close.reason)));
        assert_eq!(frames.first, Some(Side::Remote));
        ends_well(peer, connection.role(), error);
    });
}

#[test]
fn both_close_at_the_same_time() {
    each_close(|mut connection, mut peer, close, theirs| {
        let mut theirs = peer.send(OracleMessage::Close(theirs));
        let mut ours = Vec::new();
        connection.send(CloseConnection::empty(), &mut ours).expect("an open connection");

        let event = Event::CloseConnection(close.clone());
        assert_eq!(connection.receive(&mut &mut theirs[..]), Ok(Some(event)));
        assert_eq!((connection.state(), connection.wants_transmit()), (ConnectionState::Closed, false));
        assert_eq!(connection.close_frames().received, Some(close.reason));
        let (received, error) = peer.receive(&ours);
        assert_eq!(received, [OracleMessage::Close(None)]);
        ends_well(peer, connection.role(), error);
    });
}

#[test]
fn messages_under_way_arrive_before_the_answer() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::new()).with_random(Box::new(FixedKey));
        let mut peer = Peer::new(role.peer(), Config::MAX_MESSAGE_SIZE);
        let mut theirs = peer.send("under way".into());
        let mut ours = Vec::new();
        connection.send(CloseConnection::new(CloseCode::GOING_AWAY), &mut ours).expect("an open connection");
        peer.receive(&ours);
        theirs.extend(peer.written());
        let mut input = &mut theirs[..];
        assert_eq!(connection.receive(&mut input), Ok(Some(Event::Message("under way".into()))));
        assert!(matches!(connection.receive(&mut input), Ok(Some(Event::CloseConnection(_)))));
        assert_eq!(connection.state(), ConnectionState::Closed);
    }
}
