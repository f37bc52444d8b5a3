//! permessage-deflate: every offer and answer, RFC 7692's own examples, round trips over all parameters, and what an attacker
//! sends. What stands here of compressed bytes was written by hand or by the RFC, not by our compressor.

use crate::{
    payloads::{json, noise},
    wire::{BINARY, CONTINUATION, FIN, PING, ROLES, RSV1, TEXT, decode, frame, receive},
};
use wscope::proto::{
    Config, Connection, Decoder, Event, ExtensionItem, Message, MessageDelivery, Piece, ProtocolError as E,
    Role, accept_extension, confirm_extension,
    extension::{Extension, Level, PermessageDeflate, Transforms, WindowBits},
};

fn item(parameters: &str) -> ExtensionItem {
    ["permessage-deflate", parameters].join(";").trim_end_matches(';').parse().unwrap()
}

fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).unwrap()
}

/// A server's answer to one offer.
fn answer(server: &PermessageDeflate, offer: &str) -> Option<String> {
    let (answer, _) = server.accept(&item(offer))?;
    let answer = answer.to_string();
    Some(answer.trim_start_matches("permessage-deflate").trim_start_matches("; ").to_owned())
}

/// The two ends of what `client` and `server` agree on.
fn agreed(client: &PermessageDeflate, server: &PermessageDeflate, config: &Config) -> [Connection; 2] {
    let (answer, at_server) = accept_extension(&client.offers(), server).unwrap();
    let at_client = confirm_extension(&[answer], Some(client)).unwrap().unwrap();
    [(Role::Client, at_client), (Role::Server, at_server)]
        .map(|(role, transforms)| Connection::new(role, config.clone()).with_transforms(transforms))
}

/// A decoder at `role` that both sides compress for as `preset` says.
fn decoder(role: Role, preset: PermessageDeflate, config: Config) -> Decoder {
    let Transforms { rsv, inbound, .. } = preset.accept(&item("")).unwrap().1;
    Decoder::new(role, config).with_transform(rsv, inbound)
}

fn presets() -> [PermessageDeflate; 2] {
    [PermessageDeflate::shared(), PermessageDeflate::dedicated()]
}

// ---- negotiation

#[test] // RFC 7692 §5, §7.1
fn a_client_offers_what_it_wants_and_then_what_any_server_knows() {
    let offers = |client: PermessageDeflate| -> Vec<String> {
        client.offers().iter().map(ToString::to_string).collect()
    };
    assert_eq!(offers(PermessageDeflate::dedicated()), ["permessage-deflate; client_max_window_bits"]);
    assert_eq!(
        offers(PermessageDeflate::shared()),
        [
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"
        ]
    );
    assert_eq!(
        offers(
            PermessageDeflate::dedicated().server_max_window_bits(bits(10)).client_max_window_bits(bits(9))
        ),
        [
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
            "permessage-deflate; client_max_window_bits=9",
        ]
    );
}

#[test] // RFC 7692 §7.1.1, §7.1.2
fn a_server_answers_each_parameter_as_the_rfc_says() {
    let (any, shared) = (PermessageDeflate::dedicated(), PermessageDeflate::shared());
    let small =
        PermessageDeflate::dedicated().server_max_window_bits(bits(11)).client_max_window_bits(bits(10));
    let both = "server_no_context_takeover; client_no_context_takeover";
    for (server, offer, expected) in [
        (&any, "", ""),
        (&any, "server_no_context_takeover", "server_no_context_takeover"),
        (&any, "client_no_context_takeover", "client_no_context_takeover"),
        (&any, "client_max_window_bits", ""),
        (&any, "client_max_window_bits=15", ""),
        (&any, "client_max_window_bits=12", "client_max_window_bits=12"),
        (&any, "client_max_window_bits=8", "client_max_window_bits=8"),
        (&any, "client_max_window_bits=\"9\"", "client_max_window_bits=9"),
        (&any, "server_max_window_bits=15", "server_max_window_bits=15"),
        (&any, "server_max_window_bits=9", "server_max_window_bits=9"),
        (&shared, "", both),
        (&small, "", ""), // not offered, so not to be asked of the client, and not worth saying of us
        (&small, "client_max_window_bits", "client_max_window_bits=10"),
        (&small, "client_max_window_bits=9", "client_max_window_bits=9"),
        (&small, "client_max_window_bits=11", "client_max_window_bits=10"),
        (&small, "server_max_window_bits=12", "server_max_window_bits=11"),
        (&small, "server_max_window_bits=10", "server_max_window_bits=10"),
    ] {
        assert_eq!(answer(server, offer).as_deref(), Some(expected), "{offer}");
    }
}

