//! Masking against the loop of RFC 6455 §5.3.

use crate::cases;
use proptest::{collection::vec, prelude::*, sample::Index};
use wscope::proto::Mask;

/// One byte after the other, by definition.
fn naive(key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect()
}

const KEY: [u8; 4] = [0x01, 0x23, 0x45, 0x67];

#[test]
fn masks_as_the_naive_loop_at_every_offset_and_length() {
    let bytes: Vec<u8> = (0..264_u32).map(|at| (at * 37) as u8).collect();
    for offset in 0..64 {
        for len in 0..=200 {
            // The offset is the place in memory here: vector code has a head, a body and a tail.
            let (mut payload, range) = (bytes.clone(), offset..offset + len);
            Mask::new(KEY).apply(&mut payload[range.clone()]);
            let expected =
                [&bytes[..offset], &naive(KEY, &bytes[range.clone()]), &bytes[range.end..]].concat();
            assert_eq!(payload, expected, "{len} bytes at {offset}");

            let mut out = bytes[..offset].to_vec();
            Mask::new(KEY).append(&bytes[range.clone()], &mut out);
            assert_eq!(out, expected[..range.end], "{len} bytes appended to {offset}");
        }
    }
}

#[test]
fn masks_on_where_the_last_piece_ended() {
    let bytes: Vec<u8> = (0..264_u32).map(|at| (at * 59) as u8).collect();
    let expected = naive(KEY, &bytes);
    for offset in 0..64 {
        for len in 0..=200 {
            let (mut payload, mut mask) = (bytes[..offset + len].to_vec(), Mask::new(KEY));
            mask.apply(&mut payload[..offset]);
            mask.apply(&mut payload[offset..]);
            assert_eq!(payload, expected[..offset + len], "{offset} bytes, then {len}");
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn masks_as_the_naive_loop_at_random_cuts(
        key in any::<[u8; 4]>(),
        payload in vec(any::<u8>(), 0..5000),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
        cuts.extend([0, payload.len()]);
        cuts.sort_unstable();
        let (mut in_place, mut apply) = (payload.clone(), Mask::new(key));
        let (mut out, mut append) = (Vec::new(), Mask::new(key));
        for piece in cuts.windows(2) {
            apply.apply(&mut in_place[piece[0]..piece[1]]);
            append.append(&payload[piece[0]..piece[1]], &mut out);
        }
        let expected = naive(key, &payload);
        prop_assert_eq!(&in_place, &expected);
        prop_assert_eq!(out, expected);
        prop_assert_eq!(apply, append);
        Mask::new(key).apply(&mut in_place);
        prop_assert_eq!(in_place, payload); // its own inverse
    }
}
