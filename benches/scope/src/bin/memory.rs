//! Live bytes a child beside its future, once it has been polled and waits.

#[path = "../../../measuring/counting.rs"]
mod counting;

use counting::live;
use scope::{Keeper, child::Weight, in_task, pool};

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
    let before = live();
    let kept = keep(count);
    let live = live() - before;
    std::mem::forget(kept); // its end, on other threads, would fall into the next measurement
    live as f64 / count as f64 - Weight::SIZE as f64
}
