//! A stream socket on the reactor, with the two rules that save system calls.
//!
//! - **Dry**: a read that did not fill its buffer has emptied the socket. The next read does not ask the kernel, it waits for the
//!   reactor. An end of stream is not dry: it stays readable.
//! - **Full**: the same for a write that was cut short. Every other write is tried first; a socket is writable nearly always.
//!
//! The reactor keeps one waker for each direction, so all polls of one socket come with the same waker; and the waker must not own
//! the socket, or the reactor would keep both.

use std::{
    fmt,
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use async_io::Async;
use rustix::{
    buffer::spare_capacity,
    fd::AsFd,
    net::{RecvFlags, SendFlags, recv, send},
};

use super::Address;

/// What is asked of the kernel: each of these is one system call, and says `WouldBlock` instead of waiting.
///
/// Bytes of one slice go through rustix, which calls the kernel itself: the C library makes of each such call a point where threads
/// may be cancelled, and that costs.
pub(crate) trait RawSocket: AsFd + Send + Sync + 'static {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self, buffer, RecvFlags::empty())?.0)
    }

    /// Appends what fits into the spare capacity of `vec`, which is not empty.
    fn fill(&self, vec: &mut Vec<u8>) -> io::Result<usize> {
        Ok(recv(self, spare_capacity(vec), RecvFlags::empty())?.1)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(self, bytes, SEND)?)
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Tells the peer that nothing more will come.
    fn end_sending(&self) -> io::Result<()>;
}

/// A connected socket.
pub(crate) struct Socket<S> {
    io: Async<S>,
    /// Where our end is, and the peer's, until nobody will ask any more.
    ends: Option<Box<[Address; 2]>>,
    /// Reading, or writing, waits for the reactor before it tries.
    dry: bool,
    full: bool,
    /// Sending has ended.
    ended: bool,
}

impl<S: RawSocket> Socket<S> {
    pub(crate) fn new(io: Async<S>, local: Address, peer: Address) -> Self {
        Self { io, ends: Some(Box::new([local, peer])), dry: false, full: false, ended: false }
    }

    pub(crate) fn local(&self) -> &Address {
        self.ends.as_deref().map_or(&Address::Unknown, |[local, _]| local)
    }

    pub(crate) fn peer(&self) -> &Address {
        self.ends.as_deref().map_or(&Address::Unknown, |[_, peer]| peer)
    }

    /// Nobody will ask where the ends are.
    pub(crate) fn forget_ends(&mut self) {
        self.ends = None;
    }

    /// One read.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let room = buffer.len();
        self.poll_in(cx, room, |socket| socket.read(buffer))
    }

    /// One read to the end of `vec`: without clearing the room first if all of the spare capacity may be used.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        vec: &mut Vec<u8>,
        at_most: usize,
    ) -> Poll<io::Result<usize>> {
        if at_most == 0 {
            return Poll::Ready(Ok(0));
        }
        if vec.capacity() == vec.len() {
            vec.try_reserve_exact(at_most.min(STEP))?;
        }
        let spare = vec.capacity() - vec.len();
        if spare > at_most {
            let mut piece = [0; SMALL_STEP];
            let piece = &mut piece[..at_most.min(SMALL_STEP)];
            let read = ready!(self.poll_read(cx, piece))?;
            vec.extend_from_slice(&piece[..read]);
            return Poll::Ready(Ok(read));
        }
        self.poll_in(cx, spare, |socket| socket.fill(vec))
    }

    /// Whether the next read would wait for the reactor, without asking the kernel.
    pub(crate) fn is_dry(&self) -> bool {
        self.dry
    }

    /// The next read asks the kernel, dry or not: an end of the stream may have come, and the reactor not have said so yet.
    pub(crate) fn look_again(&mut self) {
        self.dry = false;
    }

    /// One write.
    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.full {
                ready!(self.io.poll_writable(cx))?;
                self.full = false;
            }
            let socket = self.io.get_ref();
            match if let [slice] = slices { socket.write(slice) } else { socket.write_vectored(slices) } {
                Ok(written) => {
                    self.full = written < slices.iter().map(|slice| slice.len()).sum();
                    return Poll::Ready(Ok(written));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.full = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Ends sending; again and again, if need be.
    pub(crate) fn end_sending(&mut self) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        match self.io.get_ref().end_sending() {
            // The peer was faster, and has ended both directions.
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
            Ok(()) | Err(_) => {
                self.ended = true;
                Ok(())
            }
        }
    }

    /// Tries `read`, into so much room, now or once there is something to read.
    fn poll_in(
        &mut self,
        cx: &mut Context<'_>,
        room: usize,
        mut read: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.dry {
                ready!(self.io.poll_readable(cx))?;
                self.dry = false;
            }
            match read(self.io.get_ref()) {
                Ok(length) => {
                    self.dry = (1..room).contains(&length);
                    return Poll::Ready(Ok(length));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.dry = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl<S> fmt::Debug for Socket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { io: _, ends, dry, full, ended } = self;
        let mut f = f.debug_struct("Socket");
        f.field("ends", ends).field("dry", dry).field("full", full);
        f.field("ended", ended).finish()
    }
}

/// Room that is made in a `Vec` without any.
const STEP: usize = 64 * 1024;

/// How much is read at once where the `Vec` has more room than may be used.
const SMALL_STEP: usize = 4 * 1024;

/// A peer that has gone is an error, and no signal. (Elsewhere the socket has been told so when it was made.)
#[cfg(not(any(target_vendor = "apple", windows)))]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(any(target_vendor = "apple", windows))]
const SEND: SendFlags = SendFlags::empty();
