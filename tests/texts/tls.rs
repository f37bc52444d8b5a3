//! Errors of TLS: identities that cannot be used, and handshakes over real sockets.

use std::{
    io,
    net::{TcpListener, TcpStream},
    thread,
};

use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use wscope::{
    ClientConfig, Error, Nursery, ServerConfig, WebSocketServer, connect_websocket, nursery, run,
    websocket::{HandshakeError, Identity, TlsConfig, TlsError, TlsServerConfig},
};

use crate::{
    certificates::{Authority, Certified},
    serving::reported,
    support::echo,
    texts::{Seen, Texts, text},
};

pub(crate) fn texts(texts: &mut Texts) {
    let authority = Authority::new();
    identities(texts, &authority);
    let shown = |certified: &Certified| refused(&authority, certified);
    let wrong = shown(&authority.server(&["example.com"]));
    text!(texts, cause(&wrong), websocket::TlsError::WrongHost);
    text!(texts, wrong, websocket::HandshakeError::Tls);
    text!(texts, cause(&shown(&Certified::self_signed(&["localhost"]))), websocket::TlsError::NotTrusted);
    let expired = authority.server_between(&["localhost"], (-2, -1));
    text!(texts, cause(&shown(&expired)), websocket::TlsError::Expired);
    let early = authority.server_between(&["localhost"], (1, 2));
    text!(texts, cause(&shown(&early)), websocket::TlsError::NotYetValid);
    let plain = to_port_of(&authority, |mut stream| {
        io::Write::write_all(&mut stream, b"220 mail.example.com ESMTP\r\n").unwrap();
    });
    text!(texts, cause(&plain), websocket::TlsError::Handshake);
    text!(texts, plain, websocket::HandshakeError::Tls);
    let ended = to_port_of(&authority, |mut stream| {
        io::Read::read(&mut stream, &mut [0; 4096]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = io::Read::read(&mut stream, &mut [0; 4096]);
    });
    text!(texts, cause(&ended), websocket::TlsError::Ended);
    text!(texts, cause(&refused_without_certificate(&authority)), websocket::TlsError::Alert);
    text!(texts, TlsError::Io(io::ErrorKind::ConnectionReset), websocket::TlsError::Io);
    texts.seen("websocket::ServerError::Tls", told(&authority));
}

fn identities(texts: &mut Texts, authority: &Authority) {
    let certified = authority.server(&["localhost"]);
    let refuse = |chain: &[u8], key: &[u8]| Identity::from_pem(chain, key).unwrap_err();
    let (chain, key) = (certified.pem(), certified.key());
    text!(
        texts,
        Identity::from_pem_files("/no/chain.pem", "/no/key.pem").unwrap_err(),
        websocket::IdentityError::File
    );
    text!(texts, refuse(b"s3cret", &key), websocket::IdentityError::NoCertificate);
    text!(texts, refuse(&chain, b"s3cret"), websocket::IdentityError::NoKey);
    let other = b"-----BEGIN RSA PRIVATE KEY-----\ns3cret\n";
    text!(texts, refuse(&chain, other), websocket::IdentityError::KeyForm);
    let stranger = authority.server(&["localhost"]).key();
    text!(texts, refuse(&chain, &stranger), websocket::IdentityError::Refused);
}

/// A client that trusts the authority, and nobody else.
fn to(port: u16, authority: &Authority) -> ClientConfig {
    let trusting = TlsConfig::new().root_certificate_pem(authority.root().pem()).unwrap().only_given_roots();
    ClientConfig::new(&format!("wss://user:s3cret@localhost:{port}/?token=s3cret")).unwrap().tls(trusting)
}

async fn connect(to: ClientConfig) -> HandshakeError {
    let connected = nursery(async |n: Nursery<'_, HandshakeError>| connect_websocket(&n, to).await.map(drop));
    connected.await.unwrap_err()
}

fn cause(error: &HandshakeError) -> TlsError {
    let HandshakeError::Tls { error, .. } = error else { panic!("{error:?}") };
    error.clone()
}

/// Why a client does not talk to a server of ours that shows `certified`.
fn refused(authority: &Authority, certified: &Certified) -> HandshakeError {
    let identity = Identity::from_pem(certified.pem(), certified.key()).unwrap();
    let tls = TlsServerConfig::new(identity).unwrap();
    run(nursery(async |n: Nursery<'_, Error>| {
        let server = WebSocketServer::bind_tls("127.0.0.1:0", tls).await?;
        let port = server.handle().port();
        n.start_service(async move {
            server.run(echo).await;
            Ok(())
        });
        Ok(connect(to(port, authority)).await)
    }))
    .unwrap()
}

/// Why a client does not talk to whoever does this.
fn to_port_of(authority: &Authority, act: impl FnOnce(TcpStream) + Send) -> HandshakeError {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::scope(|threads| {
        threads.spawn(|| act(listener.accept().unwrap().0));
        run(connect(to(port, authority)))
    })
}

fn refused_without_certificate(authority: &Authority) -> HandshakeError {
    let server = authority.server(&["localhost"]);
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(&server.key).unwrap();
    acceptor.set_certificate(&server.certificate).unwrap();
    acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    let acceptor = acceptor.build();
    to_port_of(authority, |stream| {
        let Err(openssl::ssl::HandshakeError::Failure(mut failed)) = acceptor.accept(stream) else {
            panic!("there was a certificate")
        };
        // Closed with its request unread, a reset would eat the alert.
        io::copy(failed.get_mut(), &mut io::sink()).unwrap();
    })
}

/// What a server is told of a client that does not trust it.
fn told(authority: &Authority) -> Seen {
    let own = Certified::self_signed(&["localhost"]);
    let identity = Identity::from_pem(own.pem(), own.key()).unwrap();
    let tls = TlsServerConfig::new(identity).unwrap();
    reported(
        async move |config: ServerConfig| {
            Ok(WebSocketServer::bind_tls("127.0.0.1:0", tls).await?.config(config))
        },
        echo,
        async |port| drop(connect(to(port, authority)).await),
    )
}
