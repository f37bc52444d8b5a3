//! Looks whether a server answers: connects, says `hello`, prints the first message that comes, and closes. Each step has 5 s.
//!
//! ```sh
//! cargo run --example probe_client -- ws://127.0.0.1:8765/
//! WS_TOKEN=... cargo run --example probe_client -- --max-message 4096 wss://example.com/chat
//! ```
//!
//! With `WS_TOKEN` in the environment it shows this as a bearer token (RFC 6750). The token appears in no output, whatever the server
//! does with it: an echo of it, in a message, in a close reason, is blackened. Exit code 0 if all went well; otherwise 1, and one line on
//! stderr. Without a URL it starts a server in this process and probes that.

use std::{
    env,
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use wscope::{
    ClientConfig, CloseCode, ConnectionConfig, Error, Message, WebSocketRequest, fail_after, nursery,
    open_websocket, serve_websocket, websocket::Accept,
};

const USAGE: &str = "usage: probe_client [--max-message BYTES] [URL]";
/// To connect, and again for the message, and again to close.
const LIMIT: Duration = Duration::from_secs(5);

struct Options {
    max_message: usize,
    url: Option<String>,
}

impl Options {
    /// `None` if this is not what [`USAGE`] says.
    fn parse() -> Option<Self> {
        let mut options = Self { max_message: 1 << 20, url: None };
        let mut arguments = env::args_os().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.into_string().ok()? {
                option if option == "--max-message" => {
                    options.max_message = arguments.next()?.to_str()?.parse().ok()?;
                }
                url if !url.starts_with('-') && options.url.is_none() => options.url = Some(url),
                _ => return None,
            }
        }
        Some(options)
    }
}

/// What nobody may read, and what is put in its place.
struct Token(Option<String>);

impl Token {
    /// `Err` says what is wrong with it, and not what it is.
    fn from_environment() -> Result<Self, &'static str> {
        // Of these characters none is changed where text is escaped, so the token is found wherever it appears.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte);
        match env::var("WS_TOKEN") {
            Ok(token) if token.is_empty() => Ok(Self(None)),
            Ok(token) if token.bytes().all(is_plain) => Ok(Self(Some(token))),
            Ok(_) | Err(env::VarError::NotUnicode(_)) => {
                Err("WS_TOKEN holds what is not visible ASCII, a quotation mark or a backslash")
            }
            Err(env::VarError::NotPresent) => Ok(Self(None)),
        }
    }

    /// `text` without the token.
    fn blacken(&self, text: &str) -> String {
        self.0.as_ref().map_or_else(|| text.to_owned(), |token| text.replace(token, "█"))
    }

    /// The exit code for `error`, after one line about it.
    fn fail(&self, error: impl Display) -> ExitCode {
        let line = self.blacken(&error.to_string()).replace(char::is_control, " ");
        let _ = writeln!(io::stderr(), "probe_client: {line}"); // where stderr is closed, the exit code says it
        ExitCode::FAILURE
    }
}

fn main() -> ExitCode {
    if env::args_os().skip(1).eq(["--help"]) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some(Options { max_message, url }) = Options::parse() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let token = match Token::from_environment() {
        Ok(token) => token,
        Err(error) => return Token(None).fail(error),
    };
    let probed = match url {
        Some(url) => wscope::run(probe(&url, max_message, &token)),
        None => wscope::run(probe_own_server(max_message, &token)),
    };
    match probed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => token.fail(error),
    }
}

async fn probe(url: &str, max_message: usize, token: &Token) -> Result<(), Error> {
    let connection = ConnectionConfig::new().max_message_size(max_message).close_timeout(LIMIT);
    let mut config = ClientConfig::new(url)?.connect_timeout(LIMIT).connection(connection);
    if let Token(Some(token)) = token {
        config = config.header("Authorization", format!("Bearer {token}"))?;
    }
    open_websocket(config, async |ws| {
        ws.send_message("hello").await?;
        let message = fail_after(LIMIT, ws.get_message()).await??;
        writeln!(io::stdout(), "{}", token.blacken(&show(&message)))?;
        ws.aclose(CloseCode::NORMAL_CLOSURE).await?;
        Ok(())
    })
    .await
}

/// Text as it is; bytes as characters where they are visible ones.
fn show(message: &Message) -> String {
    match message {
        Message::Text(text) => text.as_str().to_owned(),
        Message::Binary(bytes) => bytes.escape_ascii().to_string(),
    }
}

async fn probe_own_server(max_message: usize, token: &Token) -> Result<(), Error> {
    let handler = async |request: WebSocketRequest| {
        let ws = request.accept(Accept::new()).await?;
        while let Some(message) = ws.next_message().await? {
            ws.send_message(message).await?;
        }
        Ok(())
    };
    nursery(async |n| {
        let server = n
            .start_service_with(async move |status| serve_websocket("127.0.0.1:0", handler, status).await)
            .await?;
        probe(&format!("ws://127.0.0.1:{}/", server.port()), max_message, token).await
    })
    .await
}