/// Parameters that are none, in an offer as in an answer (RFC 7692 §7.1).
const HOSTILE: &[&str] = &[
    "unknown",
    "server_no_context_takeover=1",
    "client_no_context_takeover=true",
    "server_no_context_takeover; server_no_context_takeover",
    "client_no_context_takeover; client_no_context_takeover",
    "server_max_window_bits",
    "server_max_window_bits=abc",
    "server_max_window_bits=7",
    "server_max_window_bits=16",
    "server_max_window_bits=99999999999999999999",
    "server_max_window_bits=010",
    "server_max_window_bits=+9",
    "server_max_window_bits=-9",
    "server_max_window_bits=0x9",
    "server_max_window_bits=10; server_max_window_bits=10",
    "client_max_window_bits=0",
    "client_max_window_bits=7",
    "client_max_window_bits=16",
    "client_max_window_bits=256",
    "client_max_window_bits=\"09\"",
    "client_max_window_bits; client_max_window_bits",
    "client_max_window_bits; client_max_window_bits=9",
    "Server_No_Context_Takeover",
];

#[test] // RFC 7692 §7.1: "A server MUST decline an extension negotiation offer .. if"
fn a_server_declines_every_hostile_offer_and_takes_the_next() {
    let server = PermessageDeflate::dedicated();
    for offer in HOSTILE.iter().copied().chain(["server_max_window_bits=8"]) {
        assert_eq!(answer(&server, offer), None, "{offer}");
        let offers = [item(offer), item("server_max_window_bits=12"), item("server_max_window_bits=13")];
        let (answer, _) = accept_extension(&offers, &server).unwrap();
        assert_eq!(answer.to_string(), "permessage-deflate; server_max_window_bits=12", "{offer}");
    }
}

#[test] // RFC 7692 §7.1: "A client MUST _Fail the WebSocket Connection_ if"
fn a_client_fails_on_what_it_did_not_offer() {
    let small = PermessageDeflate::shared().server_max_window_bits(bits(10));
    for answer in HOSTILE.iter().copied().chain(["client_max_window_bits"]) {
        assert!(PermessageDeflate::dedicated().confirm(&item(answer)).is_none(), "{answer}");
    }
    for answer in ["", "client_no_context_takeover", "server_no_context_takeover; server_max_window_bits=11"]
    {
        assert!(small.confirm(&item(answer)).is_none(), "{answer}");
    }
    for answer in ["server_no_context_takeover", "server_no_context_takeover; server_max_window_bits=8"] {
        assert!(small.confirm(&item(answer)).is_some(), "{answer}");
    }
    let any = PermessageDeflate::dedicated();
    for answer in ["", "server_no_context_takeover; client_no_context_takeover", "server_max_window_bits=8"] {
        assert!(any.confirm(&item(answer)).is_some(), "{answer}: a server may say so unasked");
    }
}

#[test] // RFC 7692 §7.1.2.2: a window that zlib-rs cannot keep to
fn a_client_that_must_keep_to_a_window_of_256_bytes_sends_plain() {
    let client = PermessageDeflate::dedicated().threshold(0);
    let transforms = client.confirm(&item("client_max_window_bits=8")).unwrap();
    let (mut out, mut connection) = (Vec::new(), Connection::new(Role::Client, Config::new()));
    connection = connection.with_transforms(transforms);
    connection.send("x".repeat(1000), &mut out).unwrap();
    assert_eq!(out[0], FIN | TEXT);
}

#[test]
fn windows_outside_of_9_to_15_cannot_be_written() {
    for refused in (0..9).chain(16..=255) {
        let error = WindowBits::new(refused).unwrap_err();
        assert_eq!(error.to_string(), format!("no window of {refused} bits: take 9 to 15 (RFC 7692 §7.1.2)"));
    }
    assert!((9..=15).all(|bits| WindowBits::new(bits).unwrap().get() == bits));
}

