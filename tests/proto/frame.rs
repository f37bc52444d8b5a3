use crate::wire::ROLES;
use wscope::proto::{FrameHeader, MAX_HEADER, Opcode, ProtocolError as E, Role, extension::Rsv};

const OPCODES: [Opcode; 6] =
    [Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong];

/// Every header that may be sent to `receiver`.
fn headers(receiver: Role) -> impl Iterator<Item = FrameHeader> {
    const LENGTHS: [u64; 9] = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 32, u64::MAX >> 1];
    OPCODES.into_iter().flat_map(move |opcode| {
        LENGTHS.into_iter().flat_map(move |len| [true, false].map(|fin| (len, fin))).filter_map(
            move |(len, fin)| {
                let mut header = FrameHeader::new(opcode, len);
                header.fin = fin;
                header.mask = (receiver == Role::Server).then_some([1, 2, 3, 4]);
                (!opcode.is_control() || fin && len <= 125).then_some(header)
            },
        )
    })
}

#[test] // RFC 6455 §5.2
fn every_legal_header_is_read_back_as_it_was_written() {
    for role in ROLES {
        for header in headers(role) {
            let mut wire = Vec::new();
            header.write(&mut wire);
            assert!(wire.len() <= MAX_HEADER);
            assert_eq!(FrameHeader::parse(&wire, role, None), Ok(Some((header, wire.len()))));
            let len = wire.len();
            for cut in 0..len {
                assert_eq!(FrameHeader::parse(&wire[..cut], role, None), Ok(None), "{header:?} cut at {cut}");
            }
            wire.extend_from_slice(b"payload");
            assert_eq!(FrameHeader::parse(&wire, role, None), Ok(Some((header, len))));
        }
    }
}

#[test]
fn lengths_are_written_in_their_shortest_form() {
    let written = |len| {
        let mut wire = Vec::new();
        FrameHeader::new(Opcode::Binary, len).write(&mut wire);
        wire
    };
    assert_eq!(written(125), [0x82, 125]);
    assert_eq!(written(126), [0x82, 126, 0, 126]);
    assert_eq!(written(65_535), [0x82, 126, 255, 255]);
    assert_eq!(written(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn a_fault_in_the_first_two_bytes_is_found_in_them() {
    for role in ROLES {
        let mask = if role == Role::Server { 0x80 } else { 0 };
        let cases = [
            (0x83, 0, E::ReservedOpcode { opcode: 3 }),
            (0x87, 0, E::ReservedOpcode { opcode: 7 }),
            (0x8B, 0, E::ReservedOpcode { opcode: 11 }),
            (0x8F, 0, E::ReservedOpcode { opcode: 15 }),
            (0xC1, 0, E::ReservedBits { bits: 4 }),
            (0xA1, 0, E::ReservedBits { bits: 2 }),
            (0x92, 0, E::ReservedBits { bits: 1 }),
            (0xF0, 0, E::ReservedBits { bits: 7 }),
            (0x08, 0, E::ControlFragmented { opcode: Opcode::Close }),
            (0x09, 0, E::ControlFragmented { opcode: Opcode::Ping }),
            (0x0A, 0, E::ControlFragmented { opcode: Opcode::Pong }),
            (0x88, 126, E::ControlTooLong { opcode: Opcode::Close }),
            (0x89, 127, E::ControlTooLong { opcode: Opcode::Ping }),
            (0x8A, 126, E::ControlTooLong { opcode: Opcode::Pong }),
        ];
        for (first, len, fault) in cases {
            assert_eq!(FrameHeader::parse(&[first, mask | len], role, None), Err(fault));
        }
        let wrong = if role == Role::Server { E::Unmasked } else { E::Masked };
        assert_eq!(FrameHeader::parse(&[0x81, mask ^ 0x80], role, None), Err(wrong));
    }
}

#[test]
fn a_length_must_be_minimal_and_leave_the_highest_bit_alone() {
    for role in ROLES {
        let mask = if role == Role::Server { 0x80 } else { 0 };
        let parse =
            |short: u8, len: &[u8]| FrameHeader::parse(&[&[0x82, mask | short], len].concat(), role, None);
        for len in [0, 1, 125_u16] {
            assert_eq!(parse(126, &len.to_be_bytes()), Err(E::LengthNotMinimal { len: len.into() }));
        }
        for len in [0, 125, 126, 65_535_u64] {
            assert_eq!(parse(127, &len.to_be_bytes()), Err(E::LengthNotMinimal { len }));
        }
        for len in [1 << 63, u64::MAX] {
            assert_eq!(parse(127, &len.to_be_bytes()), Err(E::LengthHighBit { len }));
        }
    }
}

#[test] // RFC 6455 §5.2, RFC 7692 §6
fn a_reserved_bit_is_its_owners_on_the_first_frame_of_a_message_alone() {
    for role in ROLES {
        let mask = if role == Role::Server { 0x80 } else { 0 };
        let parse = |first: u8, owned| {
            FrameHeader::parse(&[first, mask, 1, 2, 3, 4], role, owned).map(|header| header.unwrap().0.rsv)
        };
        for (rsv, bit, bits) in [(Rsv::Rsv1, 0x40, 4), (Rsv::Rsv2, 0x20, 2), (Rsv::Rsv3, 0x10, 1)] {
            for opcode in [0x81, 0x82] {
                assert_eq!(parse(opcode | bit, Some(rsv)), Ok(Some(rsv)));
                assert_eq!(parse(opcode, Some(rsv)), Ok(None));
                assert_eq!(parse(opcode | 0x70, Some(rsv)), Err(E::ReservedBits { bits: 7 }));
            }
            for opcode in [0x80, 0x88, 0x89, 0x8A] {
                assert_eq!(parse(opcode | bit, Some(rsv)), Err(E::ReservedBits { bits }));
            }
            let mut header = FrameHeader::new(Opcode::Text, 0);
            header.rsv = Some(rsv);
            let mut wire = Vec::new();
            header.write(&mut wire);
            assert_eq!(wire, [0x81 | bit, 0]);
        }
    }
}

#[test]
fn opcodes_have_names_and_know_whether_they_control() {
    let names = OPCODES.map(|opcode| (opcode.to_string(), opcode.is_control()));
    let expected = [
        ("continuation", false),
        ("text", false),
        ("binary", false),
        ("close", true),
        ("ping", true),
        ("pong", true),
    ];
    assert_eq!(names, expected.map(|(name, control)| (name.to_owned(), control)));
}
