//! Threats in frames and messages, each to a server and to a client of ours.

use std::{
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use wscope::{
    ConnectionConfig, ServerConfig, WebSocketRequest,
    proto::{self, CloseCode, MessageKind, Opcode, ProtocolError, Role, Side},
    scope::Join,
    websocket::{Accept, CloseCause, PingError},
};

use crate::{
    attacker::{
        Attacker, BINARY, BINARY_BEGUN, CLOSE, CONTINUED, CONTINUED_LAST, PATIENCE, PING, PONG, TEXT,
        TEXT_BEGUN, frame,
    },
    victim::{Handling, Victim, attacked, attacked_by_way_of, echo},
};

fn server() -> ServerConfig {
    ServerConfig::new()
}

fn limited(connection: ConnectionConfig) -> ServerConfig {
    ServerConfig::new().connection(connection)
}

/// Both roles fail with this fault when these bytes come, and say so with its code. The bytes are made for each.
fn both_refuse(victim: &Victim, what: &str, fault: ProtocolError, bytes: impl Fn(Role) -> Vec<u8>) {
    for (role, mut attacker) in victim.connections() {
        attacker.send(bytes(role.peer()));
        let code = fault.close_code().as_u16();
        assert_eq!(attacker.close_code(), Some(code), "{what}, to a {role}");
        drop(attacker);
        assert_eq!(*victim.closed().cause(), CloseCause::Protocol(fault), "{what}, to a {role}");
    }
}

/// A header alone: its first byte, its length as it is given, and a mask if it has to have one.
fn header(role: Role, first: u8, len: &[u8]) -> Vec<u8> {
    let mut bytes = [&[first], len].concat();
    if role == Role::Client {
        bytes[1] |= 0x80;
        bytes.extend([0; 4]);
    }
    bytes
}

#[test]
fn t17_a_client_masks_and_a_server_does_not() {
    attacked(server(), LITTLE, |victim| {
        for (role, mut attacker) in victim.connections() {
            attacker.send(frame(role, TEXT, b"as the other does")); // not its peer's
            assert_eq!(attacker.close_code(), Some(1002));
            drop(attacker);
            let fault = match role {
                Role::Server => ProtocolError::Unmasked,
                Role::Client => ProtocolError::Masked,
            };
            assert_eq!(*victim.closed().cause(), CloseCause::Protocol(fault));
        }
        // Each frame of a client of ours has a key of its own, and none shows what it says.
        let mut attacker = victim.connection(Role::Client);
        let mut keys = std::collections::HashSet::new();
        for _ in 0..200 {
            attacker.send_frame(TEXT, SAID);
            let (key, payload) = attacker.receive_masked(SAID.len());
            assert!(payload != SAID.as_bytes() && keys.insert(key));
        }
    });
}

#[test]
fn t18_what_the_standard_reserves_or_forbids_fails_from_the_header_alone() {
    attacked(server(), LITTLE, |victim| {
        let header_of = |first: u8, len: u8| move |role| header(role, first, &[len]);
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            let fault = ProtocolError::ReservedOpcode { opcode };
            both_refuse(victim, "a reserved opcode", fault, header_of(0x80 | opcode, 100));
        }
        for bits in 1..8 {
            let fault = ProtocolError::ReservedBits { bits };
            both_refuse(victim, "a reserved bit", fault, header_of(TEXT | bits << 4, 100));
        }
        for (first, opcode) in [(CLOSE, Opcode::Close), (PING, Opcode::Ping), (PONG, Opcode::Pong)] {
            let fault = ProtocolError::ControlFragmented { opcode };
            both_refuse(victim, "a control frame in pieces", fault, header_of(first & 0x0F, 100));
            let fault = ProtocolError::ControlTooLong { opcode };
            both_refuse(victim, "a long control frame", fault, |role| header(role, first, &[126, 0, 126]));
        }
        let fault = ProtocolError::UnexpectedContinuation;
        both_refuse(victim, "nothing to continue", fault, header_of(CONTINUED_LAST, 100));
        let fault = ProtocolError::ExpectedContinuation { kind: MessageKind::Binary };
        both_refuse(victim, "a message inside another", fault, |role| {
            [frame(role, TEXT_BEGUN, b"begun"), header(role, BINARY, &[100])].concat()
        });
    });
}

