//! A server that sends back what it is sent, text as text and binary as binary, and that misbehaves where it is asked to: for
//! trying out clients, and for measuring. Conformance suites are run against it. Runs until it is stopped, by SIGINT or SIGTERM;
//! every client is then told so with 1001.
//!
//! ```sh
//! cargo run --release --example echo_server -- --port 8765
//! ```
//!
//! | path | what happens |
//! |---|---|
//! | `/reject` | 403, with the header `X-Reject: yes` and the body `forbidden` |
//! | `/close?code=N&reason=R` | accepted, then closed with these; 1000 if there is no code, 400 if it cannot be sent |
//! | `/fragments` | the text `frag-é-mented` in three fragments, a ping `mid` behind the first; then echo |
//! | `/ping` | a ping `srv-ping`, and `got pong` once it is answered; then echo |
//! | `/drop` | accepted, then cut off without a close frame |
//! | `/hang` | the handshake is never answered |
//! | `/deaf` | accepted, then nothing that comes is read, until the server is stopped |
//! | any other | echo |
//!
//! On each path that is accepted, the header `X-Echo-Me` of the request comes back as `X-Echoed`, and the first subprotocol that
//! begins with `echo.` is chosen.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    num::NonZeroUsize,
    process::ExitCode,
    str::FromStr,
};

use async_signal::{Signal, Signals};
use futures::StreamExt;
use futures_concurrency::future::Join;
use percent_encoding::percent_decode_str;
use wscope::{
    CancelScope, CloseCode, CloseReason, ConnectionConfig, ServerConfig, Text, WebSocketConnection,
    WebSocketRequest, WebSocketServer, nursery, scope,
    websocket::{Accept, BoxError, Reject},
};

const USAGE: &str = "usage: echo_server [--port N] [--host H] [--threads N] [--max-message BYTES] [--deflate] [--tls CERT KEY]";

struct Options {
    /// 0 is one of the system's choice.
    port: u16,
    host: String,
    /// Threads of the executor; by default one for each processor.
    threads: Option<NonZeroUsize>,
    max_message: usize,
    /// Whether messages are compressed with clients that offer it.
    deflate: bool,
    /// PEM files of certificate chain and private key.
    tls: Option<(OsString, OsString)>,
}

impl Options {
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Misuse> {
        let mut options = Self {
            port: 0,
            host: "127.0.0.1".to_owned(),
            threads: None,
            max_message: ConnectionConfig::new().max_message_size,
            deflate: false,
            tls: None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut next = || arguments.next().ok_or(Misuse);
            match argument.to_str() {
                Some("--port") => options.port = parse(&next()?)?,
                Some("--host") => options.host = parse(&next()?)?,
                Some("--threads") => options.threads = Some(parse(&next()?)?),
                Some("--max-message") => options.max_message = parse(&next()?)?,
                Some("--deflate") => options.deflate = true,
                Some("--tls") => options.tls = Some((next()?, next()?)),
                Some(_) | None => return Err(Misuse),
            }
        }
        Ok(options)
    }
}

/// The program was called in another way than [`USAGE`] says.
#[derive(Debug)]
struct Misuse;

fn parse<T: FromStr>(value: &OsString) -> Result<T, Misuse> {
    value.to_str().and_then(|value| value.parse().ok()).ok_or(Misuse)
}

