//! Any offers and answers of permessage-deflate: what a server answers was offered, what it answers to our own client is confirmed,
//! and what was agreed on brings messages through.

use super::Choices;
use wscope::proto::{
    Config, Connection, Event, ExtensionItem, Message, Role, accept_extension, confirm_extension,
    extension::{Extension, PermessageDeflate, WindowBits},
};

/// Input: what the client wants, what the server wants, the length of an offer, the offer, an answer.
pub fn negotiation(input: &[u8]) {
    let mut choices = Choices::new(input);
    let (client, server) = (wanted(&mut choices), wanted(&mut choices));
    let len = choices.number();
    let (offer, answer) = (item(choices.bytes(len)), item(choices.rest()));
    if let Some(offer) = offer
        && let Some((answer, _)) = server.accept(&offer)
    {
        answers(&server, &offer, &answer);
    }
    if let Some(answer) = answer
        && client.confirm(&answer).is_some()
    {
        keeps_its_word(&client, &answer);
    }
    agree(&client, &server, input);
}

fn wanted(choices: &mut Choices<'_>) -> PermessageDeflate {
    let flags = choices.byte();
    let mut bits = || WindowBits::new(9 + choices.byte() % 7).expect("9 to 15");
    PermessageDeflate::dedicated()
        .server_no_context_takeover(flags & 1 == 1)
        .client_no_context_takeover(flags & 2 == 2)
        .server_max_window_bits(bits())
        .client_max_window_bits(bits())
        .threshold(0)
}

/// Parameters under the name of the extension, if they are a list at all.
fn item(parameters: &[u8]) -> Option<ExtensionItem> {
    let text = [&b"permessage-deflate"[..], parameters].concat();
    std::str::from_utf8(&text)
        .ok()?
        .parse()
        .ok()
        .filter(|item: &ExtensionItem| item.name() == "permessage-deflate")
}

/// The only parameter of this name: whether it is there, and its value.
fn parameter<'a>(item: &'a ExtensionItem, name: &str) -> Option<Option<&'a str>> {
    let mut found = item.parameters().filter(|(parameter, _)| *parameter == name);
    let first = found.next();
    assert!(found.next().is_none(), "{item}: {name} twice");
    first.map(|(_, value)| value)
}

fn bits(item: &ExtensionItem, name: &str) -> Option<u8> {
    let value = parameter(item, name)??;
    let bits = value.parse().unwrap_or_else(|_| panic!("{item}: {name}"));
    assert!((8..=15).contains(&bits) && !value.starts_with('0'), "{item}: {name}");
    Some(bits)
}

/// RFC 7692 §7.1, as it binds a server.
fn answers(server: &PermessageDeflate, offer: &ExtensionItem, answer: &ExtensionItem) {
    for name in ["server_no_context_takeover", "client_no_context_takeover"] {
        assert!(
            parameter(offer, name).is_none() || parameter(answer, name) == Some(None),
            "{offer}: {answer}"
        );
    }
    match (bits(offer, "server_max_window_bits"), bits(answer, "server_max_window_bits")) {
        (Some(offered), Some(answered)) => {
            assert!(9 <= answered && answered <= offered.min(server.server_max_window_bits.get()));
        }
        (None, None) => {}
        (offered, answered) => panic!("{offered:?} is answered with {answered:?}"),
    }
    if let Some(answered) = bits(answer, "client_max_window_bits") {
        assert!(parameter(offer, "client_max_window_bits").is_some(), "{offer}: {answer}: not understood");
        assert!(answered <= bits(offer, "client_max_window_bits").unwrap_or(15));
    }
    assert!(answer.parameters().count() <= 4);
}

/// What a client confirms is within what it offered.
fn keeps_its_word(client: &PermessageDeflate, answer: &ExtensionItem) {
    let server = bits(answer, "server_max_window_bits");
    assert!(server.is_none_or(|bits| bits <= client.server_max_window_bits.get()), "{answer}");
    assert!(parameter(answer, "client_max_window_bits") != Some(None), "{answer}");
    bits(answer, "client_max_window_bits");
    let takeover = parameter(answer, "server_no_context_takeover").is_none();
    assert!(!(takeover && client.server_no_context_takeover), "{answer}");
}

/// Two of ours always agree, and understand each other.
fn agree(client: &PermessageDeflate, server: &PermessageDeflate, message: &[u8]) {
    let (answer, at_server) = accept_extension(&client.offers(), server).expect("ours accept ours");
    let at_client = confirm_extension(&[answer], Some(client))
        .expect("what we accept is confirmed")
        .expect("and agreed on");
    let mut client = Connection::new(Role::Client, Config::new()).with_transforms(at_client);
    let mut server = Connection::new(Role::Server, Config::new()).with_transforms(at_server);
    for _ in 0..2 {
        for (from, to) in [(0, 1), (1, 0)] {
            let ends = [&mut client, &mut server];
            let mut wire = Vec::new();
            ends[from].send(message, &mut wire).expect("open");
            let came = ends[to].receive(&mut &mut wire[..]);
            assert_eq!(came, Ok(Some(Event::Message(Message::from(message)))));
        }
    }
}