#[test]
fn t19_no_length_deceives_or_allocates() {
    const LIMIT: usize = 64 * 1024;
    attacked(limited(ConnectionConfig::new().max_message_size(LIMIT)), LITTLE, |victim| {
        let long = |len: u64| [&[127], &len.to_be_bytes()[..]].concat();
        for len in [0_u64, 1, 125] {
            let fault = ProtocolError::LengthNotMinimal { len };
            let short = u16::try_from(len).unwrap().to_be_bytes();
            both_refuse(victim, "16 bits", fault, |role| header(role, BINARY, &[126, short[0], short[1]]));
        }
        for len in [0, 125, 126, 65_535] {
            let fault = ProtocolError::LengthNotMinimal { len };
            both_refuse(victim, "64 bits", fault, |role| header(role, BINARY, &long(len)));
        }
        for len in [1 << 63, u64::MAX] {
            let fault = ProtocolError::LengthHighBit { len };
            both_refuse(victim, "the highest bit", fault, |role| header(role, BINARY, &long(len)));
        }
        for len in [65_537, 1 << 30, 1 << 32, (1 << 63) - 1] {
            let fault = ProtocolError::MessageTooBig { size: len, limit: LIMIT as u64 };
            both_refuse(victim, "too much", fault, |role| header(role, BINARY, &long(len)));
            let begun =
                |role| [frame(role, BINARY_BEGUN, &[0; 10]), header(role, CONTINUED, &long(len))].concat();
            let fault = ProtocolError::MessageTooBig { size: len + 10, limit: LIMIT as u64 };
            both_refuse(victim, "too much behind a fragment", fault, begun);
        }
    });
}

#[test]
fn t20_a_message_is_bounded_by_the_sum_of_its_fragments() {
    const LIMIT: usize = 100_000;
    attacked(limited(ConnectionConfig::new().max_message_size(LIMIT)), 5 * LIMIT, |victim| {
        let fragment = [b'x'; 10_000];
        let fault = ProtocolError::MessageTooBig { size: 110_000, limit: LIMIT as u64 };
        both_refuse(victim, "eleven fragments", fault, |role| {
            let more = frame(role, CONTINUED, &fragment).repeat(9);
            let header = header(role, CONTINUED, &[126, 0x27, 0x10]);
            [frame(role, TEXT_BEGUN, &fragment), more, header].concat()
        });
        for (_, mut attacker) in victim.connections() {
            attacker.send_frame(TEXT_BEGUN, fragment);
            for _ in 0..8 {
                attacker.send_frame(CONTINUED, fragment);
            }
            attacker.send_frame(CONTINUED_LAST, fragment);
            let (first, echoed) = attacker.receive().unwrap();
            assert_eq!((first, echoed.len()), (TEXT, LIMIT), "what has just room is let in");
        }
    });
}

#[test]
fn t21_tiny_fragments_cost_their_bytes() {
    const COUNT: usize = proto::Config::MAX_FRAGMENTS as usize;
    attacked(server(), MESSAGE, |victim| {
        for (role, mut attacker) in victim.connections() {
            let some = frame(role.peer(), CONTINUED, b"x").repeat(1000);
            attacker.send_frame(TEXT_BEGUN, "x");
            for _ in 0..(COUNT - 2) / 1000 {
                attacker.send(&some);
            }
            for _ in 0..(COUNT - 2) % 1000 {
                attacker.send_frame(CONTINUED, "x");
            }
            attacker.send_frame(CONTINUED_LAST, "x");
            assert_eq!(attacker.receive().unwrap().1.len(), COUNT);
            attacker.send_frame(TEXT_BEGUN, "x");
            attacker.flood(&some, (COUNT + 1000) * some.len() / 1000, PATIENCE);
            assert_eq!(attacker.close_code(), Some(1008));
            drop(attacker);
            assert_eq!(
                *victim.closed().cause(),
                CloseCause::Protocol(ProtocolError::TooManyFragments { limit: COUNT as u32 })
            );
        }
    });
}

