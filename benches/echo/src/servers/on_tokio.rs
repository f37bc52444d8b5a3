//! Servers on tokio: one thread, and tasks without its budget, as the examples of the fast ones have it.

use std::io;

use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket};
use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    task::unconstrained,
};

use super::{Fault, Identity, answer, listening};

pub(super) fn tokio_tungstenite(_: Option<Identity>) -> io::Result<()> {
    serve(async |stream| {
        let mut ws = tokio_tungstenite::accept_async(stream).await?;
        while let Some(message) = ws.next().await {
            let message = message?;
            if message.is_binary() || message.is_text() {
                ws.send(message).await?;
            }
        }
        Ok(())
    })
}

pub(super) fn fastwebsockets(_: Option<Identity>) -> io::Result<()> {
    serve(async |stream| {
        let mut ws =
            FragmentCollector::new(WebSocket::after_handshake(handshake(stream).await?, Role::Server));
        loop {
            let frame = ws.read_frame().await?;
            match frame.opcode {
                OpCode::Close => return Ok(()),
                OpCode::Text | OpCode::Binary => ws.write_frame(frame).await?,
                OpCode::Continuation | OpCode::Ping | OpCode::Pong => {}
            }
        }
    })
}

pub(super) fn tokio_websockets(_: Option<Identity>) -> io::Result<()> {
    serve(async |stream| {
        let (_, mut ws) = tokio_websockets::ServerBuilder::new().accept(stream).await?;
        while let Some(message) = ws.next().await {
            let message = message?;
            if message.is_binary() || message.is_text() {
                ws.send(message).await?;
            }
        }
        Ok(())
    })
}

pub(super) fn yawc(_: Option<Identity>) -> io::Result<()> {
    serve(async |stream| echo(yawc_over(stream).await?, Ok).await)
}

pub(super) fn yawc_batch(_: Option<Identity>) -> io::Result<()> {
    serve(async |stream| echo_batches(yawc_over(stream).await?, Ok).await)
}

async fn yawc_over(
    stream: TcpStream,
) -> Result<
    impl Stream<Item = yawc::frame::Frame> + Sink<yawc::frame::Frame, Error = yawc::WebSocketError>,
    Fault,
> {
    let stream = handshake(stream).await?;
    Ok(yawc::WebSocket::from_stream(stream, yawc::Role::Server, yawc::Options::default())?)
}

pub(super) fn sockudo(_: Option<Identity>) -> io::Result<()> {
    serve(async |stream| echo(sockudo_over(stream).await?, |message| message).await)
}

pub(super) fn sockudo_batch(_: Option<Identity>) -> io::Result<()> {
    serve(async |stream| echo_batches(sockudo_over(stream).await?, |message| message).await)
}

async fn sockudo_over(stream: TcpStream) -> Result<sockudo_ws::WebSocketStream<TcpStream>, Fault> {
    Ok(sockudo_ws::WebSocketStream::server(handshake(stream).await?, sockudo_ws::Config::default()))
}

/// A message received, a message sent.
async fn echo<W, I, M, E>(mut ws: W, message: impl Fn(I) -> Result<M, E>) -> Result<(), Fault>
where
    W: Stream<Item = I> + Sink<M, Error = E> + Unpin,
    Fault: From<E>,
{
    while let Some(item) = ws.next().await {
        ws.send(message(item)?).await?;
    }
    Ok(())
}

/// What is there is received, and then all of it is sent.
async fn echo_batches<W, I, M, E>(mut ws: W, message: impl Fn(I) -> Result<M, E>) -> Result<(), Fault>
where
    W: Stream<Item = I> + Sink<M, Error = E> + Unpin,
    Fault: From<E>,
{
    while let Some(item) = ws.next().await {
        ws.feed(message(item)?).await?;
        while let Some(Some(item)) = ws.next().now_or_never() {
            ws.feed(message(item)?).await?;
        }
        ws.flush().await?;
    }
    Ok(())
}

pub(super) fn raw(_: Option<Identity>) -> io::Result<()> {
    serve(async |stream| {
        let mut stream = handshake(stream).await?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            stream.write_all(&buffer[..count]).await?;
        }
    })
}

async fn handshake(mut stream: TcpStream) -> io::Result<TcpStream> {
    let mut head = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(response) = answer(&head) {
            stream.write_all(&response).await?;
            return Ok(stream);
        }
    }
}

fn serve<H, F>(handler: H) -> io::Result<()>
where
    H: Fn(TcpStream) -> F + 'static,
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Builder::new_current_thread().enable_io().enable_time().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        listening(listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let serving = handler(stream);
            tokio::spawn(unconstrained(async move { drop(serving.await) }));
        }
    })
}
