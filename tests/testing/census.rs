//! The count of the living.

use std::thread;

use wscope::testing::Census;

#[test]
fn counts_those_who_have_not_been_dropped() {
    let census = Census::new();
    let clone = census.clone();
    let guests: Vec<_> = (0..5).map(|_| census.join()).collect();
    assert_eq!((census.present(), clone.present()), (5, 5));
    drop(guests);
    assert_eq!(clone.present(), 0);
}

#[test]
fn counts_from_all_threads_together() {
    let census = Census::new();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let census = census.clone();
            thread::spawn(move || {
                for _ in 0..1000 {
                    drop(census.join());
                }
                census.join()
            })
        })
        .collect();
    let guests: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(census.present(), guests.len());
    drop(guests);
    assert_eq!(census.present(), 0);
}

#[test]
fn a_panic_counts_nobody_twice() {
    let census = Census::new();
    let guest = census.join();
    let caught = thread::spawn(move || {
        let _guest = guest;
        std::panic::resume_unwind(Box::new("expected"))
    })
    .join();
    assert!(caught.is_err());
    assert_eq!(census.present(), 0);
}
