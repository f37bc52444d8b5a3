//! A hub for tenants from elsewhere.

use std::{
    io::{self, Write},
    time::Duration,
};

use async_signal::{Signal, Signals};
use futures::StreamExt;
use wscope::{
    Error, Nursery, WebSocketServer,
    link::{ApiKeys, Hub},
    nursery,
};

/// What is on its way when the hub is told to stop has this long to arrive.
const DRAIN: Duration = Duration::from_secs(5);

pub(crate) async fn serve(address: String, keys: Vec<(String, String)>) -> Result<(), Error> {
    let mut stop_signals = Signals::new([Signal::Int, Signal::Term])?; // before anybody is told that we are here
    let mut hub = Hub::builder();
    if !keys.is_empty() {
        hub = hub.auth(keys.into_iter().fold(ApiKeys::new(), |keys, (name, key)| keys.key(name, key)));
    }
    let hub = hub.build();
    let server = WebSocketServer::bind(address).await?;
    let urls: Vec<String> = server.endpoints().iter().filter_map(|endpoint| endpoint.url()).collect();
    nursery(async |n: Nursery<'_, Error>| {
        let serving = hub.serve(server)?;
        let serving = n.child(async {
            serving.await;
            Ok(())
        });
        for url in urls {
            writeln!(io::stdout(), "READY {url}")?;
        }
        n.start_service({
            let hub = hub.clone();
            async move {
                stop_signals.next().await;
                hub.drain(DRAIN).await;
                Ok(())
            }
        });
        Ok(serving.await?)
    })
    .await?;
    let stats = hub.stats();
    writeln!(
        io::stdout(),
        "{} agents, {} envelopes, {} deliveries",
        stats.agents,
        stats.posted,
        stats.notified
    )?;
    Ok(())
}
