//! What a connection costs in live bytes, counted by the allocator of this test binary.

use crate::fuzz::{
    frames::{LIVE_AT_ALL, memory_follows_the_bytes},
    trace::feed,
    wire::{self, FixedKey, Frame},
};
use allocation_counter::{AllocationInfo, measure};
use wscope::proto::{Config, Connection, Event, Failed, Message, MessageDelivery, ProtocolError, Role};

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const DELIVERIES: [MessageDelivery; 2] = [MessageDelivery::Whole, MessageDelivery::Pieces];
const KINDS: [u8; 2] = [wire::TEXT, wire::BINARY];

fn open(role: Role, delivery: MessageDelivery) -> Connection {
    Connection::new(role, Config::new().delivery(delivery)).with_random(Box::new(FixedKey))
}

/// For each role, delivery and kind of message.
fn everyone(mut case: impl FnMut(Role, MessageDelivery, u8)) {
    for role in ROLES {
        for delivery in DELIVERIES {
            KINDS.into_iter().for_each(|kind| case(role, delivery, kind));
        }
    }
}

#[test]
fn a_declared_length_is_believed_as_far_as_four_times_what_came() {
    everyone(|role, delivery, kind| {
        let payload = vec![b'a'; Config::MAX_MESSAGE_SIZE];
        let wire = Frame::new(role.peer(), kind, payload).bytes();
        let mut connection = open(role, delivery);
        let header = if role == Role::Server { 14 } else { 10 };
        let (mut header, mut begun) = (wire[..header].to_vec(), wire[header..][..5000].to_vec());
        let used = measure(|| assert_eq!(connection.receive(&mut &mut header[..]).map(drop), Ok(())));
        assert_eq!(used.count_total, 0, "{used:?} for a header, {role}, {delivery:?}");
        let used = measure(|| assert_eq!(connection.receive(&mut &mut begun[..]).map(drop), Ok(())));
        assert!(used.bytes_max <= 4 * (5000 + 20), "{used:?} for a part, {role}, {delivery:?}");
    });
}

#[test]
fn a_length_above_the_limit_allocates_only_its_close_frame() {
    everyone(|role, delivery, kind| {
        let payload = vec![b'a'; Config::MAX_MESSAGE_SIZE + 1];
        let mut wire = Frame::new(role.peer(), kind, payload).bytes();
        let mut connection = open(role, delivery);
        let used = measure(|| {
            let limit = Config::MAX_MESSAGE_SIZE as u64;
            let error = ProtocolError::MessageTooBig { size: limit + 1, limit };
            assert_eq!(connection.receive(&mut &mut wire[..]), Err(Failed::Peer(error)));
        });
        assert!((used.bytes_max as i64) < LIVE_AT_ALL, "{used:?}, {role}, {delivery:?}");
    });
}

#[test]
fn a_message_costs_what_has_come_of_it() {
    everyone(|role, delivery, kind| {
        let wire = Frame::new(role.peer(), kind, vec![b'a'; Config::MAX_MESSAGE_SIZE]).bytes();
        for chunk in [1 << 20, 65_536, 4096, 1500] {
            memory_follows_the_bytes(&mut open(role, delivery), &wire, vec![chunk; wire.len() / chunk + 1]);
        }
    });
}

/// Sizes of the buffer, one after the other, from the bytes that were allocated: what is declared, but at most four times what
/// is here, with a header counted; and what the message needs in the end, no more.
#[test]
fn the_buffer_of_a_message_grows_fourfold_and_ends_at_its_size() {
    const PARTIAL: u64 = 3; // room for a character that was begun
    let cases: [(&[usize], u8, &[u64]); 6] = [
        (&[100, 300, 100, 500], wire::BINARY, &[4 * (100 + 14), 1000]),
        (&[100, 400, 500], wire::BINARY, &[4 * (100 + 14), 1000]),
        (&[300, 100, 600], wire::BINARY, &[1000]),
        (&[100, 900], wire::TEXT, &[4 * (100 + PARTIAL + 14), 1000 + PARTIAL, 1000]),
        (
            &[10, 190, 800],
            wire::TEXT,
            &[4 * (10 + PARTIAL + 14), 4 * (200 + PARTIAL + 14), 1000 + PARTIAL, 1000],
        ),
        (&[300, 100, 600], wire::TEXT, &[1000 + PARTIAL, 1000]),
    ];
    for (role, (cuts, kind, sizes)) in ROLES.into_iter().flat_map(|role| cases.map(|case| (role, case))) {
        let mut wire = Frame::new(role.peer(), kind, vec![b'a'; 1000]).bytes();
        let mut connection = open(role, MessageDelivery::Whole);
        let (mut header, mut payload) = wire.split_at_mut(if role == Role::Server { 8 } else { 4 });
        assert_eq!(connection.receive(&mut header), Ok(None));
        let mut event = None;
        let used = measure(|| {
            for len in cuts {
                let (mut piece, rest) = std::mem::take(&mut payload).split_at_mut(*len);
                event = connection.receive(&mut piece).ok().flatten();
                payload = rest;
            }
        });
        assert!(matches!(event, Some(Event::Message(message)) if message.len() == 1000));
        assert_eq!(
            (used.count_total, used.bytes_total),
            (sizes.len() as u64, sizes.iter().sum()),
            "{cuts:?}"
        );
    }
}

