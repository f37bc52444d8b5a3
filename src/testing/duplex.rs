//! Two ends of a connection in memory, which fail on cue.

use std::{
    collections::VecDeque,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use futures::io::{AsyncRead, AsyncWrite};

use crate::runtime::{
    Timer, now,
    sync::{lock, poll_locked},
};

/// Two ends of a connection, each with room for `capacity` bytes on their way to it. A write waits when there is no room.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use wscope::testing::{Fault, Simulation, duplex};
///
/// Simulation::new().run(async {
///     let (mut here, mut there) = duplex(1024);
///     here.write_all(b"hello").await.unwrap();
///
///     there.script_reads([Fault::Short(2), Fault::Pending, Fault::Reset]);
///     let mut buffer = [0; 16];
///     assert_eq!(there.read(&mut buffer).await.unwrap(), 2);
///     assert_eq!(there.read(&mut buffer).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
/// });
/// ```
#[must_use]
pub fn duplex(capacity: usize) -> (DuplexStream, DuplexStream) {
    let (there, back) = (Pipe::new(capacity), Pipe::new(capacity));
    (DuplexStream::new(back.clone(), there.clone()), DuplexStream::new(there, back))
}

/// What happens to one read or one write.
///
/// ```
/// use wscope::testing::{Fault, duplex};
///
/// let (mut here, _there) = duplex(1024);
/// here.script_reads([Fault::None, Fault::Short(1), Fault::Cut]); // whole, one byte, and never again
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing special.
    None,
    /// At most so many bytes.
    Short(usize),
    /// It is pending once, and woken at once; then goes on with the next fault.
    Pending,
    /// It waits so long, then goes on with the next fault.
    Delay(Duration),
    /// The cable is cut, in this direction: reads wait for ever, writes succeed and go nowhere. Final.
    Cut,
    /// Reads find the end of the stream, writes a closed one. Final.
    Eof,
    /// The connection is reset. Final.
    Reset,
}

/// One end of a [`duplex`]. Dropping it ends the stream for the other end.
pub struct DuplexStream {
    incoming: Arc<Mutex<Pipe>>,
    outgoing: Arc<Mutex<Pipe>>,
    reads: Script,
    writes: Script,
}

impl DuplexStream {
    fn new(incoming: Arc<Mutex<Pipe>>, outgoing: Arc<Mutex<Pipe>>) -> Self {
        Self { incoming, outgoing, reads: Script::default(), writes: Script::default() }
    }

    /// What happens to the next reads at this end, one after the other; afterwards nothing special. Replaces what was set.
    ///
    /// `std::iter::repeat(Fault::Short(1))` is a script, too.
    pub fn script_reads<I>(&mut self, faults: I)
    where
        I: IntoIterator<Item = Fault, IntoIter: Send + Sync + 'static>,
    {
        self.reads = Script { faults: Some(Box::new(faults.into_iter())), ..Script::default() };
    }

    /// What happens to the next writes at this end.
    pub fn script_writes<I>(&mut self, faults: I)
    where
        I: IntoIterator<Item = Fault, IntoIter: Send + Sync + 'static>,
    {
        self.writes = Script { faults: Some(Box::new(faults.into_iter())), ..Script::default() };
    }

    /// How many bytes are on their way to this end.
    #[must_use]
    pub fn unread(&self) -> usize {
        lock(&self.incoming).bytes.len()
    }
}

impl AsyncRead for DuplexStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let most = match ready!(this.reads.poll(cx)) {
            Act::AtMost(most) => most.min(buffer.len()),
            Act::Cut => return Poll::Pending,
            Act::Eof => return Poll::Ready(Ok(0)),
            Act::Reset => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        };
        let read = ready!(poll_pipe(&this.incoming, Side::Reader, cx, |pipe| pipe.read(&mut buffer[..most])));
        this.reads.used();
        Poll::Ready(Ok(read))
    }
}

impl AsyncWrite for DuplexStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let most = match ready!(this.writes.poll(cx)) {
            Act::AtMost(most) => most.min(bytes.len()),
            Act::Cut => return Poll::Ready(Ok(bytes.len())),
            Act::Eof => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Act::Reset => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        };
        let written = ready!(poll_pipe(&this.outgoing, Side::Writer, cx, |pipe| pipe.write(&bytes[..most])));
        this.writes.used();
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        close(&self.outgoing, |pipe| pipe.ended = true);
        Poll::Ready(Ok(()))
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        close(&self.outgoing, |pipe| pipe.ended = true);
        close(&self.incoming, |pipe| {
            pipe.abandoned = true;
            pipe.bytes.clear();
        });
    }
}

