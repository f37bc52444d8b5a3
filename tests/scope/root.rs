//! The nursery around everything.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use wscope::{
    defer, parallel,
    runtime::{Runtime, now},
    scope::root,
    sleep,
    testing::Simulation,
};

use super::{SECOND, forever, quiet, turns};

#[test]
fn returns_what_main_does_when_its_clean_up_is_done() {
    let said = Arc::new(AtomicBool::new(false));
    let saying = said.clone();
    let value = wscope::run(async {
        let goodbye = async move {
            turns(5).await;
            saying.store(true, SeqCst);
        };
        assert!(defer(SECOND, goodbye).is_ok());
        "value"
    });
    assert_eq!((value, said.load(SeqCst)), ("value", true));
}

#[test]
fn a_panic_of_main_comes_out_after_its_clean_up() {
    quiet();
    let said = Arc::new(AtomicBool::new(false));
    let saying = said.clone();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        wscope::run(async {
            assert!(defer(SECOND, async move { saying.store(true, SeqCst) }).is_ok());
            panic!("expected");
        })
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"expected"));
    assert!(said.load(SeqCst));
}

#[test]
fn clean_up_that_never_ends_has_its_limit() {
    let simulation = Simulation::new();
    simulation.run(async { assert!(defer(SECOND, forever()).is_ok()) });
    assert_eq!(simulation.clock().passed(), SECOND);
}

#[test]
fn main_may_borrow_and_need_not_be_send() {
    let text = std::rc::Rc::new(String::from("not `Send`"));
    let lent = &text;
    assert_eq!(wscope::run(async { lent.len() }), 10);
}

#[test]
fn another_runtime_may_be_in_force_inside_one() {
    let simulation = Simulation::new();
    simulation.run(async {
        let before = now();
        sleep(SECOND * 1000).await;
        let elsewhere = root(Runtime::default(), async { now() });
        assert!(elsewhere.await < before + SECOND * 500, "the system's clock");
        assert_eq!(now(), before + SECOND * 1000, "and the virtual one again");
    });
    wscope::run(async {
        let before = now();
        Simulation::new().run(sleep(SECOND * 1000));
        assert!(parallel(async { now() }).await < before + SECOND * 500);
    });
}
