use wscope::proto::{
    ConnectionState::{self, *},
    Transition::{self, *},
};

const TRANSITIONS: [Transition; 10] =
    [Accept, Reject, EndReject, SendData, SendPong, SendClose, ReceiveData, ReceiveClose, Fail, Eof];

fn row(state: ConnectionState) -> [Option<ConnectionState>; 10] {
    TRANSITIONS.map(|transition| state.on(transition))
}

#[test] // RFC 6455 §4, §5.5.1, §7.1: every state answers every transition
fn the_whole_table() {
    const NO: Option<ConnectionState> = None;
    let closed = Some(Closed);
    // in the order of TRANSITIONS
    assert_eq!(row(Connecting), [Some(Open), Some(Rejecting), NO, NO, NO, NO, NO, NO, closed, closed]);
    assert_eq!(row(Rejecting), [NO, NO, closed, NO, NO, NO, NO, NO, closed, closed]);
    assert_eq!(
        row(Open),
        [
            NO,
            NO,
            NO,
            Some(Open),
            Some(Open),
            Some(LocalClosing),
            Some(Open),
            Some(RemoteClosing),
            closed,
            closed
        ]
    );
    assert_eq!(row(LocalClosing), [NO, NO, NO, NO, NO, NO, Some(LocalClosing), closed, closed, closed]);
    assert_eq!(
        row(RemoteClosing),
        [NO, NO, NO, NO, Some(RemoteClosing), closed, NO, NO, closed, Some(RemoteClosing)]
    );
    assert_eq!(row(Closed), [NO, NO, NO, NO, NO, NO, NO, NO, closed, closed]);
}

#[test]
fn nothing_leaves_closed() {
    assert!(TRANSITIONS.iter().all(|transition| matches!(Closed.on(*transition), None | Some(Closed))));
}

#[test]
fn states_have_names_for_people() {
    let names = ConnectionState::ALL.map(|state| state.to_string());
    assert_eq!(names, ["connecting", "open", "remote closing", "local closing", "closed", "rejecting"]);
}
