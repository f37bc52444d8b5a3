//! Many children, and nurseries that live long: what grows, and what must not.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use allocation_counter::measure;
use wscope::{
    CancelScope, Cancelled, Nursery, TooSlow, defer, fail_after, move_on_after, nursery, parallel,
    runtime::now,
    sleep, supervisor,
    testing::{Census, Simulation},
};

use super::{Boom, SECOND, forever, start_on, turns};

/// What the most live bytes are of a nursery in which so many children come and go, while one of each kind stays.
fn peak(children: u32, start: impl Fn(&Nursery<'static, Boom>, u32)) -> u64 {
    let simulation = Simulation::new();
    let used = measure(|| {
        let outcome = simulation.run(nursery(async |n: Nursery<'static, Boom>| {
            let scope = CancelScope::new();
            let stay = |scope: CancelScope| async move {
                scope.cancelled().await;
                Ok(())
            };
            n.start_soon(stay(scope.clone()));
            n.spawn(stay(scope.clone()));
            for i in 0..children {
                n.below(10).await;
                start(&n, i);
            }
            n.below(3).await;
            scope.cancel();
            Ok(())
        }));
        assert_eq!(outcome, Ok(()));
    });
    used.bytes_max
}

async fn rest(count: u32) -> Result<(), Boom> {
    turns(count).await;
    Ok(())
}

#[test]
fn nothing_is_kept_of_children_that_have_ended() {
    type Start = fn(&Nursery<'static, Boom>, u32);
    let kinds: [(&str, Start); 7] = [
        ("start_soon", |n, i| n.start_soon(async move { rest(i % 3).await })),
        ("spawn", |n, i| n.spawn(async move { rest(i % 3).await })),
        ("parallel", |n, i| n.start_soon(parallel(async move { rest(i % 3).await }))),
        ("child", |n, i| drop(n.child(async move { Ok(i) }))),
        ("start_service", |n, i| {
            n.start_service(async move { rest(i % 3).await });
            n.start_soon(async { rest(4).await });
        }),
        ("defer", |n, _| {
            n.spawn(async {
                assert!(defer(SECOND, async {}).is_ok());
                Ok(())
            });
        }),
        ("timeout", |n, i| {
            n.spawn(async move {
                move_on_after(SECOND, sleep(SECOND / (i % 3 + 1) * 2)).await;
                Ok(())
            });
        }),
    ];
    for (name, start) in kinds {
        let (few, many) = (peak(300, start), peak(30_000, start));
        assert!(many < few * 3 / 2, "{name}: {few} bytes with few of them, {many} with many");
    }
}

#[test]
fn nothing_is_kept_of_scopes_that_are_gone() {
    let scope = CancelScope::new();
    let peak = |count: u32| {
        let use_up = || {
            let below = scope.child();
            assert!(!below.is_cancelled());
        };
        measure(|| (0..count).for_each(|_| use_up())).bytes_max
    };
    peak(300);
    assert!(peak(100_000) < 4096);
}

#[test]
fn a_hundred_thousand_deadlines_go_off_in_order() {
    const COUNT: u64 = 100_000;
    for on_pool in [false, true] {
        let simulation = Simulation::new();
        let late: Arc<Mutex<BTreeMap<u64, u64>>> = Arc::default();
        let outcome = simulation.run(nursery(async |n: Nursery<'static, Boom>| {
            let start = now();
            for i in 0..COUNT {
                let late = late.clone();
                let limit = Duration::from_millis(1 + i * 7919 % 100);
                let child = async move {
                    assert_eq!(fail_after(limit, forever::<()>()).await, Err(TooSlow { limit }));
                    assert_eq!(now() - start, limit);
                    *late.lock().unwrap().entry(limit.as_millis() as u64).or_default() += 1;
                    Ok(())
                };
                start_on(&n, on_pool, child);
            }
            Ok(())
        }));
        assert_eq!(outcome, Ok(()));
        assert_eq!(simulation.clock().passed(), SECOND / 10);
        assert!(late.lock().unwrap().values().eq([COUNT / 100; 100].iter()));
    }
}

#[test]
fn a_hundred_thousand_watchers_follow_a_deadline_that_moves() {
    let (simulation, scope) = (Simulation::new(), CancelScope::new());
    let census = Census::new();
    let outcome = simulation.run(supervisor(
        |_| Ok(()),
        async |n: Nursery<'_, Boom>| {
            for _ in 0..100_000 {
                n.start_soon(async {
                    let _presence = census.join();
                    Ok(scope.run(forever()).await?)
                });
            }
            turns(1).await;
            for seconds in [50, 2, 9] {
                scope.set_deadline(Some(now() + SECOND * seconds));
                sleep(SECOND).await;
            }
            assert_eq!(census.present(), 100_000);
            Ok(())
        },
    ));
    assert_eq!((outcome, census.present()), (Ok(()), 0));
    assert_eq!(simulation.clock().passed(), SECOND * 11);
}

#[test]
fn a_hundred_thousand_children_are_stopped_by_one_of_them() {
    for on_pool in [false, true] {
        let census = Census::new();
        let outcome: Result<(), _> = wscope::run(nursery(async |n: Nursery<'static, Boom>| {
            for i in 0..100_000 {
                let (own, presence) = (n.clone(), census.join());
                let child = async move {
                    let _presence = presence;
                    if i == 50_000 {
                        own.cancel();
                    }
                    forever().await
                };
                start_on(&n, on_pool, child);
            }
            forever().await
        }));
        assert_eq!((outcome, census.present()), (Err(Cancelled.into()), 0));
    }
}

#[test]
fn a_child_that_never_waits_lets_a_deadline_pass_as_soon_as_it_gives_way() {
    let started = AtomicU32::new(0);
    let outcome = Simulation::new().run(fail_after(
        SECOND,
        nursery(async |n: Nursery<'_, Boom>| {
            n.start_soon(async {
                loop {
                    turns(1).await; // always ready to go on
                    started.fetch_add(1, SeqCst);
                    if started.load(SeqCst) == 1000 {
                        sleep(SECOND * 2).await;
                    }
                }
            });
            for _ in 0..10 {
                n.start_soon(async { rest(5).await });
            }
            n.below(2).await; // its siblings get their turns all the same
            assert!(started.load(SeqCst) < 100);
            Ok(())
        }),
    ));
    assert_eq!((outcome, started.load(SeqCst)), (Err(TooSlow { limit: SECOND }), 1000));
}
