//! What a hub refuses. Each is provoked where the rule is tried, in `tests/link/switchboard`; here it is the words that count.

use wscope::link::{AuthError, ChannelState, FieldError, Id, InvalidJson, Refusal, StoreError, Ttl};

use crate::texts::Texts;

pub(crate) fn texts(texts: &mut Texts) {
    let text = |text: &str| text.to_owned();
    let (id, other) = (Id::new(1, 1), Id::new(2, 2));
    let (channel, agent, sender) = (id, other, other);
    let refusals = [
        Refusal::UnknownName { name: text("alice") },
        Refusal::NotFound { what: "agent", id: text("alice") },
        Refusal::NotRegistered { what: "agent", id: text("alice") },
        Refusal::UnknownChannelType { kind: text("workflow"), version: 1 },
        Refusal::NotBound { agent: text("alice") },
        Refusal::NoAgent,
        Refusal::NoParticipant { channel: text("c1") },
        Refusal::NotInChannel { channel: text("c1") },
        Refusal::OutboundRefused { sender: text("alice"), recipient: text("bob") },
        Refusal::InboundRefused { invitee: text("bob"), creator: text("alice") },
        Refusal::ChannelTypeRefused { agent: text("bob"), kind: "discussion" },
        Refusal::TooManyDelegations { sender: text("alice"), depth: 4, limit: 3 },
        Refusal::TooManyChannels { creator: agent, count: 4, limit: 4 },
        Refusal::RemoteAgent,
        Refusal::NameIsId { name: id.to_string() },
        Refusal::NameTaken { name: text("alice"), agent },
        Refusal::HubEvent { event: text("ag2.channel.opened") },
        Refusal::ForeignAudience,
        Refusal::ChannelEnded { channel, state: ChannelState::Closed },
        Refusal::ChannelNotActive { channel, state: ChannelState::Pending },
        Refusal::ForeignSender { channel, sender },
        Refusal::NotYourTurn { kind: "consulting", is_creator: true, channel, expected: id, sender },
        Refusal::NotYourTurn { kind: "consulting", is_creator: false, channel, expected: id, sender },
        Refusal::NotYourTurn { kind: "discussion", is_creator: false, channel, expected: id, sender },
        Refusal::Complete { channel },
        Refusal::NoParticipants,
        Refusal::ListedTwice { agent: text("alice") },
        Refusal::NotTwo { kind: "consulting" },
        Refusal::TooFew { kind: "discussion", count: 1 },
        Refusal::UnknownOrdering { ordering: text("\"random\"") },
        Refusal::AckTimeout { channel },
        Refusal::ClosedDuringHandshake { channel, reason: text("invite_rejected") },
        Refusal::UnknownOperation { op: text("frobnicate") },
        Refusal::InvalidTaskId { task_id: text("../x") },
        Refusal::Auth(AuthError::NoToken),
        Refusal::InboxFull { recipient: agent, count: 100, limit: 100 },
        Refusal::Missing(FieldError::Missing { name: "name" }),
        Refusal::Malformed(FieldError::WrongType { name: "name" }),
        Refusal::Json(InvalidJson::NotAnObject),
        Refusal::Ttl(weeks().duration().unwrap_err()),
        Refusal::Store(StoreError::Full { limit: 1 << 20 }),
        Refusal::TooLarge { what: "envelope", size: 2_000_000, limit: 1_048_576 },
        Refusal::Superseded { agent },
        Refusal::RateLimited { sender: text("alice"), per_minute: 60 },
        Refusal::LimitExceeded { what: "agents", limit: 10_000 },
        Refusal::ShuttingDown,
    ];
    for refusal in refusals {
        texts.add(&format!("link::Refusal::{}", variant(&refusal)), &refusal);
    }
    let claims = [
        AuthError::NoToken,
        AuthError::NoKey { name: text("alice") },
        AuthError::Mismatch { name: text("alice") },
        AuthError::NotAnObject,
        AuthError::UnknownScheme { scheme: text("jwt") },
        AuthError::OtherScheme { name: text("alice"), scheme: text("none"), registered: text("api_key") },
        AuthError::Refused { name: text("alice") },
    ];
    for claim in claims {
        texts.add(&format!("link::AuthError::{}", variant(&claim)), &claim);
    }
    for store in
        [StoreError::Full { limit: 1 << 20 }, StoreError::LogFull { limit: 1 << 10 }, StoreError::Failed]
    {
        texts.add(&format!("link::StoreError::{}", variant(&store)), &store);
    }
    for field in [FieldError::Missing { name: "name" }, FieldError::WrongType { name: "name" }] {
        texts.add(&format!("link::FieldError::{}", variant(&field)), &field);
    }
    let syntax = serde_json::from_str::<u8>("{").unwrap_err();
    let json = [
        InvalidJson::Syntax(syntax),
        InvalidJson::TooDeep,
        InvalidJson::NotAnObject,
        InvalidJson::TooManyFields,
    ];
    for json in json {
        texts.add(&format!("link::InvalidJson::{}", variant(&json)), &json);
    }
}

/// A duration that is none.
pub(crate) fn weeks() -> Ttl {
    serde_json::from_value(serde_json::json!("3w\u{1b}")).unwrap()
}

/// The name of a variant, as `Debug` begins with it.
fn variant(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}").split([' ', '(']).next().unwrap_or("").to_owned()
}
