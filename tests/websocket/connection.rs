//! What a connection does between its handshake and its end.

use std::time::Duration;

use wscope::{
    CloseCode, Error, Message, ServerHandle, WebSocketRequest, fail_after, nursery, open_websocket, run, serve_websocket,
    websocket::{Accept, BoxError},
};

async fn echo(request: WebSocketRequest) -> Result<(), BoxError> {
    let ws = request.accept(Accept::new()).await?;
    while let Some(message) = ws.next_message().await? {
        ws.send_message(message).await?;
    }
    Ok(())
}

fn with_echo<T>(body: impl AsyncFnOnce(ServerHandle) -> Result<T, Error>) -> T {
    run(fail_after(
        Duration::from_secs(20),
        nursery(async |n| {
            let server =
                n.start_service_with(async |status| serve_websocket("127.0.0.1:0", echo, status).await).await?;
            body(server).await
        }),
    ))
    .unwrap()
    .unwrap()
}

#[test]
fn an_echo_comes_back_with_its_kind() {
    with_echo(async |server| {
        open_websocket(format!("ws://127.0.0.1:{}/", server.port()), async |ws| {
            for message in [Message::from("hello"), Message::from(vec![1, 2, 3]), Message::from(""), vec![7; 300_000].into()] {
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
