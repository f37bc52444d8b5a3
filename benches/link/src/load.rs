//! The loads: posts to one or to many, and requests.

use std::{
    io,
    time::{Duration, Instant},
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use serde_json::json;

use crate::{
    peer::{PATIENCE, Peer, encode, request},
    process::Server,
};

/// What one slice of time has shown.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Deliveries, or answers, in a second.
    pub rate: f64,
    /// Microseconds of the server's processor time for one of them.
    pub processor: f64,
}

pub enum Load {
    Posts(Posts),
    Requests(Requests),
}

impl Load {
    /// By the name of its table; `echo` are requests to whom sends them back.
    pub fn open(name: &str, server: &Server) -> io::Result<Self> {
        Ok(match name {
            "posts" => Self::Posts(Posts::open(server, 1)?),
            "fan-out" => Self::Posts(Posts::open(server, 50)?),
            "get_agent" => Self::Requests(Requests::open(server, "get_agent", "name_or_id")?),
            "find_agent_id" => Self::Requests(Requests::open(server, "find_agent_id", "name")?),
            _ => return Err(io::Error::other(format!("there is no load {name}"))),
        })
    }

    pub fn run(&mut self, server: &Server, time: Duration) -> io::Result<Slice> {
        match self {
            Self::Posts(posts) => posts.run(server, time),
            Self::Requests(requests) => requests.run(server, time),
        }
    }
}

/// One agent posts to others, which acknowledge; each on a connection of its own.
pub struct Posts {
    /// The first posts.
    peers: Vec<Peer>,
    epoll: Epoll,
    buffer: Vec<u8>,
}

impl Posts {
    fn open(server: &Server, recipients: usize) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let mut peers = Vec::new();
        for number in 0..=recipients {
            let mut peer = Peer::open(server.port)?;
            peer.register(&format!("agent-{number}"))?;
            epoll.add(&peer, EpollEvent::new(EpollFlags::EPOLLIN, number as u64))?;
            peers.push(peer);
        }
        Ok(Self { peers, epoll, buffer: vec![0; 256 * 1024] })
    }

    /// In a channel of its own: AG2's log in memory is the slower the longer it is.
    fn run(&mut self, server: &Server, time: Duration) -> io::Result<Slice> {
        let channel = self.open_channel()?;
        let mut post = Vec::new();
        let data = json!({"text": "x".repeat(100)});
        encode(self.peers[0].post(&channel, "bench.text", &data).as_bytes(), &mut post);
        self.peers.iter().try_for_each(|peer| peer.set_nonblocking(true))?;
        let processor = server.processor_time()?;
        let begin = Instant::now();
        let notified = self.post(&channel, &post, begin + time)?;
        let took = begin.elapsed().as_secs_f64();
        let processor = server.processor_time()? - processor;
        self.peers.iter().try_for_each(|peer| peer.set_nonblocking(false))?;
        self.close_channel(&channel)?;
        Ok(Slice { rate: notified as f64 / took, processor: processor * 1e6 / notified as f64 })
    }

    /// Keeps so many posts under way, and counts the deliveries, until all are there.
    fn post(&mut self, channel: &str, post: &[u8], end: Instant) -> io::Result<usize> {
        let recipients = self.peers.len() - 1;
        let (mut posted, mut answered, mut notified) = (DEPTH, 0, 0);
        (0..DEPTH).for_each(|_| self.peers[0].queue(post));
        self.peers[0].flush()?;
        let mut heard = Instant::now();
        while answered < posted || notified < posted * recipients {
            let mut events = [EpollEvent::empty(); 64];
            let count = self.epoll.wait(&mut events, EpollTimeout::from(100_u16))?;
            let now = Instant::now();
            if count > 0 {
                heard = now;
            } else if now - heard > PATIENCE {
                return Err(io::Error::other("the server does not answer"));
            }
            for event in &events[..count] {
                let peer = &mut self.peers[event.data() as usize];
                let (deliveries, answers) = peer.turn(channel, &mut self.buffer)?;
                notified += deliveries;
                if event.data() == 0 {
                    answered += answers;
                    while now < end && posted < answered + DEPTH {
                        peer.queue(post);
                        posted += 1;
                    }
                }
                let left = peer.flush()?;
                let mut flags = EpollFlags::EPOLLIN;
                flags.set(EpollFlags::EPOLLOUT, !left);
                if !left || event.events().contains(EpollFlags::EPOLLOUT) {
                    self.epoll.modify(&*peer, &mut EpollEvent::new(flags, event.data()))?;
                }
            }
        }
        Ok(notified)
    }

    fn open_channel(&mut self) -> io::Result<String> {
        let (creator, others) = self.peers.split_at_mut(1);
        let invited: Vec<&str> = others.iter().map(|peer| peer.agent.as_str()).collect();
        let create =
            json!({"creator_id": creator[0].agent, "manifest_type": "discussion", "participants": invited});
        creator[0].ask("create_channel", &create)?;
        let mut channel = String::new();
        for peer in others.iter_mut() {
            let invite = peer.notified()?;
            channel = invite["envelope"]["channel_id"].as_str().unwrap_or_default().to_owned();
            let ack = peer.post(&channel, "ag2.channel.invite.ack", &json!({"channel_id": channel}));
            peer.say(&ack)?;
        }
        creator[0].answer()?;
        for peer in others {
            // Its own acknowledgement is answered, in whichever order, and the opening told.
            let texts = [peer.hear()?, peer.hear()?];
            if !texts.iter().any(|text| text.contains("ag2.channel.opened")) {
                return Err(io::Error::other(texts.join("\n")));
            }
        }
        Ok(channel)
    }

    fn close_channel(&mut self, channel: &str) -> io::Result<()> {
        self.peers[0].ask("close_channel", &json!({"channel_id": channel}))?;
        self.peers[0].answer()?;
        self.peers[1..].iter_mut().try_for_each(|peer| peer.notified().map(drop))
    }
}

/// One request after the other, each when the one before is answered.
pub struct Requests {
    peer: Peer,
    request: String,
}

impl Requests {
    fn open(server: &Server, op: &str, param: &str) -> io::Result<Self> {
        let mut peer = Peer::open(server.port)?;
        if server.name != "echo" {
            peer.register(&format!("who-asks-{op}"))?;
        }
        let request = request(op, &json!({param: format!("who-asks-{op}")}));
        Ok(Self { peer, request })
    }

    fn run(&mut self, server: &Server, time: Duration) -> io::Result<Slice> {
        let processor = server.processor_time()?;
        let begin = Instant::now();
        let mut count = 0;
        while begin.elapsed() < time {
            self.peer.say(&self.request)?;
            self.peer.hear()?;
            count += 1;
        }
        let took = begin.elapsed().as_secs_f64();
        let processor = server.processor_time()? - processor;
        Ok(Slice { rate: f64::from(count) / took, processor: processor * 1e6 / f64::from(count) })
    }
}

/// Posts under way.
pub const DEPTH: usize = 64;