#[test]
fn t22_empty_fragments_come_to_an_end() {
    attacked(server(), LITTLE, |victim| {
        let limit = proto::Config::MAX_EMPTY_FRAGMENTS;
        let fault = ProtocolError::TooManyEmptyFragments { limit };
        both_refuse(victim, "one too many", fault, |role| {
            let empty = frame(role, CONTINUED, b"").repeat(limit as usize);
            [frame(role, TEXT_BEGUN, b""), empty].concat()
        });
        for (_, mut attacker) in victim.connections() {
            attacker.send_frame(TEXT_BEGUN, "");
            for _ in 0..3 {
                for _ in 1..limit {
                    attacker.send_frame(CONTINUED, "");
                }
                attacker.send_frame(CONTINUED, "x"); // the count begins anew
            }
            attacker.send_frame(CONTINUED_LAST, "");
            assert_eq!(attacker.receive(), Some((TEXT, b"xxx".to_vec())));
        }
    });
}

#[test]
fn t23_what_is_no_utf8_fails_as_soon_as_it_shows() {
    attacked(server(), LITTLE, |victim| {
        let bad = ProtocolError::InvalidUtf8;
        // The header says 100 bytes, and no more than these come.
        for text in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0", b"\xf4\x90", b"ok\xe2\x28", b"\x80"] {
            both_refuse(victim, "inside a frame that is not complete", bad, |role| {
                let whole = frame(role, TEXT, &[text, &[b'x'; 100]].concat());
                whole[..whole.len() - 100].to_vec()
            });
        }
        both_refuse(victim, "a character cut off by the end", bad, |role| frame(role, TEXT, b"\xe2\x82"));
        both_refuse(victim, "a character cut off by an empty fragment", bad, |role| {
            [frame(role, TEXT_BEGUN, b"\xe2\x82"), frame(role, CONTINUED_LAST, b"")].concat()
        });
        both_refuse(victim, "in the second fragment", bad, |role| {
            [frame(role, TEXT_BEGUN, b"\xe2\x82"), frame(role, CONTINUED, b"\x28")].concat()
        });
        both_refuse(victim, "in a close frame", ProtocolError::CloseReasonNotUtf8, |role| {
            frame(role, CLOSE, b"\x03\xe8\xff")
        });
        for (_, mut attacker) in victim.connections() {
            attacker.send_frame(TEXT_BEGUN, b"\xe2\x82");
            attacker.send_frame(PING, b"\xff is no text here");
            attacker.send_frame(CONTINUED_LAST, b"\xac");
            assert_eq!(attacker.receive().unwrap().0, PONG);
            assert_eq!(attacker.receive(), Some((TEXT, "€".into())), "a character may be cut in two");
        }
    });
}

#[cfg(feature = "deflate")]
mod compressed {
    use super::*;
    use crate::attacker::{REQUEST, RSV1, status};

    /// A connection of the server that has agreed on compression.
    fn compressing(victim: &Victim) -> Attacker {
        let mut attacker = Attacker::connect(victim.port());
        attacker.send(REQUEST.replace("Host:", "Sec-WebSocket-Extensions: permessage-deflate\r\nHost:"));
        let head = attacker.head();
        assert!(status(&head) == Some(101) && head.contains("permessage-deflate"), "{head}");
        attacker
    }

    fn compression() -> ServerConfig {
        server().compression(wscope::websocket::Compression::dedicated())
    }

