//! The runtime on one thread.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    thread,
    time::Duration,
};

use wscope::{Nursery, Nursery as N, fail_after, nursery, parallel, sleep, testing::Simulation};

use super::SECOND;

/// In which order five tasks come along.
fn order(simulation: &Simulation) -> Vec<u32> {
    let log = Mutex::new(Vec::new());
    simulation
        .run(nursery(async |n: Nursery<'_>| {
            let children: Vec<_> = (0..5)
                .map(|i| {
                    let child = n.child(parallel(async move { Ok(i) }));
                    (i, child)
                })
                .collect();
            for (_, child) in children {
                let log = &log;
                n.start_soon(async move {
                    let i = child.await?;
                    log.lock().unwrap().push(i);
                    Ok(())
                });
            }
            Ok(())
        }))
        .unwrap();
    log.into_inner().unwrap()
}

#[test]
fn the_same_seed_draws_the_same_order() {
    assert_eq!(order(&Simulation::new()), [0, 1, 2, 3, 4]);
    let orders: Vec<_> = (0..20).map(|seed| order(&Simulation::seed(seed))).collect();
    let again: Vec<_> = (0..20).map(|seed| order(&Simulation::seed(seed))).collect();
    assert_eq!(orders, again);
    assert!(orders.iter().collect::<HashSet<_>>().len() > 5, "other seeds draw others");
}

#[test]
fn the_pool_is_the_thread_that_runs_it() {
    let here = thread::current().id();
    let there = Simulation::new().run(parallel(async { thread::current().id() }));
    assert_eq!(here, there);
}

#[test]
fn a_program_that_can_never_go_on_is_told_so() {
    let caught = catch_unwind(AssertUnwindSafe(|| Simulation::new().run(std::future::pending::<()>())));
    let text = *caught.unwrap_err().downcast::<&str>().unwrap();
    assert!(text.starts_with("every task is blocked"), "{text}");
}

#[test]
fn can_run_several_programs_one_after_the_other() {
    let simulation = Simulation::default();
    for _ in 0..2 {
        let late = simulation.run(fail_after(SECOND, std::future::pending::<()>()));
        assert!(late.is_err());
    }
    assert_eq!(simulation.clock().passed(), SECOND * 2);
}

#[test]
fn a_nursery_in_it_leaves_nothing_to_do() {
    let outcome = Simulation::new().run(nursery(async |n: N<'_, &'static str>| {
        n.spawn(std::future::pending());
        Err::<(), _>("done")
    }));
    assert_eq!(outcome, Err("done"));
}

#[test]
fn time_waits_for_work_that_blocks() {
    let simulation = Simulation::new();
    let outcome = simulation.run(nursery(async |n: Nursery<'_>| {
        n.spawn_blocking(|| {
            (0..100_000).for_each(|_| thread::yield_now());
            Ok(())
        });
        n.below(1).await;
        assert_eq!(simulation.clock().passed(), Duration::ZERO);
        sleep(SECOND).await;
        Ok(())
    }));
    assert!(outcome.is_ok());
    assert_eq!(simulation.clock().passed(), SECOND);
}

#[test]
fn a_task_that_waits_goes_on_when_its_time_has_come() {
    let simulation = Simulation::new();
    simulation.run(parallel(async {
        for _ in 0..3 {
            sleep(SECOND).await;
        }
    }));
    assert_eq!(simulation.clock().passed(), SECOND * 3);
}
