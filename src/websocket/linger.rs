//! Whether to look at a dry socket once more, one turn later, before the reactor is asked to watch it.
//!
//! To be watched costs two calls of the kernel, one that asks and one that tells. Where many connections are busy, what comes next is
//! often there when the others have had their turn. Where it is not, the look was wasted: so after each miss more waits go by without.
//! Pure: the engine asks, and says what it found.

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Linger {
    stage: Stage,
    /// The reactor has something to tell of the socket, and has not been asked.
    told: bool,
    /// So many waits are not lingered at.
    skip: u8,
    /// Looks that have found nothing, less those that have found something.
    misses: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Stage {
    #[default]
    Idle,
    /// Until this turn is over.
    Waiting,
    /// The turn was over: the next read asks the kernel.
    Looking,
}

/// What to do with a socket that was dry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Dry {
    /// Nothing, in this turn.
    Wait,
    /// Ask the kernel, dry or not.
    Look,
    /// As the reactor says: what it has told of, or nothing, and then it watches.
    Read,
}

impl Linger {
    /// Somebody wants to read, and the socket is dry.
    pub(super) fn on_dry(&mut self) -> Dry {
        match self.stage {
            Stage::Idle if self.skip > 0 => {
                self.skip -= 1;
                self.told = false;
                Dry::Read
            }
            Stage::Looking if self.told => {
                self.looked(true);
                Dry::Read
            }
            Stage::Idle | Stage::Waiting => {
                self.stage = Stage::Waiting;
                Dry::Wait
            }
            Stage::Looking => Dry::Look,
        }
    }

    /// The reactor has told of the socket. Where looks are worth it one turn goes by all the same, and more will have come by then;
    /// but then it is asked, since what it has told and nobody asked for would send the next read to the kernel for nothing.
    pub(super) fn told(&mut self) {
        self.told = true;
    }

    /// The turn is over, and there will be another.
    pub(super) fn turn_over(&mut self) {
        if self.stage == Stage::Waiting {
            self.stage = Stage::Looking;
        }
    }

    /// A look has found something, or nothing.
    pub(super) fn looked(&mut self, found: bool) {
        (self.stage, self.told) = (Stage::Idle, false);
        if found {
            self.misses = self.misses.saturating_sub(1);
        } else {
            self.skip = FIRST_SKIP << self.misses;
            self.misses = (self.misses + 1).min(MOST_MISSES);
        }
    }
}

/// Waits that go by after a first miss; twice as many after each further one.
const FIRST_SKIP: u8 = 4;
/// From here on it is 128.
const MOST_MISSES: u8 = 5;
