//! The bodies of the fuzz targets, with inputs that are legal for long enough to get somewhere.

use crate::{
    cases,
    fuzz::{self, frames::any_cut_is_the_same},
    strategy::stream,
};
use proptest::{collection::vec, prelude::*};
use wscope::proto::{Config, Role};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_cut_of_a_clients_bytes_gives_the_same_events(wire in stream(Role::Client), cuts in vec(any::<u8>(), 1..8)) {
        any_cut_is_the_same(&Config::new(), &cuts, &wire);
    }

    #[test]
    fn any_cut_of_a_servers_bytes_gives_the_same_events(wire in stream(Role::Server), cuts in vec(any::<u8>(), 1..8)) {
        any_cut_is_the_same(&Config::new(), &cuts, &wire);
    }

    #[test]
    fn any_cut_gives_the_same_events_under_any_limits(
        wire in prop_oneof![stream(Role::Client), stream(Role::Server)],
        (size, fragments, empty) in (0..500_usize, 1..4_u32, 0..3_u32),
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

    #[test]
    fn random_calls_keep_the_rules_of_closing(input in vec(any::<u8>(), 0..2048)) {
        fuzz::state_machine::state_machine(&input);
    }

    #[test]
    fn what_one_engine_sends_the_other_receives(input in vec(any::<u8>(), 0..256)) {
        fuzz::pipe::pipe(&input);
    }
}
