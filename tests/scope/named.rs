//! Named children, as a subscriber sees them.
#![cfg(feature = "tracing")]

use std::{
    fmt::{Debug, Write},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use futures::FutureExt;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber,
};
use wscope::{Nursery, named, nursery, testing::Simulation};

use super::{Boom, forever, quiet, start_on, turns};

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    spans: Vec<String>,
    entered: Vec<usize>,
    lines: Vec<String>,
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wscope") || metadata.target().starts_with("scope")
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(span.metadata().name().into());
        span.record(&mut text);
        let mut state = self.0.lock().unwrap();
        state.spans.push(text.0);
        Id::from_u64(state.spans.len() as u64)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = Text(event.metadata().level().to_string());
        event.record(&mut text);
        let mut state = self.0.lock().unwrap();
        let spans: Vec<_> = state.entered.iter().map(|&span| state.spans[span].clone()).collect();
        state.lines.push(format!("[{}] {}", spans.join(" > "), text.0));
    }
    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(span.into_u64() as usize - 1);
    }
    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().entered.pop();
    }
}

fn noted(work: impl Future) -> Vec<String> {
    let notes = Notes::default();
    subscriber::with_default(notes.clone(), || {
        Simulation::new().run(AssertUnwindSafe(work).catch_unwind()).ok();
    });
    let state = notes.0.lock().unwrap();
    assert!(state.entered.is_empty(), "whoever enters leaves");
    state.lines.clone()
}

struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        tracing::info!("leaving");
    }
}

#[test]
fn a_child_is_polled_and_dropped_in_its_span() {
    let lines = noted(nursery(async |n: Nursery<'_, Boom>| {
        for (name, on_pool) in [("reader", false), ("writer", true)] {
            let child = named(name, async {
                let _leaving = Leaving;
                tracing::info!("begun");
                turns(1).await;
                forever().await
            });
            start_on(&n, on_pool, child);
        }
        turns(5).await;
        Err::<(), _>(Boom::No(1))
    }));
    let of = |name: &str| {
        let span = format!("[child name=\"{name}\"]");
        lines.iter().filter(|line| line.starts_with(&span)).count()
    };
    assert_eq!((of("reader"), of("writer"), lines.len()), (2, 2, 4), "{lines:#?}");
}

#[test]
fn a_panic_is_reported_with_the_name() {
    quiet();
    for on_pool in [false, true] {
        let lines = noted(nursery(async |n: Nursery<'_, Boom>| {
            let child = named(format!("connection {}", 7), async { panic!("expected: {:?}", Boom::No(3)) });
            start_on(&n, on_pool, child);
            Ok(())
        }));
        let report = "[child name=\"connection 7\"] ERROR message=child panicked panic=\"expected: No(3)\"";
        assert_eq!(lines, [report]);
    }
}

#[test]
fn a_panic_may_say_anything() {
    quiet();
    let panics: [(fn(), &str); 3] = [
        (|| panic!("expected"), "expected"),
        (|| std::panic::panic_any(String::from("expected, too")), "expected, too"),
        (|| std::panic::panic_any(7), "not a text"),
    ];
    for (panic, text) in panics {
        let lines = noted(async { named("writer", async { panic() }).await });
        assert_eq!(lines, [format!("[child name=\"writer\"] ERROR message=child panicked panic={text:?}")]);
    }
}
