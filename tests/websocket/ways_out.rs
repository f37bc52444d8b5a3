//! What the peer is told, for each way out of the scope of a connection, on both sides.

use std::{panic::AssertUnwindSafe, sync::mpsc, time::Duration};

use futures::{FutureExt, StreamExt};
use wscope::{
    CancelScope, CloseCode, ConnectionClosed, Error, WebSocketConnection, WebSocketRequest, fail_after,
    move_on_after, nursery, open_websocket, run,
    scope::Cancelled,
    websocket::{Accept, BoxError},
};

use crate::support::{reporting, url, with_server};

fn seen_by_the_server(client: impl AsyncFnOnce(String) -> Result<(), Error>) -> u16 {
    let (handler, mut reports) = reporting();
    with_server(handler, async |server| {
        client(url(&server, "/")).await?;
        Ok(reports.next().await.unwrap().code())
    })
}

#[test]
fn a_client_that_returns_a_value_sends_1000() {
    let code = seen_by_the_server(async |url| open_websocket(url, async |_ws| Ok(())).await);
    assert_eq!(code, 1000);
}

#[test]
fn a_client_that_fails_sends_1011() {
    let code = seen_by_the_server(async |url| {
        let failed = open_websocket(url, async |_ws| Err::<(), _>(Error::other("failed"))).await;
        assert!(matches!(failed, Err(Error::Other(_))));
        Ok(())
    });
    assert_eq!(code, 1011);
}

#[test]
fn a_client_that_panics_sends_1011() {
    let code = seen_by_the_server(async |url| {
        let panicked = open_websocket(url, async |ws: WebSocketConnection| -> Result<(), Error> {
            ws.ping(None).await?;
            panic!("on purpose")
        });
        let panic = AssertUnwindSafe(panicked).catch_unwind().await.unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
        Ok(())
    });
    assert_eq!(code, 1011);
}

#[test]
fn a_client_that_is_cancelled_sends_1001() {
    let code = seen_by_the_server(async |url| {
        let scope = CancelScope::new();
        let cancelled = scope
            .run(open_websocket(url, async |ws: WebSocketConnection| {
                ws.ping(None).await?;
                scope.cancel();
                std::future::pending::<Result<(), Error>>().await
            }))
            .await;
        assert!(matches!(cancelled, Err(Cancelled)));
        Ok(())
    });
    assert_eq!(code, 1001);
}

#[test]
fn a_client_that_times_out_sends_1001() {
    let code = seen_by_the_server(async |url| {
        let (ready, opened) = futures::channel::oneshot::channel();
        let open = open_websocket(url, async |ws: WebSocketConnection| {
            ws.ping(None).await?;
            let _ = ready.send(());
            std::future::pending::<Result<(), Error>>().await
        });
        let mut open = std::pin::pin!(fail_after(Duration::from_millis(300), open));
        let timed_out = (&mut open).await;
        assert!(timed_out.is_err());
        assert!(opened.now_or_never().is_some(), "the connection was open");
        Ok(())
    });
    assert_eq!(code, 1001);
}

#[test]
fn a_client_that_is_dropped_sends_1001() {
    let code = seen_by_the_server(async |url| {
        let (ready, opened) = futures::channel::oneshot::channel();
        let mut open = Box::pin(open_websocket(url, async |ws: WebSocketConnection| {
            ws.ping(None).await?;
            let _ = ready.send(());
            std::future::pending::<Result<(), Error>>().await
        }));
        futures::future::select(&mut open, opened).await;
        drop(open);
        Ok(())
    });
    assert_eq!(code, 1001);
}

/// How the client sees the end of a connection whose handler does `work`.
fn seen_by_the_client<F>(
    work: impl Fn(WebSocketConnection) -> F + Send + Sync + Clone + 'static,
) -> ConnectionClosed
where
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let handler = move |request: WebSocketRequest| {
        let work = work.clone();
        async move {
            let ws = request.accept(Accept::new()).await?;
            work(ws).await
        }
    };
    with_server(handler, async |server| {
        open_websocket(url(&server, "/"), async |ws| Ok(ws.wait_closed().await)).await
    })
}

#[test]
fn a_handler_that_returns_closes_with_1000() {
    assert_eq!(seen_by_the_client(async |_ws| Ok(())).code(), 1000);
}

#[test]
fn a_handler_that_fails_closes_with_1011() {
    assert_eq!(seen_by_the_client(async |_ws| Err("failed".into())).code(), 1011);
}

#[test]
fn a_handler_that_panics_closes_with_1011() {
    assert_eq!(seen_by_the_client(async |_ws| panic!("on purpose")).code(), 1011);
    let later = seen_by_the_client(async |ws: WebSocketConnection| {
        ws.ping(None).await?;
        panic!("on purpose")
    });
    assert_eq!(later.code(), 1011);
}

