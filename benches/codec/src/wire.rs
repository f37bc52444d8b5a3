//! An endless stream of frames from memory, and a sink: the transport under every library.

use crate::libraries::Case;
use std::{
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one read gives at most where many frames are read at once: what a server reads from a busy socket.
pub const MANY: usize = 64 * 1024;

/// What the transport copies at a time.
const PIECE: usize = 1024;

/// How far apart two places of a case are: a few of them go once through a page.
const PLACE: usize = 136;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Binary,
}

/// How the frames come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// No read goes past the end of a frame.
    One,
    /// A read gives up to [`MANY`] bytes.
    Many,
}

/// Frames of a client, the same few over and over, each under its own mask; what is written goes nowhere.
#[derive(Debug)]
pub struct Wire {
    frames: Vec<u8>,
    /// Where the first frame begins.
    begin: usize,
    at: usize,
    /// Most bytes of one read.
    read: usize,
    /// Where the read that is under way ends.
    end: usize,
}

impl Wire {
    /// At least two frames, and more than [`MANY`] bytes.
    pub fn new(case: Case, reads: Reads) -> Self {
        let Case { kind, size, place, .. } = case;
        let payload = payload(kind, size);
        let count = (4 * MANY / (size + 14)).clamp(2, 4096);
        let begin = place * PLACE % 4096;
        let mut frames = vec![0; begin];
        for index in 0..count as u32 {
            let key = index.wrapping_mul(0x9E37_79B9).to_be_bytes();
            frames.push(if kind == Kind::Text { 0x81 } else { 0x82 });
            match size {
                0..126 => frames.push(0x80 | size as u8),
                126..65_536 => {
                    frames.push(0x80 | 126);
                    frames.extend_from_slice(&(size as u16).to_be_bytes());
                }
                65_536.. => {
                    frames.push(0x80 | 127);
                    frames.extend_from_slice(&(size as u64).to_be_bytes());
                }
            }
            frames.extend_from_slice(&key);
            frames.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]));
        }
        let read = match reads {
            Reads::One => (frames.len() - begin) / count,
            Reads::Many => MANY,
        };
        Self { frames, begin, at: begin, read, end: begin }
    }

    /// For writing alone.
    pub fn sink() -> Self {
        Self { frames: Vec::new(), begin: 0, at: 0, read: 0, end: 0 }
    }

    /// The next bytes of at most `len`, up to the end of the read that is under way.
    #[inline]
    pub fn next(&mut self, len: usize) -> &[u8] {
        if self.at == self.end {
            self.at = if self.at == self.frames.len() { self.begin } else { self.at };
            self.end = self.frames.len().min(self.at + self.read);
        }
        let begin = self.at;
        self.at = self.end.min(begin + len);
        &self.frames[begin..self.at]
    }
}

/// JSON-like text in ASCII, or bytes.
pub fn payload(kind: Kind, size: usize) -> Vec<u8> {
    match kind {
        Kind::Text => br#"{"id":1234567,"kind":"notify","text":"the quick brown fox"},"#.iter().copied().cycle().take(size).collect(),
        Kind::Binary => (0..size).map(|at| (at * 31) as u8).collect(),
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(buffer.len());
        // In pieces: a large copy is one instruction, which callgrind counts once a byte.
        for (to, from) in buffer.chunks_mut(PIECE).zip(bytes.chunks(PIECE)) {
            to[..from.len()].copy_from_slice(from);
        }
        Ok(bytes.len())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(std::hint::black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.next(buffer.remaining()).chunks(PIECE).for_each(|piece| buffer.put_slice(piece));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(std::hint::black_box(bytes).len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(std::hint::black_box(slices).iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