    /// So many MiB of zeros, compressed to a thousandth, without the end that is left out on the wire.
    fn bomb(megabytes: usize) -> Vec<u8> {
        let mut compress = flate2::Compress::new(flate2::Compression::fast(), false);
        let (mut once, mut again) = (Vec::with_capacity(64 * 1024), Vec::with_capacity(64 * 1024));
        let zeros = vec![0; 1 << 20];
        for bytes in [&mut once, &mut again] {
            compress.compress_vec(&zeros, bytes, flate2::FlushCompress::Sync).unwrap();
        }
        // What follows zeros, and ends with a whole byte, can follow itself.
        once.extend(again.repeat(megabytes - 1));
        once.truncate(once.len() - 4);
        once
    }

    #[test]
    fn t24_a_bomb_goes_off_at_the_limit() {
        attacked(compression(), MESSAGE, |victim| {
            let bomb = bomb(100);
            assert!(bomb.len() < 1 << 20);
            let attacks = [1, 10, 1000].map(|pieces| {
                let pieces = bomb.chunks(bomb.len() / pieces);
                let first = std::iter::once(BINARY_BEGUN | RSV1).chain(std::iter::repeat(CONTINUED));
                first.zip(pieces).map(|(first, piece)| frame(Role::Client, first, piece)).collect::<Vec<_>>()
            });
            victim.gauge.begin_again(); // what the attacker holds is not the victim's
            for frames in &attacks {
                let mut attacker = compressing(victim);
                for frame in frames {
                    if attacker.try_send(frame).is_err() {
                        break;
                    }
                }
                assert_eq!(attacker.close_code(), Some(1009));
                drop(attacker);
                let closed = victim.closed();
                let CloseCause::Protocol(ProtocolError::MessageTooBig { limit, .. }) = closed.cause() else {
                    panic!("{closed}")
                };
                assert_eq!(*limit, 1 << 20);
            }
        });
    }

    #[test]
    fn t25_compressed_rubbish_is_refused() {
        let stored = |bytes: &[u8]| {
            let len = bytes.len() as u16;
            [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), bytes, &[0]].concat()
        };
        attacked(compression(), 2 * MESSAGE, |victim| {
            let table = [
                ("of a control frame", vec![(PING | RSV1, vec![])], 1002),
                (
                    "of a continuation",
                    vec![(TEXT_BEGUN | RSV1, stored(b"x")), (CONTINUED | RSV1, vec![])],
                    1002,
                ),
                ("a reserved block", vec![(BINARY | RSV1, vec![0b111])], 1007),
                ("a broken block", vec![(BINARY | RSV1, b"\x00\x05\x00\x00\x00hello".to_vec())], 1007),
                ("noise", vec![(BINARY | RSV1, vec![0xFF; 100])], 1007),
                ("a distance beyond the beginning", vec![(BINARY | RSV1, vec![0x02, 0x03, 0x00])], 1007),
                ("no text in it", vec![(TEXT | RSV1, stored(b"\xff"))], 1007),
            ];
            for (what, frames, code) in table {
                let mut attacker = compressing(victim);
                for (first, payload) in frames {
                    attacker.send_frame(first, payload);
                }
                assert_eq!(attacker.close_code(), Some(code), "{what}");
                drop(attacker);
                assert!(matches!(victim.closed().cause(), CloseCause::Protocol(_)), "{what}");
            }
            let mut honest = compressing(victim);
            honest.send_frame(TEXT | RSV1, stored(b"x"));
            assert_eq!(honest.receive().unwrap().1, b"x", "too short to be compressed");
        });
    }
}

#[test]
fn t26_a_flood_of_pings_from_who_does_not_read_costs_nothing() {
    attacked(server(), LITTLE, |victim| {
        for (role, mut attacker) in victim.connections() {
            let pings = frame(role.peer(), PING, &[b'x'; 125]).repeat(100);
            let taken = attacker.flood(&pings, 16 << 20, PATIENCE);
            assert!(taken >= 16 << 20, "reading went on: {taken}");
            victim.serves_others();
            attacker.reset();
        }
    });
}