impl fmt::Debug for DuplexStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuplexStream").field("unread", &self.unread()).finish_non_exhaustive()
    }
}

/// One direction.
struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// Nobody writes any more.
    ended: bool,
    /// Nobody reads any more.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy)]
enum Side {
    Reader,
    Writer,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Reader => Self::Writer,
            Self::Writer => Self::Reader,
        }
    }
}

impl Pipe {
    fn new(capacity: usize) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            bytes: VecDeque::new(),
            capacity: capacity.max(1),
            ended: false,
            abandoned: false,
            reader: None,
            writer: None,
        }))
    }

    fn waker_of(&mut self, side: Side) -> &mut Option<Waker> {
        match side {
            Side::Reader => &mut self.reader,
            Side::Writer => &mut self.writer,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.bytes.is_empty() && !self.ended && !buffer.is_empty() {
            return None;
        }
        let read = buffer.len().min(self.bytes.len());
        for (place, byte) in buffer.iter_mut().zip(self.bytes.drain(..read)) {
            *place = byte;
        }
        Some(read)
    }

    fn write(&mut self, bytes: &[u8]) -> Option<io::Result<usize>> {
        if self.abandoned || self.ended {
            return Some(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = self.capacity - self.bytes.len();
        if room == 0 && !bytes.is_empty() {
            return None;
        }
        let written = bytes.len().min(room);
        self.bytes.extend(&bytes[..written]);
        Some(Ok(written))
    }
}

/// Lets `side` act on the pipe, and wakes the other side; or lets it wait, when `act` says `None`.
fn poll_pipe<T>(
    pipe: &Mutex<Pipe>,
    side: Side,
    cx: &Context<'_>,
    act: impl FnOnce(&mut Pipe) -> Option<T>,
) -> Poll<T> {
    let look = |pipe: &mut Pipe| act(pipe).map(|done| (done, pipe.waker_of(side.other()).take()));
    let (done, other) = ready!(poll_locked(pipe, cx, look, |pipe| pipe.waker_of(side)));
    other.into_iter().for_each(Waker::wake);
    Poll::Ready(done)
}

fn close(pipe: &Mutex<Pipe>, act: impl FnOnce(&mut Pipe)) {
    let woken = {
        let mut pipe = lock(pipe);
        act(&mut pipe);
        [pipe.reader.take(), pipe.writer.take()]
    };
    woken.into_iter().flatten().for_each(Waker::wake);
}

/// Faults to come, and the one that is due.
#[derive(Default)]
struct Script {
    faults: Option<Box<dyn Iterator<Item = Fault> + Send + Sync>>,
    due: Due,
}

#[derive(Default)]
enum Due {
    /// The next of the script.
    #[default]
    Next,
    /// For an operation that may have to be polled several times.
    Short(usize),
    Delay(Timer),
    Final(Act),
    Never,
}

/// What an operation is to do.
#[derive(Clone, Copy)]
enum Act {
    AtMost(usize),
    Cut,
    Eof,
    Reset,
}

impl Script {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Act> {
        loop {
            match &mut self.due {
                Due::Next => {}
                Due::Short(most) => return Poll::Ready(Act::AtMost(*most)),
                Due::Delay(timer) => ready!(timer.poll(cx)),
                Due::Final(act) => return Poll::Ready(*act),
                Due::Never => return Poll::Pending,
            }
            let fault = self.faults.as_mut().and_then(Iterator::next).unwrap_or(Fault::None);
            self.due = match fault {
                Fault::None => Due::Short(usize::MAX),
                Fault::Short(most) => Due::Short(most.max(1)), // none at all would be the end of the stream
                Fault::Pending => {
                    self.due = Due::Next;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Fault::Delay(time) => match now().checked_add(time) {
                    Some(deadline) => Due::Delay(Timer::at(deadline)),
                    None => Due::Never,
                },
                Fault::Cut => Due::Final(Act::Cut),
                Fault::Eof => Due::Final(Act::Eof),
                Fault::Reset => Due::Final(Act::Reset),
            };
        }
    }

    /// The operation is through: the next one meets the next fault.
    fn used(&mut self) {
        self.due = Due::Next;
    }
}
