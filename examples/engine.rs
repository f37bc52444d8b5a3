//! The protocol engine on real bytes: two engines talk over a TCP connection on loopback, and every byte and every event
//! is shown. The engines never touch the sockets; the forty lines of `Peer` do.
//!
//! ```sh
//! cargo run --example engine
//! cargo run --example engine -- --read 3    # the same conversation, read three bytes at a time
//! ```

use std::{
    env,
    error::Error,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::ExitCode,
    time::Duration,
};
use wscope::proto::{
    AcceptConnection, CloseCode, CloseConnection, CloseReason, ConnectionState, Event, Piece, Ping, Request,
    Role, WebSocketUri, WsConnection, WsEvent,
};

const USAGE: &str = "usage: engine [--read BYTES]    (BYTES to read from the socket at a time, at least 1)";

/// An engine and the socket whose bytes it is given.
struct Peer {
    engine: WsConnection,
    socket: TcpStream,
    /// Bytes that are read at a time.
    read: usize,
}

impl Peer {
    fn new(engine: WsConnection, socket: TcpStream, read: usize) -> Result<Self, Box<dyn Error>> {
        socket.set_read_timeout(Some(Duration::from_secs(5)))?; // the engine has no clock: this one is ours
        socket.set_nodelay(true)?;
        Ok(Self { engine, socket, read })
    }

    /// Events in, bytes out.
    fn send(&mut self, event: impl Into<WsEvent>) -> Result<(), Box<dyn Error>> {
        let mut out = Vec::new();
        self.engine.send(event, &mut out)?;
        self.write(&out)
    }

    /// Bytes in, the next event out; and what the engine has to say of its own accord goes back.
    fn receive(&mut self) -> Result<WsEvent, Box<dyn Error>> {
        let mut buffer = vec![0; self.read];
        let event = loop {
            let len = self.socket.read(&mut buffer)?;
            if len == 0 {
                return Err("the stream ended".into());
            }
            let mut input = &mut buffer[..len];
            let event = self.engine.receive(&mut input);
            assert!(input.is_empty(), "this conversation takes turns, so nothing follows an event");
            match event {
                Ok(None) => {}
                Ok(Some(event)) => break Ok(event),
                Err(failed) => break Err(failed),
            }
        };
        if let Ok(event) = &event {
            println!("{:>8}   {}", self.engine.role().to_string(), describe(event));
        }
        let mut out = Vec::new();
        self.engine.transmit(&mut out);
        self.write(&out)?;
        Ok(event?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        if !bytes.is_empty() {
            println!("{:>8} ▶ {}", self.engine.role().to_string(), show(bytes));
            self.socket.write_all(bytes)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    // What is no text is no argument of ours: it reads like another one.
    let arguments: Vec<String> = env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let read = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(4096),
        ["--help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["--read", bytes] => bytes.parse().ok().filter(|bytes| *bytes > 0),
        [_, ..] => None,
    };
    let Some(read) = read else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match conversation(read).and_then(|()| fault(read)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("engine: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything that goes well: handshake, messages, pieces, ping and pong, the closing handshake.
fn conversation(read: usize) -> Result<(), Box<dyn Error>> {
    let (mut client, mut server) = connect(read)?;

    client.send(Event::from("Hello"))?;
    server.receive()?;
    server.send(Event::Message(vec![0, 1, 2, 3].into()))?;
    client.receive()?;

    client.send(Event::from(Piece::more("a message ")))?;
    client.send(Event::from(Ping::new(b"between its fragments")?))?;
    server.receive()?;
    client.receive()?;
    client.send(Event::from(Piece::last("in two fragments")))?;
    server.receive()?;

    server.send(CloseConnection::new(CloseReason::new(CloseCode::GOING_AWAY, "that was all")?))?;
    client.receive()?;
    server.receive()?;
    assert_eq!([client.engine.state(), server.engine.state()], [ConnectionState::Closed; 2]);
    Ok(())
}

/// A client that forgets to mask: the server's engine finds it out from two bytes and says why it hangs up.
fn fault(read: usize) -> Result<(), Box<dyn Error>> {
    println!("\nand a client that breaks the protocol:\n");
    let (mut client, mut server) = connect(read)?;
    client.write(b"\x81\x02hi")?;
    match server.receive() {
        Err(failed) => println!("  server   {failed}"),
        Ok(event) => return Err(format!("the server took it: {event:?}").into()),
    }
    client.receive()?;
    assert_eq!(server.engine.state(), ConnectionState::Closed);
    Ok(())
}

/// A TCP connection on loopback, and the opening handshake over it.
fn connect(read: usize) -> Result<(Peer, Peer), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let uri: WebSocketUri = format!("ws://{address}/chat").parse()?;
    let mut client = Peer::new(WsConnection::client(), TcpStream::connect(address)?, read)?;
    let mut server = Peer::new(WsConnection::server(), listener.accept()?.0, read)?;

    client.send(Request::to(&uri).with_subprotocols(["chat.v2", "chat.v1"])?)?;
    let WsEvent::Request(request) = server.receive()? else { return Err("no request".into()) };
    let mut accept = AcceptConnection::new();
    if let Some(favourite) = request.subprotocols().first() {
        accept = accept.with_subprotocol(favourite.as_str());
    }
    server.send(accept)?;
    client.receive()?;
    assert_eq!((client.engine.role(), server.engine.role()), (Role::Client, Role::Server));
    Ok((client, server))
}

fn describe(event: &WsEvent) -> String {
    match event {
        WsEvent::Request(request) => format!("Request for {}", request.target()),
        WsEvent::AcceptConnection(accept) => {
            format!("AcceptConnection, subprotocol {:?}", accept.subprotocol())
        }
        WsEvent::Connection(event) => format!("{event:?}"),
        other => format!("{other:?}"),
    }
}

/// Text of a handshake as text, frames in hexadecimal.
fn show(bytes: &[u8]) -> String {
    if let Ok(head) = std::str::from_utf8(bytes)
        && head.contains(" HTTP/1.1\r\n") | head.starts_with("HTTP/1.1 ")
    {
        return head.trim_end().replace("\r\n", "\n           ");
    }
    let shown = bytes.iter().take(24).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    if bytes.len() > 24 { format!("{shown} .. {} bytes", bytes.len()) } else { shown }
}
