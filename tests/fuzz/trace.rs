//! What a caller sees of a connection, whatever the cuts in its input were.

use wscope::proto::{CloseFrames, Connection, ConnectionState, Event, Failed, MessageKind};

/// All that a connection gave and became. Two traces are equal when no caller can tell the two inputs apart but by the
/// number of calls and by the borders of pieces inside a frame.
#[derive(Debug, PartialEq)]
pub struct Trace {
    pub events: Vec<Seen>,
    pub failed: Option<Failed>,
    pub state: ConnectionState,
    pub close_frames: CloseFrames,
    /// What the connection wrote of its own accord, at the end.
    pub written: Vec<u8>,
}

#[derive(Debug, PartialEq)]
pub enum Seen {
    /// Pieces of one frame, joined.
    Pieces { kind: MessageKind, data: Vec<u8>, frame_finished: bool, message_finished: bool },
    /// Any other event.
    Event(Event),
}

impl Trace {
    /// Feeds `wire` to the connection in chunks of the lengths that `cuts` gives, then the rest. Where the engine lets a
    /// payload be filled, the start of each chunk goes that way.
    pub fn of(connection: &mut Connection, wire: &[u8], cuts: impl IntoIterator<Item = usize>) -> Self {
        let mut events = Vec::new();
        let mut rest = wire;
        for cut in cuts {
            if rest.is_empty() {
                break;
            }
            let (chunk, tail) = rest.split_at(cut.min(rest.len()));
            feed(connection, chunk, |event| see(&mut events, event));
            rest = tail;
        }
        feed(connection, rest, |event| see(&mut events, event));
        Self::end(connection, events)
    }

    fn end(connection: &mut Connection, mut events: Vec<Seen>) -> Self {
        let failed = connection.failed();
        if failed.is_some() {
            // How much of a frame was handed out before the fault in it came depends on the cuts.
            events.pop_if(|last| matches!(last, Seen::Pieces { frame_finished: false, .. }));
        }
        let mut written = Vec::new();
        connection.transmit(&mut written);
        assert!(!connection.wants_transmit());
        let (state, close_frames) = (connection.state(), connection.close_frames().clone());
        Self { events, failed, state, close_frames, written }
    }
}

/// Gives one chunk to the connection: first as a payload to be filled, then as input, and takes all events. Asserts what
/// holds for every call.
pub fn feed(connection: &mut Connection, chunk: &[u8], mut on_event: impl FnMut(Event)) {
    let mut chunk = chunk;
    let filled = connection.fill_payload(|buffer, wanted| {
        let (now, later) = chunk.split_at(wanted.min(chunk.len()));
        buffer.extend_from_slice(now);
        later
    });
    chunk = filled.unwrap_or(chunk);
    let mut chunk = chunk.to_vec();
    let mut input = &mut chunk[..];
    loop {
        let before = (input.len(), connection.failed());
        match connection.receive(&mut input) {
            Ok(Some(event)) => {
                assert_eq!(before.1, None, "an event after a failure: {event:?}");
                on_event(event);
            }
            Ok(None) => {
                assert!(input.is_empty(), "bytes are left, and no event was given for them");
                assert_eq!(connection.failed(), None, "a failure was not told");
                return;
            }
            Err(failed) => {
                assert!(input.is_empty(), "what comes after a failure is discarded");
                assert_eq!(connection.failed(), Some(failed));
                assert!(before.1.is_none_or(|before| before == failed), "a failure is sticky");
                assert_eq!(connection.state(), ConnectionState::Closed);
                return;
            }
        }
    }
}

/// Adds an event, joined to the one before where both are pieces of one frame.
fn see(events: &mut Vec<Seen>, event: Event) {
    let Event::Piece(piece) = event else { return events.push(Seen::Event(event)) };
    assert!(piece.frame_finished || !piece.message_finished, "a message ends with a frame");
    if let Some(Seen::Pieces { kind, data, frame_finished: frame_finished @ false, message_finished }) =
        events.last_mut()
    {
        assert_eq!(*kind, piece.data.kind(), "one frame, one kind");
        data.extend_from_slice(piece.data.as_bytes());
        *frame_finished = piece.frame_finished;
        *message_finished = piece.message_finished;
    } else {
        events.push(Seen::Pieces {
            kind: piece.data.kind(),
            data: piece.data.as_bytes().to_vec(),
            frame_finished: piece.frame_finished,
            message_finished: piece.message_finished,
        });
    }
}
