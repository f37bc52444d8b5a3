//! Messages, pings and pongs between the oracle and us, for both roles, at all borders of the length forms.

use crate::{
    fuzz::wire::{FixedKey, Written},
    peer::Peer,
};
use tungstenite::{
    Message as OracleMessage,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};
use wscope::proto::{
    Config, Connection, Event, Message, MessageDelivery, MessageKind, Piece, Ping, Pong, Role,
};

const LIMIT: usize = Config::MAX_MESSAGE_SIZE;
const LENGTHS: [usize; 10] = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, LIMIT - 1, LIMIT];
const KINDS: [MessageKind; 2] = [MessageKind::Text, MessageKind::Binary];
const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// We as `role`, the oracle as the other side.
fn pair(role: Role) -> (Connection, Peer) {
    (Connection::new(role, Config::new()).with_random(Box::new(FixedKey)), Peer::new(role.peer(), LIMIT))
}

/// The same message for us and for the oracle; text has characters of one to four bytes.
fn message(kind: MessageKind, len: usize) -> (Message, OracleMessage) {
    match kind {
        MessageKind::Text => {
            let text = ["aü€🦀".repeat(len / 10), "z".repeat(len % 10)].concat();
            (text.as_str().into(), text.into())
        }
        MessageKind::Binary => {
            let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            (bytes.clone().into(), bytes.into())
        }
    }
}

/// All events of `bytes`, which come in reads of 16 KiB.
fn receive(connection: &mut Connection, bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    for chunk in bytes.chunks(16 * 1024) {
        let mut chunk = chunk.to_vec();
        let mut input = &mut chunk[..];
        while let Some(event) = connection.receive(&mut input).expect("the oracle sends legal frames") {
            events.push(event);
        }
    }
    events
}

fn each_message(mut case: impl FnMut(Role, Message, OracleMessage)) {
    for role in ROLES {
        for (kind, len) in KINDS.into_iter().flat_map(|kind| LENGTHS.map(|len| (kind, len))) {
            let (ours, theirs) = message(kind, len);
            case(role, ours, theirs);
        }
    }
}

#[test]
fn the_oracle_receives_our_messages() {
    each_message(|role, ours, theirs| {
        let (mut connection, mut peer) = pair(role);
        let mut wire = Vec::new();
        connection.send(Event::Message(ours), &mut wire).expect("an open connection");
        let (received, error) = peer.receive(&wire);
        assert!(error.is_none(), "{error:?} for what a {role} sent");
        assert!(received == [theirs]);
    });
}

#[test]
fn the_oracle_receives_our_fragments() {
    each_message(|role, ours, theirs| {
        let (mut connection, mut peer) = pair(role);
        for pieces in [1, 2, 3, 7] {
            let mut wire = Vec::new();
            for piece in cut(&ours, pieces).into_iter().map(Piece::more).chain([end(&ours)]) {
                connection.send(piece, &mut wire).expect("an open connection");
            }
            assert_eq!(Written::default().judge(role, &wire).len(), pieces + 1);
            let (received, error) = peer.receive(&wire);
            assert!(error.is_none(), "{error:?} for what a {role} sent");
            assert!(received == [theirs.clone()], "{pieces} pieces");
        }
    });
}

/// A message in so many pieces of about the same size, cut between characters.
fn cut(message: &Message, pieces: usize) -> Vec<Message> {
    let borders: Vec<usize> = (0..=pieces)
        .map(|piece| {
            let border = message.len() * piece / pieces;
            let is_border = |at: &usize| message.as_text().is_none_or(|text| text.is_char_boundary(*at));
            (0..=border).rev().find(is_border).unwrap_or(0)
        })
        .collect();
    let piece = |from: usize, to: usize| match message {
        Message::Text(text) => text[from..to].into(),
        Message::Binary(bytes) => bytes[from..to].into(),
    };
    borders.windows(2).map(|border| piece(border[0], border[1])).collect()
}

/// The empty end of a message in pieces.
fn end(message: &Message) -> Piece {
    match message {
        Message::Text(_) => Piece::last(""),
        Message::Binary(_) => Piece::last(Vec::new()),
    }
}

#[test]
fn we_receive_the_oracles_messages() {
    each_message(|role, ours, theirs| {
        let (mut connection, mut peer) = pair(role);
        let wire = peer.send(theirs);
        assert!(receive(&mut connection, &wire) == [Event::Message(ours)], "as {role}");
    });
}

#[test]
fn we_receive_the_oracles_fragments() {
    each_message(|role, ours, _| {
        let (mut connection, mut peer) = pair(role);
        let kind = if ours.kind() == MessageKind::Text { Data::Text } else { Data::Binary };
        for pieces in [2, 3, 7] {
            // Cut anywhere, inside characters too.
            let bytes = ours.as_bytes();
            let piece =
                |at: usize| bytes[bytes.len() * at / pieces..bytes.len() * (at + 1) / pieces].to_vec();
            let mut wire = Vec::new();
            for at in 0..pieces {
                let opcode = OpCode::Data(if at == 0 { kind } else { Data::Continue });
                let frame = Frame::message(piece(at), opcode, at + 1 == pieces);
                wire.extend(peer.send(OracleMessage::Frame(frame)));
            }
            assert!(receive(&mut connection, &wire) == [Event::Message(ours.clone())], "as {role}");
        }
    });
}

#[test]
fn we_receive_the_oracles_fragments_in_pieces() {
    each_message(|role, ours, theirs| {
        let config = Config::new().delivery(MessageDelivery::Pieces);
        let mut connection = Connection::new(role, config).with_random(Box::new(FixedKey));
        let wire = Peer::new(role.peer(), LIMIT).send(theirs);
        let mut all = Vec::new();
        for event in receive(&mut connection, &wire) {
            let Event::Piece(piece) = event else { panic!("{role} got {event:?}") };
            all.extend_from_slice(piece.data.as_bytes());
        }
        assert!(all == ours.as_bytes(), "as {role}");
    });
}

#[test]
fn both_answer_the_others_pings() {
    for role in ROLES {
        for len in [0, 1, 124, 125] {
            let payload = vec![7; len];
            let (mut connection, mut peer) = pair(role);
            let (ping, pong) = (Ping::new(&payload), Pong::new(&payload));
            let (ping, pong) = (ping.expect("at most 125 bytes"), pong.expect("at most 125 bytes"));

            let wire = peer.send(OracleMessage::Ping(payload.clone().into()));
            assert_eq!(receive(&mut connection, &wire), [Event::Ping(ping.clone())]);
            let mut answer = Vec::new();
            connection.transmit(&mut answer);
            assert!(
                matches!(&peer.receive(&answer), (received, None) if *received == [OracleMessage::Pong(payload.clone().into())])
            );

            let mut wire = Vec::new();
            connection.send(ping, &mut wire).expect("an open connection");
            assert!(
                matches!(&peer.receive(&wire), (received, None) if *received == [OracleMessage::Ping(payload.clone().into())])
            );
            assert_eq!(receive(&mut connection, &peer.written()), [Event::Pong(pong.clone())]);

            let wire = peer.send(OracleMessage::Pong(payload.into()));
            assert_eq!(receive(&mut connection, &wire), [Event::Pong(pong)], "unsolicited");
        }
    }
}
