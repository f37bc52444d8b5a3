//! What the properties found, each as its smallest case.

use crate::fuzz::frames::any_cut_is_the_same;
use allocation_counter::measure;
use wscope::proto::{
    CloseCode, CloseConnection, Config, Connection, ConnectionState, Event, Failed, MessageDelivery, Piece,
    ProtocolError, RequestError, Role, ServerHandshake, Side,
};

/// All events of `wire`, received in chunks of `len` bytes.
fn receive(connection: &mut Connection, wire: &[u8], len: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for chunk in wire.chunks(len) {
        let mut chunk = chunk.to_vec();
        let mut input = &mut chunk[..];
        while let Some(event) = connection.receive(&mut input).expect("legal frames") {
            events.push(event);
        }
    }
    events
}

#[test]
fn small_fragments_do_not_move_the_message_each_time() {
    let wire = [b"\x02\x01a".to_vec(), b"\x00\x01a".repeat(9998), b"\x80\x01a".to_vec()].concat();
    let mut connection = Connection::new(Role::Client, Config::new());
    let mut input = wire;
    let used = measure(|| assert!(matches!(connection.receive(&mut &mut input[..]), Ok(Some(_)))));
    assert!(used.bytes_total < 50_000, "{used:?} for a message of 10,000 bytes");
}

#[test]
fn small_fragments_after_a_large_one_do_not_move_the_message_each_time() {
    let mut connection = Connection::new(Role::Client, Config::new());
    receive(&mut connection, &[&[0x02, 126, 0x40, 0x00][..], &[7; 16_384]].concat(), usize::MAX);
    let used = measure(|| {
        for _ in 0..10_000 {
            assert_eq!(connection.receive(&mut &mut b"\x00\x01".to_owned()[..]), Ok(None));
            let filled = connection.fill_payload(|buffer, wanted| buffer.resize(buffer.len() + wanted, 7));
            assert_eq!(filled, None, "there is room for many of them, and a fill takes all of it");
            assert_eq!(connection.receive(&mut &mut [7][..]), Ok(None));
        }
    });
    assert!(used.bytes_total < 100_000, "{used:?} for a message of 26,384 bytes");
}

#[test]
fn a_message_of_a_power_of_two_is_not_moved_for_its_last_few_bytes() {
    const READ: usize = 65_536;
    let payload = [7; 16 * READ];
    let mut wire = [&[0x82, 127][..], &(payload.len() as u64).to_be_bytes(), &payload].concat();
    let mut connection = Connection::new(Role::Client, Config::new());
    let mut events = 0;
    let used = measure(|| {
        for mut read in wire.chunks_mut(READ) {
            events += usize::from(connection.receive(&mut read).expect("a legal frame").is_some());
        }
    });
    assert_eq!(events, 1);
    assert_eq!(used.count_total, 2, "{used:?}: four times the first read, and four times that");
}

#[test]
fn the_end_of_a_frame_is_told_even_inside_a_character() {
    let wire = b"\x01\x02a\xC3\x00\x00\x80\x01\xBC";
    let piece = |text, frame_finished| {
        let mut piece = Piece::more(text);
        piece.frame_finished = frame_finished;
        Event::Piece(piece)
    };
    let rest = [piece("", true), Event::Piece(Piece::last("ü"))];
    let open = || Connection::new(Role::Client, Config::new().delivery(MessageDelivery::Pieces));
    let whole = receive(&mut open(), wire, usize::MAX);
    assert_eq!(whole, [&[piece("a", true)][..], &rest].concat());
    let bytewise = receive(&mut open(), wire, 1);
    assert_eq!(bytewise, [&[piece("a", false), piece("", true)][..], &rest].concat());
}

#[test]
fn an_answer_written_after_the_end_of_the_stream_is_remembered_as_sent() {
    let mut connection = Connection::new(Role::Client, Config::new());
    receive(&mut connection, b"\x88\x02\x03\xE8", usize::MAX);
    assert_eq!(connection.receive_eof(), Ok(()));
    let mut out = Vec::new();
    connection.transmit(&mut out);
    assert_eq!(out.len(), 8);
    let close = CloseConnection::new(CloseCode::NORMAL_CLOSURE);
    let frames = connection.close_frames();
    assert_eq!((&frames.sent, frames.first), (&Some(close.reason), Some(Side::Remote)));
    assert_eq!(connection.state(), ConnectionState::Closed);
}

#[test]
fn a_message_in_one_frame_is_no_fragment_however_it_is_cut() {
    let open = || Connection::new(Role::Client, Config::new().max_fragments(0));
    for len in [1, 2, 3, usize::MAX] {
        assert_eq!(
            receive(&mut open(), b"\x81\x02hi", len),
            [Event::Message("hi".into())],
            "in chunks of {len}"
        );
    }
    let failed = Err(Failed::Peer(ProtocolError::TooManyFragments { limit: 0 }));
    assert_eq!(open().receive(&mut &mut b"\x01\x02hi".to_owned()[..]), failed);
}

#[test]
fn a_key_that_is_joined_of_two_is_no_key() {
    let request = |key: &str| {
        let parts = http::Request::get("/").header("Host", "h").header("Upgrade", "websocket");
        let parts = parts.header("Connection", "Upgrade").header("Sec-WebSocket-Version", "13");
        parts.header("Sec-WebSocket-Key", key).body(()).expect("a request").into_parts().0
    };
    assert!(ServerHandshake::from_parts(&request("AAAAAAAAAAAAAAAAAAAAAA==")).is_ok());
    for key in [
        "AAAAAAAAAAAAAAAAAAA=AAA=",
        "AA==AAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAB==",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
    ] {
        let refused = ServerHandshake::from_parts(&request(key)).err();
        assert_eq!(refused, Some(RequestError::InvalidKey), "{key}");
    }
}

#[test]
fn a_byte_that_is_no_text_is_found_before_the_bytes_beyond_the_limit_however_they_are_cut() {
    let inverted = [0x41, 2, 0x3E, 0x00];
    any_cut_is_the_same(&Config::new().max_message_size(1), &[1], &inverted);
}