#[test]
fn t27_only_its_own_pong_answers_a_ping() {
    let handler = |report| {
        move |request: WebSocketRequest| -> Handling {
            let report = Sender::clone(&report);
            Box::pin(async move {
                if request.path() != "/" {
                    return echo(request, report).await;
                }
                let ws = request.accept(Accept::new()).await?;
                let pings = (0..ConnectionConfig::MAX_PINGS_IN_FLIGHT + 4).map(|_| ws.ping(None));
                let (answers, ()) =
                    (futures::future::join_all(pings), async { while ws.get_message().await.is_ok() {} })
                        .join()
                        .await;
                let too_many =
                    |answer: &&Result<_, _>| matches!(answer, Err(PingError::TooMany { limit: 16, .. }));
                assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 7);
                assert_eq!(answers.iter().filter(too_many).count(), 4);
                assert!(answers[7..16].iter().all(|answer| matches!(answer, Err(PingError::Closed(_)))));
                report.send(ws.wait_closed().await)?;
                Ok(())
            })
        }
    };
    attacked_by_way_of(server(), handler, LITTLE, |victim| {
        let mut attacker = Attacker::connect(victim.port()).shaken("/");
        let payloads: Vec<Vec<u8>> = (0..16).map(|_| attacker.receive().unwrap()).map(|(_, it)| it).collect();
        assert!(payloads.iter().all(|payload| payload.len() >= 4));
        for forged in [&b""[..], b"x", &[0; 8], &payloads[0][..7], &[0; 125]] {
            for _ in 0..1000 {
                attacker.send_frame(PONG, forged);
            }
        }
        attacker.send_frame(PONG, &payloads[6]); // and all before it
        attacker.send_frame(PONG, &payloads[2]); // which is nobody's any more
        attacker.send_frame(CLOSE, 1000_u16.to_be_bytes());
        assert_eq!(attacker.close_code(), Some(1000));
        drop(attacker);
        victim.closed();
    });
}

#[test]
fn t28_only_close_codes_that_may_be_sent_are_taken() {
    attacked(server(), LITTLE, |victim| {
        for code in
            [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
        {
            for (role, mut attacker) in victim.connections() {
                attacker
                    .send_frame(CLOSE, [&u16::to_be_bytes(code)[..], "é\r\n\x1b[31m".as_bytes()].concat());
                assert_eq!(attacker.close_code(), Some(code), "to a {role}");
                drop(attacker);
                let closed = victim.closed();
                assert_eq!((closed.code(), closed.cause()), (code, &CloseCause::Handshake));
                let shown = closed.to_string();
                assert!(!shown.contains(['\r', '\n', '\x1b']), "what a peer says is escaped: {shown:?}");
            }
            assert!(CloseCode::new(code).is_ok());
        }
        for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, u16::MAX] {
            both_refuse(victim, "a code", ProtocolError::InvalidCloseCode { code }, |role| {
                frame(role, CLOSE, &code.to_be_bytes())
            });
        }
        both_refuse(victim, "half a code", ProtocolError::CloseCodeCut, |role| frame(role, CLOSE, b"\x03"));
        for (_, mut attacker) in victim.connections() {
            attacker.send_frame(CLOSE, "");
            assert_eq!(attacker.close_code(), Some(1005));
        }
    });
}

