//! AG2's own clients, as a program, against a hub: ours, or AG2's own, which tells that the cases are right.

use wscope::{
    Error, Nursery, WebSocketServer, blocking,
    link::{ApiKeys, Hub, NoAuth},
    websocket::{Compression, ServerConfig},
};

use crate::{process::Process, python::Python, table::Column};

/// Against AG2's own hub.
pub(crate) async fn against_ag2(python: Python) -> Column {
    const TITLE: &str = "AG2 to AG2";
    blocking(move || {
        let hub = python.start("hub.py", &[]).and_then(|hub| Ok((hub.port()?, hub)));
        match hub {
            Ok((port, _hub)) => run(&python, TITLE, &[&format!("ws://127.0.0.1:{port}/"), "ag2"], "on"),
            Err(why) => Column::skipped(TITLE, why),
        }
    })
    .await
}

/// Against ours, which agrees to compression or does not.
pub(crate) async fn against_us(
    n: &Nursery<'_, Error>,
    python: Python,
    deflate: bool,
) -> Result<Column, Error> {
    let hub = Hub::builder().auth(NoAuth::new()).auth(keys()).build();
    let config = ServerConfig::new();
    let config = if deflate { config.compression(Compression::dedicated()) } else { config };
    let server = WebSocketServer::bind("127.0.0.1:0").await?.config(config);
    let url = format!("ws://127.0.0.1:{}/", server.port());
    let serving = hub.serve(server)?;
    n.start_service(async move {
        serving.await;
        Ok(())
    });
    let title = if deflate { "AG2 to us, deflate" } else { "AG2 to us" };
    let agreed = if deflate { "on" } else { "off" };
    Ok(blocking(move || run(&python, title, &[&url], agreed)).await)
}

/// A key for each name that the cases may come up with.
fn keys() -> ApiKeys {
    (0..10_000).fold(ApiKeys::new(), |keys, number| keys.key(format!("keyed-{number}"), "s3cret"))
}

fn run(python: &Python, title: &str, arguments: &[&str], deflate: &str) -> Column {
    match python.start("clients.py", arguments) {
        Ok(process) => read(&process, title, deflate),
        Err(why) => Column::skipped(title, why),
    }
}

/// A line for each case, and `done`.
fn read(process: &Process, title: &str, deflate: &str) -> Column {
    let mut column = Column::new(title);
    while let Some(line) = process.line() {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["ok", name] => column.pass(name),
            ["failed", name, why] => column.fail(name, why),
            ["skipped", _, why] => column.skip(why),
            ["deflate", agreed] if agreed == deflate => column.pass("permessage-deflate"),
            ["deflate", agreed] => column.fail("permessage-deflate", format!("it is {agreed}")),
            ["done"] => return column,
            _ => column.fail("a line that says nothing", line),
        }
    }
    column.fail("the last case", "it ended, or was silent, before it was done");
    column
}
