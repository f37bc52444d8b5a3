//! A chat room in a nursery. Who comes in is announced, what one says everybody hears, who leaves is announced; a member who does not
//! listen is put out, and holds up nobody. When the server is stopped every member is told so.
//!
//! ```sh
//! cargo run --example chat                     # four members, one of them deaf, hold a short conversation
//! cargo run --example chat -- --port 8765      # a room for you: connect any client to ws://127.0.0.1:8765/?name=ann
//! ```
//!
//! The conversation ends by itself; the room with a port is stopped by SIGINT or SIGTERM. Exit code 0 only if each member of the
//! conversation heard what it had to hear.

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_signal::{Signal, Signals};
use futures::StreamExt;
use percent_encoding::percent_decode_str;
use wscope::{
    CloseCode, CloseReason, ConnectionConfig, Error, Nursery, ServerConfig, ServerHandle,
    WebSocketConnection, WebSocketRequest, WebSocketServer, broadcast, connect_websocket, fail_after,
    nursery, open_websocket,
    websocket::{Accept, BoxError, Reject},
};

const USAGE: &str = "usage: chat [--port PORT]";
/// What any step of the conversation may take.
const SOON: Duration = Duration::from_secs(10);

/// Who is in the room. Cheap to clone; all clones are the same room.
#[derive(Clone, Default)]
struct Room {
    members: Arc<Mutex<BTreeMap<String, WebSocketConnection>>>,
}

impl Room {
    /// Serves one member, from the request to the goodbye.
    async fn serve(self, request: WebSocketRequest) -> Result<(), BoxError> {
        let Some(name) = name(request.query()) else {
            return Ok(request.reject(Reject::status(400).body("come as /?name=yours\n")).await?);
        };
        let ws = request.accept(Accept::new()).await?;
        let Some(_place) = self.enter(&name, &ws) else {
            return Ok(ws
                .aclose(CloseReason::new(CloseCode::POLICY_VIOLATION, "the name is taken")?)
                .await?);
        };
        while let Some(message) = ws.next_message().await? {
            match message.as_text() {
                Some(words) => self.say(&format!("{name}: {words}")),
                None => return Ok(ws.aclose(CloseCode::UNSUPPORTED_DATA).await?),
            }
        }
        Ok(())
    }

    /// A place in the room, given up when it is dropped; `None` if the name is taken.
    fn enter(&self, name: &str, ws: &WebSocketConnection) -> Option<Place<'_>> {
        let mut members = self.lock();
        if members.contains_key(name) {
            return None;
        }
        members.insert(name.to_owned(), ws.clone());
        drop(members);
        self.say(&format!("* {name} comes in"));
        Some(Place { room: self, name: name.to_owned() })
    }

    /// To everybody. Who has let a queue pile up is put out: the others are not to wait, nor is memory to grow.
    fn say(&self, line: &str) {
        for slow in broadcast(self.lock().values(), line) {
            slow.close(CloseReason::truncated(CloseCode::TRY_AGAIN_LATER, "you do not listen"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, WebSocketConnection>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A member's place. However its handler ends, by a goodbye, an error or a panic, the room knows.
struct Place<'a> {
    room: &'a Room,
    name: String,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.room.lock().remove(&self.name);
        self.room.say(&format!("* {} leaves", self.name));
    }
}

/// The name in `name=...`, if it is one.
fn name(query: Option<&str>) -> Option<String> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("name="))?;
    let name = percent_decode_str(value).decode_utf8().ok()?;
    let fits = (1..=32).contains(&name.chars().count()) && !name.contains(char::is_control);
    fits.then(|| name.into_owned())
}