#[test]
fn a_connection_that_receives_no_more_keeps_nothing() {
    everyone(|role, delivery, kind| {
        let fault = Frame::new(role.peer(), 3, Vec::new());
        let close = Frame::new(role.peer(), wire::CLOSE, Vec::new());
        for end in [Some(fault), Some(close), None] {
            let begun = Frame::new(role.peer(), kind, vec![b'a'; 100_000]).more().bytes();
            let mut connection = open(role, delivery);
            let used = measure(|| {
                feed(&mut connection, &begun, drop);
                match &end {
                    Some(end) => feed(&mut connection, &end.bytes(), drop),
                    None => assert_eq!(connection.receive_eof(), Err(Failed::UnexpectedEof)),
                }
            });
            assert!(used.bytes_current < LIVE_AT_ALL, "{used:?} after {end:?}, {role}, {delivery:?}");
        }
    });
}

#[test]
fn a_message_that_is_whole_costs_one_allocation_of_its_size() {
    everyone(|role, delivery, kind| {
        for len in [1, 125, 1024, 65_536, Config::MAX_MESSAGE_SIZE] {
            let mut wire = Frame::new(role.peer(), kind, vec![b'a'; len]).bytes();
            let mut connection = open(role, delivery);
            let mut event = None;
            let used = measure(|| event = connection.receive(&mut &mut wire[..]).ok().flatten());
            assert!(event.is_some());
            let expected = AllocationInfo {
                count_total: 1,
                count_current: 1,
                count_max: 1,
                bytes_total: len as u64,
                bytes_current: len as i64,
                bytes_max: len as u64,
            };
            assert_eq!(used, expected, "{role}, {delivery:?}");
        }
    });
}

#[test]
fn a_flood_of_pings_costs_a_queue_of_pongs() {
    for role in ROLES {
        let pings: Vec<u8> = (0..20_000)
            .flat_map(|n: u32| Frame::new(role.peer(), wire::PING, n.to_be_bytes()).bytes())
            .collect();
        let last = Frame::new(role.peer(), wire::PING, vec![7; 125]).bytes();
        for wire in [&pings, &last.repeat(20_000)] {
            let (mut connection, mut wire) = (open(role, MessageDelivery::Whole), wire.clone());
            let mut input = &mut wire[..];
            let used = measure(|| {
                while let Ok(Some(event)) = connection.receive(&mut input) {
                    assert!(matches!(event, Event::Ping(_)));
                }
            });
            // A Vec of twice its content, and half as much again while it moves.
            assert!(used.bytes_max <= 3 * 126 * Config::MAX_UNSENT_PONGS as u64, "{used:?}, {role}");
            let mut out = Vec::new();
            connection.transmit(&mut out);
            let pongs = wire::Written::default().judge(role, &out);
            assert_eq!(pongs.len(), Config::MAX_UNSENT_PONGS);
        }
    }
}

#[test]
fn a_flood_of_pongs_costs_one_buffer_that_serves_them_all() {
    for role in ROLES {
        let mut wire = Frame::new(role.peer(), wire::PONG, vec![7; 125]).bytes().repeat(20_000);
        let (mut connection, mut input) = (open(role, MessageDelivery::Whole), &mut wire[..]);
        let used = measure(|| while let Ok(Some(_)) = connection.receive(&mut input) {});
        // The longest payload, and the count that its handles share.
        assert!(used.count_total <= 2 && used.bytes_total <= 125 + 64, "{used:?}, {role}");
        assert!(input.is_empty());
    }
}

