//! The echo server: every path, every option, and how it stops.

use super::{
    peer::{BINARY, CLOSE, PING, PONG, Peer, TEXT},
    program::{Ended, Program, refuses, run},
};

struct Server {
    program: Program,
    port: u16,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let program = Program::start("echo_server", arguments);
        let line = program.line();
        let port = line.strip_prefix("listening on ws://127.0.0.1:").and_then(|port| port.parse().ok());
        Self { program, port: port.unwrap_or_else(|| panic!("{line:?}")) }
    }

    fn enter(&self, target: &str) -> Peer {
        Peer::enter(self.port, target, "").0
    }

    /// Says that all is well, and nothing else.
    fn stop(self, signal: &str) {
        self.program.signal(signal);
        assert_eq!(self.program.end(), Ended { code: Some(0), out: vec![], errors: vec![] });
    }
}

#[test]
fn what_is_sent_comes_back_with_its_kind() {
    let server = Server::start(&["--port", "0"]);
    for target in ["/", "/any/other?query"] {
        let mut peer = server.enter(target);
        peer.expect_echo();
        let large = vec![b'x'; 100_000];
        peer.send(TEXT, &large);
        peer.expect(TEXT, &large);
        peer.send(BINARY, &large[..200]);
        peer.expect(BINARY, &large[..200]);
        peer.send(CLOSE, 4000_u16.to_be_bytes());
        peer.expect(CLOSE, 4000_u16.to_be_bytes());
        assert_eq!(peer.rest(), b"");
    }
}

#[test]
fn header_and_subprotocol_come_back_on_each_path_that_is_accepted() {
    let server = Server::start(&[]);
    for target in ["/", "/close?code=1000", "/fragments", "/ping", "/drop", "/deaf"] {
        let headers = "X-Echo-Me: a b, c\r\nSec-WebSocket-Protocol: chat, echo.v2, echo.v1\r\n";
        let (_peer, head) = Peer::enter(server.port, target, headers);
        assert_eq!(head.header("X-Echoed"), Some("a b, c"), "{target}");
        assert_eq!(head.header("Sec-WebSocket-Protocol"), Some("echo.v2"), "{target}");
    }
    let (_peer, head) = Peer::enter(server.port, "/", "Sec-WebSocket-Protocol: chat\r\n");
    assert_eq!((head.header("X-Echoed"), head.header("Sec-WebSocket-Protocol")), (None, None));
}

#[test]
fn reject_answers_403() {
    let server = Server::start(&[]);
    let mut peer = Peer::ask(server.port, "/reject", "");
    let head = peer.head();
    assert_eq!((head.status(), head.header("X-Reject")), ("403", Some("yes")));
    assert_eq!(peer.rest(), b"forbidden\n");
}

#[test]
fn close_closes_with_what_it_is_told() {
    let server = Server::start(&[]);
    for (query, code, reason) in [
        ("?code=4001&reason=r", 4001, "r"),
        ("?reason=gr%C3%BC%C3%9Fe+dich%21&code=1001", 1001, "grüße dich!"),
        ("?code=3000", 3000, ""),
        ("?reason=only", 1000, "only"),
        ("", 1000, ""),
    ] {
        server.enter(&format!("/close{query}")).expect_close(code, reason);
    }
    let too_long = format!("code=1000&reason={}", "x".repeat(124));
    for query in ["code=1005", "code=999", "code=70000", "code=", "code=x", "reason=%ff", &*too_long] {
        assert_eq!(Peer::ask(server.port, &format!("/close?{query}"), "").head().status(), "400", "{query}");
    }
}

#[test]
fn fragments_come_with_a_ping_between_the_first_two() {
    let server = Server::start(&[]);
    for answers in [true, false] {
        let mut peer = server.enter("/fragments");
        peer.expect(0x01, "frag-");
        peer.expect(PING, "mid");
        peer.expect(0x00, "é-");
        peer.expect(0x80, "mented");
        if answers {
            peer.send(PONG, "mid");
        }
        peer.expect_echo();
    }
}

#[test]
fn ping_waits_for_its_pong() {
    let server = Server::start(&[]);
    let mut peer = server.enter("/ping");
    peer.expect(PING, "srv-ping");
    peer.send(PONG, "another");
    peer.send(PING, "mine");
    peer.expect(PONG, "mine"); // and no text before it, although a pong had come
    peer.send(PONG, "srv-ping");
    peer.expect(TEXT, "got pong");
    peer.expect_echo();
}

#[test]
fn drop_cuts_the_stream_without_a_frame() {
    let server = Server::start(&[]);
    server.enter("/drop").expect_cut();
}

#[test]
fn hang_never_answers_until_the_server_stops() {
    let server = Server::start(&[]);
    let hanging = Peer::ask(server.port, "/hang", "");
    server.enter("/").expect_echo();
    hanging.expect_silence();
    server.stop("TERM");
    hanging.expect_cut();
}