fn main() -> ExitCode {
    let arguments: Option<Vec<String>> =
        env::args_os().skip(1).map(|argument| argument.into_string().ok()).collect();
    let arguments =
        arguments.as_ref().map(|arguments| arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let port = match arguments.as_deref() {
        Some([]) => Some(None),
        Some(["--port", port]) => port.parse().ok().map(Some),
        Some(["--help"]) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some(_) | None => None,
    };
    let outcome = match port {
        Some(None) => {
            wscope::run(fail_after(6 * SOON, conversation())).unwrap_or_else(|slow| Err(slow.into()))
        }
        Some(Some(port)) => wscope::run(open_to_all(port)),
        None => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens a room in nursery `n`.
async fn open(n: &Nursery<'_, Error>, port: u16) -> Result<ServerHandle, Error> {
    // A line is short: who sends more than that is no member, and who has four of them unsent does not listen.
    let lines = ConnectionConfig::new().max_message_size(4096).send_buffer(16 * 1024);
    n.start_service_with(async move |status| {
        let server =
            WebSocketServer::bind(("127.0.0.1", port)).await?.config(ServerConfig::new().connection(lines));
        let started = status.started(server.handle());
        let room = Room::default();
        server.run(move |request| room.clone().serve(request)).await;
        Ok(started)
    })
    .await
}

async fn open_to_all(port: u16) -> Result<(), Error> {
    let mut stop_signals = Signals::new([Signal::Int, Signal::Term])?;
    nursery(async |n| {
        let server = open(&n, port).await?;
        writeln!(io::stdout(), "listening on ws://127.0.0.1:{}/?name=yours", server.port())?;
        stop_signals.next().await;
        Ok(()) // the room is a service of the nursery, so this is its end
    })
    .await
}

async fn conversation() -> Result<(), Error> {
    nursery(async |n| {
        let server = open(&n, 0).await?;
        let url = |name: &str| format!("ws://127.0.0.1:{}/?name={name}", server.port());

        let ann = connect_websocket(&n, url("ann")).await?;
        hears("ann", &ann, "* ann comes in").await?;
        let bob = connect_websocket(&n, url("bob")).await?;
        hears("ann", &ann, "* bob comes in").await?;
        hears("bob", &bob, "* bob comes in").await?;
        let deaf = connect_websocket(&n, url("deaf")).await?;
        deaf.pause_reading();
        for (name, ws) in [("ann", &ann), ("bob", &bob)] {
            hears(name, ws, "* deaf comes in").await?;
        }

        // A visit is a block: when it is left the connection is closed, and the room is told.
        open_websocket(url("cat"), async |cat| {
            cat.send_message("I cannot stay").await?;
            hears("cat", &cat, "* cat comes in").await?;
            hears("cat", &cat, "cat: I cannot stay").await
        })
        .await?;
        for (name, ws) in [("ann", &ann), ("bob", &bob)] {
            for line in ["* cat comes in", "cat: I cannot stay", "* cat leaves"] {
                hears(name, ws, line).await?;
            }
        }

        let lines = until_deaf_leaves(&ann, &bob).await?;
        writeln!(io::stdout(), "deaf is out after {lines} long lines")?;

        server.stop();
        for ws in [&ann, &bob] {
            let closed = fail_after(SOON, ws.wait_closed()).await?;
            expect(closed.code(), CloseCode::GOING_AWAY.as_u16())?;
        }
        Ok(())
    })
    .await
}

/// Ann talks, line after line, each heard before the next, until the queue for who does not read is full.
async fn until_deaf_leaves(ann: &WebSocketConnection, bob: &WebSocketConnection) -> Result<usize, Error> {
    let words = "blah ".repeat(800);
    let line = format!("ann: {words}");
    let mut gone = [false; 2];
    for count in 1..=MOST_LINES {
        ann.send_message(words.clone()).await?;
        for (ws, gone) in [ann, bob].into_iter().zip(&mut gone) {
            loop {
                match hear(ws).await? {
                    heard if heard == line => break,
                    heard => expect(heard.as_str(), "* deaf leaves")?,
                }
                *gone = true;
            }
        }
        if gone == [true; 2] {
            return Ok(count);
        }
    }
    Err(Error::other(format!("deaf is in after {MOST_LINES} lines")))
}

/// 80 MB: more than the buffers of any kernel on its way.
const MOST_LINES: usize = 20_000;

async fn hear(ws: &WebSocketConnection) -> Result<String, Error> {
    let message = fail_after(SOON, ws.get_message()).await??;
    Ok(message.as_text().unwrap_or_default().to_owned())
}

async fn hears(name: &str, ws: &WebSocketConnection, line: &str) -> Result<(), Error> {
    let heard = hear(ws).await?;
    writeln!(io::stdout(), "{name:>4} hears  {heard}")?;
    expect(heard.as_str(), line)
}

fn expect<T: std::fmt::Debug + PartialEq>(seen: T, promised: T) -> Result<(), Error> {
    if seen == promised {
        return Ok(());
    }
    Err(Error::other(format!("{promised:?} was promised, and {seen:?} came")))
}
