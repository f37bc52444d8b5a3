//! What is told about the end of a connection.

use std::time::Duration;

use futures::StreamExt;
use wscope::{
    CloseCode, CloseReason, ConnectionConfig, Error, Nursery, connect_websocket, nursery,
    proto::{CloseConnection, ProtocolError, Role, Side},
    websocket::{CloseCause, ConnectionClosed},
};

use crate::support::{BOTH, URL, handing_out, simulated, url, with_raw, with_server};

fn ended(
    role: Role,
    end: impl AsyncFn(&wscope::WebSocketConnection, crate::support::Raw) -> Result<(), Error>,
) -> ConnectionClosed {
    simulated(async |n| {
        let (ws, raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
        end(&ws, raw).await?;
        Ok(ws.wait_closed().await)
    })
}

#[test]
fn both_close_frames_and_their_order_are_kept() {
    for role in BOTH {
        let reason = CloseReason::new(CloseCode::GOING_AWAY, "maintenance\n").unwrap();
        let closed = ended(role, async |_ws, mut raw| {
            raw.send(CloseConnection::new(CloseReason::new(CloseCode::GOING_AWAY, "maintenance\n")?)).await;
            raw.receive().await;
            Ok(())
        });
        assert_eq!(
            (closed.code(), closed.reason(), closed.first()),
            (1001, "maintenance\n", Some(Side::Remote))
        );
        assert_eq!(
            (&closed.frames().received, &closed.frames().sent),
            (&Some(Some(reason.clone())), &Some(Some(reason)))
        );
        assert!(closed.is_clean());
        let text = closed.to_string();
        assert!(text.contains(r"maintenance\n") && !text.contains('\n'), "escaped: {text}");
    }
}

#[test]
fn a_close_frame_without_a_code_is_1005_and_no_close_frame_is_1006() {
    for role in BOTH {
        let closed = ended(role, async |_ws, mut raw| {
            raw.send(CloseConnection::empty()).await;
            raw.receive().await;
            Ok(())
        });
        assert_eq!((closed.code(), closed.is_clean()), (ConnectionClosed::NO_STATUS, false));
        let closed = ended(role, async |_ws, raw| {
            drop(raw);
            Ok(())
        });
        assert_eq!((closed.code(), closed.cause()), (ConnectionClosed::ABNORMAL, &CloseCause::UnexpectedEof));
        assert_eq!(closed.first(), None);
    }
}

#[test]
fn a_fault_of_the_peer_is_named() {
    for role in BOTH {
        let closed = ended(role, async |_ws, mut raw| {
            use futures::AsyncWriteExt;
            raw.stream.write_all(&[0xFF; 16]).await?;
            raw.receive().await;
            Ok(())
        });
        assert!(
            matches!(closed.cause(), CloseCause::Protocol(ProtocolError::ReservedOpcode { .. })),
            "{closed:?}"
        );
        let told = closed.frames().sent.as_ref().unwrap().as_ref().unwrap();
        assert_eq!(told.code(), CloseCode::PROTOCOL_ERROR);
        let text = closed.to_string();
        assert_eq!(text.matches(told.reason()).count(), 1, "said once, although it was sent: {text}");
    }
}

#[test]
fn an_abort_is_our_own_doing() {
    for role in BOTH {
        let closed = ended(role, async |ws, _raw| {
            ws.abort();
            Ok(())
        });
        assert_eq!((closed.cause(), closed.code()), (&CloseCause::Aborted, 1006));
    }
}

#[test]
fn an_end_names_the_peer_and_none_of_its_secrets() {
    let (handler, mut handed) = handing_out();
    let (of_client, of_server, client_at) = with_server(handler, async |server| {
        let to = url(&server, "/room?token=s3cret").replace("ws://", "ws://ann:s3cret@");
        nursery(async |n: Nursery<'_, Error>| {
            let client = connect_websocket(&n, to).await?;
            let served = handed.next().await.unwrap();
            assert_eq!((client.path(), served.path()), ("/room?token=s3cret", "/room?token=s3cret"));
            client.aclose(CloseCode::NORMAL_CLOSURE).await?;
            let client_at = client.local().address().unwrap().to_string();
            assert_eq!(client.closed().unwrap().peer(), url(&server, "/room?..."));
            Ok((client.wait_closed().await, served.wait_closed().await, client_at))
        })
        .await
    });
    assert!(of_client.peer().starts_with("ws://127.0.0.1:") && of_client.peer().ends_with("/room?..."));
    assert_eq!(of_server.peer(), client_at);
    for closed in [&of_client, &of_server] {
        let begin = format!("connection with {} closed: closing handshake; ", closed.peer());
        assert!(closed.to_string().starts_with(&begin), "{closed}");
        let debug = format!("{closed:?}");
        assert!(debug.contains(closed.peer()) && !debug.contains("s3cret"), "{debug}");
        assert_eq!(*closed, closed.clone());
    }
    assert_ne!(of_client, of_server);
}

#[test]
fn over_a_stream_of_ones_own_a_client_names_its_url_and_a_server_says_that_there_is_no_address() {
    for role in BOTH {
        let closed = ended(role, async |ws, _raw| {
            ws.abort();
            Ok(())
        });
        let known = match role {
            Role::Client => URL,
            Role::Server => "a stream without an address",
        };
        assert_eq!(closed.peer(), known);
    }
}

#[test]
fn what_took_too_long_names_the_peer_and_the_limit() {
    for role in BOTH {
        simulated(async |n| {
            let second = Duration::from_secs(1);
            let config = ConnectionConfig::new().close_timeout(second).ping_timeout(2 * second);
            let (ws, _raw) = with_raw(&n, role, config).await?;
            let unanswered = ws.ping(None).await.unwrap_err();
            let unclosed = ws.aclose(CloseCode::NORMAL_CLOSURE).await.unwrap_err();
            let peer = ws.closed().unwrap().peer().to_owned();
            assert_eq!(unanswered.to_string(), format!("{peer} sent no pong within 2s (ping_timeout)"));
            assert_eq!((&unclosed.peer, unclosed.limit), (&peer, second));
            Ok(())
        });
    }
}
