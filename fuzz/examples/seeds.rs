//! Writes the seed corpora: inputs that lead each target to every rule it knows of, so that a run need not find the
//! way from nothing. Those that once broke something are added by hand and stay as they are.

use std::{fs, path::Path, sync::Arc};
use wscope::proto::{AcceptConnection, HandshakeConfig, RejectConnection, RequestReader, Role};
use wscope_fuzz::bodies::{
    invert::Invert,
    response_head::{acceptance, client},
    wire::{BINARY, CLOSE, CONTINUATION, Frame, LengthForm, PING, PONG, TEXT},
};

fn main() {
    for role in [Role::Client, Role::Server] {
        for (name, wire) in streams(role) {
            // The default limits, two cuts.
            write("frames", &format!("{role}-{name}"), &[&[0, 0, 0, 2, 3, 7][..], &wire].concat());
        }
        for (name, limits) in
            [("any-size", [2, 0, 0]), ("two-fragments", [0, 2, 0]), ("no-empty-fragments", [0, 0, 1])]
        {
            let wire = [fragments(role), empty_fragments(role)].concat();
            write("frames", &format!("{role}-limit-of-{name}"), &[&limits[..], &[1, 1], &wire].concat());
        }
    }
    for (name, calls) in calls() {
        // A third of them each: whole, in pieces, and with all that the engine does by itself switched off.
        for (at, (role, byte)) in [(Role::Client, 0), (Role::Server, 1)].into_iter().enumerate() {
            let config = [[0; 6], [1, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0]][(at + calls.len()) % 3];
            write("state_machine", &format!("{role}-{name}"), &[&[byte][..], &config, &calls].concat());
        }
    }
    for (name, head) in requests() {
        write("request_head", name, &[&[0, 0, 0, 2, 3, 40][..], &head].concat());
    }
    let request = requests().swap_remove(0).1;
    for (name, limits) in
        [("line", [0, 2, 0]), ("start-line", [0, 1, 0]), ("head", [2, 0, 0]), ("lines", [0, 0, 2])]
    {
        write("request_head", &format!("limit-of-{name}"), &[&limits[..], &[1, 1], &request].concat());
    }
    for (name, head) in responses() {
        write("response_head", name, &[&[0, 0, 0, 0, 2, 3, 40][..], &head].concat());
        write("response_head", &format!("{name}-limited"), &[&[0, 0, 0, 2, 1, 9][..], &head].concat());
    }
    for (name, offers, answers) in extensions() {
        let len = (offers.len() as u16).to_be_bytes();
        write("extension_header", name, &[&len[..], offers.as_bytes(), answers.as_bytes()].concat());
    }
    for (name, messages) in compressed() {
        let messages: Vec<u8> = messages
            .iter()
            .flat_map(|message| [&(message.len() as u16).to_be_bytes()[..], message].concat())
            .collect();
        for (preset, config) in
            [("shared", [0, 0, 0, 0xFF, 0xFF, 0, 2]), ("dedicated", [1, 1, 1, 0, 200, 0, 0])]
        {
            write("inflate", &format!("{name}-{preset}"), &[&config[..], &messages].concat());
        }
    }
    for (name, offer, answer) in parameters() {
        for (wanted, config) in [("all", [0, 6, 6, 0, 6, 6]), ("little", [3, 1, 2, 3, 0, 3])] {
            let len = (offer.len() as u16).to_be_bytes();
            let seed = [&config[..], &len, offer.as_bytes(), answer.as_bytes()].concat();
            write("negotiation", &format!("{name}-{wanted}"), &seed);
        }
    }
    for (name, calls) in conversations() {
        write("ws_connection", name, &calls);
    }
    for (name, steps) in steps() {
        for (delivery, bytes) in [("whole", [0, 0, 0]), ("pieces", [0, 1, 1]), ("extended", [1, 0, 1])] {
            write("pipe", &format!("{name}-{delivery}"), &[&bytes[..], &steps].concat());
        }
    }
}

