//! Random trees of nurseries that end in every way there is. Nobody may outlive them, and every goodbye that is owed is said.
//!
//! The number of trees is `STORM` in the environment; some hundreds without. `ASYNC_STD_THREAD_COUNT` sets the threads.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use wscope::{
    CancelScope, Nursery, TaskStatus, blocking, defer, move_on_after, nursery, parallel, supervisor,
    testing::{Census, Presence, Simulation, polled},
};

use super::{Boom, SECOND, forever, quiet, turns};

#[derive(Clone, Default)]
struct World {
    census: Census,
    owed: Arc<AtomicU64>,
    said: Arc<AtomicU64>,
}

/// xorshift64
#[derive(Clone, Copy)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Owes an asynchronous goodbye when it is dropped.
struct Guest {
    world: World,
    _presence: Presence,
}

impl Guest {
    fn of(world: &World) -> Self {
        Self { world: world.clone(), _presence: world.census.join() }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let (said, presence) = (self.world.said.clone(), self.world.census.join());
        self.world.owed.fetch_add(1, SeqCst);
        let goodbye = async move {
            let _presence = presence;
            turns(1).await;
            said.fetch_add(1, SeqCst);
        };
        assert!(defer(SECOND * 60, goodbye).is_ok(), "there is a nursery around everything");
    }
}

type Node = BoxFuture<'static, Result<(), Boom>>;

fn leaf(world: World, mut dice: Dice) -> Node {
    async move {
        let _me = Guest::of(&world);
        turns(dice.roll(6) as u32).await;
        match dice.roll(12) {
            0 => Err(Boom::No(1)),
            1 => panic!("expected"),
            2 => forever().await,
            3 => {
                blocking(move || {
                    let _me = Guest::of(&world);
                    Ok(())
                })
                .await
            }
            _ => Ok(()),
        }
    }
    .boxed()
}

fn tree(world: World, mut dice: Dice, depth: u32) -> Node {
    if depth == 0 {
        return leaf(world, dice);
    }
    async move {
        let (_me, mine) = (Guest::of(&world), Guest::of(&world));
        let scope = CancelScope::new();
        let (way, limit) = (dice.roll(5), dice.roll(12));
        let patient = dice.roll(2) == 0;
        let branches = dice.roll(u64::MAX);
        let work = async {
            let dice = Dice(branches | 1);
            match patient {
                true => supervisor(|_| Ok(()), |n| branch(n, &world, &mine, &scope, dice, depth)).await,
                false => nursery(|n| branch(n, &world, &mine, &scope, dice, depth)).await,
            }
        };
        let work = AssertUnwindSafe(scope.run(work)).catch_unwind();
        let outcome = match way {
            0 => move_on_after(SECOND / 50, polled(limit as usize, work)).await.flatten(),
            1 => move_on_after(Duration::from_micros(limit * 100), work).await,
            _ => move_on_after(SECOND / 50, work).await,
        };
        match outcome {
            Some(Ok(Ok(result))) => result,
            Some(Err(panic)) if dice.roll(3) == 0 => resume_unwind(panic),
            Some(Ok(Err(_)) | Err(_)) | None => Ok(()),
        }
    }
    .boxed()
}

async fn branch<'env>(
    n: Nursery<'env, Boom>,
    world: &World,
    mine: &'env Guest,
    scope: &CancelScope,
    mut dice: Dice,
    depth: u32,
) -> Result<(), Boom> {
    for _ in 0..2 + dice.roll(3) {
        let child = tree(world.clone(), Dice(dice.roll(u64::MAX) | 1), depth - 1);
        match dice.roll(9) {
            0 | 1 => n.spawn(child),
            2 => n.start_soon(parallel(child)),
            3 => n.start_service(child),
            4 => n.start_soon(async move {
                let _borrowed = mine;
                child.await
            }),
            5 => drop(n.child(child)),
            6 => drop(n.start(async |status: TaskStatus<()>| child.await.map(|()| status.started(()))).await),
            7 => {
                n.start_service_with(async |status: TaskStatus<()>| {
                    let started = status.started(());
                    child.await.map(|()| started)
                })
                .await?;
            }
            _ => n.start_soon(child),
        }
    }
    turns(dice.roll(4) as u32).await;
    match dice.roll(8) {
        0 => forever().await,
        1 => Err(Boom::No(2)),
        2 => panic!("expected"),
        3 => {
            n.fail(Boom::No(3));
            forever().await
        }
        4 => {
            scope.cancel();
            forever().await
        }
        5 => {
            n.below(2).await;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn storm(trees: u64, run: impl Fn(u64, Node) -> bool) {
    quiet();
    let world = World::default();
    let mut panics = 0;
    for seed in 1..=trees {
        panics += u64::from(run(seed, tree(world.clone(), Dice::new(seed), 4)));
        // Not even a goodbye is left: the root has waited for them.
        assert_eq!(world.census.present(), 0, "tree {seed}");
        assert_eq!(world.said.load(SeqCst), world.owed.load(SeqCst), "tree {seed}");
    }
    println!("{trees} trees, {panics} of them panicked, {} goodbyes", world.said.load(SeqCst));
    assert!(world.said.load(SeqCst) > trees);
}

fn trees(default: u64) -> u64 {
    std::env::var("STORM").ok().and_then(|trees| trees.parse().ok()).unwrap_or(default)
}

#[test]
fn nobody_outlives_the_storm() {
    storm(trees(400), |_, tree| wscope::run(AssertUnwindSafe(tree).catch_unwind()).is_err());
}

#[test]
fn nobody_outlives_the_storm_in_virtual_time() {
    storm(trees(2_000) / 4, |seed, tree| {
        Simulation::seed(seed).run(AssertUnwindSafe(tree).catch_unwind()).is_err()
    });
}
