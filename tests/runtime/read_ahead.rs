//! Reading ahead of a library that asks for little.

use std::future::poll_fn;

use wscope::{
    runtime::block_on,
    testing::{Fault, duplex},
};

use super::seam::{
    Transport,
    bytes::{once, write},
    read_ahead::ReadAhead,
};

async fn read(ahead: &mut ReadAhead, room: usize) -> Vec<u8> {
    let mut buffer = vec![0; room];
    let length = poll_fn(|cx| ahead.poll_read(cx, &mut buffer)).await.unwrap();
    buffer.truncate(length);
    buffer
}

#[test]
fn small_reads_are_served_from_one_large_one() {
    let (here, mut there) = duplex(1 << 20);
    // A second read below would be reset.
    there.script_reads([Fault::None, Fault::Reset]);
    let (mut here, mut there) = (Transport::other(here), ReadAhead::new(Transport::other(there)));
    block_on(async {
        write(&mut here, b"12345record12345record").await.unwrap();
        for expected in [&b"12345"[..], b"record", b"12345", b"record"] {
            assert_eq!(read(&mut there, expected.len()).await, expected);
        }
        assert!(format!("{there:?}").contains("ahead: []"), "an idle connection holds no buffer");
        let mut buffer = [0; 5];
        assert!(poll_fn(|cx| there.poll_read(cx, &mut buffer)).await.is_err());
    });
}

#[test]
fn no_more_than_its_room_is_held_and_the_end_is_passed_on() {
    let (here, there) = duplex(1 << 20);
    let (mut here, mut there) = (Transport::other(here), ReadAhead::new(Transport::other(there)));
    let sent: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    block_on(async {
        write(&mut here, &sent).await.unwrap();
        drop(here);
        let mut received = Vec::new();
        loop {
            let piece = read(&mut there, 1000).await;
            if piece.is_empty() {
                break;
            }
            assert!(piece.len() <= 1000);
            received.extend(piece);
        }
        assert!(received == sent);
        assert!(read(&mut there, 10).await.is_empty(), "the end stays the end");
    });
}

#[test]
fn waiting_holds_no_buffer() {
    let (_here, there) = duplex(64);
    let mut there = ReadAhead::new(Transport::other(there));
    let mut buffer = [0; 5];
    assert!(once(|cx| there.poll_read(cx, &mut buffer)).is_pending());
    assert!(format!("{there:?}").contains("ahead: []"));
}
