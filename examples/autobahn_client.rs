//! The client under test for the fuzzing server of Autobahn|Testsuite: asks how many cases there are, runs each by sending back what
//! it is sent, and has the reports written.
//!
//! ```sh
//! wstest -m fuzzingserver -s fuzzingserver.json
//! cargo run --release --example autobahn_client -- ws://127.0.0.1:9001
//! ```
//!
//! With `--deflate` before the URL it offers compression, which sections 12 and 13 are about.
//!
//! Without a URL it starts a server in this process, of three cases that have no fault, and runs these.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use wscope::{
    ClientConfig, ConnectionConfig, Error, Message, Text, WebSocketConnection, WebSocketRequest, nursery,
    open_websocket, serve_websocket,
    websocket::{Accept, BoxError},
};

const USAGE: &str = "usage: autobahn_client [[--deflate] URL]    (of the fuzzing server, without a path)";
/// By this name the reports call us.
const AGENT: &str = "wscope";
/// The largest message of the suite (section 9).
const MAX_MESSAGE: usize = 16 << 20;

fn main() -> ExitCode {
    let arguments: Option<Vec<String>> =
        env::args_os().skip(1).map(|argument| argument.into_string().ok()).collect();
    let ran = match arguments
        .unwrap_or_else(|| vec!["--".to_owned()])
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()[..]
    {
        [] => wscope::run(run_own_cases()),
        ["--help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [url] if !url.starts_with('-') => wscope::run(run_cases(url, plain)),
        ["--deflate", url] if !url.starts_with('-') => wscope::run(run_cases(url, compressing)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autobahn_client: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the configuration of each case goes through.
type Configure = fn(ClientConfig) -> Result<ClientConfig, Error>;

fn plain(config: ClientConfig) -> Result<ClientConfig, Error> {
    Ok(config)
}

#[cfg(feature = "deflate")]
fn compressing(config: ClientConfig) -> Result<ClientConfig, Error> {
    Ok(config.compression(wscope::websocket::Compression::dedicated()))
}

#[cfg(not(feature = "deflate"))]
fn compressing(_: ClientConfig) -> Result<ClientConfig, Error> {
    Err(Error::other("--deflate needs the feature `deflate`"))
}

async fn run_cases(url: &str, configure: Configure) -> Result<(), Error> {
    let url = url.trim_end_matches('/');
    let count = case_count(url).await?;
    for case in 1..=count {
        writeln!(io::stdout(), "case {case} of {count}")?;
        let config = ClientConfig::new(&format!("{url}/runCase?case={case}&agent={AGENT}"))?
            .connection(ConnectionConfig::new().max_message_size(MAX_MESSAGE));
        open_websocket(configure(config)?, async |ws| {
            // How a case ends is for the server to judge: many of them end in an error, as they should.
            let _ended = echo(&ws).await;
            Ok::<(), Error>(())
        })
        .await
        .or_else(|error| match error {
            Error::DisconnectionTimeout(_) => Ok(()), // so is this
            error => Err(error),
        })?;
    }
    open_websocket(format!("{url}/updateReports?agent={AGENT}"), async |ws| {
        ws.wait_closed().await;
        Ok(())
    })
    .await
}

async fn case_count(url: &str) -> Result<usize, Error> {
    open_websocket(format!("{url}/getCaseCount"), async |ws| {
        let answer = ws.get_message().await?;
        let count = answer.as_text().and_then(|count| count.trim().parse().ok());
        count.ok_or_else(|| Error::other("the server did not say how many cases there are"))
    })
    .await
}

async fn echo(ws: &WebSocketConnection) -> Result<(), Error> {
    while let Some(message) = ws.next_message().await? {
        ws.send_message(message).await?;
    }
    Ok(())
}

/// As the fuzzing server does, for a few cases without a fault. An error if one of them was not passed.
async fn run_own_cases() -> Result<(), Error> {
    let passed = Arc::new(AtomicUsize::new(0));
    nursery(async |n| {
        let count = passed.clone();
        let handler = move |request| serve_own_case(request, count.clone());
        let server = n
            .start_service_with(async move |status| serve_websocket("127.0.0.1:0", handler, status).await)
            .await?;
        run_cases(&format!("ws://127.0.0.1:{}", server.port()), plain).await
    })
    .await?;
    match passed.load(Ordering::Relaxed) {
        OWN_CASES => Ok(()),
        passed => Err(Error::other(format!("{passed} of {OWN_CASES} cases passed"))),
    }
}

const OWN_CASES: usize = 3;

async fn serve_own_case(request: WebSocketRequest, passed: Arc<AtomicUsize>) -> Result<(), BoxError> {
    let case = request.query().and_then(|query| query.strip_prefix("case=")?.chars().next());
    let path = request.path().to_owned();
    let ws = request.accept(Accept::new()).await?;
    let sent = match (path.as_str(), case) {
        ("/getCaseCount", _) => return Ok(ws.send_message(OWN_CASES.to_string()).await?),
        ("/runCase", Some('1')) => Message::from("Hello"),
        ("/runCase", Some('2')) => Message::from(vec![0xfe; 70_000]),
        ("/runCase", Some('3')) => Message::from("in fragments"),
        _ => return Ok(()),
    };
    if case == Some('3') {
        let mut message = ws.send_pieces::<Text>().await?;
        message.send("in ").await?;
        ws.ping(None).await?;
        message.finish("fragments").await?;
    } else {
        ws.send_message(sent.clone()).await?;
    }
    if ws.get_message().await? == sent {
        passed.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
