//! What our process can be: a hub, or an echo server of the same library, which is what a round trip costs without a hub.

use std::{io, time::Duration};

use wscope::{
    Error, WebSocketRequest, WebSocketServer,
    link::{Hub, HubLimits},
    websocket::{Accept, BoxError},
};

/// Serves until it is killed. Prints `listening PORT`.
pub fn serve(name: &str) -> io::Result<()> {
    let served = match name {
        "wscope" => wscope::run(hub()),
        "echo" => wscope::run(echo()),
        _ => return Err(io::Error::other(format!("there is no server {name}"))),
    };
    served.map_err(io::Error::other)
}

async fn hub() -> Result<(), Error> {
    let limits = HubLimits::new()
        .max_closed_channels(1) // so that a run can be as long as it likes
        .max_posted_size(usize::MAX)
        .bind_timeout(Duration::from_secs(600)); // ten thousand connect before the first of them registers
    let server = WebSocketServer::bind("127.0.0.1:0").await?;
    println!("listening {}", server.port());
    Hub::builder().limits(limits).build().serve(server)?.await;
    Ok(())
}

async fn echo() -> Result<(), Error> {
    let server = WebSocketServer::bind("127.0.0.1:0").await?;
    println!("listening {}", server.port());
    server
        .run(async |request: WebSocketRequest| {
            let ws = request.accept(Accept::new()).await?;
            while let Some(message) = ws.next_message().await? {
                ws.send_message(message).await?;
            }
            Ok::<(), BoxError>(())
        })
        .await;
    Ok(())
}
