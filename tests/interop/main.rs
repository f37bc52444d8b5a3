//! Our server against clients of others, and our client against their servers: real libraries of other languages, and a browser.
//!
//! ```sh
//! cargo test --test interop               # every peer
//! cargo test --test interop -- ws         # this one
//! ```
//!
//! A peer is a program in `peers/`. Called with `client URL` it runs its cases against the server at `URL`; called with `server` it
//! prints `listening PORT` and serves until it is killed. Its first line is `version` with what it is; a client then prints a line for
//! each case, `ok CASE`, `failed CASE: why` or `skipped CASE: why`, and `done`. What a peer needs is installed under `target/`, in
//! the versions that stand beside it; where that cannot be had, all of the peer is skipped, and the reason is printed. To add one: a
//! program that speaks so, and a row of [`PEERS`]. A protocol above WebSockets has an agreement of its own: it is a module beside
//! `server` and `client`, a program that prints the same lines, and its tallies go to `finish` in [`meet`].
//!
//! Every server, ours as theirs, keeps to this agreement, and so every client can judge what it sees:
//!
//! | path | what happens |
//! |---|---|
//! | `/close?code=N&reason=R` | accepted, then closed with these |
//! | `/watch` | echo; how it was closed is kept |
//! | `/closed` | says how the next watched connection was closed, as `CODE REASON`; waits for it if need be |
//! | `/deflate?NAME=VALUE&..` | echo, with compression as these parameters of RFC 7692 have it; a flag has the value 1 |
//! | `/drop` | accepted, then cut off without a close frame |
//! | `/fragments` | the text `frag-é-mented` in three fragments, a ping `mid` behind the first; then echo |
//! | `/ping` | a ping `srv-ping`, and `got pong` once it is answered; then echo |
//! | `/reject` | 403, with the header `X-Reject: yes` and the body `forbidden` |
//! | any other | echo |
//!
//! On each path that is accepted, the header `X-Echo-Me` of the request comes back as `X-Echoed`, and the first subprotocol that
//! begins with `echo.` is chosen.

mod client;
mod deflate;
#[path = "../support/install.rs"]
mod install;
mod packages;
mod peer;
#[path = "../support/process.rs"]
mod process;
mod server;
mod tally;

use std::{env, process::ExitCode};

use wscope::{Error, ServerConfig, WebSocketServer, blocking, nursery, websocket::OriginPolicy};

use crate::{
    peer::{Peer, Program},
    server::Server,
    tally::Tally,
};

/// Who stands at the other end.
const PEERS: &[Peer] = &[
    Peer { name: "websockets", program: Program::Python("websockets_peer.py"), serves: true, lacks: &[] },
    Peer {
        name: "trio-websocket",
        program: Program::Python("trio_websocket_peer.py"),
        serves: true,
        lacks: &[
            ("fragments received", "trio-websocket sends whole messages only"),
            ("bad gateway received", "wsproto does not know 1014"),
            ("deflate", "trio-websocket has no compression"),
        ],
    },
    Peer { name: "ws", program: Program::Node("ws_peer.mjs"), serves: true, lacks: &[] },
    Peer { name: "chromium", program: Program::Node("chromium_peer.mjs"), serves: false, lacks: &[] },
];

fn main() -> ExitCode {
    let chosen: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let unknown = chosen.iter().find(|name| PEERS.iter().all(|peer| peer.name != **name));
    if let Some(name) = unknown {
        let known: Vec<_> = PEERS.iter().map(|peer| peer.name).collect();
        eprintln!("there is no peer {name}; there are {}", known.join(", "));
        return ExitCode::from(2);
    }
    let peers = PEERS.iter().filter(|peer| chosen.is_empty() || chosen.iter().any(|name| name == peer.name));
    match wscope::run(meet(peers.collect())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("interop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Each peer, in both roles. Whether something ran, and nothing failed.
async fn meet(peers: Vec<&'static Peer>) -> Result<bool, Error> {
    let (mut ran, mut skipped, mut good) = (0, 0, true);
    let mut finish = |tally: Tally| {
        tally.print();
        ran += tally.ran();
        skipped += tally.skips();
        good &= tally.is_good();
    };
    for peer in peers {
        let prepared = blocking(|| peer.prepare()).await;
        let command = match prepared {
            Ok(command) => command,
            Err(why) => {
                finish(Tally::skipped(peer.name, why));
                continue;
            }
        };
        nursery(async |n| {
            let server = Server::default();
            let handler = {
                let server = server.clone();
                move |request| server.clone().handle(request)
            };
            // A browser's page comes from another port.
            let config = ServerConfig::new().origin(OriginPolicy::Any);
            let handle = n
                .start_service_with(async move |status| {
                    let listening = WebSocketServer::bind("127.0.0.1:0").await?.config(config);
                    let started = status.started(listening.handle());
                    listening.run(handler).await;
                    Ok(started)
                })
                .await?;
            let url = format!("ws://127.0.0.1:{}", handle.port());
            let client = command.clone();
            let mut tally = blocking(move || client.run_client(&url)).await;
            tally.add_faults(server.faults());
            finish(tally);
            Ok::<(), Error>(())
        })
        .await?;
        if peer.serves {
            finish(client::run(peer, command).await);
        }
    }
    println!("{ran} ran, {skipped} skipped");
    Ok(good && ran > 0)
}
