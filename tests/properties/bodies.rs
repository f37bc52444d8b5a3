//! The bodies of the fuzz targets, with inputs that are legal for long enough to get somewhere.

use crate::{
    cases, few_cases,
    fuzz::{self, frames::any_cut_is_the_same},
    strategy::stream,
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use wscope::proto::{AcceptConnection, Config, HandshakeConfig, Role};

/// `text` with some bytes of it taken out or others put in.
fn edit(text: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let other = prop_oneof![
        "[ -~]{0,3}",
        select(vec!["\r\n", "\r", "\n", "\0", "\t", ", ", "101", "403"]).prop_map(str::to_owned)
    ];
    vec((any::<Index>(), 0..4_usize, other), 0..3).prop_map(move |edits| {
        let mut text = text.clone();
        for (at, len, other) in edits {
            let at = at.index(text.len() + 1);
            text.splice(at..text.len().min(at + len), other.into_bytes());
        }
        text
    })
}

/// Parameters of permessage-deflate, most of them legal.
#[cfg(feature = "deflate")]
const PARAMETERS: &str = "(; (server|client)_(no_context_takeover|max_window_bits(=(8|9|1[0-6]))?)){0,4}";

proptest! {
    #![proptest_config(few_cases())]

    #[test]
    fn any_cut_of_a_clients_bytes_gives_the_same_events(
        wire in stream(Role::Client),
        cuts in vec(any::<u8>(), 1..8),
    ) {
        any_cut_is_the_same(&Config::new(), &cuts, &wire);
    }

    #[test]
    fn any_cut_of_a_servers_bytes_gives_the_same_events(
        wire in stream(Role::Server),
        cuts in vec(any::<u8>(), 1..8),
    ) {
        any_cut_is_the_same(&Config::new(), &cuts, &wire);
    }

    #[test]
    fn any_cut_gives_the_same_events_under_any_limits(
        wire in prop_oneof![stream(Role::Client), stream(Role::Server)],
        (size, fragments, empty) in (0..500_usize, 0..4_u32, 0..3_u32),
        cuts in vec(any::<u8>(), 1..8),
    ) {
        let config =
            Config::new().max_message_size(size).max_fragments(fragments).max_empty_fragments(empty);
        any_cut_is_the_same(&config, &cuts, &wire);
    }

    #[test]
    fn random_bytes_never_panic(input in vec(any::<u8>(), 0..4096)) {
        fuzz::frames::frames(&input);
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn random_calls_keep_the_rules_of_closing(input in vec(any::<u8>(), 0..2048)) {
        fuzz::state_machine::state_machine(&input);
    }

    #[test]
    fn lists_are_read_and_written_the_same(input in "\\PC{2}[a-c;=, \"\\\\\n]{0,40}") {
        fuzz::extension_header::extension_header(input.as_bytes());
    }

    #[test]
    fn any_cut_of_a_request_gives_the_same_judgement(
        edit in edit(fuzz::response_head::client(HandshakeConfig::new()).1),
        cuts in vec(any::<u8>(), 15),
    ) {
        fuzz::request_head::request_head(&[&[0, 0, 0, 15][..], &cuts, &edit].concat());
    }

    #[test]
    fn any_cut_of_a_response_gives_the_same_events(
        edit in edit(fuzz::response_head::acceptance(AcceptConnection::new().with_subprotocol("chat"))),
        cuts in vec(any::<u8>(), 15),
    ) {
        fuzz::response_head::response_head(&[&[0, 0, 0, 0, 15][..], &cuts, &edit].concat());
    }

    #[test]
    fn random_calls_keep_the_rules_of_the_handshake(input in vec(any::<u8>(), 0..128)) {
        fuzz::ws_connection::ws_connection(&input);
    }

    #[test]
    #[cfg(feature = "deflate")]
    fn any_cut_of_a_compressed_message_gives_the_same_bytes(input in vec(any::<u8>(), 0..512)) {
        fuzz::inflate::inflate(&input);
    }

    #[test]
    #[cfg(feature = "deflate")]
    fn what_is_agreed_on_was_offered(
        wanted in vec(any::<u8>(), 6),
        offer in PARAMETERS,
        answer in PARAMETERS,
    ) {
        let len = (offer.len() as u16).to_be_bytes();
        fuzz::negotiation::negotiation(&[&wanted[..], &len, offer.as_bytes(), answer.as_bytes()].concat());
    }

    #[test]
    fn what_one_engine_sends_the_other_receives(input in vec(any::<u8>(), 0..256)) {
        fuzz::pipe::pipe(&input);
    }
}
