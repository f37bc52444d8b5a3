//! One message to many connections: encoded once, never waited for.

use bytes::Bytes;

use super::WebSocketConnection;
use crate::proto::{Encoder, Message, Role};

/// Sends `message` to all of `connections` that have room for it at once, and returns those that it has skipped: which are closed, whose
/// queue is full, which are sending a message in pieces, or which are clients (a client masks every frame with a key of its own).
///
/// The frame is made once and shared, and it is never compressed. It goes before a large message that is being compressed. Nobody is
/// waited for, so one slow reader holds up no other: what to do about those that were skipped is the caller's policy.
///
/// ```no_run
/// use wscope::{CloseCode, WebSocketConnection, broadcast};
///
/// fn announce(room: &[WebSocketConnection]) {
///     for slow in broadcast(room, "the game begins") {
///         slow.close(CloseCode::TRY_AGAIN_LATER);
///     }
/// }
/// ```
pub fn broadcast<'a>(
    connections: impl IntoIterator<Item = &'a WebSocketConnection>,
    message: impl Into<Message>,
) -> Vec<&'a WebSocketConnection> {
    let message = message.into();
    let mut frame = Vec::with_capacity(message.len() + crate::proto::MAX_HEADER);
    let encoded = Encoder::new(Role::Server).message(&message, &mut frame);
    let frame = Bytes::from(frame);
    let sent = |ws: &WebSocketConnection| {
        encoded.is_ok()
            && ws.is_server()
            && ws.shared().work(|engine, after| {
                let free = engine.has_room_for_encoded();
                if free {
                    engine.send_encoded(&frame, message.len(), after);
                }
                free
            })
    };
    connections.into_iter().filter(|ws| !sent(ws)).collect()
}
