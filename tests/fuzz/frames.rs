//! Any bytes, cut anywhere: the same events, no panic, no more memory than the bytes account for.

use super::{
    Choices,
    invert::Invert,
    trace::{Trace, feed},
    wire,
};
use wscope::proto::{Config, Connection, MessageDelivery, Role};

/// Most live bytes for each byte received: a buffer has room for at most four times its content, and when it moves the old one,
/// which was full, is there for a moment too.
pub const LIVE_PER_BYTE: i64 = 5;

/// Live bytes that any connection may cost beyond that: a close frame with its reason, queued and remembered.
pub const LIVE_AT_ALL: i64 = 1024;

/// Input: limits, a number of cuts, their lengths, the bytes on the wire.
pub fn frames(input: &[u8]) {
    let mut choices = Choices::new(input);
    let config = Config::new()
        .max_message_size(choices.one_of([1 << 20, 0, 1, 125, 126, 300, 65_535, usize::MAX]))
        .max_fragments(choices.one_of([131_072, 0, 2, 3]))
        .max_empty_fragments(choices.one_of([1024, 0, 1, 2]));
    let count = usize::from(choices.byte() % 16);
    let cuts = choices.bytes(count);
    any_cut_is_the_same(&config, cuts, choices.rest());
}

/// Compares, for both roles and both deliveries, without an extension and with one, `wire` in one chunk with `wire` byte
/// by byte and with `wire` in chunks of the lengths that `cuts` repeats.
pub fn any_cut_is_the_same(config: &Config, cuts: &[u8], wire: &[u8]) {
    for role in [Role::Client, Role::Server] {
        for delivery in [MessageDelivery::Whole, MessageDelivery::Pieces] {
            for extended in [false, true] {
                let open = || {
                    let transforms = extended.then(Invert::transforms);
                    wire::open(role, config.clone().delivery(delivery), transforms)
                };
                let whole = Trace::of(&mut open(), wire, []);
                let bytewise = Trace::of(&mut open(), wire, std::iter::repeat_n(1, wire.len()));
                assert_eq!(bytewise, whole, "{role}, {delivery:?}, byte by byte");
                let cuts = cuts.iter().copied().map(usize::from).cycle().take(wire.len());
                let cut = Trace::of(&mut open(), wire, cuts.clone());
                assert_eq!(cut, whole, "{role}, {delivery:?}, cut");
                memory_follows_the_bytes(&mut open(), wire, cuts.chain([wire.len()]));
            }
        }
    }
}

/// Feeds `wire` in chunks and asserts after each that the connection holds no more than the bytes so far account for.
pub fn memory_follows_the_bytes(
    connection: &mut Connection,
    wire: &[u8],
    cuts: impl IntoIterator<Item = usize>,
) {
    let (mut rest, mut received, mut live) = (wire, 0, 0);
    for cut in cuts {
        if rest.is_empty() {
            return;
        }
        let (chunk, tail) = rest.split_at(cut.min(rest.len()));
        rest = tail;
        received += chunk.len() as i64;
        // The chunk is copied, so that it can be unmasked in place: that copy is the caller's.
        let limit = LIVE_PER_BYTE * received + chunk.len() as i64 + LIVE_AT_ALL;
        let used = allocation_counter::measure(|| feed(connection, chunk, drop));
        let peak = live + used.bytes_max as i64;
        assert!(peak <= limit, "{peak} bytes live after {received} received, in {connection:?}");
        live += used.bytes_current;
    }
}
