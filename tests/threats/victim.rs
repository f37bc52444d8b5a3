//! Who is attacked: a server of ours in its own thread, and clients of ours, which echo and say how they ended.

use std::{
    future::Future,
    net::TcpListener,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use futures::{
    StreamExt,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
};
use wscope::{
    Accept, BoxError, ClientConfig, CloseCode, ConnectionClosed, ConnectionConfig, Error, Nursery,
    ServerConfig, ServerHandle, WebSocketConnection, WebSocketRequest, WebSocketServer, nursery,
    open_websocket, proto::Role, run,
};

use crate::{
    attacker::{Attacker, PATIENCE, REQUEST, TEXT},
    gauge::Gauge,
};

/// A server, and clients that attacks have led to a server of theirs.
pub(crate) struct Victim {
    pub(crate) server: ServerHandle,
    pub(crate) gauge: Gauge,
    connection: Arc<ConnectionConfig>,
    clients: UnboundedSender<ClientConfig>,
    ended: Receiver<ConnectionClosed>,
    faults: Receiver<String>,
}

pub(crate) type Handling = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// Runs `attack` against a server that echoes, and sees to it that it costs no more than `heap` bytes at any moment, nothing and no file
/// afterwards, no panic, and no time of others.
pub(crate) fn attacked(config: ServerConfig, heap: usize, attack: impl FnOnce(&Victim)) {
    let (report, ended) = channel();
    let handler = {
        let report = report.clone();
        move |request: WebSocketRequest| -> Handling { Box::pin(echo(request, report.clone())) }
    };
    attacked_in(config, handler, (report, ended), heap, attack);
}

/// The same, of a server with a handler of its own. What it does not handle itself it leaves to [`echo`].
pub(crate) fn attacked_by_way_of<H>(
    config: ServerConfig,
    handler: impl FnOnce(Sender<ConnectionClosed>) -> H,
    heap: usize,
    attack: impl FnOnce(&Victim),
) where
    H: Fn(WebSocketRequest) -> Handling + Send + Sync + 'static,
{
    let (report, ended) = channel();
    attacked_in(config, handler(report.clone()), (report, ended), heap, attack);
}

fn attacked_in(
    config: ServerConfig,
    handler: impl Fn(WebSocketRequest) -> Handling + Send + Sync + 'static,
    (report, ended): (Sender<ConnectionClosed>, Receiver<ConnectionClosed>),
    heap: usize,
    attack: impl FnOnce(&Victim),
) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let connection = config.connection.clone();
    let (fault, faults) = channel();
    let config = config.on_error(move |error| {
        let _ = fault.send(format!("{error:?}")); // nobody may want to know
    });
    let (hand, handed) = channel();
    let server = std::thread::spawn(move || {
        run(async {
            let server = WebSocketServer::bind("127.0.0.1:0").await.unwrap().config(config);
            hand.send(server.handle()).unwrap();
            server.run(handler).await;
        });
    });
    let server_handle = handed.recv().unwrap();
    good_peer_is_served(&server_handle); // what is made once is made now
    until(|| server_handle.connections().is_empty());
    let (clients, wanted) = unbounded();
    let open_clients = std::thread::spawn(move || run(open_each(wanted, report)).unwrap());
    let victim = Victim { server: server_handle, gauge: Gauge::new(), connection, clients, ended, faults };
    attack(&victim);
    good_peer_is_served(&victim.server);
    victim.clients.close_channel();
    open_clients.join().unwrap();
    until(|| victim.server.connections().is_empty());
    victim.gauge.wait_for_files(0, PATIENCE);
    victim.ended.try_iter().for_each(drop); // reports that nobody wanted are ours
    let panicked = victim.faults.try_iter().find(|fault| fault.starts_with("Panicked"));
    let cost = victim.gauge.cost();
    println!("{cost}");
    assert!(cost.peak <= heap, "more than {heap} bytes: {cost}");
    assert!(cost.kept <= KEPT, "it grows: {cost}");
    assert_eq!(panicked, None);
    victim.server.stop();
    server.join().unwrap();
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.server.stop(); // also when the attack has succeeded
    }
}

