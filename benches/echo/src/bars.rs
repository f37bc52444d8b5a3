//! What wscope has to reach, and what it wants to.

use crate::load::Shape;

/// Whom it is measured against.
#[derive(Clone, Copy, Debug)]
pub enum Against {
    One(&'static str),
    /// Whoever of these is best.
    Best(&'static [&'static str]),
}

/// Ours / theirs, at most.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    pub against: Against,
    pub must: f64,
    pub goal: f64,
}

const fn bar(against: Against, must: f64, goal: f64) -> Bar {
    Bar { against, must, goal }
}

/// Processor time a message, with one thread.
pub const CASES: [(Shape, &[Bar]); 8] = [
    (shape(125, 1, 1), &[]),
    (
        shape(125, 64, 1),
        &[
            bar(Against::One("async-tungstenite"), 0.60, 0.50),
            bar(Against::One("fastwebsockets"), 1.25, 1.05),
        ],
    ),
    (
        shape(125, 500, 1),
        &[
            bar(Against::One("async-tungstenite"), 0.60, 0.50),
            bar(Against::One("fastwebsockets"), 1.70, 1.25),
        ],
    ),
    (
        shape(125, 64, 32),
        &[
            bar(Against::One("async-tungstenite"), 0.09, 0.05),
            bar(Against::One("fastwebsockets"), 0.11, 0.07),
            bar(Against::One("yawc+batch"), f64::INFINITY, 1.0),
            bar(Against::One("sockudo-ws+batch"), f64::INFINITY, 1.0),
        ],
    ),
    (
        shape(1024, 64, 32),
        &[bar(Against::Best(&UNBATCHED), 1.0, 1.0), bar(Against::Best(&PEERS), f64::INFINITY, 1.0)],
    ),
    (shape(1024, 64, 1), &[]),
    (shape(16 * 1024, 64, 1), &[bar(Against::Best(&PEERS), 1.25, 1.05)]),
    (shape(256 * 1024, 8, 1), &[bar(Against::Best(&PEERS), 1.25, 1.0)]),
];

const fn shape(size: usize, connections: usize, depth: usize) -> Shape {
    Shape { size, connections, depth }
}

/// TLS, against who runs over the same library of it.
pub const TLS: (Shape, Bar) = (shape(1024, 64, 1), bar(Against::One(TUNGSTENITE), 0.80, 0.60));

/// Processor time of an accepted connection.
pub const ACCEPT: Bar = bar(Against::One(TUNGSTENITE), 0.60, 0.40);

/// Two threads: time a message, which is one by messages a second.
pub const THREADS: (Shape, Bar) = (shape(125, 64, 1), bar(Against::One(TUNGSTENITE), 1.0 / 1.3, 1.0 / 1.6));

/// The slowest hundredth, at half of what the other can take at most.
pub const TAIL: (Shape, Bar) = (shape(125, 64, 1), bar(Against::One(TUNGSTENITE), 1.0, 1.0));

/// KiB an idle connection: must, goal.
pub const MEMORY: (f64, f64) = (4.0, 3.0);

/// System calls a message: must, goal.
pub const CALLS: [(Shape, f64, f64); 3] =
    [(shape(125, 1, 1), 8.5, 8.1), (shape(125, 64, 1), 3.5, 2.5), (shape(125, 64, 32), 0.12, 0.08)];

/// The other library on our reactor.
pub const TUNGSTENITE: &str = "async-tungstenite";

/// All peers.
pub const PEERS: [&str; 8] = [
    "async-tungstenite",
    "tokio-tungstenite",
    "fastwebsockets",
    "tokio-websockets",
    "yawc",
    "yawc+batch",
    "sockudo-ws",
    "sockudo-ws+batch",
];

/// Those that send each message by itself.
pub const UNBATCHED: [&str; 6] =
    ["async-tungstenite", "tokio-tungstenite", "fastwebsockets", "tokio-websockets", "yawc", "sockudo-ws"];
