//! The client of the fuzzing server: what it asks for, in which order, and that a case which ends badly is no end.

use std::net::TcpListener;

use tungstenite::{
    Message, WebSocket, accept_hdr,
    handshake::server::{Request, Response},
};

use super::program::{Program, refuses, run};

/// Lets the next client in, who asks for `target`.
fn accept(listener: &TcpListener, target: &str) -> WebSocket<std::net::TcpStream> {
    let check = |request: &Request, response: Response| {
        assert_eq!(request.uri(), target);
        Ok(response)
    };
    accept_hdr(listener.accept().unwrap().0, check).unwrap()
}

fn close(mut ws: WebSocket<std::net::TcpStream>) {
    ws.close(None).unwrap();
    while ws.read().is_ok() {}
}

#[test]
fn every_case_is_run_and_the_reports_are_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Program::start("autobahn_client", &[&format!("ws://{}", listener.local_addr().unwrap())]);

    let mut ws = accept(&listener, "/getCaseCount");
    ws.send(Message::text("3")).unwrap();
    close(ws);

    let mut echo = accept(&listener, "/runCase?case=1&agent=wscope");
    for message in [Message::text("hello"), Message::binary(vec![7; 2 << 20])] {
        echo.send(message.clone()).unwrap();
        assert_eq!(echo.read().unwrap(), message);
    }
    close(echo);
    drop(accept(&listener, "/runCase?case=2&agent=wscope")); // cut off
    close(accept(&listener, "/runCase?case=3&agent=wscope"));
    close(accept(&listener, "/updateReports?agent=wscope"));

    let ended = client.end();
    assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{ended:?}");
    assert_eq!(ended.out, ["case 1 of 3", "case 2 of 3", "case 3 of 3"]);
}

#[test]
fn a_server_that_does_not_say_how_many_cases_there_are_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Program::start("autobahn_client", &[&format!("ws://{}/", listener.local_addr().unwrap())]);
    let mut ws = accept(&listener, "/getCaseCount");
    ws.send(Message::text("many")).unwrap();
    while ws.read().is_ok() {}
    let ended = client.end();
    assert_eq!((ended.code, ended.errors.len()), (Some(1), 1), "{ended:?}");
}

#[test]
#[cfg(feature = "deflate")]
fn compression_is_offered_in_each_case_where_it_is_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let client = Program::start("autobahn_client", &["--deflate", &url]);
    let mut ws = accept(&listener, "/getCaseCount");
    ws.send(Message::text("1")).unwrap();
    close(ws);
    let check = |request: &Request, response: Response| {
        let offered = &request.headers()["sec-websocket-extensions"];
        assert_eq!(offered, "permessage-deflate; client_max_window_bits");
        Ok(response)
    };
    close(accept_hdr(listener.accept().unwrap().0, check).unwrap());
    close(accept(&listener, "/updateReports?agent=wscope"));
    assert_eq!(client.end().code, Some(0));
}

#[test]
fn without_a_url_it_runs_cases_of_its_own() {
    let ended = run("autobahn_client", &[]);
    assert_eq!((ended.code, ended.out.len(), ended.errors.len()), (Some(0), 3, 0), "{ended:?}");
}

#[test]
fn bad_arguments_are_refused() {
    for arguments in [&["--cases"][..], &["ws://h", "ws://h"], &["--deflate"]] {
        refuses("autobahn_client", arguments);
    }
    assert_eq!(run("autobahn_client", &["--help"]).code, Some(0));
    let ended = run("autobahn_client", &["http://127.0.0.1"]);
    assert_eq!((ended.code, ended.errors.len()), (Some(1), 1), "{ended:?}");
}
