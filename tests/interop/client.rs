//! Our client, and what it tries on a server that keeps to the agreement of `main.rs`.

use std::{fmt::Debug, time::Duration};

use wscope::{
    ClientConfig, CloseCode, CloseReason, Error, Message, Text, WebSocketConnection, blocking, fail_after,
    open_websocket,
    websocket::{CloseCause, HandshakeError},
};

use crate::{
    deflate::{Parameters, messages},
    peer::{Call, Peer},
    tally::Tally,
};

type Outcome = Result<(), Error>;

/// For one case, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(60);
const LARGE: usize = 65_537;

/// Every case, against the server of `peer`.
pub(crate) async fn run(peer: &Peer, call: Call) -> Tally {
    let (process, port) = match blocking(move || call.start_server()).await {
        Ok(started) => started,
        Err(why) => return Tally::skipped(peer.name, why),
    };
    let url = &*format!("ws://127.0.0.1:{port}");
    let mut report = Report { peer, tally: Tally::new(format!("{} as server", process.version)) };
    report.case("text", text(url)).await;
    report.case("binary", binary(url)).await;
    report.case("empty", empty(url)).await;
    report.case("fragments sent", fragments_sent(url)).await;
    report.case("fragments received", fragments_received(url)).await;
    report.case("ping sent", ping_sent(url)).await;
    report.case("ping received", ping_received(url)).await;
    report.case("close sent", close_sent(url)).await;
    report.case("close received", close_received(url)).await;
    report.case("bad gateway received", is_closed(url, 1014, "code-1014")).await;
    report.case("cut", cut(url)).await;
    report.case("subprotocol", subprotocol(url)).await;
    report.case("headers", headers(url)).await;
    report.case("rejected", rejected(url)).await;
    let messages = &messages();
    for parameters in Parameters::all() {
        let query = parameters.query();
        // A window of its own that the client names need not be named again: the server may leave it at that.
        let asked =
            Parameters { client_no_context_takeover: false, client_max_window_bits: None, ..parameters };
        let asking = deflate(url, "/deflate".to_owned(), parameters, asked, messages);
        report.case(&format!("deflate, the client asks: {query}"), asking).await;
        let asked = deflate(url, format!("/deflate?{query}"), Parameters::default(), parameters, messages);
        report.case(&format!("deflate, the server asks: {query}"), asked).await;
    }
    report.tally
}

struct Report<'a> {
    peer: &'a Peer,
    tally: Tally,
}

impl Report<'_> {
    async fn case(&mut self, name: &str, case: impl Future<Output = Outcome>) {
        if let Some((_, why)) = self.peer.lacks.iter().find(|(lacked, _)| name.starts_with(lacked)) {
            return self.tally.skip(*why);
        }
        match fail_after(LIMIT, case).await {
            Ok(Ok(())) => self.tally.pass(),
            Ok(Err(error)) => self.tally.fail(format!("{name}: {error}")),
            Err(too_slow) => self.tally.fail(format!("{name}: {too_slow}")),
        }
    }
}

// ---- the cases

async fn text(url: &str) -> Outcome {
    open_websocket(format!("{url}/"), async |ws| {
        let sizes = ["x".repeat(125), "x".repeat(126), "x".repeat(LARGE), "é".repeat(LARGE)];
        for text in ["hello".to_owned(), "Grüße, 世界 𝄞".to_owned()].into_iter().chain(sizes) {
            echoes(&ws, text.into()).await?;
        }
        Ok(())
    })
    .await
}

async fn binary(url: &str) -> Outcome {
    open_websocket(format!("{url}/"), async |ws| {
        let every_byte: Vec<u8> = (0..=255).cycle().take(65_536).collect();
        for bytes in [vec![0, 255], vec![0; 125], every_byte, vec![7; LARGE]] {
            echoes(&ws, bytes.into()).await?;
        }
        Ok(())
    })
    .await
}

async fn empty(url: &str) -> Outcome {
    open_websocket(format!("{url}/"), async |ws| {
        echoes(&ws, "".into()).await?;
        echoes(&ws, Vec::new().into()).await
    })
    .await
}

async fn fragments_sent(url: &str) -> Outcome {
    open_websocket(format!("{url}/"), async |ws| {
        in_fragments(&ws).await?;
        let mut message = ws.send_pieces::<bytes::Bytes>().await?;
        for _ in 0..99 {
            message.send(vec![1; 1000]).await?;
        }
        message.finish(vec![1; 1000]).await?;
        equal(ws.get_message().await?, vec![1; 100_000].into())
    })
    .await
}

/// With an empty fragment between them.
async fn in_fragments(ws: &WebSocketConnection) -> Outcome {
    let mut message = ws.send_pieces::<Text>().await?;
    for part in ["half of it, ", "", "half of it, "] {
        message.send(part).await?;
        ws.flush().await?; // else they may become one
    }
    message.finish("and é").await?;
    equal(ws.get_message().await?, "half of it, half of it, and é".into())
}

async fn fragments_received(url: &str) -> Outcome {
    open_websocket(format!("{url}/fragments"), async |ws| {
        equal(ws.get_message().await?, "frag-é-mented".into())?;
        echoes(&ws, "and on".into()).await
    })
    .await
}

async fn ping_sent(url: &str) -> Outcome {
    open_websocket(format!("{url}/"), async |ws| {
        for payload in [&b""[..], b"mine", &[b'p'; 125]] {
            ws.ping(Some(payload)).await?;
        }
        ws.pong(b"unasked").await?;
        echoes(&ws, "and on".into()).await
    })
    .await
}

