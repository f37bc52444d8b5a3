//! The generator: one thread, one epoll, frames that were encoded beforehand. It never computes more than it must: it looks at
//! headers alone, once a first message has come back unchanged on each connection.

use std::{
    io,
    time::{Duration, Instant},
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::{
    peer::{Frames, PATIENCE, Peer},
    process::Server,
    statistics::median,
};

/// What is sent, over how many connections, and how many messages of each are under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    pub size: usize,
    pub connections: usize,
    pub depth: usize,
}

/// How messages follow each other.
#[derive(Clone, Copy)]
pub enum Pace {
    /// For each that comes back, the next.
    Closed,
    /// So many a second, whatever comes back: a delay counts from when a message was due.
    Open(f64),
}

/// What one slice of time has shown.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Microseconds of processor time of the server, a message.
    pub processor: f64,
    /// Messages a second.
    pub rate: f64,
    /// Microseconds from a message to its echo.
    pub p50: f64,
    pub p99: f64,
    pub messages: usize,
}

/// Connections to one server.
pub struct Load {
    peers: Vec<Peer>,
    frames: Frames,
    shape: Shape,
    epoll: Epoll,
    buffer: Vec<u8>,
}

impl Load {
    /// Opens the connections. Each has had one message back when this returns.
    pub fn open(port: u16, shape: Shape, tls: bool) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let frames = Frames::new(shape.size, shape.depth);
        let mut buffer = vec![0; BUFFER];
        let mut peers = Peer::open(port, tls, shape.connections)?;
        for (number, peer) in peers.iter_mut().enumerate() {
            peer.try_echo(&frames, &mut buffer)?;
            epoll.add(&*peer, EpollEvent::new(EpollFlags::EPOLLIN, number as u64))?;
        }
        Ok(Self { peers, frames, shape, epoll, buffer })
    }

    /// Loads the server for so long, and then waits until all has come back.
    pub fn run(&mut self, server: &Server, pace: Pace, time: Duration) -> io::Result<Slice> {
        let processor = server.processor_time()?;
        let begin = Instant::now();
        let mut messages = 0;
        let mut delays = Vec::new();
        if matches!(pace, Pace::Closed) {
            for peer in &mut self.peers {
                peer.send(self.shape.depth, begin, &self.frames)?;
            }
        }
        let end = begin + time;
        let mut due = 0;
        let mut heard = begin;
        loop {
            let now = Instant::now();
            let sending = now < end;
            if !sending && self.peers.iter().all(Peer::is_quiet) {
                break;
            }
            if now - heard > PATIENCE {
                return Err(io::Error::other("the server does not answer"));
            }
            let mut timeout = EpollTimeout::from(100_u16);
            if let Pace::Open(rate) = pace {
                timeout = EpollTimeout::ZERO; // it is to be on time
                while sending && begin + Duration::from_secs_f64(due as f64 / rate) <= now {
                    let peer = &mut self.peers[due % self.shape.connections];
                    peer.send(1, begin + Duration::from_secs_f64(due as f64 / rate), &self.frames)?;
                    due += 1;
                }
            }
            let closed = sending && matches!(pace, Pace::Closed);
            let echoes = self.turn(timeout, closed, &mut delays)?;
            if echoes > 0 {
                heard = now;
                messages += echoes;
            }
        }
        let took = begin.elapsed().as_secs_f64();
        let processor = server.processor_time()? - processor;
        delays.sort_unstable();
        Ok(Slice {
            processor: processor * 1e6 / messages as f64,
            rate: messages as f64 / took,
            p50: percentile(&delays, messages, 0.5),
            p99: percentile(&delays, messages, 0.99),
            messages,
        })
    }

    /// Waits for what comes back, and sends as much if `closed`.
    fn turn(
        &mut self,
        timeout: EpollTimeout,
        closed: bool,
        delays: &mut Vec<(Duration, usize)>,
    ) -> io::Result<usize> {
        let mut events = [EpollEvent::empty(); 256];
        let count = self.epoll.wait(&mut events, timeout)?;
        let mut messages = 0;
        for event in &events[..count] {
            let number = event.data() as usize;
            let peer = &mut self.peers[number];
            let echoes = peer.read(&mut self.buffer, delays)?;
            messages += echoes;
            if closed && echoes > 0 {
                peer.send(echoes, Instant::now(), &self.frames)?;
            } else {
                peer.write(&self.frames)?;
            }
            if peer.wants_room() != peer.watched_for_room {
                peer.watched_for_room = peer.wants_room();
                let mut flags = EpollFlags::EPOLLIN;
                flags.set(EpollFlags::EPOLLOUT, peer.watched_for_room);
                self.epoll.modify(&*peer, &mut EpollEvent::new(flags, number as u64))?;
            }
        }
        Ok(messages)
    }
}

/// Microseconds within which so much of all has come back.
fn percentile(sorted: &[(Duration, usize)], all: usize, part: f64) -> f64 {
    let mut left = (all as f64 * part) as usize;
    for (delay, count) in sorted {
        if left < *count {
            return delay.as_secs_f64() * 1e6;
        }
        left -= count;
    }
    sorted.last().map_or(f64::NAN, |(delay, _)| delay.as_secs_f64() * 1e6)
}

/// The middle of what the slices show.
pub fn middle(slices: &[Slice], part: impl Fn(&Slice) -> f64) -> f64 {
    median(&slices.iter().map(part).collect::<Vec<_>>())
}

const BUFFER: usize = 256 * 1024;
