//! Errors of opening a connection, from both sides.

use std::{net::TcpListener, time::Duration};

use futures::AsyncWriteExt;
use wscope::{
    ClientConfig, Error, Nursery, ServerConfig, WebSocketRequest, connect_websocket, nursery,
    testing::{DuplexStream, duplex},
    websocket::{Accept, ConnectionTimeout, HandshakeError, OriginPolicy, Reject},
    wrap_client_stream, wrap_server_stream,
};

use crate::{
    proto::refused,
    support::{REQUEST, simulated, url, with_server},
    texts::{Texts, text},
};

pub(crate) fn texts(texts: &mut Texts) {
    settings(texts);
    answers(texts);
    network(texts);
    refusals(texts);
    late(texts);
}

/// What is wrong before anything is sent. The secret is in each, and must be in no text.
fn settings(texts: &mut Texts) {
    let to = || ClientConfig::new("wss://user:s3cret@example.com/?token=s3cret").unwrap();
    for url in ["https://user:s3cret@example.com/", "ws://user:s3cret@/", "ws://user:s3cret@example.com:0/"] {
        text!(texts, ClientConfig::new(url).unwrap_err(), websocket::HandshakeError::Uri);
    }
    for (name, value) in [("X Token", "s3cret"), ("X-Token", "s3cret\r\n"), ("Host", "s3cret")] {
        text!(texts, to().header(name, value).unwrap_err(), websocket::HandshakeError::Header);
    }
    text!(texts, to().subprotocols(["a", "b", "a"]).unwrap_err(), websocket::HandshakeError::Subprotocols);
    text!(texts, HandshakeError::NoTls, websocket::HandshakeError::NoTls); // of a build without TLS, which this is not
    text!(texts, OriginPolicy::list(["example.com"]).unwrap_err(), websocket::InvalidOrigin);
}

/// A request of a client of bytes, and the client.
async fn asked(n: &Nursery<'_, Error>) -> Result<(WebSocketRequest, DuplexStream), Error> {
    let (mut here, there) = duplex(1 << 16);
    here.write_all(REQUEST.as_bytes()).await?;
    Ok((wrap_server_stream(n, there, &ServerConfig::new()).await?, here))
}

/// What a handler can do wrong with a request, and what clients do.
fn answers(texts: &mut Texts) {
    simulated(async |n| {
        let (request, _here) = asked(&n).await?;
        let error = request.accept(Accept::new().subprotocol("chat.v9")).await.unwrap_err();
        text!(texts, error, websocket::HandshakeError::Accept);
        let (request, _here) = asked(&n).await?;
        text!(texts, request.reject(101).await.unwrap_err(), websocket::HandshakeError::Status);
        let (request, here) = asked(&n).await?;
        drop(here);
        let error = request.accept(Accept::new()).await.unwrap_err();
        text!(texts, error, websocket::HandshakeError::ClientLeft);
        let (request, _here) = nursery(async |n: Nursery<'_, Error>| asked(&n).await).await?;
        let error = request.accept(Accept::new()).await.unwrap_err();
        text!(texts, error, websocket::HandshakeError::ScopeEnded);
        let refused = refused(&n, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await?;
        text!(texts, refused, websocket::HandshakeError::Request);
        Ok(())
    });
}

fn network(texts: &mut Texts) {
    let failed = |to: ClientConfig| {
        let opened = wscope::run(nursery(async |n: Nursery<'_, HandshakeError>| {
            connect_websocket(&n, to).await.map(drop)
        }));
        opened.unwrap_err()
    };
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = failed(ClientConfig::new(&format!("ws://user:s3cret@{nobody}/?s3cret")).unwrap());
    let HandshakeError::Dial(dial) = &unreachable else { panic!("{unreachable:?}") };
    if let wscope::websocket::DialError::Unreachable(unreachable) = &**dial {
        texts.add("websocket::Unreachable", unreachable);
    }
    texts.add("websocket::DialError::Unreachable", dial);
    text!(texts, unreachable, websocket::HandshakeError::Dial);
    let unknown = failed(ClientConfig::new("ws://nobody.invalid/").unwrap());
    let HandshakeError::Dial(dial) = &unknown else { panic!("{unknown:?}") };
    texts.add("websocket::DialError::Lookup", dial);
    let no_socket = failed(ClientConfig::new("ws://h/").unwrap().unix_socket("/no/such/socket"));
    text!(texts, no_socket, websocket::HandshakeError::Network);
}

fn refusals(texts: &mut Texts) {
    let refuse = async |request: WebSocketRequest| {
        request.reject(Reject::status(403).body("s3cret")).await?;
        Ok(())
    };
    with_server(refuse, async |server| {
        let to = url(&server, "/door?token=s3cret");
        let refused =
            nursery(async |n: Nursery<'_, HandshakeError>| connect_websocket(&n, &*to).await.map(drop));
        let refused = refused.await.unwrap_err();
        if let HandshakeError::Rejected(rejected) = &refused {
            text!(texts, (**rejected).clone(), websocket::ConnectionRejected);
        }
        text!(texts, refused, websocket::HandshakeError::Rejected);
        Ok(())
    });
    simulated(async |n| {
        for answer in ["220 mail.example.com ESMTP\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""] {
            let (here, mut there) = duplex(4096);
            there.write_all(answer.as_bytes()).await?;
            there.close().await?;
            let refused = wrap_client_stream(&n, here, "ws://example.com/?token=s3cret").await.unwrap_err();
            match refused {
                HandshakeError::Rejected(_) => text!(texts, refused, websocket::HandshakeError::Rejected),
                _ => text!(texts, refused, websocket::HandshakeError::Response),
            }
        }
        Ok(())
    });
}

fn late(texts: &mut Texts) {
    simulated(async |n| {
        let (here, _there) = duplex(4096);
        let to = ClientConfig::new("ws://example.com/?token=s3cret")?.connect_timeout(Duration::from_secs(3));
        let late = wrap_client_stream(&n, here, to).await.unwrap_err();
        if let HandshakeError::Timeout(timeout) = &late {
            text!(texts, ConnectionTimeout::clone(timeout), websocket::ConnectionTimeout);
        }
        text!(texts, late, websocket::HandshakeError::Timeout);
        Ok(())
    });
}
