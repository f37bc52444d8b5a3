//! Live bytes a child beside its future, once it has been polled and waits.

use scope::{Keeper, child::Weight, in_task, pool};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicIsize, Ordering::SeqCst},
};

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
    println!("| a child of | 100 | 10,000 | 100,000 |\n|---|---:|---:|---:|");
    for keeper in in_task::KEEP.into_iter().chain(pool::KEEP) {
        std::mem::forget(keeper.1(10)); // threads, and what else is made once
        print!("| {} |", keeper.0);
        [100, 10_000, 100_000].into_iter().for_each(|count| print!(" {:.0} |", weigh(keeper, count)));
        println!();
    }
}

fn weigh((_, keep): Keeper, count: usize) -> f64 {
    let before = LIVE.load(SeqCst);
    let kept = keep(count);
    let live = LIVE.load(SeqCst) - before;
    std::mem::forget(kept); // its end, on other threads, would fall into the next measurement
    live as f64 / count as f64 - Weight::SIZE as f64
}
