use wscope::proto::Mask;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn naive(payload: &[u8]) -> Vec<u8> {
    payload.iter().enumerate().map(|(at, byte)| byte ^ KEY[at % 4]).collect()
}

#[test] // RFC 6455 §5.3
fn masking_is_the_naive_loop_at_every_length_and_cut() {
    let payload: Vec<u8> = (0..=255).cycle().take(200).collect();
    for len in 0..payload.len() {
        for cut in 0..=len {
            let mut mask = Mask::new(KEY);
            let mut masked = payload[..len].to_vec();
            let (head, tail) = masked.split_at_mut(cut);
            mask.apply(head);
            mask.apply(tail);
            assert_eq!(masked, naive(&payload[..len]));

            let (mut mask, mut appended) = (Mask::new(KEY), Vec::new());
            mask.append(&payload[..cut], &mut appended);
            mask.append(&payload[cut..len], &mut appended);
            assert_eq!(appended, masked);
        }
    }
}

#[test]
fn appending_masks_whole_blocks_and_keeps_what_was_there() {
    for len in [1023, 1024, 1025, 4096, 10_000, 70_001] {
        let payload: Vec<u8> = (0..=255).cycle().take(len).collect();
        let (mut mask, mut out) = (Mask::new(KEY), b"before".to_vec());
        mask.append(&payload, &mut out);
        assert_eq!(out[..6], *b"before");
        assert_eq!(out[6..], naive(&payload));
        let mut next = [0; 4];
        mask.apply(&mut next);
        assert_eq!(next[0], KEY[len % 4]);
    }
}

#[test]
fn masking_twice_gives_the_payload_back() {
    let mut payload = *b"an odd number of bytes...";
    Mask::new(KEY).apply(&mut payload);
    Mask::new(KEY).apply(&mut payload);
    assert_eq!(payload, *b"an odd number of bytes...");
}
