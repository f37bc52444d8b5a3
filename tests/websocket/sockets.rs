//! Peers that are bare sockets: what they send is right or wrong to the byte, and so is what they are sent.

use std::{net::TcpStream, time::Duration};

use async_io::Async;
use futures::{AsyncReadExt, AsyncWriteExt};
use wscope::{
    ClientConfig, Error, ServerHandle, open_websocket, sleep,
    websocket::{HandshakeError, IntoClientConfig},
};

use crate::support::url;

/// A TCP socket.
pub(crate) struct Socket(pub(crate) Async<TcpStream>);

impl Socket {
    /// Connected to a server of this machine.
    pub(crate) async fn to(port: u16) -> Self {
        let socket = Async::<TcpStream>::connect(([127, 0, 0, 1], port)).await.unwrap();
        socket.get_ref().set_nodelay(true).unwrap();
        Self(socket)
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// What comes up to the end of the stream. Who was not listened to may find a reset there.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut bytes).await {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
        bytes
    }

    /// The same, of what is text.
    pub(crate) async fn text(&mut self) -> String {
        String::from_utf8(self.rest().await).unwrap()
    }

    /// The head of an answer, and nothing of what follows.
    pub(crate) async fn head(&mut self) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(self.0.read(&mut byte).await.unwrap(), 1, "the stream ended inside a head");
            bytes.extend(byte);
        }
        String::from_utf8(bytes).unwrap()
    }
}

/// The status at the begin of an answer; `None` if there is no answer.
pub(crate) fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ").map(|rest| rest[..3].parse().unwrap())
}

/// How a server answers a client of ours, which leaves at once when it is let in.
pub(crate) async fn answer(server: &ServerHandle, path: &str) -> u16 {
    answer_to(ClientConfig::new(&url(server, path)).unwrap()).await
}

pub(crate) async fn answer_to(client: impl IntoClientConfig) -> u16 {
    match open_websocket(client, async |_ws| Ok::<(), Error>(())).await {
        Ok(()) => 101,
        Err(Error::Handshake(HandshakeError::Rejected(rejected))) => rejected.status.as_u16(),
        Err(error) => panic!("{error:?}"),
    }
}

/// Waits for what others bring about. Without a bound of its own.
pub(crate) async fn until(mut condition: impl AsyncFnMut() -> bool) {
    while !condition().await {
        sleep(Duration::from_millis(1)).await;
    }
}
