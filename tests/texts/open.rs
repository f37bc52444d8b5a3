//! Errors of a connection that is open, or was, in virtual time.

use std::{collections::HashMap, time::Duration};

use futures::{AsyncWriteExt, SinkExt};
use wscope::{
    CloseCode, CloseReason, ConnectionConfig, Error, Nursery, WebSocketConnection,
    proto::{Ping, Role},
    scope::Join,
    testing::{Fault, duplex},
    websocket::{CloseCause, DisconnectionTimeout, HandshakeError},
};

use crate::{
    support::{accept_by_hand, client_of_raw, pair, simulated, with_raw},
    texts::{Texts, text},
};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn texts(texts: &mut Texts) {
    handshakes(texts);
    failures(texts);
    pings(texts);
    messages(texts);
    any(texts);
}

/// How `ws` has ended: the whole, and the cause.
fn ended(texts: &mut Texts, ws: &WebSocketConnection) {
    let closed = ws.closed().unwrap();
    texts.add("websocket::ConnectionClosed", &closed);
    if let CloseCause::Network(error) = closed.cause() {
        texts.add("websocket::NetworkError", error);
    }
    texts.variant("websocket::CloseCause", closed.cause());
}

/// By close frames, from each side.
fn handshakes(texts: &mut Texts) {
    simulated(async |n| {
        let ends = pair(&n).await?;
        ends.client.aclose(CloseReason::new(CloseCode::NORMAL_CLOSURE, "good\u{1b}[2Jbye")?).await?;
        ended(texts, &ends.client);
        ended(texts, &ends.server);
        let (ws, mut stream) = client_of_raw(&n, ConnectionConfig::new()).await?;
        stream.write_all(&[0x88, 0]).await?; // a close frame that says nothing
        ws.wait_closed().await;
        ended(texts, &ws);
        let (ws, _raw) =
            with_raw(&n, Role::Client, ConnectionConfig::new().close_timeout(4 * SECOND)).await?;
        let late = ws.aclose(CloseCode::NORMAL_CLOSURE).await.unwrap_err();
        text!(texts, wscope::link::LinkError::from(late.clone()), link::LinkError::Disconnection);
        text!(texts, late, websocket::DisconnectionTimeout);
        ended(texts, &ws);
        Ok(())
    });
}

/// In any other way.
fn failures(texts: &mut Texts) {
    simulated(async |n| {
        let (ws, stream) = client_of_raw(&n, ConnectionConfig::new()).await?;
        drop(stream);
        ws.wait_closed().await;
        ended(texts, &ws);
        let (ws, mut stream) = client_of_raw(&n, ConnectionConfig::new().max_message_size(4)).await?;
        stream.write_all(b"\x81\x05hello").await?;
        ws.wait_closed().await;
        ended(texts, &ws);
        let ws = reset(&n).await?;
        ws.wait_closed().await;
        ended(texts, &ws);
        let config = ConnectionConfig::new().keepalive_interval(5 * SECOND).keepalive_timeout(7 * SECOND);
        for config in [config, ConnectionConfig::new().receive_timeout(5 * SECOND)] {
            let (ws, _raw) = with_raw(&n, Role::Client, config).await?;
            ws.wait_closed().await;
            ended(texts, &ws);
        }
        let config = ConnectionConfig::new().send_timeout(3 * SECOND).keepalive_interval(None);
        let (ws, _raw) = with_raw(&n, Role::Client, config).await?;
        while ws.send_message(vec![0; 100_000]).await.is_ok() {}
        ended(texts, &ws);
        let ends = pair(&n).await?;
        ends.client.abort();
        ended(texts, &ends.client);
        Ok(())
    });
}

/// A client whose network fails when the handshake is over.
async fn reset(n: &Nursery<'_, Error>) -> Result<WebSocketConnection, HandshakeError> {
    let (mut here, mut there) = duplex(4096);
    here.script_reads([Fault::None, Fault::Reset]);
    let accept = accept_by_hand(&mut there);
    let (ws, _) = (wscope::wrap_client_stream(n, here, "ws://user:s3cret@example.com/room?s3cret"), accept)
        .join()
        .await;
    ws
}

