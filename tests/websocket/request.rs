//! A client that asks to be let in, and each answer.

use futures::{AsyncReadExt, AsyncWriteExt};
use wscope::{
    ConnectionConfig, Error, ServerConfig,
    proto::AcceptErrorKind,
    testing::{DuplexStream, duplex},
    websocket::{Accept, CloseCause, HandshakeError, Reject, WebSocketRequest},
    wrap_server_stream,
};

use crate::support::{REQUEST, simulated};

/// A request with `headers`, and the stream of who asks.
async fn asked(
    n: &wscope::Nursery<'_, Error>,
    headers: &str,
) -> Result<(WebSocketRequest, DuplexStream), Error> {
    let (mut here, there) = duplex(1 << 16);
    let request = REQUEST.replace("\r\n\r\n", &format!("\r\n{headers}\r\n"));
    here.write_all(request.as_bytes()).await?;
    Ok((wrap_server_stream(n, there, &ServerConfig::new()).await?, here))
}

/// All that comes until the stream ends.
async fn rest(mut stream: DuplexStream) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    String::from_utf8(all).unwrap()
}

#[test]
fn a_request_tells_what_was_asked_for() {
    simulated(async |n| {
        let headers =
            "Origin: https://example.com\r\nSec-WebSocket-Protocol: chat.v2, chat.v1\r\nX-Trace: 7\r\n";
        let (request, _here) = asked(&n, headers).await?;
        assert_eq!((request.host(), request.path(), request.query()), ("example.com", "/", None));
        assert_eq!(request.origin(), Some("https://example.com"));
        assert_eq!(request.headers()["x-trace"], "7");
        let offered: Vec<_> = request.proposed_subprotocols().iter().map(|token| token.as_str()).collect();
        assert_eq!(offered, ["chat.v2", "chat.v1"]);
        request.abort();
        Ok(())
    });
}

#[test]
fn a_subprotocol_that_was_not_offered_is_our_own_mistake_and_answers_500() {
    simulated(async |n| {
        let (request, here) = asked(&n, "Sec-WebSocket-Protocol: chat.v1\r\n").await?;
        let error = request.accept(Accept::new().subprotocol("chat.v9")).await.unwrap_err();
        let HandshakeError::Accept(AcceptErrorKind::SubprotocolNotOffered { subprotocol }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(subprotocol, "chat.v9");
        assert!(rest(here).await.starts_with("HTTP/1.1 500 "));
        Ok(())
    });
}

#[test]
fn an_answer_that_cannot_be_sent_is_our_own_mistake_and_answers_500() {
    for wrong in ["X-Split\r\n", "Upgrade"] {
        simulated(async |n| {
            let (request, here) = asked(&n, "").await?;
            let error = request.accept(Accept::new().header(wrong, "1")).await.unwrap_err();
            assert!(matches!(error, HandshakeError::Header(_)), "{error:?}");
            assert!(rest(here).await.starts_with("HTTP/1.1 500 "));
            let (request, here) = asked(&n, "").await?;
            let error = request.reject(Reject::status(403).header("X", "a\r\nb")).await.unwrap_err();
            assert!(matches!(error, HandshakeError::Header(_)), "{error:?}");
            assert!(rest(here).await.starts_with("HTTP/1.1 500 "));
            Ok(())
        });
    }
    for status in [0, 100, 101, 199, 1000, 65_535] {
        simulated(async |n| {
            let (request, here) = asked(&n, "").await?;
            let error = request.reject(status).await.unwrap_err();
            assert!(matches!(error, HandshakeError::Status(_)), "{status}: {error:?}");
            assert!(rest(here).await.starts_with("HTTP/1.1 500 "));
            Ok(())
        });
    }
}

#[test]
fn a_rejection_is_written_whole_and_then_the_stream_ends() {
    simulated(async |n| {
        let (request, here) = asked(&n, "").await?;
        let reject = request.reject(Reject::status(403).header("X-Reject", "yes").body("forbidden\n"));
        let (rejected, answer) = wscope::scope::Join::join((reject, rest(here))).await;
        rejected?;
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
        assert!(answer.contains("X-Reject: yes\r\n") && answer.ends_with("\r\n\r\nforbidden\n"), "{answer}");
        Ok(())
    });
}

#[test]
fn an_aborted_request_has_no_answer() {
    simulated(async |n| {
        let (request, here) = asked(&n, "").await?;
        request.abort();
        assert_eq!(rest(here).await, "");
        Ok(())
    });
}

#[test]
fn limits_can_be_chosen_for_one_connection() {
    simulated(async |n| {
        let (request, mut here) = asked(&n, "").await?;
        let ws =
            request.accept(Accept::new().connection(ConnectionConfig::new().max_message_size(3))).await?;
        here.write_all(b"\x81\x84\0\0\0\0long").await?;
        let closed = ws.get_message().await.unwrap_err();
        assert!(matches!(closed.cause(), CloseCause::Protocol(_)), "{closed}");
        Ok(())
    });
}

#[test]
fn what_is_no_request_is_answered_and_told() {
    simulated(async |n| {
        let (mut here, there) = duplex(4096);
        here.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await?;
        let config = ServerConfig::new();
        let (refused, answer) =
            wscope::scope::Join::join((wrap_server_stream(&n, there, &config), rest(here))).await;
        assert!(matches!(refused, Err(HandshakeError::Request { .. })));
        assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
        Ok(())
    });
}

#[test]
fn a_request_that_outlives_its_scope_cannot_be_accepted() {
    simulated(async |n| {
        let (request, here) =
            wscope::nursery(async |inner: wscope::Nursery<'_, Error>| asked(&inner, "").await).await?;
        assert!(matches!(request.accept(Accept::new()).await, Err(HandshakeError::ScopeEnded)));
        assert!(rest(here).await.starts_with("HTTP/1.1 500 "));
        drop(n);
        Ok(())
    });
}
