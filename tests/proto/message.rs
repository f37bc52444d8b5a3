use crate::wire::{BINARY, CONTINUATION, FIN, PING, ROLES, TEXT, decode, frame, header};
use wscope::proto::{Config, Decoder, Event, Message, MessageDelivery, ProtocolError as E};

const LIMIT: usize = 1000;

#[test]
fn a_message_at_the_limit_is_received_and_one_above_is_refused_by_its_header() {
    for role in ROLES {
        let sender = role.peer();
        for delivery in [MessageDelivery::Whole, MessageDelivery::Pieces] {
            for opcode in [TEXT, BINARY] {
                let config = Config::new().max_message_size(LIMIT).delivery(delivery);
                let whole = frame(sender, FIN | opcode, &[b'x'; LIMIT]);
                assert_eq!(decode(&mut Decoder::new(role, config.clone()), &whole).unwrap().len(), 1);
                for (len, fin) in [(LIMIT as u64 + 1, FIN), (LIMIT as u64 + 1, 0), (u64::MAX >> 1, FIN)] {
                    let refused =
                        decode(&mut Decoder::new(role, config.clone()), &header(sender, fin | opcode, len));
                    assert_eq!(refused, Err(E::MessageTooBig { size: len, limit: LIMIT as u64 }));
                }
            }
        }
    }
}

#[test]
fn the_limit_is_in_bytes_for_text_too() {
    for role in ROLES {
        let config = Config::new().max_message_size(5);
        let euros = "€€"; // two characters, six bytes
        let refused =
            decode(&mut Decoder::new(role, config), &frame(role.peer(), FIN | TEXT, euros.as_bytes()));
        assert_eq!(refused, Err(E::MessageTooBig { size: 6, limit: 5 }));
    }
}

#[test]
fn the_limit_holds_over_all_fragments() {
    for role in ROLES {
        let sender = role.peer();
        for delivery in [MessageDelivery::Whole, MessageDelivery::Pieces] {
            let config = Config::new().max_message_size(LIMIT).delivery(delivery);
            let mut decoder = Decoder::new(role, config);
            decode(&mut decoder, &frame(sender, BINARY, &[0; 600])).unwrap();
            decode(&mut decoder, &frame(sender, CONTINUATION, &[0; 400])).unwrap();
            decode(&mut decoder, &frame(sender, CONTINUATION, &[])).unwrap();
            let refused = decode(&mut decoder, &header(sender, FIN | CONTINUATION, 1));
            assert_eq!(refused, Err(E::MessageTooBig { size: 1001, limit: 1000 }));
            let mut decoder =
                Decoder::new(role, Config::new().max_message_size(usize::MAX).delivery(delivery));
            decode(&mut decoder, &frame(sender, BINARY, &[0; 600])).unwrap();
            assert_eq!(decode(&mut decoder, &header(sender, CONTINUATION, u64::MAX >> 1)), Ok(vec![]));
        }
    }
}

#[test]
fn each_message_has_the_limit_for_itself() {
    for role in ROLES {
        let mut decoder = Decoder::new(role, Config::new().max_message_size(10));
        for _ in 0..3 {
            let wire = [frame(role.peer(), BINARY, &[0; 4]), frame(role.peer(), FIN | CONTINUATION, &[0; 6])]
                .concat();
            assert_eq!(decode(&mut decoder, &wire).unwrap(), [Event::Message(Message::from(vec![0; 10]))]);
        }
    }
}

#[test]
fn fragments_are_counted() {
    for role in ROLES {
        let sender = role.peer();
        let mut decoder = Decoder::new(role, Config::new().max_fragments(3));
        let message = [
            frame(sender, BINARY, b"a"),
            frame(sender, FIN | PING, b""), // no fragment
            frame(sender, CONTINUATION, b"b"),
            frame(sender, FIN | CONTINUATION, b"c"),
        ];
        assert_eq!(
            decode(&mut decoder, &message.concat()).unwrap()[1],
            Event::Message(Message::from(&b"abc"[..]))
        );
        decode(&mut decoder, &[&message[0][..], &message[2], &message[2]].concat()).unwrap();
        assert_eq!(
            decode(&mut decoder, &header(sender, FIN | CONTINUATION, 0)),
            Err(E::TooManyFragments { limit: 3 })
        );
        let mut none = Decoder::new(role, Config::new().max_fragments(0));
        assert_eq!(decode(&mut none, &header(sender, BINARY, 1)), Err(E::TooManyFragments { limit: 0 }));
    }
}

