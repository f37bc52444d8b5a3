//! Payloads to compress, the same each time.

/// Text that shrinks to a tenth.
pub(crate) fn json(len: usize) -> String {
    let entry = |n: usize| format!("{{\"id\":{n},\"name\":\"user {}\",\"on\":true}},", n * 7919);
    (0..).flat_map(|n| entry(n).into_bytes()).map(char::from).take(len).collect()
}

/// Bytes that do not shrink: they have no repetitions.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}
