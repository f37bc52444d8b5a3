//! A hub on a virtual clock, made of a switchboard and of ends within the process: what tenants are tried against.

use std::{
    collections::{BTreeMap, VecDeque},
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard},
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use futures::FutureExt;
use wscope::{
    CloseCode, CloseReason, Error, Nursery, fail_after,
    link::{Effect, Endpoint, Envelope, HubConfig, Id, LocalLink, Outgoing, Switchboard, Timestamp},
    nursery,
    runtime::now,
    scope::Race,
    testing::Simulation,
};

use crate::support::START;

/// The hub. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Town {
    board: Arc<Mutex<Switchboard>>,
    streets: Arc<Mutex<BTreeMap<Id, Street>>>,
    began: Instant,
}

/// What is on its way to one connection.
#[derive(Default)]
struct Street {
    out: VecDeque<Outgoing>,
    close: Option<CloseReason>,
    writer: Option<Waker>,
}

impl Town {
    /// Opens it in a nursery.
    pub(crate) fn new(n: &Nursery<'_, Error>, config: HubConfig) -> Self {
        let town = Self {
            board: Arc::new(Mutex::new(Switchboard::new(config, [7; 32]))),
            streets: Arc::default(),
            began: now(),
        };
        let clock = town.clone();
        n.start_service(async move {
            loop {
                wscope::sleep(Duration::from_millis(100)).await;
                let time = clock.time();
                clock.with(|board| board.wake(time));
            }
        });
        town
    }

    /// A tenant's end of a new connection. It ends when the tenant closes it, or the hub.
    pub(crate) fn connect(&self, n: &Nursery<'_, Error>) -> LocalLink {
        self.connect_slowed(n, Duration::ZERO)
    }

    /// The same, where each message of the hub takes so long to leave.
    pub(crate) fn connect_slowed(&self, n: &Nursery<'_, Error>, slow: Duration) -> LocalLink {
        let (tenant, hub) = LocalLink::pair();
        let time = self.time();
        let id = self.with(|board| board.attach(time));
        self.streets().entry(id).or_default();
        let town = self.clone();
        n.start_service(async move {
            let hub = Endpoint::from(hub);
            (town.read(id, &hub), town.write(id, &hub, slow)).race().await;
            let time = town.time();
            town.with(|board| board.detach(id, time));
            town.streets().remove(&id);
            Ok(())
        });
        tenant
    }

    /// Closes the connection that holds the agent.
    pub(crate) fn kick(&self, name: &str) {
        let time = self.time();
        assert!(self.with(|board| board.kick(name, time)));
    }

    pub(crate) fn stats(&self) -> wscope::link::HubStats {
        self.board.lock().unwrap().stats()
    }

    async fn read(&self, id: Id, hub: &Endpoint) {
        while let Ok(Some(message)) = hub.receive().await {
            let time = self.time();
            self.with(|board| board.receive(id, message.as_text().unwrap().as_bytes(), time));
        }
    }

    async fn write(&self, id: Id, hub: &Endpoint, slow: Duration) {
        loop {
            let next = poll_fn(|cx| {
                let mut streets = self.streets();
                let Some(street) = streets.get_mut(&id) else { return Poll::Ready(Err(None)) };
                match (street.out.pop_front(), street.close.take()) {
                    (Some(message), close) => {
                        street.close = close;
                        Poll::Ready(Ok(message))
                    }
                    (None, Some(reason)) => Poll::Ready(Err(Some(reason))),
                    (None, None) => {
                        street.writer = Some(cx.waker().clone());
                        Poll::Pending
                    }
                }
            })
            .await;
            match next {
                Ok(message) => {
                    let length = message.len();
                    if !slow.is_zero() {
                        wscope::sleep(slow).await;
                    }
                    if hub.send(message.into_text()).await.is_err() {
                        return;
                    }
                    let time = self.time();
                    self.with(|board| board.sent(id, length, time));
                }
                Err(reason) => {
                    hub.close(reason.unwrap_or_else(|| CloseCode::GOING_AWAY.into())).await;
                    return;
                }
            }
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_nanos(START).after(now() - self.began)
    }

    fn streets(&self) -> MutexGuard<'_, BTreeMap<Id, Street>> {
        self.streets.lock().unwrap()
    }

