//! Who holds an agent: hello, takeover, receipts.

use crate::support::{Bound, Hub, code, hello};
use wscope::link::{
    ApiKeys, Claim, ErrorCode, Farewell, Frame, HubConfig, HubLimits, Operation, Passport, Receipt, Register,
};

#[test]
fn several_hellos_bind_several_agents_under_one_id() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    hub.detach(alice.connection);
    hub.detach(bob.connection);
    let connection = hub.attach();
    hub.frame(connection, &hello("alice", None));
    hub.frame(connection, &hello("bob", None));
    let ids: Vec<String> = hub.frames(connection).into_iter().map(endpoint_of).collect();
    assert_eq!(ids, [connection.to_string(), connection.to_string()]);
    assert_eq!(hub.board.stats().online, 2);
}

fn endpoint_of(frame: Frame) -> String {
    match frame {
        Frame::Welcome(welcome) => welcome.endpoint_id,
        frame => panic!("{frame:?}"),
    }
}

#[test]
fn a_takeover_moves_the_agent_and_tells_who_held_it() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    let thief = hub.attach();
    hub.frame(thief, &hello("bob", None));
    assert!(matches!(&hub.frames(thief)[..], [Frame::Welcome(_)]));
    let told = hub.frames(bob.connection);
    assert!(matches!(&told[..], [Frame::Error(error)] if error.code == ErrorCode::Superseded), "{told:?}");
    assert_eq!(code(hub.post_text(&bob, &channel, "still me")), "access_denied");
    hub.post_text(&alice, &channel, "to bob").unwrap();
    assert_eq!(hub.texts(bob.connection), [""; 0]);
    assert_eq!(hub.texts(thief), ["to bob"]);
    hub.detach(bob.connection);
    assert_eq!(hub.board.stats().online, 2, "the old connection no longer holds him");
}

#[test]
fn a_hello_must_prove_what_was_proved_at_registration() {
    let mut hub = Hub::with(HubConfig::new().auth(ApiKeys::new().key("bob", "k")));
    let connection = hub.attach();
    let mut passport = Passport::new("bob");
    (passport.auth.scheme, passport.auth.claim) = ("api_key".to_owned(), Claim::token("k"));
    hub.register_as(connection, Register::new(passport));
    hub.detach(connection);

    let connection = hub.attach();
    let say = |hub: &mut Hub, scheme: &str, claim: Claim| {
        let mut hello = wscope::link::Hello::new("bob");
        (hello.auth_scheme, hello.auth_claim) = (scheme.to_owned(), claim);
        hub.frame(connection, &Frame::Hello(hello));
        match hub.frames(connection).remove(0) {
            Frame::Error(error) => (error.code, error.message),
            frame => panic!("{frame:?}"),
        }
    };
    let odd = Claim::from(wscope::link::Payload::parse("[]").unwrap());
    for (scheme, claim, message) in [
        ("none", Claim::none(), "auth scheme 'none' does not match 'bob''s registered scheme 'api_key'"),
        ("api_key", Claim::none(), "api_key claim missing required string field 'token'"),
        ("api_key", Claim::token("x"), "api_key mismatch for 'bob'"),
        ("api_key", odd, "auth_claim must be a JSON object"),
    ] {
        assert_eq!(say(&mut hub, scheme, claim), (ErrorCode::AuthFailed, message.to_owned()));
    }
    assert!(hub.closed.is_empty());
    say(&mut hub, "api_key", Claim::token("guess"));
    assert_eq!(hub.closed, [(connection, Farewell::Refused)], "nobody guesses for ever");
}

#[test]
fn a_hello_for_which_there_is_no_room_is_no_guess() {
    let mut limits = HubLimits::new();
    limits.max_agents_per_endpoint = 1;
    let mut hub = Hub::with(HubConfig::new().limits(limits));
    let (alice, _) = (hub.join("alice"), hub.join("bob"));
    for _ in 0..10 {
        hub.frame(alice.connection, &hello("bob", None));
    }
    assert_eq!(
        (hub.frames(alice.connection).len(), hub.closed.len()),
        (10, 0),
        "each is refused, and that is all"
    );
}

#[test]
fn a_receipt_counts_only_from_the_connection_that_holds_the_recipient() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let channel = hub.open("conversation", &alice, &[&bob]);
    hub.post_text(&alice, &channel, "one").unwrap();
    let notify = hub.notifies(bob.connection).remove(0);
    let acked = hub.board.stats().acked;
    let stranger = Bound { connection: alice.connection, id: bob.id.clone() };
    hub.ack(&stranger, &notify);
    let nobody = Receipt::ack(&notify.envelope.envelope_id, "", &channel);
    hub.frame(bob.connection, &Frame::Receipt(nobody));
    let nowhere = Receipt::ack(&notify.envelope.envelope_id, &bob.id, "");
    hub.frame(bob.connection, &Frame::Receipt(nowhere));
    assert_eq!(hub.board.stats().acked, acked);
    hub.ack(&bob, &notify);
    hub.ack(&bob, &notify);
    assert_eq!(hub.board.stats().acked, acked + 1);
}

#[test]
fn presence_is_told_to_who_holds_an_agent() {
    let mut hub = Hub::new();
    let (alice, bob) = (hub.join("alice"), hub.join("bob"));
    let ask =
        Operation::PresenceFor { agent_ids: vec![alice.id.clone(), bob.id.clone(), "ghost".to_owned()] };
    hub.detach(bob.connection);
    let told = hub.request(alice.connection, &ask).unwrap();
    let expected = serde_json::json!({alice.id.as_str(): true, bob.id.as_str(): false, "ghost": false});
    assert_eq!(told, expected);
    let stranger = hub.attach();
    assert_eq!(code(hub.request(stranger, &ask)), "access_denied");
}
