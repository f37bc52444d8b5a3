use wscope::proto::{
    CloseCode, ConnectionState, Failed, LocalError, MessageKind, Opcode,
    ProtocolError::{self, *},
};

#[test] // RFC 6455 §7.4.1
fn every_fault_of_the_peer_has_its_close_code_and_says_what_was_wrong() {
    let table: [(ProtocolError, u16, &str); 19] = [
        (ReservedOpcode { opcode: 3 }, 1002, "opcode 0x3 is reserved (RFC 6455 §5.2)"),
        (
            ReservedBits { bits: 4 },
            1002,
            "reserved bits 0b100 are set, and no extension owns them here (RFC 6455 §5.2)",
        ),
        (ControlFragmented { opcode: Opcode::Ping }, 1002, "a ping frame is fragmented (RFC 6455 §5.5)"),
        (
            ControlTooLong { opcode: Opcode::Close },
            1002,
            "a close frame needs an extended length, above 125 bytes (RFC 6455 §5.5)",
        ),
        (Unmasked, 1002, "the client sent an unmasked frame (RFC 6455 §5.1)"),
        (Masked, 1002, "the server sent a masked frame (RFC 6455 §5.1)"),
        (LengthNotMinimal { len: 5 }, 1002, "a length of 5 is not in its shortest form (RFC 6455 §5.2)"),
        (
            LengthHighBit { len: 1 << 63 },
            1002,
            "the highest bit of a length is set: 0x8000000000000000 (RFC 6455 §5.2)",
        ),
        (UnexpectedContinuation, 1002, "a continuation frame without a message to continue (RFC 6455 §5.4)"),
        (
            ExpectedContinuation { kind: MessageKind::Text },
            1002,
            "a text frame inside an unfinished message (RFC 6455 §5.4)",
        ),
        (CloseCodeCut, 1002, "a close frame of 1 byte: its code takes two (RFC 6455 §5.5.1)"),
        (InvalidCloseCode { code: 1005 }, 1002, "close code 1005 may not be sent (RFC 6455 §7.4)"),
        (InvalidUtf8, 1007, "a text message is not valid UTF-8 (RFC 6455 §8.1)"),
        (CloseReasonNotUtf8, 1007, "the reason of a close frame is not valid UTF-8 (RFC 6455 §5.5.1)"),
        (
            BrokenExtensionData,
            1007,
            "the payload is not a valid stream of the agreed extension (RFC 6455 §9)",
        ),
        (
            MessageTooBig { size: 11, limit: 10 },
            1009,
            "a message of 11 bytes or more exceeds the limit of 10 bytes",
        ),
        (TooManyFragments { limit: 7 }, 1008, "a message of more than 7 fragments"),
        (TooManyEmptyFragments { limit: 7 }, 1008, "more than 7 empty fragments in a row"),
        (
            MessageTooBig { size: u64::MAX, limit: 0 },
            1009,
            "a message of 18446744073709551615 bytes or more exceeds the limit of 0 bytes",
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
            "the peer failed the connection: the client sent an unmasked frame (RFC 6455 §5.1)",
            "the stream ended without a closing handshake (1006)",
            "the payload buffer was not only appended to, or by more than was wanted",
            "cannot send a ping in state closed",
            "cannot send binary data inside an unfinished text message (RFC 6455 §5.4)",
        ]
    );
}