fn pings(texts: &mut Texts) {
    simulated(async |n| {
        let config = ConnectionConfig::new().ping_timeout(2 * SECOND).keepalive_interval(None);
        let (ws, _raw) = with_raw(&n, Role::Client, config).await?;
        text!(texts, Ping::new(&[0; 126]).unwrap_err(), proto::ControlTooLong);
        text!(texts, ws.ping(Some(&[0; 126])).await.unwrap_err(), websocket::PingError::TooLong);
        let (first, second) = (ws.ping(Some(b"twice")), ws.ping(Some(b"twice"))).join().await;
        text!(texts, second.unwrap_err(), websocket::PingError::InFlight);
        text!(texts, first.unwrap_err(), websocket::PingError::TimedOut);
        let many = (0..=ConnectionConfig::MAX_PINGS_IN_FLIGHT).map(|_| ws.ping(None)).collect::<Vec<_>>();
        let mut refused = many.join().await.into_iter().filter_map(Result::err);
        let refused = refused.find(|error| format!("{error:?}").starts_with("TooMany")).unwrap();
        text!(texts, refused, websocket::PingError::TooMany);
        ws.abort();
        text!(texts, ws.ping(None).await.unwrap_err(), websocket::PingError::Closed);
        Ok(())
    });
}

fn messages(texts: &mut Texts) {
    simulated(async |n| {
        let ends = pair(&n).await?;
        let no_key = HashMap::from([((1, 2), 3)]);
        text!(texts, ends.client.send_json(&no_key).await.unwrap_err(), websocket::SendJsonError::Json);
        // serde repeats the name of a field as it came, whatever is in it.
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        for message in ["{", r#"{"\u001b[2J\r\nowned": 1}"#] {
            ends.client.send_message(message).await?;
            let error = ends.server.get_json::<Nothing>().await.unwrap_err();
            if let wscope::websocket::GetJsonError::Json { error, .. } = &error {
                texts.add("websocket::JsonError", error);
            }
            text!(texts, error, websocket::GetJsonError::Json);
        }
        ends.client.aclose(CloseCode::GOING_AWAY).await?;
        ends.server.wait_closed().await;
        text!(texts, ends.client.send_message("late").await.unwrap_err(), websocket::SendError);
        text!(texts, ends.client.send_json(&1).await.unwrap_err(), websocket::SendJsonError::Send);
        text!(texts, ends.server.get_json::<u8>().await.unwrap_err(), websocket::GetJsonError::Closed);
        let mut sink = ends.client.sink();
        text!(texts, sink.start_send_unpin("late".into()).unwrap_err(), websocket::SinkError::Unsent);
        text!(texts, sink.send("late".into()).await.unwrap_err(), websocket::SinkError::Closed);
        Ok(())
    });
}

/// Each of them as [`Error`], which adds no word.
fn any(texts: &mut Texts) {
    simulated(async |n| {
        let no_url = wscope::ClientConfig::new("example.com").unwrap_err();
        text!(texts, Error::from(no_url), websocket::Error::Handshake);
        let ends = pair(&n).await?;
        ends.server.send_message("no number").await?;
        text!(texts, Error::from(ends.client.get_json::<u8>().await.unwrap_err()), websocket::Error::GetJson);
        ends.client.abort();
        text!(texts, Error::from(ends.client.get_message().await.unwrap_err()), websocket::Error::Closed);
        text!(texts, Error::from(ends.client.send_message("x").await.unwrap_err()), websocket::Error::Send);
        text!(texts, Error::from(ends.client.send_json("x").await.unwrap_err()), websocket::Error::SendJson);
        text!(texts, Error::from(ends.client.ping(None).await.unwrap_err()), websocket::Error::Ping);
        let sent = ends.client.sink().send("x".into()).await;
        text!(texts, Error::from(sent.unwrap_err()), websocket::Error::Sink);
        text!(texts, Error::from(CloseCode::new(1005).unwrap_err()), websocket::Error::CloseCode);
        let long = CloseReason::new(CloseCode::NORMAL_CLOSURE, "x".repeat(124)).unwrap_err();
        text!(texts, Error::from(long), websocket::Error::CloseReason);
        text!(texts, Error::from(Ping::new(&[0; 126]).unwrap_err()), websocket::Error::ControlTooLong);
        let (ws, _raw) =
            with_raw(&n, Role::Client, ConnectionConfig::new().close_timeout(4 * SECOND)).await?;
        let late: DisconnectionTimeout = ws.aclose(CloseCode::NORMAL_CLOSURE).await.unwrap_err();
        text!(texts, Error::from(late), websocket::Error::DisconnectionTimeout);
        let slow = wscope::fail_after(SECOND, wscope::sleep(2 * SECOND)).await.unwrap_err();
        text!(texts, Error::from(slow), websocket::Error::TooSlow);
        text!(texts, Error::from(wscope::Cancelled), websocket::Error::Cancelled);
        text!(texts, Error::from(std::fs::read("no such file").unwrap_err()), websocket::Error::Io);
        text!(texts, Error::other("no such room"), websocket::Error::Other);
        Ok(())
    });
}
