//! Servers on async-std.

use std::io;

use async_native_tls::TlsAcceptor;
use async_std::{
    io::{ReadExt, WriteExt},
    net::{TcpListener, TcpStream},
    task,
};
use async_tungstenite::accept_async;
use futures::{AsyncRead, AsyncWrite, StreamExt};
use wscope::{
    WebSocketRequest, WebSocketServer,
    websocket::{Accept, TlsServerConfig},
};

use super::{Fault, Identity, answer, listening};

pub(super) fn wscope(identity: Option<Identity>) -> io::Result<()> {
    wscope::run(async {
        let server = match identity {
            None => WebSocketServer::bind("127.0.0.1:0").await?,
            Some((chain, key)) => {
                let identity = wscope::websocket::Identity::from_pem(chain, key).map_err(io::Error::other)?;
                let config = TlsServerConfig::new(identity).map_err(io::Error::other)?;
                WebSocketServer::bind_tls("127.0.0.1:0", config).await?
            }
        };
        listening(server.port());
        server
            .run(async |request: WebSocketRequest| {
                let ws = request.accept(Accept::new()).await?;
                while let Some(message) = ws.next_message().await? {
                    ws.send_message(message).await?;
                }
                Ok(())
            })
            .await;
        Ok(())
    })
}

pub(super) fn async_tungstenite(identity: Option<Identity>) -> io::Result<()> {
    let acceptor = match identity {
        None => None,
        Some((chain, key)) => {
            let identity = native_tls::Identity::from_pkcs8(&chain, &key).map_err(io::Error::other)?;
            Some(TlsAcceptor::from(native_tls::TlsAcceptor::new(identity).map_err(io::Error::other)?))
        }
    };
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            match acceptor {
                None => echo(stream).await,
                Some(acceptor) => echo(acceptor.accept(stream).await?).await,
            }
        }
    })
}

async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Fault> {
    let mut ws = accept_async(stream).await?;
    while let Some(message) = ws.next().await {
        let message = message?;
        if message.is_binary() || message.is_text() {
            ws.send(message).await?;
        }
    }
    Ok(())
}

pub(super) fn raw(_: Option<Identity>) -> io::Result<()> {
    serve(async |mut stream: TcpStream| {
        let mut head = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = stream.read(&mut buffer).await?;
            head.extend_from_slice(&buffer[..count]);
            if let Some(response) = answer(&head) {
                stream.write_all(&response).await?;
                break;
            }
        }
        loop {
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            stream.write_all(&buffer[..count]).await?;
        }
    })
}

fn serve<H, F>(handler: H) -> io::Result<()>
where
    H: Fn(TcpStream) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    task::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        listening(listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let serving = handler(stream);
            task::spawn(async move { drop(serving.await) });
        }
    })
}