fn main() -> ExitCode {
    if env::args_os().skip(1).eq(["--help"]) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Ok(options) = Options::parse(env::args_os().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let served = with_threads(options.threads).and_then(|()| wscope::run(serve(options)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo_server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The executor reads its number of threads from the environment when it starts, and the environment of a running program is not
/// changed safely: so the program begins anew, with the number in place.
fn with_threads(threads: Option<NonZeroUsize>) -> Result<(), scope::Error> {
    const VARIABLE: &str = "ASYNC_STD_THREAD_COUNT";
    let Some(threads) = threads.map(|threads| threads.to_string()) else { return Ok(()) };
    if env::var_os(VARIABLE).is_some_and(|value| *value == *threads) {
        return Ok(());
    }
    #[cfg(unix)]
    {
        use std::{os::unix::process::CommandExt, process::Command};
        let error =
            Command::new(env::current_exe()?).args(env::args_os().skip(1)).env(VARIABLE, threads).exec();
        Err(error.into()) // a successful `exec` does not come back
    }
    #[cfg(not(unix))]
    Err(scope::Error::other(format!("set {VARIABLE}={threads}, in place of --threads")))
}

async fn serve(options: Options) -> Result<(), scope::Error> {
    let mut stop_signals = Signals::new([Signal::Int, Signal::Term])?; // before anybody is told that we are here
    let address = (options.host.clone(), options.port);
    let server = match &options.tls {
        None => WebSocketServer::bind(address).await?,
        Some((certificate, key)) => bind_tls(address, certificate, key).await?,
    };
    let config =
        ServerConfig::new().connection(ConnectionConfig::new().max_message_size(options.max_message));
    let server = server.config(if options.deflate { compressing(config)? } else { config });
    for url in server.endpoints().iter().filter_map(|endpoint| endpoint.url()) {
        writeln!(io::stdout(), "listening on {url}")?;
    }
    let handle = server.handle();
    let stopping = CancelScope::new();
    nursery(async |n| {
        n.start_service(async {
            stop_signals.next().await;
            stopping.close();
            handle.stop();
            Ok(())
        });
        let seen = stopping.clone();
        server.run(move |request| handle_request(request, seen.clone())).await;
        Ok(())
    })
    .await
}

#[cfg(feature = "deflate")]
fn compressing(config: ServerConfig) -> Result<ServerConfig, scope::Error> {
    Ok(config.compression(wscope::websocket::Compression::dedicated()))
}

#[cfg(not(feature = "deflate"))]
fn compressing(_: ServerConfig) -> Result<ServerConfig, scope::Error> {
    Err(scope::Error::other("--deflate needs the feature `deflate`"))
}

#[cfg(feature = "tls")]
async fn bind_tls(
    address: (String, u16),
    certificate: &OsString,
    key: &OsString,
) -> Result<WebSocketServer, scope::Error> {
    use wscope::websocket::{Identity, TlsServerConfig};
    let identity = Identity::from_pem_files(certificate, key).map_err(scope::Error::other)?;
    let config = TlsServerConfig::new(identity).map_err(scope::Error::other)?;
    Ok(WebSocketServer::bind_tls(address, config).await?)
}

#[cfg(not(feature = "tls"))]
async fn bind_tls(_: (String, u16), _: &OsString, _: &OsString) -> Result<WebSocketServer, scope::Error> {
    Err(scope::Error::other("--tls needs the feature `tls`"))
}

async fn handle_request(request: WebSocketRequest, stopping: CancelScope) -> Result<(), BoxError> {
    match request.path() {
        "/reject" => {
            let reject = Reject::status(403).header("X-Reject", "yes").body("forbidden\n");
            Ok(request.reject(reject).await?)
        }
        "/close" => close(request).await,
        "/fragments" => fragments(accept(request).await?).await,
        "/ping" => ping(accept(request).await?).await,
        "/drop" => {
            accept(request).await?.abort();
            Ok(())
        }
        "/hang" => {
            request.lift_decision_timeout();
            stopping.closing().await;
            request.abort();
            Ok(())
        }
        "/deaf" => {
            let ws = accept(request).await?;
            ws.pause_reading();
            ws.wait_closed().await;
            Ok(())
        }
        _ => Ok(echo(&accept(request).await?).await?),
    }
}

async fn accept(request: WebSocketRequest) -> Result<WebSocketConnection, BoxError> {
    let mut accept = Accept::new();
    if let Some(value) = request.headers().get("X-Echo-Me") {
        accept = accept.header("X-Echoed", value);
    }
    if let Some(chosen) =
        request.proposed_subprotocols().iter().find(|offered| offered.as_str().starts_with("echo."))
    {
        accept = accept.subprotocol(chosen.as_str());
    }
    Ok(request.accept(accept).await?)
}

async fn echo(ws: &WebSocketConnection) -> Result<(), wscope::Error> {
    while let Some(message) = ws.next_message().await? {
        ws.send_message(message).await?;
    }
    Ok(())
}

async fn close(request: WebSocketRequest) -> Result<(), BoxError> {
    match reason(request.query().unwrap_or_default()) {
        Ok(reason) => Ok(accept(request).await?.aclose(reason).await?),
        Err(error) => Ok(request.reject(Reject::status(400).body(format!("{error}\n"))).await?),
    }
}

/// Of `code=N&reason=R`, both of which may be missing.
fn reason(query: &str) -> Result<CloseReason, BoxError> {
    let (mut code, mut reason) = (CloseCode::NORMAL_CLOSURE, String::new());
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "code" => code = CloseCode::new(value.parse()?)?,
            "reason" => reason = percent_decode_str(&value.replace('+', " ")).decode_utf8()?.into_owned(),
            _ => {}
        }
    }
    Ok(CloseReason::new(code, reason)?)
}

async fn fragments(ws: WebSocketConnection) -> Result<(), BoxError> {
    let mut message = ws.send_pieces::<Text>().await?;
    message.send("frag-").await?;
    ws.flush().await?; // else the ping would overtake it: control frames go first
    let rest = async {
        message.send("é-").await?;
        message.finish("mented").await?;
        echo(&ws).await
    };
    let (_pong, rest) = (ws.ping(Some(b"mid")), rest).join().await; // a client that does not answer is echoed to all the same
    Ok(rest?)
}

async fn ping(ws: WebSocketConnection) -> Result<(), BoxError> {
    ws.ping(Some(b"srv-ping")).await?;
    ws.send_message("got pong").await?;
    Ok(echo(&ws).await?)
}