    /// Tells the switchboard something, and puts what comes of it into the streets.
    fn with<T>(&self, act: impl FnOnce(&mut Switchboard) -> T) -> T {
        let mut board = self.board.lock().unwrap();
        let outcome = act(&mut board);
        while let Some(effect) = board.next_effect() {
            let mut streets = self.streets();
            match effect {
                Effect::Send { endpoint, message } => {
                    let street = streets.entry(endpoint).or_default();
                    street.out.push_back(message);
                    street.writer.take().into_iter().for_each(Waker::wake);
                }
                Effect::Close { endpoint, farewell } => {
                    let Some(street) = streets.get_mut(&endpoint) else { continue };
                    let code = farewell.code();
                    street.close = Some(CloseReason::new(code, farewell.reason()).unwrap());
                    street.writer.take().into_iter().for_each(Waker::wake);
                }
                effect => panic!("unknown effect {effect:?}"),
            }
        }
        outcome
    }
}

/// Runs a test with a hub, in virtual time, and not for ever.
pub(crate) fn in_town<F>(test: F)
where
    F: AsyncFnOnce(&Nursery<'_, Error>, &Town) -> Result<(), Error>,
{
    in_town_with(HubConfig::new(), test);
}

pub(crate) fn in_town_with<F>(config: HubConfig, test: F)
where
    F: AsyncFnOnce(&Nursery<'_, Error>, &Town) -> Result<(), Error>,
{
    let bounded = fail_after(
        Duration::from_secs(100_000),
        nursery(async |n: Nursery<'_, Error>| {
            let town = Town::new(&n, config);
            test(&n, &town).await
        }),
    );
    Simulation::new().run(bounded).unwrap().unwrap();
}

/// A link to a hub that says what the test wants.
pub(crate) fn scripted() -> (LocalLink, Endpoint) {
    let (tenant, hub) = LocalLink::pair();
    (tenant, hub.into())
}

/// Runs a test without a hub, in virtual time.
pub(crate) fn simulated<F>(test: F)
where
    F: AsyncFnOnce(&Nursery<'_, Error>) -> Result<(), Error>,
{
    let bounded =
        fail_after(Duration::from_secs(100_000), nursery(async |n: Nursery<'_, Error>| test(&n).await));
    Simulation::new().run(bounded).unwrap().unwrap();
}

/// What a request has in it: its id and its operation.
pub(crate) async fn next_request(hub: &Endpoint) -> (String, String, serde_json::Value) {
    let frame = next_frame(hub).await;
    assert_eq!(frame["kind"], "request", "{frame}");
    let word = |name: &str| frame[name].as_str().unwrap().to_owned();
    (word("request_id"), word("op"), frame["params"].clone())
}

pub(crate) async fn next_frame(hub: &Endpoint) -> serde_json::Value {
    let message = hub.receive().await.unwrap().unwrap();
    serde_json::from_str(message.as_text().unwrap()).unwrap()
}

/// What has come and was not looked at.
pub(crate) fn frames_so_far(hub: &Endpoint) -> Vec<serde_json::Value> {
    let mut frames = Vec::new();
    while let Some(frame) = next_frame(hub).now_or_never() {
        frames.push(frame);
    }
    frames
}

pub(crate) async fn answer(hub: &Endpoint, request_id: &str, result: serde_json::Value) {
    let text = serde_json::json!({
        "request_id": request_id, "ok": true, "result": result, "error_code": "", "error_message": "", "kind": "response"
    });
    hub.send(text.to_string()).await.unwrap();
}

pub(crate) async fn refuse(hub: &Endpoint, request_id: &str, code: &str, message: &str) {
    let text = serde_json::json!({
        "request_id": request_id, "ok": false, "result": null, "error_code": code, "error_message": message, "kind": "response"
    });
    hub.send(text.to_string()).await.unwrap();
}

/// A delivery of text `said` with the id of number `number`, in channel `channel`.
pub(crate) fn delivery(recipient: &str, channel: &str, number: u64, said: &str) -> String {
    let mut envelope = Envelope::new(
        channel,
        Id::new(1, 1).to_string(),
        Envelope::TEXT,
        wscope::link::Payload::of(&serde_json::json!({"text": said})).unwrap(),
    );
    envelope.envelope_id = Id::new(number, 7).to_string();
    let text = format!(r#"{{"kind": "notify", "recipient_id": "{recipient}", "envelope": null}}"#);
    let envelope = serde_json::to_string(&envelope).unwrap();
    let text = text.replace("null", &envelope);
    assert!(matches!(wscope::link::Frame::decode(&text), Ok(wscope::link::Frame::Notify(_))), "{text}");
    text
}

/// The number in the id of a delivery.
pub(crate) fn number_of(envelope_id: &str) -> u64 {
    envelope_id.parse::<Id>().unwrap().nanos()
}
