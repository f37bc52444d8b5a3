//! When a dry socket is looked at once more.

#[path = "../../src/websocket/linger.rs"]
mod pure;

use pure::{Dry, Linger};

/// What one wait comes to: the look, or the reactor.
fn wait(linger: &mut Linger, found: bool) -> Dry {
    let mut dry = linger.on_dry();
    if dry == Dry::Wait {
        assert_eq!(linger.on_dry(), Dry::Wait, "once a turn");
        linger.turn_over();
        dry = linger.on_dry();
        linger.looked(found);
    }
    dry
}

fn looks(linger: &mut Linger, waits: usize, found: bool) -> usize {
    (0..waits).filter(|_| wait(linger, found) == Dry::Look).count()
}

#[test]
fn who_finds_something_looks_each_time() {
    assert_eq!(looks(&mut Linger::default(), 1000, true), 1000);
}

#[test]
fn who_finds_nothing_looks_ever_more_seldom() {
    let mut linger = Linger::default();
    let first = looks(&mut linger, 1000, false);
    assert!((8..=16).contains(&first), "{first}");
    assert_eq!(looks(&mut linger, 1290, false), 10, "once in 129 waits");
}

#[test]
fn a_find_now_and_then_does_not_make_up_for_the_misses() {
    let mut linger = Linger::default();
    let mut looked = 0;
    for _ in 0..12_900 {
        if wait(&mut linger, looked % 10 == 9) == Dry::Look {
            looked += 1;
        }
    }
    assert!(looked < 300, "{looked} of 12,900");
}

#[test]
fn who_finds_again_looks_again() {
    let mut linger = Linger::default();
    looks(&mut linger, 1000, false);
    looks(&mut linger, 1000, true);
    assert_eq!(looks(&mut linger, 100, true), 100);
}

#[test]
fn what_the_reactor_has_told_is_asked_of_it_one_turn_later() {
    let mut linger = Linger::default();
    linger.told();
    assert_eq!(linger.on_dry(), Dry::Wait);
    linger.turn_over();
    assert_eq!(linger.on_dry(), Dry::Read, "no look past the reactor");
    assert_eq!(wait(&mut linger, false), Dry::Look, "and only once");
    linger.told();
    assert_eq!(linger.on_dry(), Dry::Read, "after a miss at once");
}
