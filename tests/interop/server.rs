//! Our server, as the agreement of `main.rs` has it.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, channel::mpsc, lock};
use percent_encoding::percent_decode_str;
use wscope::{
    Accept, BoxError, CloseCode, CloseReason, Error, Reject, Text, WebSocketConnection, WebSocketRequest,
};

use crate::deflate::Parameters;

/// Shared by all of its connections.
#[derive(Clone)]
pub(crate) struct Server(Arc<Watched>);

struct Watched {
    /// How watched connections were closed, for whoever asks.
    end: mpsc::UnboundedSender<String>,
    ends: lock::Mutex<mpsc::UnboundedReceiver<String>>,
    faults: Mutex<Vec<String>>,
}

impl Default for Server {
    fn default() -> Self {
        let (end, ends) = mpsc::unbounded();
        Self(Arc::new(Watched { end, ends: lock::Mutex::new(ends), faults: Mutex::default() }))
    }
}

impl Server {
    pub(crate) async fn handle(self, request: WebSocketRequest) -> Result<(), BoxError> {
        let query = request.query().unwrap_or_default().to_owned();
        match request.path() {
            "/reject" => {
                let reject = Reject::status(403).header("X-Reject", "yes").body("forbidden\n");
                Ok(request.reject(reject).await?)
            }
            "/close" => Ok(accept(request, Accept::new()).await?.aclose(reason(&query)?).await?),
            "/closed" => {
                let ws = accept(request, Accept::new()).await?;
                let end = self.0.ends.lock().await.next().await.unwrap_or_default();
                ws.send_message(end).await?;
                Ok(echo(&ws).await?)
            }
            "/drop" => {
                accept(request, Accept::new()).await?.abort();
                Ok(())
            }
            "/watch" => {
                let ws = accept(request, Accept::new()).await?;
                let echoed = echo(&ws).await;
                let closed = ws.wait_closed().await;
                self.0.end.unbounded_send(format!("{} {}", closed.code(), closed.reason()))?;
                Ok(echoed?)
            }
            "/fragments" => fragments(accept(request, Accept::new()).await?).await,
            "/ping" => {
                let ws = accept(request, Accept::new()).await?;
                ws.ping(Some(b"srv-ping")).await?;
                ws.send_message("got pong").await?;
                Ok(echo(&ws).await?)
            }
            "/deflate" => {
                let wanted = Parameters::from_query(&query)?.wanted()?;
                let ws = accept(request, Accept::new().compression(wanted)).await?;
                let echoed = echo(&ws).await;
                self.judge(&ws, &query);
                Ok(echoed?)
            }
            _ => Ok(echo(&accept(request, Accept::new()).await?).await?),
        }
    }

    /// Both directions must have saved bytes.
    fn judge(&self, ws: &WebSocketConnection, query: &str) {
        let stats = ws.stats();
        let pairs =
            [(stats.bytes_received, stats.wire_bytes_received), (stats.bytes_sent, stats.wire_bytes_sent)];
        if pairs.iter().any(|(before, after)| before <= after) {
            let fault = format!("deflate?{query}: bytes received and sent, before and after: {pairs:?}");
            self.0.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
        }
    }

    /// What was wrong on our side while the other was content.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn accept(request: WebSocketRequest, mut accept: Accept) -> Result<WebSocketConnection, BoxError> {
    if let Some(value) = request.headers().get("X-Echo-Me") {
        accept = accept.header("X-Echoed", value);
    }
    let mut offered = request.proposed_subprotocols().iter();
    if let Some(chosen) = offered.find(|offered| offered.as_str().starts_with("echo.")) {
        accept = accept.subprotocol(chosen.as_str());
    }
    Ok(request.accept(accept).await?)
}

async fn echo(ws: &WebSocketConnection) -> Result<(), Error> {
    while let Some(message) = ws.next_message().await? {
        ws.send_message(message).await?;
    }
    Ok(())
}

/// Of `code=N&reason=R`.
fn reason(query: &str) -> Result<CloseReason, BoxError> {
    let (mut code, mut reason) = (CloseCode::NORMAL_CLOSURE, String::new());
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "code" => code = CloseCode::new(value.parse()?)?,
            "reason" => reason = percent_decode_str(value).decode_utf8()?.into_owned(),
            _ => {}
        }
    }
    Ok(CloseReason::new(code, reason)?)
}

async fn fragments(ws: WebSocketConnection) -> Result<(), BoxError> {
    let mut message = ws.send_pieces::<Text>().await?;
    message.send("frag-").await?;
    ws.flush().await?; // else the pong would have no fragment before it
    ws.pong(b"mid").await?;
    message.send("é-").await?;
    message.finish("mented").await?;
    Ok(echo(&ws).await?)
}
