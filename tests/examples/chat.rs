//! The chat room: the conversation that it holds with itself, and the room for others.

use super::{
    peer::{BINARY, CLOSE, Peer, TEXT},
    program::{Ended, Program, refuses, run},
};

#[test]
fn the_conversation_goes_as_it_should() {
    let ended = run("chat", &[]);
    assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{ended:?}");
    assert!(ended.out.last().unwrap().starts_with("deaf is out after "), "{ended:?}");
}

#[test]
fn who_is_in_the_room_hears_everything() {
    let program = Program::start("chat", &["--port", "0"]);
    let line = program.line();
    let rest = line.strip_prefix("listening on ws://127.0.0.1:").unwrap();
    let port = rest.split_once('/').unwrap().0.parse().unwrap();

    let (mut ann, _) = Peer::enter(port, "/?name=ann", "");
    ann.expect(TEXT, "* ann comes in");
    let (mut joe, _) = Peer::enter(port, "/?name=jo%C3%ABl", "");
    for peer in [&mut ann, &mut joe] {
        peer.expect(TEXT, "* joël comes in");
    }
    joe.send(TEXT, "hello");
    for peer in [&mut ann, &mut joe] {
        peer.expect(TEXT, "joël: hello");
    }

    Peer::enter(port, "/?name=ann", "").0.expect_close(1008, "the name is taken");
    for query in ["", "?name=", "?name=%ff", "?name=a%0ab", &format!("?name={}", "x".repeat(33))] {
        assert_eq!(Peer::ask(port, &format!("/{query}"), "").head().status(), "400", "{query}");
    }

    joe.send(BINARY, [0]);
    let close = joe.frame();
    assert_eq!((close.first, &close.payload[..2]), (CLOSE, &1003_u16.to_be_bytes()[..]));
    drop(joe);
    ann.expect(TEXT, "* joël leaves");

    program.signal("TERM");
    ann.expect_close(1001, "");
    assert_eq!(program.end(), Ended { code: Some(0), out: vec![], errors: vec![] });
}

#[test]
fn bad_arguments_are_refused() {
    for arguments in [&["--port"][..], &["--port", "x"], &["--room", "1"], &["8765"]] {
        refuses("chat", arguments);
    }
    assert_eq!(run("chat", &["--help"]).code, Some(0));
}
