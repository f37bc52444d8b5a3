//! What a nursery tells about itself.

use wscope::{Nursery, defer, nursery, scope::Statistics};

use super::{Boom, SECOND, everywhere, forever, until};

#[test]
fn statistics_count_what_has_happened() {
    everywhere(async || {
        let outcome = nursery(async |n: Nursery<'_, Boom>| {
            n.spawn(forever());
            n.start_soon(forever());
            n.start_service(forever());
            for _ in 0..5 {
                n.start_soon(async {
                    assert!(defer(SECOND, async {}).is_ok());
                    Ok(())
                });
                n.spawn(async {
                    assert!(defer(SECOND, async {}).is_ok());
                    Ok(())
                });
            }
            until(|| n.len() == 2).await;
            let seen = n.statistics();
            assert_eq!((seen.running, seen.services, seen.started, seen.finished), (2, 1, 12, 10));
            assert_eq!(seen.cleanups, 10);
            assert!(format!("{n:?}").contains("running: 2"));
            Err::<(), _>(Boom::No(1))
        })
        .await;
        assert_eq!(outcome, Err(Boom::No(1)));
    });
}

#[test]
fn statistics_begin_with_nothing_and_count_what_was_started_before_the_first_poll() {
    everywhere(async || {
        let mut handle = None;
        let work = nursery(|n: Nursery<'_, Boom>| {
            assert_eq!(n.statistics(), Statistics::default());
            n.spawn(async { Ok(()) });
            n.start_soon(async { Ok(()) });
            let seen = n.statistics();
            assert_eq!((seen.running, seen.started, seen.finished), (2, 2, 0));
            handle = Some(n);
            async { Ok(()) }
        });
        assert_eq!(work.await, Ok(()));
        let seen = handle.unwrap().statistics();
        assert_eq!((seen.running, seen.started, seen.finished), (0, 2, 2));
    });
}