#[test]
fn a_handler_that_times_out_and_returns_closes_with_1000() {
    let closed = seen_by_the_client(async |ws: WebSocketConnection| {
        move_on_after(Duration::from_millis(1), ws.get_message()).await;
        Ok(())
    });
    assert_eq!(closed.code(), 1000);
}

#[test]
fn a_server_that_is_dropped_sends_1001_to_everybody() {
    let (handler, reports) = reporting();
    let ends = run(async {
        let (told, ends) = mpsc::channel();
        fail_after(
            Duration::from_secs(60),
            nursery(async |n: wscope::Nursery<'_, Error>| {
                let server = wscope::WebSocketServer::bind("127.0.0.1:0").await?;
                let handle = server.handle();
                let address = url(&handle, "/");
                let (stop, stopped) = futures::channel::oneshot::channel::<()>();
                n.start_soon(async {
                    futures::future::select(Box::pin(server.run(handler)), stopped).await; // dropped with all its connections
                    Ok(())
                });
                for _ in 0..CLIENTS {
                    let ws = wscope::connect_websocket(&n, address.clone()).await?;
                    ws.ping(None).await?; // answered: the server has it on its list
                    let told = told.clone();
                    n.start_soon(async move {
                        told.send(ws.wait_closed().await.code()).unwrap();
                        Ok(())
                    });
                }
                assert_eq!(handle.connections().len(), CLIENTS);
                stop.send(()).unwrap();
                Ok(())
            }),
        )
        .await
        .unwrap()
        .unwrap();
        ends.try_iter().collect::<Vec<_>>()
    });
    assert_eq!(ends.len(), CLIENTS);
    assert!(ends.iter().all(|code| *code == 1001), "{ends:?}");
    drop(reports);
}

const CLIENTS: usize = 1000;

#[test]
fn the_last_handle_closes_with_1000() {
    let (handler, mut reports) = reporting();
    with_server(handler, async |server| {
        nursery(async |n: wscope::Nursery<'_, Error>| {
            let ws = wscope::connect_websocket(&n, url(&server, "/")).await?;
            let other = ws.clone();
            drop(ws);
            other.ping(None).await?;
            drop(other);
            assert_eq!(reports.next().await.map(|closed| closed.code()), Some(1000));
            Ok(())
        })
        .await
    });
}

#[test]
fn a_scope_that_ends_says_so_to_handles_that_are_left() {
    let (handler, _reports) = reporting();
    with_server(handler, async |server| {
        let escaped = open_websocket(url(&server, "/"), async |ws| Ok::<_, Error>(ws)).await?;
        assert_eq!(escaped.closed().map(|closed| closed.code()), Some(1000));
        assert!(escaped.send_message("too late").await.is_err());
        assert!(escaped.get_message().await.is_err());
        assert!(escaped.ping(None).await.is_err());
        escaped.aclose(CloseCode::NORMAL_CLOSURE).await?;
        Ok(())
    });
}

#[test]
fn a_nursery_that_ends_with_its_last_handle_closes_with_1000() {
    let (handler, mut reports) = reporting();
    with_server(handler, async |server| {
        nursery(async |n: wscope::Nursery<'_, Error>| {
            let ws = wscope::connect_websocket(&n, url(&server, "/")).await?;
            ws.ping(None).await?;
            Ok(())
        })
        .await?;
        assert_eq!(reports.next().await.map(|closed| closed.code()), Some(1000));
        Ok(())
    });
}

#[test]
fn a_nursery_that_is_cancelled_closes_with_1001() {
    let (handler, mut reports) = reporting();
    with_server(handler, async |server| {
        let open = nursery(async |n: wscope::Nursery<'_, Error>| {
            let ws = wscope::connect_websocket(&n, url(&server, "/")).await?;
            ws.ping(None).await?;
            n.cancel();
            std::future::pending::<()>().await;
            drop(ws);
            Ok(())
        });
        assert!(matches!(open.await, Err(Error::Cancelled(_))));
        assert_eq!(reports.next().await.map(|closed| closed.code()), Some(1001));
        Ok(())
    });
}

#[test]
fn a_nursery_whose_body_ends_right_after_it_has_connected_closes_with_1000() {
    let (handler, mut reports) = reporting();
    with_server(handler, async |server| {
        nursery(async |n: wscope::Nursery<'_, Error>| {
            let ws = wscope::connect_websocket(&n, url(&server, "/")).await?;
            ws.send_message("and that is all").await?;
            Ok(())
        })
        .await?;
        assert_eq!(reports.next().await.map(|closed| closed.code()), Some(1000));
        Ok(())
    });
}
