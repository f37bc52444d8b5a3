//! The probe: what it sends, what it prints, how it ends; and that its token is nowhere to be read.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use tungstenite::{
    Message, WebSocket, accept_hdr,
    handshake::server::{Request, Response},
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::program::{Ended, Program, refuses, run};

const TOKEN: &str = "s3cr3t.t0ken-_~+/==";

/// Serves one client by `serve`, and probes that with `arguments` and the token.
fn probe(arguments: &[&str], serve: impl FnOnce(TcpStream) + Send + 'static) -> Ended {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || serve(listener.accept().unwrap().0));
    let ended =
        Program::start_with("probe_client", &[arguments, &[&url]].concat(), &[("WS_TOKEN", TOKEN)]).end();
    server.join().unwrap();
    assert!(!format!("{ended:?}").contains(TOKEN), "{ended:?}");
    ended
}

/// Lets the client in, and waits for its word.
fn hear(stream: TcpStream) -> WebSocket<TcpStream> {
    let mut seen = None;
    let check = |request: &Request, response: Response| {
        seen = request.headers().get("Authorization").cloned();
        Ok(response)
    };
    let mut ws = accept_hdr(stream, check).unwrap();
    assert_eq!(seen.unwrap(), format!("Bearer {TOKEN}"));
    assert_eq!(ws.read().unwrap(), Message::text("hello"));
    ws
}

/// Waits for the client to close, with 1000.
fn until_closed(mut ws: WebSocket<TcpStream>) {
    let Message::Close(Some(frame)) = ws.read().unwrap() else { panic!("no close frame with a code") };
    assert_eq!(frame.code, CloseCode::Normal);
    while ws.read().is_ok() {}
}

#[test]
fn the_first_message_is_printed() {
    for (message, line) in [
        (Message::text("hello"), "hello"),
        (Message::text("grüße"), "grüße"),
        (Message::text(""), ""),
        (Message::binary(vec![b'a', 0, 255]), r"a\x00\xff"),
    ] {
        let ended = probe(&[], |stream| {
            let mut ws = hear(stream);
            ws.send(message).unwrap();
            until_closed(ws);
        });
        assert_eq!(ended, Ended { code: Some(0), out: vec![line.to_owned()], errors: vec![] });
    }
}

#[test]
fn without_a_url_it_probes_a_server_of_its_own() {
    for variables in [&[][..], &[("WS_TOKEN", "")], &[("WS_TOKEN", TOKEN)]] {
        let ended = Program::start_with("probe_client", &[], variables).end();
        assert_eq!(ended, Ended { code: Some(0), out: vec!["hello".to_owned()], errors: vec![] });
    }
}

#[test]
fn the_token_is_blackened_in_messages() {
    let echoes =
        [Message::text(format!("you are {TOKEN}{TOKEN}?")), Message::binary(format!("you are {TOKEN}"))];
    for (message, line) in echoes.into_iter().zip(["you are ██?", "you are █"]) {
        let ended = probe(&[], |stream| {
            let mut ws = hear(stream);
            ws.send(message).unwrap();
            until_closed(ws);
        });
        assert_eq!((ended.code, &*ended.out), (Some(0), &[line.to_owned()][..]));
    }
}

#[test]
fn the_token_is_blackened_in_close_reasons() {
    let ended = probe(&[], |stream| {
        let mut ws = hear(stream);
        ws.close(Some(CloseFrame { code: CloseCode::Policy, reason: TOKEN.into() })).unwrap();
        while ws.read().is_ok() {}
    });
    failed_in_one_line(&ended);
    assert!(ended.errors[0].contains("1008") && ended.errors[0].contains('█'), "{ended:?}");
}

#[test]
fn the_token_is_blackened_in_what_is_no_handshake() {
    for answer in [
        "HTTP/1.1 401 {}\r\nX: {}\r\nContent-Length: 19\r\n\r\n{}",
        "HTTP/1.1 302 Found\r\nLocation: ws://{}/\r\n\r\n",
        "HTTP/1.1 101 {}\r\nUpgrade: {}\r\nConnection: {}\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        "{}",
        "",
    ] {
        let answer = answer.replace("{}", TOKEN);
        let ended = probe(&[], move |mut stream| {
            let mut request = [0; 4096];
            assert_ne!(stream.read(&mut request).unwrap(), 0);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        failed_in_one_line(&ended);
    }
}

#[test]
fn a_token_that_cannot_be_sent_is_not_shown_either() {
    for token in ["two words", "line\nbreak", "quo\"ted", "back\\slash", "schlüssel"] {
        let ended = Program::start_with("probe_client", &[], &[("WS_TOKEN", token)]).end();
        failed_in_one_line(&ended);
        assert!(ended.errors[0].contains("WS_TOKEN") && !ended.errors[0].contains(token), "{ended:?}");
    }
}

#[test]
fn a_url_that_is_none_is_not_repeated() {
    for url in
        [&*format!("http://{TOKEN}/"), &*format!("ws://{TOKEN}/"), &*format!("ws://h/#{TOKEN}"), "nonsense"]
    {
        let ended = Program::start_with("probe_client", &[url], &[("WS_TOKEN", TOKEN)]).end();
        failed_in_one_line(&ended);
        assert!(!ended.errors[0].contains(TOKEN), "{ended:?}");
    }
}

#[test]
fn a_message_above_the_limit_is_an_error() {
    let ended = probe(&["--max-message", "4"], |stream| {
        let mut ws = hear(stream);
        ws.send(Message::text("hello")).unwrap();
        while ws.read().is_ok() {}
    });
    failed_in_one_line(&ended);
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    failed_in_one_line(&run("probe_client", &[&format!("ws://{nobody}/")]));
}

/// Three servers that keep a client waiting, each in another way: the one test here that takes seconds, as the limits are the
/// program's own.
#[test]
fn no_step_takes_longer_than_its_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let clients: Vec<Program> = (0..3).map(|_| Program::start("probe_client", &[&url])).collect();
    let mut streams: Vec<TcpStream> = (0..3).map(|_| listener.accept().unwrap().0).collect();

    let _no_handshake = streams.pop();
    let _no_message = tungstenite::accept(streams.pop().unwrap()).unwrap();
    let mut no_close = tungstenite::accept(streams.pop().unwrap()).unwrap();
    no_close.send(Message::text("hello")).unwrap();

    let mut ends: Vec<Ended> = clients.into_iter().map(Program::end).collect();
    ends.iter().for_each(failed_with_code_1);
    ends.sort_by_key(|ended| ended.errors[0].clone());
    let errors = ends.iter().map(|ended| ended.errors.concat()).collect::<Vec<_>>().join("\n");
    assert_eq!(errors.matches("5s").count(), 3, "{errors}");
    assert!(errors.contains("handshake took too long") && errors.contains("closing handshake"), "{errors}");
}

#[test]
fn bad_arguments_are_refused() {
    for arguments in [
        &["--max-message"][..],
        &["--max-message", "-1", "ws://h/"],
        &["--verbose", "ws://h/"],
        &["ws://h/", "ws://h/"],
    ] {
        refuses("probe_client", arguments);
    }
    assert_eq!(run("probe_client", &["--help"]).code, Some(0));
}

fn failed_in_one_line(ended: &Ended) {
    failed_with_code_1(ended);
    assert_eq!(ended.out.len(), 0, "{ended:?}");
}

fn failed_with_code_1(ended: &Ended) {
    assert_eq!((ended.code, ended.errors.len()), (Some(1), 1), "{ended:?}");
    assert!(ended.errors[0].starts_with("probe_client: "), "{ended:?}");
}
