//! What our own levels and windows cost and bring: on the wire, in time and in memory.

use crate::{
    libraries::{Case, Direction, wscope_ends},
    measure::processor_time,
    messages::messages,
};
use wscope::proto::extension::Level;

/// Prints a row for each setting.
pub fn table() {
    println!("| messages of | takeover | level | window | bytes on the wire | us, encode and decode |");
    println!("|---:|---|---|---:|---:|---:|");
    for size in [256, 512, 1024, 16_384] {
        for takeover in [true, false] {
            for level in [Level::Fast, Level::Balanced, Level::Best] {
                for window_bits in [9, 12, 15] {
                    let case = Case { direction: Direction::FromServer, takeover, size, level, window_bits };
                    let (bytes, nanoseconds) = (bytes(case), fastest(case));
                    println!(
                        "| {size} | {takeover} | {level:?} | {window_bits} | {bytes} | {:.1} |",
                        nanoseconds / 1e3
                    );
                }
            }
        }
    }
}

/// Bytes of a message on the wire, on average.
fn bytes(case: Case) -> usize {
    let ([_, mut server], messages) = (wscope_ends(case), messages(case.size));
    let mut wire = Vec::new();
    for message in messages.iter().chain(&messages) {
        server.send_message(message, &mut wire).expect("open");
    }
    wire.len() / (2 * messages.len())
}

/// Nanoseconds a message: the fastest of some rounds, which others have disturbed least.
fn fastest(case: Case) -> f64 {
    let ([mut client, mut server], messages) = (wscope_ends(case), messages(case.size));
    let mut wire = Vec::new();
    let mut round = || {
        let begin = processor_time();
        for message in &messages {
            wire.clear();
            server.send_message(message, &mut wire).expect("open");
            client.receive(&mut &mut wire[..]).expect("legal frames").expect("a message");
        }
        (processor_time() - begin) / messages.len() as f64
    };
    (0..50).map(|_| round()).fold(f64::INFINITY, f64::min)
}