// ---- RFC 7692 §7.2.3

const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

#[test]
fn the_examples_of_the_rfc_are_read() {
    for role in ROLES {
        for preset in presets() {
            let sender = role.peer();
            for (section, payload, text) in [
                ("7.2.3.1", HELLO, "Hello"),
                ("7.2.3.3", b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello"),
                ("7.2.3.4", b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"),
                ("7.2.3.5", b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello"),
                ("7.2.3.6", b"\x00", ""),
                ("a final block alone", b"\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello"),
                ("no block at all", b"", ""),
            ] {
                let mut decoder = decoder(role, preset.clone(), Config::new());
                let wire = frame(sender, FIN | RSV1 | TEXT, payload);
                for _ in 0..3 {
                    assert_eq!(
                        decode(&mut decoder, &wire).unwrap(),
                        [Event::Message(text.into())],
                        "{section}"
                    );
                }
            }
            let fragments = [
                frame(sender, RSV1 | TEXT, &HELLO[..3]),
                frame(sender, FIN | PING, b""),
                frame(sender, FIN | CONTINUATION, &HELLO[3..]),
            ];
            let events = decode(&mut decoder(role, preset, Config::new()), &fragments.concat()).unwrap();
            assert_eq!(events[1], Event::Message("Hello".into()));
        }
    }
}

#[test] // §7.2.3.2
fn a_message_may_point_into_the_one_before_where_that_was_agreed_on() {
    for role in ROLES {
        let wire =
            [HELLO, b"\xf2\x00\x11\x00\x00"].map(|payload| frame(role.peer(), FIN | RSV1 | TEXT, payload));
        let mut dedicated = decoder(role, PermessageDeflate::dedicated(), Config::new());
        let hello = Event::Message("Hello".into());
        assert_eq!(decode(&mut dedicated, &wire.concat()).unwrap(), [hello.clone(), hello]);
        let mut shared = decoder(role, PermessageDeflate::shared(), Config::new());
        assert_eq!(decode(&mut shared, &wire.concat()), Err(E::BrokenExtensionData));
    }
}

#[test]
fn the_examples_of_the_rfc_are_written() {
    for (preset, second) in presets().into_iter().zip([HELLO, b"\xf2\x00\x11\x00\x00"]) {
        let preset = preset.threshold(0).level(Level::Balanced);
        for mut connection in agreed(&preset, &preset, &Config::new()) {
            for payload in [HELLO, second] {
                let mut out = Vec::new();
                connection.send(Piece::more("Hello"), &mut out).unwrap();
                connection.send(Piece::last(""), &mut out).unwrap();
                let flushed = [payload, b"\x00\x00\xff\xff"].concat();
                assert_eq!(
                    unmasked(&out),
                    [(RSV1 | TEXT, flushed), (FIN | CONTINUATION, vec![0])],
                    "the flush stays inside a message, and an empty block ends it"
                );
            }
        }
    }
}

/// First byte and payload of each frame in `wire`, all shorter than 64 KiB.
fn unmasked(mut wire: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = wire {
        let (len, rest) = match (length & 0x7F, rest) {
            (126, [high, low, rest @ ..]) => (usize::from(*high) << 8 | usize::from(*low), rest),
            (len, rest) => (usize::from(len), rest),
        };
        let (key, rest) = if length & 0x80 == 0 { (&[0; 4][..], rest) } else { rest.split_at(4) };
        let payload = rest[..len].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
        frames.push((*first, payload.collect()));
        wire = &rest[len..];
    }
    frames
}

// ---- round trips

/// Sizes around the borders of frames, thresholds, steps, windows and blocks.
const SIZES: [usize; 14] =
    [0, 1, 5, 125, 126, 511, 512, 513, 16_383, 16_385, 32_768, 65_535, 65_536, 150_000];

fn messages(sizes: &[usize]) -> Vec<Vec<u8>> {
    sizes.iter().flat_map(|size| [json(*size).into_bytes(), noise(*size)]).collect()
}

#[test]
fn every_set_of_parameters_brings_every_message_back() {
    let messages = messages(&[0, 1, 600, 5000]);
    for (server_bits, client_bits) in (9..=15).flat_map(|server| (9..=15).map(move |client| (server, client)))
    {
        for flags in 0..4 {
            let wanted = PermessageDeflate::dedicated()
                .server_max_window_bits(bits(server_bits))
                .client_max_window_bits(bits(client_bits))
                .server_no_context_takeover(flags & 1 == 1)
                .client_no_context_takeover(flags & 2 == 2)
                .threshold(0);
            let [client, server] = agreed(&wanted, &wanted, &Config::new());
            round_trip(client, server, &messages);
        }
    }
}

#[test]
fn messages_of_every_size_come_back_at_every_level() {
    for level in [Level::Fast, Level::Balanced, Level::Best] {
        for (preset, window_bits) in presets().into_iter().zip([9, 15]) {
            let wanted = preset.level(level).threshold(0).server_max_window_bits(bits(window_bits));
            let [client, server] = agreed(&wanted, &wanted, &Config::new());
            round_trip(client, server, &messages(&SIZES));
        }
    }
}

fn round_trip(mut client: Connection, mut server: Connection, messages: &[Vec<u8>]) {
    for message in messages {
        let mut out = Vec::new();
        client.send(&message[..], &mut out).unwrap();
        let came = receive(&mut server, &out).unwrap();
        assert!(came == [Event::Message(message[..].into())], "{} bytes to the server", message.len());
        out.clear();
        server.send(&message[..], &mut out).unwrap();
        let came = receive(&mut client, &out).unwrap();
        assert!(came == [Event::Message(message[..].into())], "{} bytes to the client", message.len());
    }
}

#[test]
fn messages_in_fragments_cut_anywhere_come_back() {
    for preset in presets() {
        for delivery in [MessageDelivery::Whole, MessageDelivery::Pieces] {
            let config = Config::new().delivery(delivery);
            let [mut client, mut server] = agreed(&preset, &preset, &config);
            let message = json(3000) + "äöü€🦀";
            for cut in [1, 2, 3, 7, 100, 1000] {
                let mut wire = Vec::new();
                let (head, tail) = message.split_at(cut);
                server.send(Piece::more(head), &mut wire).unwrap();
                server.send(Piece::more(""), &mut wire).unwrap();
                server.send(Piece::last(tail), &mut wire).unwrap();
                let mut came = String::new();
                for bytes in wire.chunks_mut(cut) {
                    let mut input = bytes;
                    while let Some(event) = client.receive(&mut input).unwrap() {
                        match event {
                            Event::Message(Message::Text(text)) => came += &text,
                            Event::Piece(Piece { data: Message::Text(text), .. }) => came += &text,
                            other => panic!("{other:?}"),
                        }
                    }
                }
                assert_eq!(came, message);
            }
        }
    }
}

#[test]
fn a_fragment_can_be_read_when_it_comes() {
    for preset in presets() {
        let config = Config::new().delivery(MessageDelivery::Pieces);
        let [mut client, mut server] = agreed(&preset, &preset, &config);
        let mut out = Vec::new();
        client.send(Piece::more("to be continued"), &mut out).unwrap();
        let events = receive(&mut server, &out).unwrap();
        let [Event::Piece(piece)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(piece.data, Message::from("to be continued"));
    }
}

#[test]
fn short_messages_and_those_that_would_grow_go_out_plain() {
    let grows = noise(2000);
    for (preset, compressed) in presets().into_iter().zip([false, true]) {
        for mut connection in agreed(&preset, &preset, &Config::new()) {
            let mut first_byte = |message: &[u8]| {
                let mut out = Vec::new();
                connection.send(message, &mut out).unwrap();
                out[0]
            };
            assert_eq!(first_byte(&[b'x'; 511]), FIN | BINARY);
            assert_eq!(first_byte(&[b'x'; 512]), FIN | RSV1 | BINARY);
            let marked = if compressed { RSV1 } else { 0 }; // it is in the window, and later ones point at it
            assert_eq!(first_byte(&grows), FIN | marked | BINARY);
            assert_eq!(first_byte(&[b'x'; 512]), FIN | RSV1 | BINARY);
        }
    }
}

#[test]
fn connections_that_share_never_see_each_others_messages() {
    let preset = PermessageDeflate::shared().threshold(0);
    let mut pairs: Vec<_> = (0..8).map(|_| agreed(&preset, &preset, &Config::new())).collect();
    let secret = json(5000).into_bytes();
    let mut wires = vec![Vec::new(); pairs.len()];
    // All begin a message before any ends one: each has a stream of its own meanwhile.
    for ([client, _], wire) in pairs.iter_mut().zip(&mut wires) {
        client.send(Piece::more(&secret[..2500]), wire).unwrap();
    }
    for ([client, _], wire) in pairs.iter_mut().zip(&mut wires) {
        client.send(Piece::last(&secret[2500..]), wire).unwrap();
    }
    let lengths: Vec<_> = wires.iter().map(Vec::len).collect();
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
    let halves: Vec<_> = wires.iter().map(|wire| wire.split_at(wire.len() / 2)).collect();
    for ([_, server], (head, _)) in pairs.iter_mut().zip(&halves) {
        assert_eq!(receive(server, head).unwrap(), []);
    }
    std::thread::scope(|scope| {
        for ([_, server], (_, tail)) in pairs.iter_mut().zip(&halves) {
            let (tail, secret) = (*tail, &secret);
            scope.spawn(move || assert_eq!(receive(server, tail).unwrap(), [Event::from(&secret[..])]));
        }
    });
}

// ---- attacks

/// A megabyte of zeros is a kilobyte of this.
fn bomb(len: usize) -> Vec<u8> {
    let [mut client, _] = {
        let preset = PermessageDeflate::shared().level(Level::Best);
        agreed(&preset, &preset, &Config::new())
    };
    let mut out = Vec::new();
    client.send(&vec![0; len][..], &mut out).unwrap();
    let mut frames = unmasked(&out);
    frames.pop().unwrap().1
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let payload = bomb(10_000_000);
    assert!(payload.len() < 20_000);
    for role in ROLES {
        for preset in presets() {
            for delivery in [MessageDelivery::Whole, MessageDelivery::Pieces] {
                for opcode in [TEXT, BINARY] {
                    let config = Config::new().max_message_size(100_000).delivery(delivery);
                    let mut decoder = decoder(role, preset.clone(), config);
                    let mut wire = frame(role.peer(), FIN | RSV1 | opcode, &payload);
                    let mut input = &mut wire[..];
                    let error = loop {
                        match decoder.decode(&mut input) {
                            Ok(event) => assert!(event.is_some()),
                            Err(error) => break error,
                        }
                    };
                    assert_eq!(error, E::MessageTooBig { size: 100_001, limit: 100_000 });
                }
            }
        }
    }
}

#[test]
fn broken_streams_end_the_connection_with_1007() {
    for role in ROLES {
        for preset in presets() {
            for payload in [
                &b"\x07"[..],            // a block of the reserved type
                b"\x00\x05\x00\xfa\xfe", // a length and not its complement
                b"\xf2\x00\x11\x00\x00", // points before the beginning
                b"\xff\xff\xff\xff\xff\xff\xff\xff",
                b"\x04\xe0\x81\x08\x00\x00\x00\x00", // a code that is not complete
            ] {
                let mut decoder = decoder(role, preset.clone(), Config::new());
                let wire = frame(role.peer(), FIN | RSV1 | BINARY, payload);
                let error = decode(&mut decoder, &wire).unwrap_err();
                assert_eq!(error, E::BrokenExtensionData, "{payload:x?}");
                assert_eq!(error.close_code().as_u16(), 1007);
            }
        }
        let cut = frame(role.peer(), FIN | RSV1 | TEXT, &HELLO[..4]);
        let mut shared = decoder(role, PermessageDeflate::shared(), Config::new());
        assert_eq!(decode(&mut shared, &cut), Err(E::BrokenExtensionData), "a message that is cut off");
    }
}

#[test]
fn no_byte_of_a_stream_can_be_changed_so_that_something_panics() {
    let payload = bomb(1000);
    for preset in presets() {
        for at in 0..payload.len() {
            for bit in 0..8 {
                let mut bad = payload.clone();
                bad[at] ^= 1 << bit;
                let mut decoder = decoder(Role::Client, preset.clone(), Config::new());
                let wire = frame(Role::Server, FIN | RSV1 | BINARY, &bad);
                let _ = decode(&mut decoder, &wire); // a different message, or a fault
            }
        }
    }
}

#[test] // RFC 7692 §6.1
fn control_and_continuation_frames_may_not_be_marked() {
    for role in ROLES {
        let sender = role.peer();
        for preset in presets() {
            for wire in [
                frame(sender, FIN | RSV1 | PING, b""),
                [
                    frame(sender, RSV1 | TEXT, &HELLO[..3]),
                    frame(sender, FIN | RSV1 | CONTINUATION, &HELLO[3..]),
                ]
                .concat(),
                [frame(sender, TEXT, b"a"), frame(sender, FIN | RSV1 | CONTINUATION, HELLO)].concat(),
            ] {
                let mut decoder = decoder(role, preset.clone(), Config::new());
                assert_eq!(decode(&mut decoder, &wire), Err(E::ReservedBits { bits: 4 }));
            }
        }
        let mut plain = Connection::new(role, Config::new());
        assert!(receive(&mut plain, &frame(sender, FIN | RSV1 | TEXT, HELLO)).is_err());
    }
}

#[test]
fn an_inflated_text_must_be_utf_8() {
    for role in ROLES {
        let mut decoder = decoder(role, PermessageDeflate::dedicated(), Config::new());
        let wire = frame(role.peer(), FIN | RSV1 | TEXT, b"\x00\x01\x00\xfe\xff\xff\x00");
        assert_eq!(decode(&mut decoder, &wire), Err(E::InvalidUtf8));
    }
}

// ---- apart

#[test]
fn a_large_message_in_steps_of_any_size_comes_back() {
    for preset in presets() {
        for role in ROLES {
            let [client, server] = agreed(&preset, &preset, &Config::new());
            let (mut from, mut to) = if role == Role::Client { (client, server) } else { (server, client) };
            for (len, step) in [(20_000, 20_000), (100_000, 1000), (100_000, 65_536), (70_000, usize::MAX)] {
                for payload in [json(len).into_bytes(), noise(len), json(len).into_bytes()] {
                    let piece = Piece::last(payload.clone());
                    let mut out = Vec::new();
                    // Half of one that is thought better of, first.
                    let mut withdrawn = from.begin(&piece).unwrap().unwrap();
                    withdrawn.step(len / 2);
                    assert_eq!(from.withdraw(withdrawn), piece);
                    let mut work = from.begin(&piece).unwrap().unwrap();
                    while !work.step(step) {}
                    from.finish(work, &mut out).unwrap();
                    assert!(out.len() < len + 2000, "{} of {len}", out.len());
                    assert_eq!(receive(&mut to, &out).unwrap(), [Event::Message(payload.into())]);
                }
            }
        }
    }
}

#[test]
fn a_large_message_that_does_not_shrink_goes_out_plain() {
    for preset in presets() {
        let [mut client, mut server] = agreed(&preset, &preset, &Config::new());
        for payload in [noise(200_000), json(200_000).into_bytes()] {
            for step in [65_536, usize::MAX] {
                let mut work = client.begin(&Piece::last(payload.clone())).unwrap().unwrap();
                while !work.step(step) {}
                let mut out = Vec::new();
                client.finish(work, &mut out).unwrap();
                assert_eq!(out[0] & RSV1 == 0, payload == noise(200_000));
                let message = Event::Message(payload.clone().into());
                assert_eq!(receive(&mut server, &out).unwrap(), [message]);
            }
        }
    }
}

#[test]
fn what_is_below_the_threshold_is_not_begun() {
    let patient = PermessageDeflate::shared().threshold(1_000_000);
    let [mut client, _] = agreed(&patient, &patient, &Config::new());
    assert!(client.begin(&Piece::last(json(999_999).into_bytes())).unwrap().is_none());
    assert!(client.begin(&Piece::last(json(1_000_000).into_bytes())).unwrap().is_some());
}
