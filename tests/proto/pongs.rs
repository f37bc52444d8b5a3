use crate::wire::{FIN, PING, PONG, ROLES, frame, open, receive, transmitted};
use wscope::proto::{Config, Role};

fn pings(sender: Role, payloads: impl Iterator<Item = u8>) -> Vec<u8> {
    payloads.flat_map(|payload| frame(sender, FIN | PING, &[payload])).collect()
}

fn pongs(sender: Role, payloads: impl IntoIterator<Item = u8>) -> Vec<u8> {
    payloads.into_iter().flat_map(|payload| frame(sender, FIN | PONG, &[payload])).collect()
}

#[test] // RFC 6455 §5.5.2; Autobahn 2.10
fn ten_pings_in_one_read_get_ten_pongs_in_their_order() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        assert_eq!(receive(&mut connection, &pings(role.peer(), 0..10)).unwrap().len(), 10);
        assert_eq!(transmitted(&mut connection), pongs(role, 0..10));
        assert_eq!(transmitted(&mut connection), b"");
    }
}

#[test] // RFC 6455 §5.5.3
fn beyond_the_limit_only_the_latest_ping_is_answered() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        receive(&mut connection, &pings(role.peer(), 0..200)).unwrap();
        let answered = (0..Config::MAX_UNSENT_PONGS as u8 - 1).chain([199]);
        assert_eq!(transmitted(&mut connection), pongs(role, answered));
        receive(&mut connection, &pings(role.peer(), 7..9)).unwrap();
        assert_eq!(transmitted(&mut connection), pongs(role, 7..9), "the queue starts anew");
    }
}

#[test]
fn pongs_of_all_lengths_keep_their_payload() {
    for role in ROLES {
        let mut connection = open(role, Config::new());
        let payloads = [&b""[..], &[1; 125], b"x", b""];
        let sent = payloads.map(|payload| frame(role.peer(), FIN | PING, payload)).concat();
        receive(&mut connection, &sent).unwrap();
        assert_eq!(
            transmitted(&mut connection),
            payloads.map(|payload| frame(role, FIN | PONG, payload)).concat()
        );
    }
}