async fn ping_received(url: &str) -> Outcome {
    open_websocket(format!("{url}/ping"), async |ws| {
        equal(ws.get_message().await?, "got pong".into())?;
        echoes(&ws, "and on".into()).await
    })
    .await
}

async fn close_sent(url: &str) -> Outcome {
    let longest = "Grüße ".repeat(15) + "123";
    equal(longest.len(), CloseReason::MAX_LEN)?;
    let codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4999];
    let coded = codes.into_iter().map(|code| (code, format!("code {code}")));
    for (code, reason) in coded.chain([(1000, String::new()), (4000, longest)]) {
        let sent = CloseReason::new(CloseCode::new(code).map_err(Error::other)?, reason.clone())?;
        open_websocket(format!("{url}/watch"), async |ws| {
            echoes(&ws, "hello".into()).await?;
            ws.aclose(sent).await?;
            let closed = ws.wait_closed().await;
            equal((closed.code(), closed.reason()), (code, &*reason))?;
            equal(closed.cause(), &CloseCause::Handshake)
        })
        .await?;
        open_websocket(format!("{url}/closed"), async |ws| {
            equal(ws.get_message().await?, format!("{code} {reason}").into())
        })
        .await?;
    }
    Ok(())
}

async fn close_received(url: &str) -> Outcome {
    let codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4999];
    let coded = codes.into_iter().map(|code| (code, format!("code-{code}")));
    for (code, reason) in coded.chain([(1000, String::new())]) {
        is_closed(url, code, &reason).await?;
    }
    Ok(())
}

async fn is_closed(url: &str, code: u16, reason: &str) -> Outcome {
    open_websocket(format!("{url}/close?code={code}&reason={reason}"), async |ws| {
        let closed = ws.wait_closed().await;
        equal((closed.code(), closed.reason()), (code, reason))?;
        equal(closed.cause(), &CloseCause::Handshake)
    })
    .await
}

async fn cut(url: &str) -> Outcome {
    open_websocket(format!("{url}/drop"), async |ws| {
        let closed = ws.wait_closed().await;
        equal((closed.code(), closed.is_clean()), (1006, false))
    })
    .await
}

async fn subprotocol(url: &str) -> Outcome {
    let offers: [(&[&str], _); 3] =
        [(&[], None), (&["other"], None), (&["other", "echo.v1", "echo.v2"], Some("echo.v1"))];
    for (offered, chosen) in offers {
        let mut config = ClientConfig::new(&format!("{url}/"))?;
        if !offered.is_empty() {
            config = config.subprotocols(offered.iter().copied())?;
        }
        open_websocket(config, async |ws| equal(ws.subprotocol(), chosen)).await?;
    }
    Ok(())
}

async fn headers(url: &str) -> Outcome {
    const VALUE: &str = "a, b; c=\"d\"";
    let config = ClientConfig::new(&format!("{url}/"))?.header("X-Echo-Me", VALUE)?;
    open_websocket(config, async |ws| {
        equal(ws.handshake_headers().get("X-Echoed").map(|value| value.as_bytes()), Some(VALUE.as_bytes()))
    })
    .await
}

async fn rejected(url: &str) -> Outcome {
    match open_websocket(format!("{url}/reject"), async |_ws| Ok(())).await {
        Err(Error::Handshake(HandshakeError::Rejected(answer))) => {
            equal(answer.status.as_u16(), 403)?;
            equal(answer.headers.get("X-Reject").map(|value| value.as_bytes()), Some(&b"yes"[..]))?;
            equal(answer.body.trim_ascii(), b"forbidden")
        }
        Err(error) => Err(error),
        Ok(()) => Err(Error::other("let in")),
    }
}

/// A connection on which compression is agreed on with at least what is `wanted`, and what goes over it.
async fn deflate(
    url: &str,
    path: String,
    offer: Parameters,
    wanted: Parameters,
    messages: &[Message],
) -> Outcome {
    let config = ClientConfig::new(&format!("{url}{path}"))?.compression(offer.wanted()?);
    open_websocket(config, async |ws| {
        let answer = ws.handshake_headers().get("Sec-WebSocket-Extensions");
        let answer = answer.and_then(|answer| answer.to_str().ok()).unwrap_or_default();
        let agreed: Vec<&str> = answer.split(';').map(str::trim).collect();
        equal(agreed[0], "permessage-deflate")?;
        for (name, value) in wanted.items() {
            let item = if name.ends_with("bits") { format!("{name}={value}") } else { name.to_owned() };
            // 15 is what an unnamed window is.
            if !agreed.contains(&&*item) && !item.ends_with("=15") {
                return Err(Error::other(format!("{item} was asked for; the answer is {answer}")));
            }
        }
        for message in messages {
            echoes(&ws, message.clone()).await?;
        }
        in_fragments(&ws).await?;
        let stats = ws.stats();
        let saved =
            stats.wire_bytes_sent < stats.bytes_sent && stats.wire_bytes_received < stats.bytes_received;
        equal(saved, true).map_err(|_| Error::other(format!("nothing was compressed: {stats:?}")))
    })
    .await
}

// ---- what they are made of

async fn echoes(ws: &WebSocketConnection, message: Message) -> Outcome {
    ws.send_message(message.clone()).await?;
    equal(ws.get_message().await?, message)
}

fn equal<T: PartialEq + Debug>(found: T, wanted: T) -> Outcome {
    if found == wanted {
        return Ok(());
    }
    let cut = |value: T| format!("{value:?}").chars().take(200).collect::<String>();
    Err(Error::other(format!("{} where {} is wanted", cut(found), cut(wanted))))
}