#[test]
fn many_fragments_of_one_byte_cost_their_bytes() {
    const FRAGMENTS: usize = 200_000;
    for (role, kind) in ROLES.into_iter().flat_map(|role| KINDS.map(|kind| (role, kind))) {
        let fragment = |opcode| Frame::new(role.peer(), opcode, b"a").more().bytes();
        let mut wire = fragment(kind);
        wire.extend(fragment(wire::CONTINUATION).repeat(FRAGMENTS - 2));
        wire.extend(Frame::new(role.peer(), wire::CONTINUATION, b"a").bytes());
        let config = Config::new().max_fragments(FRAGMENTS as u32);
        let mut connection = Connection::new(role, config).with_random(Box::new(FixedKey));
        let mut event = None;
        let used = measure(|| event = connection.receive(&mut &mut wire[..]).ok().flatten());
        let Some(Event::Message(message)) = event else { panic!("{role} got {event:?}") };
        assert_eq!(message.len(), FRAGMENTS);
        assert_eq!(used.bytes_current, FRAGMENTS as i64, "what the message keeps");
        assert!(used.bytes_max <= 3 * FRAGMENTS as u64, "{used:?}");
        assert!(used.count_total < 40, "{used:?}: one buffer, doubled, and nothing for each fragment");
    }
}

#[test]
fn empty_fragments_cost_nothing_and_are_bounded() {
    everyone(|role, delivery, kind| {
        let fragment = |opcode| Frame::new(role.peer(), opcode, Vec::new()).more().bytes();
        let wire = [fragment(kind), fragment(wire::CONTINUATION).repeat(2000)].concat();
        let mut connection = open(role, delivery);
        let used = measure(|| {
            for chunk in wire.chunks(1 << 20) {
                let mut chunk = chunk.to_vec();
                let mut input = &mut chunk[..];
                while let Ok(Some(_)) = connection.receive(&mut input) {}
            }
        });
        let limit = Config::MAX_EMPTY_FRAGMENTS;
        assert_eq!(connection.failed(), Some(Failed::Peer(ProtocolError::TooManyEmptyFragments { limit })));
        assert!(used.bytes_max as i64 <= wire.len() as i64 + LIVE_AT_ALL, "{used:?}");
    });
}

#[test]
fn pieces_are_handed_out_and_not_kept() {
    for (role, kind) in ROLES.into_iter().flat_map(|role| KINDS.map(|kind| (role, kind))) {
        let fragment = |opcode| Frame::new(role.peer(), opcode, vec![b'a'; 1000]).more().bytes();
        let wire = [fragment(kind), fragment(wire::CONTINUATION).repeat(1000)].concat();
        let mut connection = open(role, MessageDelivery::Pieces);
        let mut seen = 0;
        let used = measure(|| {
            for chunk in wire.chunks(4096) {
                feed(&mut connection, chunk, |event| {
                    let Event::Piece(piece) = event else { panic!("{role} got {event:?}") };
                    seen += piece.data.len();
                });
            }
        });
        assert_eq!(seen, 1_001_000);
        assert_eq!(used.bytes_current, 0, "{role}");
        assert!(used.bytes_max < 4096 + 4096, "{used:?}: a chunk, and a piece of it");
    }
}

#[test]
fn encoding_into_a_buffer_that_is_large_enough_allocates_nothing() {
    let (text, bytes) = ("grüße".repeat(1000), vec![7; 70_000]);
    for role in ROLES {
        let (mut connection, mut out) = (open(role, MessageDelivery::Whole), Vec::with_capacity(1 << 20));
        let (message, ping) = (Message::from(text.as_str()), wscope::proto::Ping::default());
        let used = measure(|| {
            for _ in 0..10 {
                let sent = connection
                    .send_message(text.as_str(), &mut out)
                    .and_then(|()| connection.send_message(bytes.as_slice(), &mut out))
                    .and_then(|()| connection.send(ping.clone(), &mut out));
                assert_eq!(sent, Ok(()));
            }
        });
        assert_eq!(used.count_total, 0, "{used:?}, {role}");
        assert_eq!(connection.send(Event::Message(message), &mut out), Ok(()));
    }
}