/// Messages of permessage-deflate, the examples of RFC 7692 §7.2.3 first.
fn compressed() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00".to_vec();
    let mut zeros = b"\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08\x0a".to_vec();
    zeros.extend([0; 500]);
    vec![
        ("one-block", vec![hello.clone()]),
        ("points-back", vec![hello.clone(), b"\xf2\x00\x11\x00\x00".to_vec()]),
        ("stored", vec![b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00".to_vec()]),
        ("final-block", vec![b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00".to_vec(), hello.clone()]),
        ("two-blocks", vec![b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00".to_vec()]),
        ("empty", vec![vec![0], vec![], hello.clone()]),
        ("cut-off", vec![hello[..4].to_vec(), hello]),
        ("reserved-block", vec![vec![7]]),
        ("bomb", vec![zeros]),
    ]
}

/// Parameters of an offer and of an answer.
fn parameters() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("none", "", ""),
        (
            "takeover",
            "; server_no_context_takeover",
            "; client_no_context_takeover; server_no_context_takeover",
        ),
        ("windows", "; server_max_window_bits=10; client_max_window_bits", "; client_max_window_bits=9"),
        ("smallest", "; server_max_window_bits=8; client_max_window_bits=8", "; server_max_window_bits=8"),
        (
            "quoted",
            "; client_max_window_bits=\"12\"",
            "; server_max_window_bits=\"9\"; server_no_context_takeover",
        ),
        (
            "repeated",
            "; client_max_window_bits; client_max_window_bits=9",
            "; server_max_window_bits=9; server_max_window_bits=9",
        ),
        ("out-of-range", "; server_max_window_bits=16", "; client_max_window_bits=7"),
        ("no-number", "; server_max_window_bits=abc", "; client_max_window_bits"),
        ("unknown", "; client_window", "; server_no_context_takeover=1"),
    ]
}

fn write(target: &str, name: &str, seed: &[u8]) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&corpus).expect("a folder");
    fs::write(corpus.join(name), seed).expect("a file");
}

/// Streams that `sender` puts on the wire: each rule kept, each rule broken.
fn streams(sender: Role) -> Vec<(&'static str, Vec<u8>)> {
    let frame = |opcode, payload: &[u8]| Frame::new(sender, opcode, payload).bytes();
    let long = |len, form| Frame::new(sender, BINARY, vec![7; len]).bytes_with(form);
    let flagged = |rsv| Frame { rsv, ..Frame::new(sender, TEXT, "a") }.bytes();
    vec![
        ("text", [frame(TEXT, "grüße 🦀".as_bytes()), frame(TEXT, b"")].concat()),
        ("binary", [frame(BINARY, &[0, 255, 128]), frame(BINARY, &[])].concat()),
        ("ping-and-pong", [frame(PING, b"ping"), frame(PONG, b""), frame(PING, &[7; 125])].concat()),
        ("close", [frame(CLOSE, b"\x03\xE9going away"), frame(TEXT, b"after")].concat()),
        ("close-empty", frame(CLOSE, b"")),
        ("close-cut", frame(CLOSE, b"\x03")),
        ("close-invalid-code", frame(CLOSE, b"\x03\xED")),
        ("close-invalid-reason", frame(CLOSE, b"\x03\xE8\xED\xA0")),
        ("fragments", fragments(sender)),
        ("empty-fragments", empty_fragments(sender)),
        ("continuation-of-nothing", frame(CONTINUATION, b"a")),
        ("message-in-message", [Frame::new(sender, TEXT, "a").more().bytes(), frame(BINARY, b"b")].concat()),
        ("text-cut", frame(TEXT, b"\xF0\x9F\xA6")),
        ("text-surrogate", Frame::new(sender, TEXT, *b"a\xED\xA0\x80").more().bytes()),
        ("ping-fragmented", Frame::new(sender, PING, "a").more().bytes()),
        ("ping-too-long", frame(PING, &[7; 126])),
        ("reserved-opcode", frame(3, b"a")),
        ("reserved-bit-1", flagged(4)),
        ("reserved-bit-2", flagged(2)),
        ("reserved-bit-3", flagged(1)),
        ("length-126", long(126, LengthForm::Shortest)),
        ("length-of-two-bytes-not-minimal", long(125, LengthForm::Two)),
        ("length-of-eight-bytes-not-minimal", long(126, LengthForm::Eight)),
        ("length-of-eight-bytes", vec![0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4]),
        ("length-high-bit", vec![0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("length-too-big", vec![0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
    ]
}

/// A text in three fragments, cut inside characters, with control frames between them.
fn fragments(sender: Role) -> Vec<u8> {
    [
        Frame::new(sender, TEXT, *b"gr\xC3").more(),
        Frame::new(sender, PING, "between"),
        Frame::new(sender, CONTINUATION, *b"\xBC\xC3").more(),
        Frame::new(sender, PONG, ""),
        Frame::new(sender, CONTINUATION, *b"\x9Fe"),
    ]
    .iter()
    .flat_map(Frame::bytes)
    .collect()
}

/// A binary message with empty fragments inside and at its end.
fn empty_fragments(sender: Role) -> Vec<u8> {
    [
        Frame::new(sender, BINARY, "").more(),
        Frame::new(sender, CONTINUATION, "a").more(),
        Frame::new(sender, CONTINUATION, "").more(),
        Frame::new(sender, CONTINUATION, "").more(),
        Frame::new(sender, CONTINUATION, ""),
    ]
    .iter()
    .flat_map(Frame::bytes)
    .collect()
}

/// Calls of the state machine, by the numbers that its body gives them.
fn calls() -> Vec<(&'static str, Vec<u8>)> {
    let ping = [15, 2, 0, 1, b'a', 0, 1, b'b'];
    vec![
        (
            "sends-everything",
            b"\x08\x02hi\x09\x01\x07\x0A\x00\x01a\x0A\x01\x01b\x0B\x01p\x0C\x01q\x0E\x02yo\x01".to_vec(),
        ),
        ("closes", b"\x0D\x00\x03bye\x08\x01a\x0B\x00\x0C\x00\x0D\x00\x00\x01\x00\x00\x04".to_vec()),
        ("closes-twice", b"\x0D\x04\x0D\x04\x06\x07\x04\x04".to_vec()),
        ("answers-a-close", b"\x01\x01\x03bye\x08\x01a\x0C\x01a\x06\x04".to_vec()),
        ("answers-by-hand", b"\x01\x01\x00\x0D\x04\x06\x04".to_vec()),
        ("answers-after-the-end", b"\x01\x01\x00\x04\x06\x06".to_vec()),
        ("ends-without-a-close", b"\x08\x01a\x04\x06\x08\x01b\x01\x00\x00".to_vec()),
        ("answers-pings", [&ping[..], b"\x06", &ping, b"\x07\x0D\x00\x00", &ping, b"\x06"].concat()),
        ("answers-a-flood", [&[15, 31][..], &[0, 0].repeat(31), b"\x06"].concat()),
        ("is-failed", b"\x00\x83\x00\x00\x06\x08\x00\x02\x04abcd\x04\x06".to_vec()),
        ("is-failed-after-its-close", b"\x0D\x00\x00\x00\x83\x00\x00\x06\x04".to_vec()),
        ("is-failed-with-pongs-queued", [&ping[..], b"\x00\x81\xFF\x00\x07\x06"].concat()),
        (
            "refuses-what-tears-a-message",
            b"\x0A\x00\x01a\x08\x01b\x09\x01c\x0A\x02\x01d\x0A\x01\x01e\x08\x00".to_vec(),
        ),
        ("loses-its-buffer", b"\x03\x80\x00\x05\x03\x05\x00\x06\x01\x01\x00".to_vec()),
        ("shortens-its-buffer", b"\x03\x80\x00\x05\x01\x06\x04".to_vec()),
        ("overfills-its-buffer", b"\x03\x80\x00\x05\x02\x06\x04".to_vec()),
        ("fills-its-buffer", b"\x03\x80\x00\x02\x05aaaaa\x06\x04".to_vec()),
    ]
}

/// Steps of the pipe, by the numbers that its body gives them.
fn steps() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("messages", vec![0, 0, 1, 0, 40, 1, 1, 1, 0, 0, 200, 3, 0, 6, 0, 5, 1, 6, 0, 100]),
        (
            "large-messages",
            vec![0, 0, 0, 0xFF, 0xFF, 0, 1, 0, 1, 0xFF, 0xFF, 16, 0, 6, 0x50, 0, 1, 7, 0x40, 1],
        ),
        ("fragments", vec![0, 2, 0, 1, 0, 50, 1, 0, 6, 0, 9, 0, 3, 0, 1, 0, 8, 2, 0, 2, 1, 1, 0, 4, 3]),
        (
            "kinds-mixed",
            vec![
                0, 2, 0, 1, 0, 50, 1, 0, 2, 0, 0, 0, 9, 1, 0, 0, 1, 0, 4, 1, 1, 2, 0, 0, 0, 9, 1, 1, 2, 1, 1,
                0, 9, 1,
            ],
        ),
        ("pings", vec![0, 4, 2, 1, 2, 1, 4, 0, 0, 6, 0, 3, 1, 6, 0, 0, 1, 5, 0, 5, 0, 7, 0, 9]),
        ("a-flood-of-pings", [[0, 4, 0].repeat(40), vec![0, 6, 0, 90, 1, 5, 1, 6, 1, 0]].concat()),
        ("both-close", vec![1, 1, 1, 1, 1, 4, 1, 9]),
    ]
}

/// Requests: one that is right, and one for each rule that it could break.
fn requests() -> Vec<(&'static str, Vec<u8>)> {
    let (_, request) = client(HandshakeConfig::new());
    let right = String::from_utf8(request).expect("ASCII");
    let with = |from: &str, to: &str| {
        assert!(right.contains(from), "{from} is not in {right}");
        right.replace(from, to).into_bytes()
    };
    vec![
        ("right", right.clone().into_bytes()),
        ("with-early-frames", [right.as_bytes(), b"\x81\x85\0\0\0\0early"].concat()),
        ("absolute-target", with("/chat HTTP", "http://other.example:81/chat?x=1 HTTP")),
        ("asterisk", with("/chat HTTP", "* HTTP")),
        ("fragment", with("/chat HTTP", "/chat#a HTTP")),
        ("post", with("GET ", "POST ")),
        ("http-1.0", with("HTTP/1.1", "HTTP/1.0")),
        ("http-2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("tls-hello", b"\x16\x03\x01\x02\0\x01\0\x01\xFC".to_vec()),
        ("two-hosts", with("Host: example.com", "Host: example.com\r\nHost: example.com")),
        ("no-host", with("Host: example.com\r\n", "")),
        ("bad-host", with("Host: example.com", "Host: example.com/x")),
        ("bad-version", with("Version: 13", "Version: 8")),
        ("two-versions", with("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13")),
        ("bad-key", with("Key: ", "Key: AA")),
        ("no-key", with("Sec-WebSocket-Key", "X-Key")),
        ("no-upgrade", with("Upgrade: websocket", "Upgrade: h2c")),
        ("upgrade-lists", with("Upgrade: websocket", "upgrade: h2c , WebSocket")),
        ("connection-lists", with("Connection: Upgrade", "Connection: keep-alive,\tupgrade")),
        ("no-connection", with("Connection: Upgrade", "Connection: close")),
        ("body", with("Upgrade: websocket", "Upgrade: websocket\r\nContent-Length: 1")),
        ("empty-body", with("Upgrade: websocket", "Upgrade: websocket\r\nContent-Length: 0")),
        ("chunked-body", with("Upgrade: websocket", "Upgrade: websocket\r\nTransfer-Encoding: chunked")),
        ("subprotocol-repeated", with("chat, superchat", "chat, chat")),
        ("bad-extension", with("client_max_window_bits", "x=;")),
        ("folded", with("Upgrade: websocket", "Upgrade:\r\n websocket")),
        ("space-before-colon", with("Upgrade: websocket", "Upgrade : websocket")),
        ("bare-cr", with("Upgrade: websocket", "Upgrade: web\rsocket")),
        ("bare-lf", with("Upgrade: websocket\r\n", "Upgrade: websocket\n")),
        ("nul", with("Upgrade: websocket", "Upgrade: websocket\0")),
        ("obsolete-text", with("Upgrade: websocket", "Upgrade: websocket\r\nX: \u{fc}")),
    ]
}

/// Answers to that request.
fn responses() -> Vec<(&'static str, Vec<u8>)> {
    let right = acceptance(AcceptConnection::new());
    let text = String::from_utf8(right.clone()).expect("ASCII");
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replace(from, to).into_bytes()
    };
    let refusal = |reject: RejectConnection| {
        let (mut out, (_, mut request)) = (Vec::new(), client(HandshakeConfig::new()));
        let handshake =
            RequestReader::new(HandshakeConfig::new()).receive(&mut &mut request[..], &mut out);
        let rejection = handshake.expect("our own request").expect("all of it").reject(reject, &mut out);
        assert!(rejection.is_finished());
        out
    };
    let forbidden = RejectConnection::new(403).expect("a status").with_body("members only");
    let head = |rest: &str| format!("HTTP/1.1 503 Busy\r\n{rest}").into_bytes();
    let invert = Arc::new(Invert::default());
    vec![
        ("accepts", right.clone()),
        ("accepts-with-frames", [&right[..], b"\x81\x05early"].concat()),
        ("accepts-subprotocol", acceptance(AcceptConnection::new().with_subprotocol("superchat"))),
        ("accepts-extension", acceptance(AcceptConnection::new().with_extension(invert))),
        ("accepts-after-interim", [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", &right[..]].concat()),
        ("wrong-accept", with("Accept: ", "Accept: A")),
        ("two-accepts", with("Upgrade: websocket", "Sec-WebSocket-Accept: x\r\nUpgrade: websocket")),
        ("no-upgrade", with("Upgrade: websocket", "Upgrade: h2c")),
        ("foreign-subprotocol", with("\r\n\r\n", "\r\nSec-WebSocket-Protocol: other\r\n\r\n")),
        ("foreign-extension", with("\r\n\r\n", "\r\nSec-WebSocket-Extensions: other\r\n\r\n")),
        ("http-1.0", with("HTTP/1.1", "HTTP/1.0")),
        ("refuses", refusal(forbidden)),
        ("refuses-without-body", head("Content-Length: 0\r\n\r\n")),
        ("refuses-until-the-end", head("\r\nbusy, come back later")),
        (
            "refuses-in-chunks",
            head("Transfer-Encoding: chunked\r\n\r\n5\r\nbusy,\r\n3;x=y\r\n no\r\n0\r\n\r\n"),
        ),
        ("refuses-in-bad-chunks", head("Transfer-Encoding: chunked\r\n\r\n5\r\nbusy,x\r\n")),
        ("refuses-and-is-cut", head("Content-Length: 10\r\n\r\nbusy")),
        ("refuses-in-chunks-and-is-cut", head("Transfer-Encoding: chunked\r\n\r\n5\r\nbusy")),
        ("refuses-in-no-chunks", head("Transfer-Encoding: chunked\r\n\r\n;\r\n")),
        ("refuses-in-compressed-chunks", head("Transfer-Encoding: chunked, gzip\r\n\r\nbusy")),
        ("refuses-with-no-length", head("Content-Length: +4\r\n\r\nbusy")),
        ("refuses-with-no-content", b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nbusy".to_vec()),
        ("refuses-with-two-lengths", head("Content-Length: 2\r\nContent-Length: 3\r\n\r\nbusy")),
        ("redirects", b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 3\r\n\r\n/x\n".to_vec()),
        ("is-not-http", b"SSH-2.0-x\r\n".to_vec()),
    ]
}

/// Offers and answers.
fn extensions() -> Vec<(&'static str, &'static str, &'static str)> {
    let both = "permessage-deflate; client_max_window_bits";
    vec![
        ("agreed", both, both),
        ("declined", both, ""),
        ("without-parameters", "permessage-deflate", "permessage-deflate"),
        (
            "two-offers",
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "permessage-deflate",
        ),
        ("two-lines", "other\npermessage-deflate; a=1 ; b=\"2\\3\"", "permessage-deflate; a=1; b=23"),
        ("other-parameters", both, "permessage-deflate; server_no_context_takeover"),
        ("foreign", "x-one, x-two; y", "x-two; y"),
        ("repeated", "permessage-deflate", "permessage-deflate, permessage-deflate"),
        ("empty-elements", " , permessage-deflate ,,\n,", ",permessage-deflate"),
        ("bad-quotes", "a; b=\"\"", "a; b=\"c"),
        ("bad-separators", "a;;b", "a b, c=d"),
    ]
}

/// Calls of a whole connection, by the numbers that its body gives them.
fn conversations() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("client-is-accepted", vec![0, 6, 1, 0, 9, 0, 1, 2, 3, 2, 0, b'h', b'i', 2, 4, 3, 232, 5, 3]),
        ("client-is-refused", vec![0, 6, 1, 2, 9, 0, 1, 2, 3, 3]),
        ("client-is-refused-until-the-end", vec![0, 6, 1, 3, 0, 2, b'x', b'y', 3, 3]),
        ("client-hears-nothing", vec![0, 9, 0, 1, 2, 3, 6, 6, 3, 1, 0]),
        ("client-hears-something-else", vec![0, 6, 0, 3, b'S', b'S', b'H', 5, 6, 3]),
        (
            "server-accepts",
            vec![1, 1, 0, 7, 2, 7, 1, 9, 0, 1, 2, 3, 2, 2, b'p', b'p', 5, 9, 1, 1, 2, 3, 2, 4, 3, 232, 3],
        ),
        ("server-refuses", vec![1, 1, 0, 8, 0, 5, 2, 0, b'h', b'i', 3]),
        ("server-refuses-in-pieces", vec![1, 1, 0, 8, 1, 8, 2, 0, 1, b'x', 8, 3, 8, 3, 3]),
        ("server-runs-out-of-time", vec![1, 0, 3, b'G', b'E', b'T', 4, 5, 1, 0, 3]),
        ("server-hears-something-else", vec![1, 0, 3, 22, 3, 1, 5, 3, 4]),
        ("server-is-left-while-it-decides", vec![1, 1, 0, 3, 7, 0, 5]),
    ]
}
