//! Close codes: all 65,536.

use crate::fuzz::wire::{self, Frame};
use wscope::proto::{CloseCode, CloseConnection, Config, Connection, Event, Failed, ProtocolError, Role};

/// RFC 6455 §7.4.1, §7.4.2 and the registry.
const fn is_legal(code: u16) -> bool {
    let reserved = matches!(code, 1004 | 1005 | 1006 | 1015);
    1000 <= code && code <= 1014 && !reserved || 3000 <= code && code <= 4999
}

#[test]
fn every_close_code_can_be_made_when_it_may_be_sent() {
    for code in 0..=u16::MAX {
        let made = CloseCode::new(code);
        assert_eq!(made.is_ok(), is_legal(code), "{code}");
        match made {
            Ok(made) => assert_eq!((u16::from(made), CloseCode::try_from(code)), (code, Ok(made))),
            Err(error) => assert_eq!(error.code, code),
        }
    }
}

#[test]
fn every_close_code_is_received_when_it_may_be_sent() {
    for role in [Role::Client, Role::Server] {
        for number in 0..=u16::MAX {
            let mut wire = Frame::new(role.peer(), wire::CLOSE, number.to_be_bytes()).bytes();
            let event = Connection::new(role, Config::new()).receive(&mut &mut wire[..]);
            let expected = match CloseCode::new(number) {
                Ok(code) => Ok(Some(Event::CloseConnection(CloseConnection::new(code)))),
                Err(_) => Err(Failed::Peer(ProtocolError::InvalidCloseCode { code: number })),
            };
            assert_eq!(event, expected, "{role}");
        }
    }
}