#[test]
fn deaf_reads_nothing_until_the_server_stops() {
    let server = Server::start(&[]);
    let mut deaf = server.enter("/deaf");
    deaf.send(TEXT, "hello?");
    server.enter("/").expect_echo();
    deaf.expect_silence();
    server.program.signal("TERM");
    deaf.expect_close(1001, "");
    assert_eq!(server.program.end().code, Some(0));
}

#[test]
fn a_message_above_the_limit_ends_the_connection() {
    let server = Server::start(&["--max-message", "10"]);
    let mut peer = server.enter("/");
    peer.send(TEXT, "0123456789");
    peer.expect(TEXT, "0123456789");
    peer.send(TEXT, "0123456789a");
    let close = peer.frame();
    assert_eq!((close.first, &close.payload[..2]), (CLOSE, &1009_u16.to_be_bytes()[..]));
}

#[test]
#[cfg(feature = "deflate")]
fn compression_is_used_where_the_option_and_the_client_want_it() {
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let (_, plain) = Peer::enter(Server::start(&[]).port, "/", offer);
    assert_eq!(plain.header("Sec-WebSocket-Extensions"), None);
    let server = Server::start(&["--deflate"]);
    assert_eq!(Peer::enter(server.port, "/", "").1.header("Sec-WebSocket-Extensions"), None);
    let (mut peer, head) = Peer::enter(server.port, "/", offer);
    assert_eq!(head.header("Sec-WebSocket-Extensions"), Some("permessage-deflate"));
    peer.send(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"); // RFC 7692 §7.2.3.1
    peer.expect(TEXT, "Hello");
    peer.send(BINARY, [7; 1000]);
    let echo = peer.frame();
    assert!(echo.first == 0xc2 && echo.payload.len() < 20, "{echo:?}");
}

#[test]
fn both_signals_say_goodbye_to_everybody() {
    for signal in ["INT", "TERM"] {
        let server = Server::start(&["--threads", "1"]);
        let mut peers: Vec<Peer> = (0..10).map(|_| server.enter("/")).collect();
        peers.iter_mut().for_each(Peer::expect_echo);
        server.program.signal(signal);
        for peer in peers {
            peer.expect_close(1001, "");
        }
        assert_eq!(server.program.end(), Ended { code: Some(0), out: vec![], errors: vec![] });
    }
}

#[test]
#[cfg(target_os = "linux")]
fn threads_are_as_many_as_are_asked_for() {
    for threads in [1, 3] {
        let server = Server::start(&["--threads", &threads.to_string()]);
        server.enter("/").expect_echo();
        let tasks = std::fs::read_dir(format!("/proc/{}/task", server.program.id())).unwrap();
        let names = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
        assert_eq!(names.filter(|name| name.starts_with("async-std")).count(), threads);
        server.stop("TERM");
    }
}

#[test]
fn what_cannot_be_served_is_said_in_one_line() {
    let server = Server::start(&["--host", "127.0.0.1"]);
    let taken = server.port.to_string();
    let nobody = tempfile::tempdir().unwrap().path().join("nobody.pem").display().to_string();
    for arguments in [
        &["--port", &*taken][..],
        &["--host", "256.0.0.1"],
        &["--tls", &*nobody, &*nobody],
        &["--host", "a b"],
    ] {
        let ended = run("echo_server", arguments);
        assert_eq!((ended.code, ended.out.len(), ended.errors.len()), (Some(1), 0, 1), "{ended:?}");
        assert!(ended.errors[0].starts_with("echo_server: "), "{ended:?}");
    }
}

#[test]
fn bad_arguments_are_refused() {
    for arguments in [
        &["--port"][..],
        &["--port", "x"],
        &["--port", "65536"],
        &["--threads", "0"],
        &["--threads", "-1"],
        &["--max-message", "1k"],
        &["--tls", "only-one.pem"],
        &["--verbose"],
        &["8765"],
        &[""],
    ] {
        refuses("echo_server", arguments);
    }
    assert_eq!(run("echo_server", &["--help"]).code, Some(0));
}

#[test]
#[cfg(feature = "tls")]
fn tls_is_spoken_with_the_certificate_it_is_given() {
    use super::certificates::Authority;
    use wscope::{ClientConfig, Error, open_websocket, websocket::TlsConfig};

    let authority = Authority::new();
    let certified = authority.server(&["localhost", "127.0.0.1"]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("chain.pem"), certified.pem()).unwrap();
    std::fs::write(path("key.pem"), certified.key()).unwrap();

    let server = Program::start("echo_server", &["--tls", &path("chain.pem"), &path("key.pem")]);
    let line = server.line();
    let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}"));
    assert!(url.starts_with("wss://127.0.0.1:"), "{url}");
    let trust = TlsConfig::new().root_certificate_pem(authority.root().pem()).unwrap().only_given_roots();
    wscope::run(open_websocket(ClientConfig::new(url).unwrap().tls(trust), async |ws| {
        ws.send_message("hello").await?;
        assert_eq!(ws.get_message().await?.as_text(), Some("hello"));
        Ok::<(), Error>(())
    }))
    .unwrap();
}