#[test]
fn t29_one_close_frame_goes_out_and_nothing_after_it() {
    attacked(server(), LITTLE, |victim| {
        let close = |role, code: u16| frame(role, CLOSE, &code.to_be_bytes());
        let after = |role: Role| {
            let more = [frame(role, TEXT, b"x"), frame(role, PING, b"x"), close(role, 1001), vec![0xFF; 64]];
            more.concat()
        };
        for (role, mut attacker) in victim.connections() {
            // In the middle of a message, and everything behind it in one segment.
            let begun = frame(role.peer(), TEXT_BEGUN, b"begun");
            attacker.send([begun, close(role.peer(), 1000), after(role.peer())].concat());
            assert_eq!(attacker.close_code(), Some(1000));
            attacker.half_close();
            assert_eq!(attacker.receive(), None, "nothing follows");
            let closed = victim.closed();
            assert_eq!((closed.cause(), closed.first()), (&CloseCause::Handshake, Some(Side::Remote)));
        }
        // Both at once: the server is told to leave while a client's close frame is on its way.
        let mut attacker = victim.connection(Role::Server);
        victim.sends_away(1);
        attacker.send(close(Role::Client, 3000));
        assert_eq!(attacker.close_code(), Some(1001));
        assert_eq!(attacker.receive(), None, "it is not answered by a second one");
        drop(attacker);
        let closed = victim.closed();
        assert_eq!((closed.code(), closed.first()), (3000, Some(Side::Local)));
    });
}

#[test]
fn t30_the_close_frame_reaches_who_goes_on_sending() {
    attacked(server(), LITTLE, |victim| {
        for (role, mut attacker) in victim.connections() {
            attacker.send(header(role.peer(), 0x8F, &[0]));
            // What is on its way already. A socket that is closed with this unread is reset.
            for _ in 0..8 {
                attacker.send_frame(BINARY, [0; 60_000]);
            }
            assert_eq!(attacker.close_code(), Some(1002), "of a {role}");
            attacker.half_close();
            assert!(attacker.rest_without_reset().is_empty());
            victim.closed();
        }
    });
}

#[test]
fn t31_the_server_hangs_up_first_and_nobody_is_held() {
    attacked(limited(ConnectionConfig::new().close_timeout(Duration::from_millis(100))), LITTLE, |victim| {
        let close = 1000_u16.to_be_bytes();
        let mut attacker = victim.connection(Role::Server);
        attacker.send_frame(CLOSE, close);
        assert_eq!(attacker.close_code(), Some(1000));
        assert!(attacker.rest_without_reset().is_empty(), "the server has hung up, and we have not");
        victim.gauge.wait_for_files(1, PATIENCE);
        victim.closed();
        let mut server = victim.connection(Role::Client);
        let began = Instant::now();
        server.send_frame(CLOSE, close);
        assert_eq!(server.close_code(), Some(1000));
        assert!(server.rest_without_reset().is_empty());
        assert!(began.elapsed() >= SECOND, "a client gives its server the time to go first");
        assert!(began.elapsed() < PATIENCE, "and no longer");
        victim.closed();
        // Who never answers a close frame is not waited for.
        let deaf = victim.connection(Role::Server);
        victim.sends_away(1);
        let closed = victim.closed();
        assert!(matches!(closed.cause(), CloseCause::CloseTimeout { .. }), "{closed}");
        drop((attacker, server, deaf));
    });
}

#[test]
fn t32_nothing_that_a_client_sends_looks_like_another_protocol() {
    attacked(server(), LITTLE, |victim| {
        let mut proxy = victim.connection(Role::Client);
        proxy.send_frame(TEXT, SAID);
        proxy.send_frame(PING, SAID);
        let (mut echo, mut pong) = (Vec::new(), Vec::new());
        for bytes in [&mut pong, &mut echo] {
            *bytes = proxy.receive_masked(SAID.len()).1;
            assert!(!bytes.windows(4).any(|window| SAID.as_bytes().windows(4).any(|said| said == window)));
        }
        assert_ne!(echo, pong, "the same under two keys");
    });
}

const SAID: &str = "GET /sensitive HTTP/1.1\r\nHost: example.com\r\n\r\n";
/// Buffers of a connection or two, without a message.
const LITTLE: usize = 384 * 1024;
/// One message of the largest size, twice: while it is doubled.
const MESSAGE: usize = 2 << 20;
const SECOND: Duration = Duration::from_secs(1);