#[test]
fn empty_fragments_are_counted_while_they_follow_each_other() {
    for role in ROLES {
        let sender = role.peer();
        let mut decoder = Decoder::new(role, Config::new().max_empty_fragments(2));
        let empty = frame(sender, CONTINUATION, b"");
        let begin = [frame(sender, TEXT, b""), empty.clone()].concat();
        decode(&mut decoder, &begin).unwrap();
        decode(&mut decoder, &frame(sender, CONTINUATION, b"x")).unwrap(); // begins a new count
        decode(&mut decoder, &empty.repeat(2)).unwrap();
        let finished = decode(&mut decoder, &frame(sender, FIN | CONTINUATION, b"")).unwrap();
        assert_eq!(finished, [Event::Message("x".into())], "the last fragment may be empty");
        decode(&mut decoder, &begin).unwrap();
        assert_eq!(decode(&mut decoder, &empty), Err(E::TooManyEmptyFragments { limit: 2 }));
    }
}

#[test] // RFC 6455 §8.1
fn bad_text_fails_as_soon_as_it_arrives_also_inside_a_frame() {
    for role in ROLES {
        let sender = role.peer();
        let config = Config::new();
        let announced = [header(sender, FIN | TEXT, 1000), frame(sender, 0, b"ok\xED\xA0")].concat();
        let cut = announced.len() - 4 - header(sender, 0, 4).len();
        let bytes = [&announced[..cut], &announced[announced.len() - 4..]].concat();
        assert_eq!(decode(&mut Decoder::new(role, config.clone()), &bytes), Err(E::InvalidUtf8));

        let mut decoder = Decoder::new(role, config.clone());
        decode(&mut decoder, &frame(sender, TEXT, b"\xF0\x9F")).unwrap();
        decode(&mut decoder, &frame(sender, CONTINUATION, b"")).unwrap();
        assert_eq!(decode(&mut decoder, &frame(sender, CONTINUATION, b"x")), Err(E::InvalidUtf8));

        for delivery in [MessageDelivery::Whole, MessageDelivery::Pieces] {
            let mut decoder = Decoder::new(role, config.clone().delivery(delivery));
            decode(&mut decoder, &frame(sender, TEXT, b"cut \xC3")).unwrap();
            let last = decode(&mut decoder, &frame(sender, FIN | CONTINUATION, b""));
            assert_eq!(last, Err(E::InvalidUtf8), "an empty last fragment ends inside a character");
        }
        assert_eq!(
            decode(&mut Decoder::new(role, config), &frame(sender, FIN | TEXT, b"\xFF")),
            Err(E::InvalidUtf8)
        );
    }
}

#[test]
fn characters_may_be_cut_by_fragments() {
    for role in ROLES {
        let text = "a€🦀é";
        let fragments: Vec<_> = text.bytes().map(|byte| frame(role.peer(), CONTINUATION, &[byte])).collect();
        let wire =
            [frame(role.peer(), TEXT, b""), fragments.concat(), frame(role.peer(), FIN | CONTINUATION, b"")]
                .concat();
        let whole = decode(&mut Decoder::new(role, Config::new()), &wire).unwrap();
        assert_eq!(whole, [Event::Message(text.into())]);
        let pieces =
            decode(&mut Decoder::new(role, Config::new().delivery(MessageDelivery::Pieces)), &wire).unwrap();
        let texts: Vec<_> = pieces
            .iter()
            .map(|event| match event {
                Event::Piece(piece) => piece.data.as_text().unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        let characters: Vec<_> = texts.iter().filter(|text| !text.is_empty()).collect();
        assert_eq!(characters, [&"a", &"€", &"🦀", &"é"], "no piece holds half a character");
        assert_eq!(texts.len(), 12, "one piece ends each frame");
    }
}

#[test]
fn debug_shows_nothing_of_a_message_that_is_under_way() {
    for role in ROLES {
        for opcode in [TEXT, BINARY] {
            let mut decoder = Decoder::new(role, Config::new());
            let begun = frame(role.peer(), opcode, "private ".repeat(5000).as_bytes());
            assert_eq!(decode(&mut decoder, &begun), Ok(vec![]));
            let shown = format!("{decoder:?}");
            assert!(shown.contains("(40000 bytes)") && !shown.contains("private"), "{shown}");
        }
    }
}
