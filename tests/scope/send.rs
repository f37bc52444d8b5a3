//! Everything public can go to another thread; what is shared can be used from several.

use std::{
    future::Pending,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

use wscope::{
    CancelScope, Cancelled, Child, Nursery, Started, TaskStatus, TooSlow, blocking, defer, fail_after,
    fail_at, move_on_after, move_on_at, nursery, parallel,
    runtime::{Runtime, Task, Timer, now, sleep, sleep_until},
    scope::{self, Blocking, FailAfter, MoveOnAfter, NurseryFuture, Parallel, Statistics, root},
    supervisor,
    testing::{Census, DuplexStream, Fault, Polled, Presence, Simulation, VirtualClock},
};

use super::{Boom, SECOND, turns};

const fn send<T: Send>() {}
const fn send_and_sync<T: Send + Sync>() {}

const _: () = {
    send_and_sync::<Nursery<'_, Boom>>();
    send_and_sync::<Nursery<'_>>();
    send_and_sync::<Child<u8>>();
    send_and_sync::<TaskStatus<u8>>();
    send_and_sync::<Started>();
    send_and_sync::<Statistics>();
    send_and_sync::<CancelScope>();
    send_and_sync::<Cancelled>();
    send_and_sync::<TooSlow>();
    send_and_sync::<scope::Error>();
    send::<Parallel<u8>>();
    send::<Blocking<u8>>();
    send_and_sync::<FailAfter<u8>>();
    send_and_sync::<MoveOnAfter<u8>>();
    send_and_sync::<Runtime>();
    send_and_sync::<Timer>();
    send_and_sync::<Task>();
    send_and_sync::<Census>();
    send_and_sync::<Presence>();
    send_and_sync::<Fault>();
    send_and_sync::<DuplexStream>();
    send_and_sync::<Simulation>();
    send_and_sync::<VirtualClock>();
    send_and_sync::<Polled<u8>>();
    send::<NurseryFuture<'_, u8, Boom, Pending<Result<u8, Boom>>>>();
    #[cfg(feature = "tracing")]
    send_and_sync::<scope::Named<Pending<u8>>>();
};

fn check<T: Send>(future: T) -> T {
    future
}

/// Nurseries with borrows in them, inside a future that goes to the pool.
async fn everything() -> Result<u32, Boom> {
    let count = AtomicU32::new(0);
    let scope = CancelScope::new();
    nursery(async |n: Nursery<'_, Boom>| {
        n.start_soon(async {
            count.fetch_add(1, SeqCst);
            Ok(())
        });
        n.start(async |status| {
            count.fetch_add(1, SeqCst);
            turns(1).await;
            Ok(status.started(()))
        })
        .await?;
        n.start_service_with(async |status| Ok(status.started(()))).await?;
        n.start_service(async { Ok(()) });
        n.below(100).await;
        let sum = n.child(async { Ok(count.load(SeqCst)) });
        let inner = &n;
        supervisor(
            |_: Boom| Ok(()),
            async |m| {
                m.spawn(async { Ok(()) });
                inner.start_soon(async { Ok(()) });
                Ok(())
            },
        )
        .await?;
        fail_after(SECOND, sleep(SECOND / 1000)).await?;
        fail_at(now() + SECOND, sleep_until(now())).await?;
        move_on_after(SECOND, parallel(async {})).await;
        move_on_at(now() + SECOND, blocking(|| {})).await;
        let _ = defer(SECOND, async {});
        scope.run(root(Runtime::default(), async {})).await?;
        scope.child().run(async {}).await?;
        fail_after(SECOND, async { (scope.close(), scope.closing().await) }).await?;
        fail_after(SECOND, async { (scope.cancel(), scope.cancelled().await) }).await?;
        n.spawn_blocking(|| Ok(()));
        Ok(sum.await?)
    })
    .await
}

#[test]
fn everything_goes_to_the_pool() {
    let outcome = wscope::run(parallel(check(everything())));
    assert_eq!(outcome, Ok(2));
}
