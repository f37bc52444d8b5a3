//! A hub on a virtual clock, and what tenants of the tests have in common.

use std::time::Duration;

use futures::{FutureExt, channel::oneshot};
use wscope::{
    Error, Nursery, fail_after,
    link::{Envelope, Hub, HubConfig, HubStats, Id, LinkEndpoint, LocalLink},
    nursery,
    scope::Race,
    testing::Simulation,
};

/// A hub that is used from within the process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Town(Hub);

impl Town {
    pub(crate) fn new(config: HubConfig) -> Self {
        Self(config.build())
    }

    /// A tenant's end of a new link.
    pub(crate) fn connect(&self, n: &Nursery<'_, Error>) -> LinkEndpoint {
        self.0.local_link(n)
    }

    /// A tenant's end of a new link, and what cuts it: what is on its way to the hub is lost then.
    pub(crate) fn connect_with_scissors(
        &self,
        n: &Nursery<'_, Error>,
    ) -> (LinkEndpoint, oneshot::Sender<()>) {
        let (tenant, end) = LocalLink::pair();
        let (scissors, cut) = oneshot::channel();
        let hub = self.0.clone();
        n.start_service(async move {
            let cut = async {
                if cut.await.is_err() {
                    std::future::pending::<()>().await; // nobody will cut it
                }
            };
            let attached = async { drop(hub.attach(end).await) };
            (attached, cut).race().await;
            Ok(())
        });
        (tenant.into(), scissors)
    }

    /// Closes the link that holds the agent.
    pub(crate) fn kick(&self, name: &str) {
        assert!(self.0.kick(name));
    }

    pub(crate) fn stats(&self) -> HubStats {
        self.0.stats()
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
            let town = Town::new(config);
            test(&n, &town).await
        }),
    );
    Simulation::new().run(bounded).unwrap().unwrap();
}

/// A link to a hub that says what the test wants.
pub(crate) fn scripted() -> (LocalLink, LinkEndpoint) {
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
pub(crate) async fn next_request(hub: &LinkEndpoint) -> (String, String, serde_json::Value) {
    let frame = next_frame(hub).await;
    assert_eq!(frame["kind"], "request", "{frame}");
    let word = |name: &str| frame[name].as_str().unwrap().to_owned();
    (word("request_id"), word("op"), frame["params"].clone())
}

pub(crate) async fn next_frame(hub: &LinkEndpoint) -> serde_json::Value {
    let message = hub.receive().await.unwrap().unwrap();
    serde_json::from_str(message.as_text().unwrap()).unwrap()
}

/// What has come and was not looked at.
pub(crate) fn frames_so_far(hub: &LinkEndpoint) -> Vec<serde_json::Value> {
    let mut frames = Vec::new();
    while let Some(frame) = next_frame(hub).now_or_never() {
        frames.push(frame);
    }
    frames
}

pub(crate) async fn answer(hub: &LinkEndpoint, request_id: &str, result: serde_json::Value) {
    let text = serde_json::json!({
        "request_id": request_id, "ok": true, "result": result, "error_code": "", "error_message": "", "kind": "response"
    });
    hub.send(text.to_string()).await.unwrap();
}

pub(crate) async fn refuse(hub: &LinkEndpoint, request_id: &str, code: &str, message: &str) {
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
