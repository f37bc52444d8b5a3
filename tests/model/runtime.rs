//! What the files under test take from `runtime`, with shuttle behind the names.

pub(crate) mod sync {
    //! The names of `src/runtime/sync.rs`, with shuttle behind them.

    use std::time::Duration;

    pub(crate) use shuttle::{
        sync::{
            Arc, Condvar, Mutex, MutexGuard,
            atomic::{AtomicBool, Ordering},
        },
        thread::ThreadId,
    };

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("the model ends with the first panic")
    }

    pub(crate) fn current_thread() -> ThreadId {
        shuttle::thread::current().id()
    }

    /// Never runs out: what the model has to show is that nobody waits in vain.
    pub(crate) struct Patience;

    impl Patience {
        pub(crate) fn left(&self) -> Duration {
            Duration::from_secs(1)
        }
    }
}

pub(crate) type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[path = "../../src/runtime/bell.rs"]
pub(crate) mod bell;
#[path = "../../src/runtime/sink.rs"]
pub(crate) mod sink;
