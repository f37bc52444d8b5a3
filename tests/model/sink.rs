//! Sinks: whatever the interleaving, a clean-up that was taken is run by a nursery, or handed back, and never both or neither.

use std::task::{Wake, Waker};

use shuttle::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
};

use super::{
    check,
    runtime::{BoxFuture, sink::Sink},
};

/// A clean-up that counts its drop.
fn cleanup(gone: &Arc<AtomicU32>) -> BoxFuture<'static, ()> {
    struct Counted(Arc<AtomicU32>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let counted = Counted(gone.clone());
    Box::pin(async move { drop(counted) })
}

/// A nursery that ends in order: runs what comes, until it can close.
fn finish(sink: &Sink, heir: Option<&Arc<Sink>>) -> usize {
    let mut run = 0;
    loop {
        run += sink.take().len();
        if sink.close_if_empty(heir) {
            return run;
        }
        thread::yield_now();
    }
}

#[test]
fn nothing_is_lost_when_a_nursery_is_dropped_while_a_child_unwinds() {
    check(|| {
        let gone = Arc::new(AtomicU32::new(0));
        let (inner, outer) = (Arc::new(Sink::default()), Arc::new(Sink::default()));
        inner.adopt(cleanup(&gone)).ok().unwrap();
        let (child, late) = (inner.clone(), gone.clone());
        let child = thread::spawn(move || child.adopt(cleanup(&late)).is_ok());
        assert!(inner.bequeath(Some(&outer)).is_empty());
        assert!(child.join().unwrap(), "taken by the one or the other");
        assert_eq!(finish(&outer, None), 2);
        assert!(inner.take().is_empty());
        assert_eq!(gone.load(SeqCst), 2);
    });
}

#[test]
fn two_nurseries_dropped_at_once_leave_it_to_the_third() {
    check(|| {
        let gone = Arc::new(AtomicU32::new(0));
        let sinks: Vec<_> = (0..3).map(|_| Arc::new(Sink::default())).collect();
        let (child, late) = (sinks[0].clone(), gone.clone());
        let child = thread::spawn(move || child.adopt(cleanup(&late)).is_ok());
        let (middle, outer) = (sinks[1].clone(), sinks[2].clone());
        let middle = thread::spawn(move || assert!(middle.bequeath(Some(&outer)).is_empty()));
        assert!(sinks[0].bequeath(Some(&sinks[1])).is_empty());
        middle.join().unwrap();
        assert!(child.join().unwrap());
        assert_eq!(finish(&sinks[2], None), 1);
    });
}

#[test]
fn a_nursery_that_ends_runs_what_it_took_and_no_more() {
    check(|| {
        let gone = Arc::new(AtomicU32::new(0));
        let sink = Arc::new(Sink::default());
        let children: Vec<_> = (0..2)
            .map(|_| {
                let (sink, gone) = (sink.clone(), gone.clone());
                thread::spawn(move || u32::from(sink.adopt(cleanup(&gone)).is_ok()))
            })
            .collect();
        let run = finish(&sink, None);
        let taken: u32 = children.into_iter().map(|child| child.join().unwrap()).sum();
        assert_eq!(run, taken as usize, "what is not taken is handed back");
        assert_eq!((gone.load(SeqCst), sink.adopted()), (2, u64::from(taken)));
    });
}

#[test]
fn heirs_of_each_other_hand_it_back() {
    check(|| {
        let gone = Arc::new(AtomicU32::new(0));
        let (a, b) = (Arc::new(Sink::default()), Arc::new(Sink::default()));
        let (other_a, other_b) = (a.clone(), b.clone());
        let other = thread::spawn(move || drop(other_b.bequeath(Some(&other_a))));
        drop(a.bequeath(Some(&b)));
        other.join().unwrap();
        assert!(a.adopt(cleanup(&gone)).is_err());
        assert_eq!(gone.load(SeqCst), 1);
    });
}

/// A task that sleeps until it is woken.
#[derive(Default)]
struct Sleeper {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Sleeper {
    fn wait(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.changed.wait(woken).unwrap();
        }
        *woken = false;
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

#[test]
fn a_nursery_that_sleeps_is_woken_for_each() {
    check(|| {
        let gone = Arc::new(AtomicU32::new(0));
        let sink = Arc::new(Sink::default());
        for _ in 0..2 {
            let (sink, gone) = (sink.clone(), gone.clone());
            thread::spawn(move || sink.adopt(cleanup(&gone)).ok().unwrap());
        }
        let sleeper = Arc::new(Sleeper::default());
        let (waker, mut known, mut run) = (Waker::from(sleeper.clone()), None, 0);
        while run < 2 {
            sink.bell.hang(&waker, &mut known);
            let taken = sink.take().len();
            run += taken;
            if taken == 0 {
                sleeper.wait(); // in vain for ever, if a ring were lost
            }
        }
        sink.bell.take_down();
        sink.bell.ring(); // for nobody
    });
}
