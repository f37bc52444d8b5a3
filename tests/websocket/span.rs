//! Under what name a connection is found in logs.
#![cfg(feature = "tracing")]

use std::sync::{Arc, Mutex};

use tracing::{
    Event, Id, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Record},
};
use wscope::{CloseCode, Error};

use crate::support::{pair, simulated};

/// Notes the fields of each span `connection`, and the texts of events.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push(format!("{field}={value:?}"));
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wscope")
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        if span.metadata().name() == "connection" {
            span.record(&mut self.clone());
        }
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_connection_is_logged_under_its_id_from_open_to_closed() {
    let log = Log::default();
    let id = tracing::subscriber::with_default(log.clone(), || {
        simulated(async |n| {
            let ends = pair(&n).await?;
            ends.client.aclose(CloseCode::NORMAL_CLOSURE).await?;
            Ok::<_, Error>(ends.client.id())
        })
    });
    let lines = log.0.lock().unwrap().join("\n");
    assert!(lines.contains(&format!("id={id}")) && lines.contains("message=opened"), "{lines}");
    assert!(lines.contains("connection with ws://example.com/ closed: closing handshake"), "{lines}");
}
