//! What a connection does between its handshake and its end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::AsyncWrite;
use wscope::{
    ClientConfig, CloseCode, Error, Message, ServerConfig, nursery, open_websocket,
    scope::Join,
    testing::{DuplexStream, Simulation, VirtualClock, duplex},
    websocket::Accept,
    wrap_client_stream, wrap_server_stream,
};

use crate::{
    intercepted::{Intercept, Intercepted},
    support::{URL, echo, url, with_server},
};

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

/// Writes that take their time: as when whoever writes is set aside, and the peer is quicker.
struct SlowToReturn(VirtualClock);

const WRITE: Duration = Duration::from_millis(5);

impl Intercept for SlowToReturn {
    fn write(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = stream.poll_write(cx, bytes);
        self.0.advance(WRITE);
        written
    }
}

#[test]
fn a_round_trip_begins_before_the_ping_leaves() {
    let simulation = Simulation::new();
    let clock = simulation.clock().clone();
    simulation
        .run(nursery(async |n| {
            let (here, there) = duplex(64 * 1024);
            let connect =
                wrap_client_stream(&n, Intercepted(here, SlowToReturn(clock)), ClientConfig::new(URL)?);
            let config = ServerConfig::new();
            let accept = async { wrap_server_stream(&n, there, &config).await?.accept(Accept::new()).await };
            let (client, server) = (connect, accept).join().await;
            let (client, _server) = (client?, server?);
            let round_trip = client.ping(None).await?;
            assert!(round_trip >= WRITE, "{round_trip:?}");
            assert_eq!(client.latency(), Some(round_trip));
            Ok::<(), Error>(())
        }))
        .unwrap();
}
