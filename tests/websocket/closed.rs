//! What is told about the end of a connection.

use wscope::{
    CloseCode, CloseReason, ConnectionConfig, Error,
    proto::{CloseConnection, ProtocolError, Side},
    websocket::{CloseCause, ConnectionClosed},
};

use crate::support::{BOTH, simulated, with_raw};

fn ended(
    role: wscope::proto::Role,
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
        assert_eq!(
            closed.frames().sent.as_ref().unwrap().as_ref().unwrap().code(),
            CloseCode::PROTOCOL_ERROR
        );
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
