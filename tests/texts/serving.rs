//! What `on_error` of a server is given.

use std::time::Duration;

use async_std::net::TcpStream;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, channel::mpsc};
use wscope::{
    Error, Nursery, ServerConfig, WebSocketRequest, WebSocketServer, nursery, run,
    websocket::{BoxError, ServerError},
};

use crate::{
    support::REQUEST,
    texts::{Seen, Texts, text},
};

pub(crate) fn texts(texts: &mut Texts) {
    let plain = async |config: ServerConfig| Ok(WebSocketServer::bind("127.0.0.1:0").await?.config(config));
    let fails = async |_request: WebSocketRequest| Err::<(), BoxError>("no such room".into());
    texts.seen("websocket::ServerError::Handler", reported(plain, fails, ask));
    texts.seen("websocket::ServerError::Panicked", reported(plain, panics, ask));
    let hurried = async |config: ServerConfig| plain(config.decision_timeout(Duration::from_millis(1))).await;
    let dithers = async |_request: WebSocketRequest| std::future::pending().await;
    texts.seen("websocket::ServerError::DecisionTimeout", reported(hurried, dithers, ask));
    let nonsense = async |port| say(port, "GET / HTTP/1.0\r\n\r\n").await;
    texts.seen("websocket::ServerError::Request", reported(plain, dithers, nonsense));
    // That it happens is seen in another process, which may run out of files: `tests/websocket/server.rs`.
    text!(texts, ServerError::Listen(std::io::Error::from_raw_os_error(24)), websocket::ServerError::Listen);
}

/// The text of what a server was told while `act` was done at its port, and the name of the variant.
pub(crate) fn reported<H, F>(
    bind: impl AsyncFnOnce(ServerConfig) -> Result<WebSocketServer, Error>,
    handler: H,
    act: impl AsyncFnOnce(u16),
) -> Seen
where
    H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let (report, mut reports) = mpsc::unbounded();
    let config = ServerConfig::new().on_error(move |error| {
        let _ = report.unbounded_send(Seen::new(error));
    });
    run(nursery(async |n: Nursery<'_, Error>| {
        let server = bind(config).await?;
        let port = server.handle().port();
        n.start_service(async move {
            server.run(handler).await;
            Ok(())
        });
        act(port).await;
        Ok(reports.next().await.unwrap())
    }))
    .unwrap()
}

/// A handler with a fault.
async fn panics(_request: WebSocketRequest) -> Result<(), BoxError> {
    panic!("on purpose")
}

async fn ask(port: u16) {
    say(port, REQUEST).await;
}

/// Says it, and hears the answer to its end.
async fn say(port: u16, request: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
}
