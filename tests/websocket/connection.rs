//! What a connection does between its handshake and its end.

use wscope::{CloseCode, Error, Message, open_websocket};

use crate::support::{echo, url, with_server};

#[test]
fn an_echo_comes_back_with_its_kind() {
    with_server(echo, async |server| {
        open_websocket(url(&server, "/"), async |ws| {
            for message in [
                Message::from("hello"),
                Message::from(vec![1, 2, 3]),
                Message::from(""),
                vec![7; 300_000].into(),
            ] {
                ws.send_message(message.clone()).await?;
                assert_eq!(ws.get_message().await?, message);
            }
            let round_trip = ws.ping(None).await?;
            assert_eq!(ws.latency(), Some(round_trip));
            ws.aclose(CloseCode::NORMAL_CLOSURE).await?;
            let closed = ws.closed().unwrap();
            assert!(closed.is_clean(), "{closed}");
            Ok::<(), Error>(())
        })
        .await
    });
}
