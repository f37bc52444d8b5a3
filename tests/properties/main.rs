//! What holds for every input, tried with the inputs that proptest makes up.

mod regressions;
