use wscope::proto::{
    CloseCode, ConnectionState, Failed, LocalError, MessageKind, Opcode,
    ProtocolError::{self, *},
};

#[test] // RFC 6455 §7.4.1
fn every_fault_of_the_peer_has_its_close_code_and_says_what_was_wrong() {
    let table: [(ProtocolError, u16, &str); 19] = [
        (ReservedOpcode { opcode: 3 }, 1002, "opcode 0x3 of a frame is reserved (RFC 6455 §5.2)"),
        (
            ReservedBits { bits: 4 },
            1002,
            "reserved bits 0b100 of a frame are set, and no extension owns them here (RFC 6455 §5.2)",
        ),
        (ControlFragmented { opcode: Opcode::Ping }, 1002, "a ping frame is fragmented (RFC 6455 §5.5)"),
        (
            ControlTooLong { opcode: Opcode::Close },
            1002,
            "a close frame needs an extended length, above 125 bytes (RFC 6455 §5.5)",
        ),
        (Unmasked, 1002, "the client sent an unmasked frame (RFC 6455 §5.1)"),
        (Masked, 1002, "the server sent a masked frame (RFC 6455 §5.1)"),
        (
            LengthNotMinimal { len: 5 },
            1002,
            "the length of a frame, 5, is not in its shortest form (RFC 6455 §5.2)",
        ),
        (
            LengthHighBit { len: 1 << 63 },
            1002,
            "the highest bit of a frame's length is set: 0x8000000000000000 (RFC 6455 §5.2)",
        ),
        (UnexpectedContinuation, 1002, "a continuation frame without a message to continue (RFC 6455 §5.4)"),
        (
            ExpectedContinuation { kind: MessageKind::Text },
            1002,
            "a text frame inside an unfinished message (RFC 6455 §5.4)",
        ),
        (CloseCodeCut, 1002, "a close frame has a payload of 1 byte: its code takes two (RFC 6455 §5.5.1)"),
        (
            InvalidCloseCode { code: 1005 },
            1002,
            "a close frame has code 1005, which may not be sent (RFC 6455 §7.4)",
        ),
        (InvalidUtf8, 1007, "a text message is not valid UTF-8 (RFC 6455 §8.1)"),
        (CloseReasonNotUtf8, 1007, "the reason of a close frame is not valid UTF-8 (RFC 6455 §5.5.1)"),
        (
            BrokenExtensionData,
            1007,
            "the payload of a message is not a valid stream of the agreed extension (RFC 6455 §9)",
        ),
        (
            MessageTooBig { size: 11, limit: 10 },
            1009,
            "a message of 11 bytes or more exceeds the limit of 10 bytes (max_message_size)",
        ),
        (
            TooManyFragments { limit: 7 },
            1008,
            "a message in more fragments than the limit of 7 (max_fragments)",
        ),
        (
            TooManyEmptyFragments { limit: 7 },
            1008,
            "more empty fragments in a row than the limit of 7 (max_empty_fragments)",
        ),
        (
            MessageTooBig { size: u64::MAX, limit: u64::MAX },
            1009,
            "a message of 18446744073709551615 bytes or more exceeds the limit of 18446744073709551615 bytes (max_message_size)",
        ),
    ];
    for (fault, code, text) in table {
        assert_eq!(fault.close_code(), CloseCode::new(code).unwrap(), "{fault:?}");
        assert_eq!(fault.to_string(), text);
        assert!(text.len() <= 123, "it goes into the reason of a close frame: {text}");
    }
}

#[test]
fn failures_and_misuse_say_what_happened() {
    let texts = [
        Failed::from(Unmasked).to_string(),
        Failed::UnexpectedEof.to_string(),
        Failed::PayloadBufferMisused.to_string(),
        LocalError::WrongState { what: "a ping", state: ConnectionState::Closed }.to_string(),
        LocalError::MessageUnfinished { unfinished: MessageKind::Text, sent: MessageKind::Binary }
            .to_string(),
    ];
    assert_eq!(
        texts,
        [
            "the connection was failed with close code 1002 (PROTOCOL_ERROR): the client sent an unmasked frame (RFC 6455 §5.1)",
            "the stream ended without a closing handshake (1006, RFC 6455 §7.1.5)",
            "fill_payload: its caller took bytes out of the buffer, or put in more than were wanted; the message is lost",
            "a ping was not sent: the connection is in state \"closed\", which forbids it (RFC 6455 §7.1)",
            "binary data was not sent: a text message is unfinished; send its last piece first (RFC 6455 §5.4)",
        ]
    );
}