impl Victim {
    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    /// The other end of a connection of ours, whose role is `role`, after the handshake.
    pub(crate) fn connection(&self, role: Role) -> Attacker {
        match role {
            Role::Server => Attacker::connect(self.port()).shaken("/"),
            Role::Client => self.client(|config| config).shaken("/"),
        }
    }

    /// A connection of ours and its other end, for each role.
    pub(crate) fn connections(&self) -> impl Iterator<Item = (Role, Attacker)> {
        [Role::Server, Role::Client].into_iter().map(|role| (role, self.connection(role)))
    }

    /// The server end of a client of ours that echoes: its request is on its way.
    pub(crate) fn client(&self, config: impl FnOnce(ClientConfig) -> ClientConfig) -> Attacker {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = ClientConfig::new(&url(&listener)).unwrap().connection((*self.connection).clone());
        self.clients.unbounded_send(config(to)).unwrap();
        Attacker::accept(&listener)
    }

    /// The server closes its connections, of which there are so many, with 1001.
    pub(crate) fn sends_away(&self, count: usize) {
        until(|| self.server.connections().len() == count); // who was let in may not be on the list yet
        self.server.connections().iter().for_each(|ws| ws.close(CloseCode::GOING_AWAY));
    }

    /// How the next connection ended.
    pub(crate) fn closed(&self) -> ConnectionClosed {
        self.ended.recv_timeout(PATIENCE).expect("a connection that ends")
    }

    /// What the server was told of the next connection that failed.
    pub(crate) fn fault(&self) -> String {
        self.faults.recv_timeout(PATIENCE).expect("a fault that is told")
    }

    /// A peer that means well is served, and at once.
    pub(crate) fn serves_others(&self) {
        good_peer_is_served(&self.server);
    }
}

fn good_peer_is_served(server: &ServerHandle) {
    let began = Instant::now();
    let mut peer = Attacker::connect(server.port());
    peer.send(REQUEST.replace("GET / ", &format!("GET {GOOD} ")));
    let head = peer.head();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    peer.send_frame(TEXT, "hello");
    assert_eq!(peer.receive(), Some((TEXT, b"hello".to_vec())));
    peer.send_frame(0x88, [3, 0xE8]);
    assert_eq!(peer.close_code(), Some(1000));
    assert!(began.elapsed() < AT_ONCE, "a good peer has waited {:?}", began.elapsed());
}

/// Accepts, sends everything back, and says how it ended, unless all was well from the beginning.
pub(crate) async fn echo(
    request: WebSocketRequest,
    report: Sender<ConnectionClosed>,
) -> Result<(), BoxError> {
    let ws = request.accept(Accept::new()).await?;
    give_back(&ws).await;
    let closed = ws.wait_closed().await;
    if ws.path() != GOOD {
        let _ = report.send(closed); // not all of them are waited for
    }
    Ok(())
}

/// Opens a connection for each configuration, echoes, and says how it ended.
async fn open_each(
    mut wanted: UnboundedReceiver<ClientConfig>,
    report: Sender<ConnectionClosed>,
) -> Result<(), Error> {
    nursery(async |n: Nursery<'_, Error>| {
        while let Some(to) = wanted.next().await {
            let report = report.clone();
            n.start_soon(async move {
                let open = open_websocket(to, async |ws| {
                    give_back(&ws).await;
                    let _ = report.send(ws.wait_closed().await); // not all of them are waited for
                    Ok::<(), Error>(())
                });
                let _ = open.await; // how it ended has been said, or there was no handshake
                Ok(())
            });
        }
        Ok(())
    })
    .await
}

async fn give_back(ws: &WebSocketConnection) {
    while let Ok(message) = ws.get_message().await
        && ws.send_message(message).await.is_ok()
    {}
}

/// Waits for what others bring about.
pub(crate) fn until(mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "it has not come about");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn url(listener: &TcpListener) -> String {
    format!("ws://{}/", listener.local_addr().unwrap())
}

/// What a good peer asks for.
const GOOD: &str = "/good";
/// One attack at a time: files and memory are those of the process.
static ALONE: Mutex<()> = Mutex::new(());
/// What a thread of the executor makes once and keeps: a buffer to read into, and its place among the timers.
const KEPT: usize = 512 * 1024;
/// Beside ten others for each processor: idle, it takes a few milliseconds.
const AT_ONCE: Duration = Duration::from_secs(4);
