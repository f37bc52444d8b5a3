//! A runtime on one thread, with a clock that jumps when every task is blocked.

use std::{
    collections::VecDeque,
    pin::{Pin, pin},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::VirtualClock;
use crate::{
    runtime::{Executor, Runtime, Task, sync::lock},
    scope::root,
};

/// Runs a program in virtual time, and always in the same order.
///
/// Children on the "pool" are polled on the thread that runs the simulation, one after the other. When none can go on, the clock
/// jumps to the next alarm: hours pass in no time, and a timeout of a second never fires because the machine is slow. Blocking
/// work runs on a real thread, and time stands still until it is through.
///
/// ```
/// use std::time::Duration;
/// use wscope::{Nursery, fail_after, nursery, testing::Simulation};
///
/// let simulation = Simulation::new();
/// let outcome = simulation.run(nursery(async |n: Nursery| {
///     n.spawn(async {
///         wscope::sleep(Duration::from_secs(3600)).await;
///         Ok(())
///     });
///     Ok(fail_after(Duration::from_secs(10), std::future::pending::<()>()).await?)
/// }));
/// assert!(outcome.is_err());
/// assert_eq!(simulation.clock().passed(), Duration::from_secs(10));
/// ```
#[derive(Debug)]
pub struct Simulation {
    clock: VirtualClock,
    dice: Mutex<Option<u64>>,
}

impl Simulation {
    /// Tasks take turns: first woken, first polled.
    #[must_use]
    pub fn new() -> Self {
        Self { clock: VirtualClock::new(), dice: Mutex::new(None) }
    }

    /// The next task is drawn at random from those that are woken; the same seed draws the same.
    ///
    /// ```
    /// use wscope::testing::Simulation;
    /// for seed in 0..10 {
    ///     Simulation::seed(seed).run(async { /* holds in any order */ });
    /// }
    /// ```
    #[must_use]
    pub fn seed(seed: u64) -> Self {
        Self { clock: VirtualClock::new(), dice: Mutex::new(Some(seed)) }
    }

    /// The clock, to be read, or moved by hand.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// Runs `main` inside a nursery, as [`scope::run`](crate::scope::run()) does.
    ///
    /// # Panics
    ///
    /// When every task is blocked and no alarm is set, and no blocking work is under way: nothing could ever happen again. Tasks
    /// that are woken from threads of their own are not simulated.
    pub fn run<F: Future>(&self, main: F) -> F::Output {
        let hall = Arc::new(Hall::default());
        let main_turn = Arc::new(Turn { hall: hall.clone(), queued: AtomicBool::new(false), task: None });
        let runtime = Runtime::new(Seats(hall.clone()), self.clock.clone());
        let mut main = pin!(root(runtime, main));
        let waker = Waker::from(main_turn.clone());
        main_turn.wake();
        loop {
            let turn = self.next(&hall);
            turn.queued.store(false, Ordering::SeqCst);
            match &turn.task {
                None => {
                    if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                        let left = std::mem::take(&mut lock(&hall.state).woken);
                        drop(left); // emptied tasks that would find so at their next turn
                        return output;
                    }
                }
                Some(_) => turn.take(),
            }
        }
    }

    /// Who is next; lets time pass until somebody is.
    fn next(&self, hall: &Hall) -> Arc<Turn> {
        let mut state = lock(&hall.state);
        loop {
            let drawn = self.draw(state.woken.len());
            if let Some(turn) = state.woken.remove(drawn) {
                return turn;
            }
            if state.unblocked > 0 {
                state = hall.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            drop(state);
            assert!(self.clock.jump(), "every task is blocked, and no alarm is set");
            state = lock(&hall.state);
        }
    }

    fn draw(&self, among: usize) -> usize {
        let mut dice = lock(&self.dice);
        let Some(seed) = dice.as_mut() else { return 0 };
        *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15); // splitmix64
        let mut drawn = *seed;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        drawn ^= drawn >> 31;
        usize::try_from(drawn % (among.max(1) as u64)).unwrap_or_default()
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

/// Where tasks wait for their turn.
#[derive(Default)]
struct Hall {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    woken: VecDeque<Arc<Turn>>,
    /// Blocking work under way.
    unblocked: usize,
}

/// A task in the hall, or the main future.
struct Turn {
    hall: Arc<Hall>,
    queued: AtomicBool,
    /// `None` is the main future, which belongs to whoever runs the simulation.
    task: Option<Mutex<Option<Task>>>,
}

impl Turn {
    fn take(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let Some(place) = &self.task else { return };
        let Some(mut task) = lock(place).take() else { return };
        if Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending() {
            *lock(place) = Some(task);
        }
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::SeqCst) {
            let hall = self.hall.clone();
            lock(&hall.state).woken.push_back(self);
            hall.changed.notify_all();
        }
    }
}

struct Seats(Arc<Hall>);

impl Executor for Seats {
    fn spawn(&self, task: Task) {
        let task = Some(Mutex::new(Some(task)));
        Arc::new(Turn { hall: self.0.clone(), queued: AtomicBool::new(false), task }).wake();
    }

    fn unblock(&self, work: Box<dyn FnOnce() + Send>) {
        lock(&self.0.state).unblocked += 1;
        let under_way = UnderWay(self.0.clone());
        Runtime::default().unblock(Box::new(move || {
            let _under_way = under_way;
            work();
        }));
    }
}

struct UnderWay(Arc<Hall>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.0.state).unblocked -= 1;
        self.0.changed.notify_all();
    }
}
