//! Live bytes a connection, at one end, after one message in each direction.

use deflate::libraries::{Case, Direction, Keeper, OURS, PEERS};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicIsize, Ordering::SeqCst},
};
use wscope::proto::extension::Level;

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: passes everything on.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, SeqCst);
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size as isize - layout.size() as isize, SeqCst);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, SeqCst);
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn main() {
    let libraries = [OURS, PEERS[0], PEERS[1]];
    print!("| bytes a connection |");
    libraries.iter().for_each(|(name, ..)| print!(" {name} |"));
    println!("\n|---|{}", "---:|".repeat(libraries.len()));
    for takeover in [true, false] {
        for size in [1024, 16_384] {
            let case = Case {
                direction: Direction::FromServer,
                takeover,
                size,
                level: Level::Fast,
                window_bits: 15,
            };
            print!("| {}, {size} |", if takeover { "takeover" } else { "alone" });
            libraries.iter().for_each(|(_, _, keep)| print!(" {} |", weigh(*keep, case)));
            println!();
        }
    }
}

fn weigh(keep: Keeper, case: Case) -> isize {
    const PAIRS: usize = 20;
    drop(keep(case)); // what threads keep, and what is made once
    let mut kept = Vec::with_capacity(PAIRS);
    let before = LIVE.load(SeqCst);
    kept.extend((0..PAIRS).map(|_| keep(case)));
    (LIVE.load(SeqCst) - before) / (2 * PAIRS as isize)
}
