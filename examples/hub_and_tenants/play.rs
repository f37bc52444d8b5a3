//! The play: one hub, four tenants, one nursery.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt, channel::mpsc, stream};
use futures_concurrency::future::TryJoin;
use wscope::{
    Error, Nursery, WebSocketConnection, WebSocketServer, connect_websocket, fail_after,
    link::{Agent, Channel, ChannelType, Delivery, Hub, LinkEndpoint, ServeError, Tenant, connect_tenant},
    nursery,
    websocket::BoxError,
};

use crate::ledger::Ledger;

/// Envelopes to each of the three.
const COUNT: u32 = 300;
/// Bytes of each: all of them are more than a hub has on its way to one tenant, and than sockets hold.
const SIZE: usize = 8 * 1024;
/// Posts on their way together.
const TOGETHER: usize = 16;
/// Bob's cable is pulled while he handles this one.
const CUT_AT: u32 = 100;
/// What is dropped on purpose, if something is to be.
const LOST: u32 = 42;
/// Questions to Carol while Sloth does not read.
const QUESTIONS: usize = 50;
/// What the whole play may take.
const LIMIT: Duration = Duration::from_secs(10);

const BOB: &str = "bob";
const CAROL: &str = "carol";
const SLOTH: &str = "sloth";

/// Gives whether each envelope arrived exactly once, and in order.
pub(crate) async fn play(lose_one: bool) -> Result<bool, Error> {
    let play = Play { began: Instant::now(), ledger: Ledger::default(), lose_one };
    fail_after(LIMIT, nursery(async |n| play.run(&n).await)).await??;
    play.judge()
}

struct Play {
    began: Instant,
    ledger: Ledger,
    lose_one: bool,
}

/// What tenants tell the play.
enum News {
    /// The last number has been handled.
    Done(&'static str),
    /// Carol has answered a question of Alice.
    Answered,
}

impl Play {
    async fn run<'env>(&'env self, n: &Nursery<'env, Error>) -> Result<(), Error> {
        let hub = Hub::builder().build();
        let server = WebSocketServer::bind("127.0.0.1:0").await?;
        let url = format!("ws://127.0.0.1:{}/", server.port());
        let serving = hub.serve(server)?;
        let serving = n.child(async {
            serving.await;
            Ok(())
        });
        self.says("hub", format!("listens at {url}"))?;

        // Each comes in over a link of its own, registers an agent, and serves what is delivered to it until the link ends.
        let (told, mut news) = mpsc::channel(TOGETHER);
        let (tenant, _) = enter(n, &url).await?;
        let alice = tenant.register("alice").await?;
        n.start_soon(self.alice(alice.clone(), told.clone()));
        let (tenant, bobs_socket) = enter(n, &url).await?;
        let bob = tenant.register(BOB).await?;
        n.start_soon(self.bob(n.clone(), url.clone(), bob.clone(), bobs_socket, told.clone()));
        let (tenant, _) = enter(n, &url).await?;
        let carol = tenant.register(CAROL).await?;
        n.start_soon(self.carol(carol.clone(), told.clone()));
        let (tenant, sloths_socket) = enter(n, &url).await?;
        let sloth = tenant.register(SLOTH).await?;
        n.start_soon(self.sloth(sloth.clone(), told));

        let to_bob = alice.open_channel(ChannelType::Conversation, [BOB]).await?;
        let to_carol = alice.open_channel(ChannelType::Conversation, [CAROL]).await?;
        let to_sloth = alice.open_channel(ChannelType::Conversation, [SLOTH]).await?;
        self.says("alice", "has opened a channel with each of bob, carol and sloth".to_owned())?;

        sloths_socket.pause_reading();
        self.says(SLOTH, "does not read".to_owned())?;
        self.says("alice", format!("posts {COUNT} envelopes of {} KiB to each", SIZE / 1024))?;
        let posting = Instant::now();
        (self.post(&to_bob, BOB), self.post(&to_carol, CAROL), self.post(&to_sloth, SLOTH))
            .try_join()
            .await?;
        let rate = f64::from(3 * COUNT) / posting.elapsed().as_secs_f64();
        self.says("alice", format!("has posted them, {rate:.0} in a second"))?;
        for _ in [BOB, CAROL] {
            self.hears_of_done(&mut news).await?;
        }

        let waiting = COUNT as usize - self.ledger.count(SLOTH);
        let mut times = Vec::new();
        for _ in 0..QUESTIONS {
            let asked = Instant::now();
            to_carol.post("how are you?").await?;
            while !matches!(news.next().await, Some(News::Answered) | None) {}
            times.push(asked.elapsed());
        }
        times.sort();
        let typical = times[QUESTIONS / 2].as_micros();
        self.says(CAROL, format!("answers within {typical} µs, while {waiting} envelopes wait for sloth"))?;

        sloths_socket.resume_reading();
        self.says(SLOTH, "reads again".to_owned())?;
        self.hears_of_done(&mut news).await?;

        hub.drain(Duration::from_secs(1)).await;
        serving.await?;
        let stats = hub.stats();
        self.says("hub", format!("has drained: {} envelopes, {} deliveries", stats.posted, stats.notified))
    }

    /// Posts the numbers, in order, several on their way together.
    async fn post(&self, channel: &Channel, to: &'static str) -> Result<(), Error> {
        let post = |number: u32| async move {
            self.ledger.posted(to, number);
            channel.post(format!("{number} {:.<SIZE$}", "")).await
        };
        let mut posts = stream::iter(1..=COUNT).map(post).buffered(TOGETHER);
        while let Some(posted) = posts.next().await {
            posted?;
        }
        Ok(())
    }

    async fn alice(&self, agent: Agent, told: mpsc::Sender<News>) -> Result<(), Error> {
        let handle = async |delivery: Delivery| {
            if delivery.text().is_some() {
                told.clone().send(News::Answered).await?;
            }
            Ok(())
        };
        Ok(agent.serve(handle).await?)
    }

    /// Is cut off in the middle of the work, and goes on over another link.
    async fn bob<'env>(
        &'env self,
        n: Nursery<'env, Error>,
        url: String,
        mut agent: Agent,
        mut socket: WebSocketConnection,
        told: mpsc::Sender<News>,
    ) -> Result<(), Error> {
        loop {
            let handle = async |delivery: Delivery| {
                if self.handle(BOB, &delivery, &told).await? == Some(CUT_AT) {
                    socket.abort(); // no close frame, no acknowledgement: as if a cable had been pulled
                }
                Ok(())
            };
            match agent.serve(handle).await {
                Ok(()) => return Ok(()), // the hub has closed the link
                Err(ServeError::Closed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            self.says(BOB, format!("is cut off while he handles {CUT_AT}: the hub cannot know that he has"))?;
            let (tenant, new_socket) = enter(&n, &url).await?;
            agent = tenant.resume(&agent).await?;
            socket = new_socket;
            self.says(BOB, "is back on a new link, and says from where to go on".to_owned())?;
        }
    }

    async fn carol(&self, agent: Agent, told: mpsc::Sender<News>) -> Result<(), Error> {
        let handle = async |delivery: Delivery| {
            if delivery.text().as_deref() == Some("how are you?") {
                delivery.reply("well, and you?").await?;
            } else {
                self.handle(CAROL, &delivery, &told).await?;
            }
            Ok(())
        };
        Ok(agent.serve(handle).await?)
    }

    async fn sloth(&self, agent: Agent, told: mpsc::Sender<News>) -> Result<(), Error> {
        let handle = async |delivery: Delivery| {
            self.handle(SLOTH, &delivery, &told).await?;
            Ok(())
        };
        Ok(agent.serve(handle).await?)
    }

    /// Writes the number down, if it is one.
    async fn handle(
        &self,
        name: &'static str,
        delivery: &Delivery,
        told: &mpsc::Sender<News>,
    ) -> Result<Option<u32>, BoxError> {
        let Some(text) = delivery.text() else { return Ok(None) };
        let number = text.split(' ').next().unwrap_or_default().parse()?;
        if !(self.lose_one && name == CAROL && number == LOST) {
            self.ledger.arrived(name, number);
        }
        if number == COUNT {
            told.clone().send(News::Done(name)).await?;
        }
        Ok(Some(number))
    }

    async fn hears_of_done(&self, news: &mut mpsc::Receiver<News>) -> Result<(), Error> {
        while let Some(news) = news.next().await {
            if let News::Done(name) = news {
                return self.says(name, "has handled the last one".to_owned());
            }
        }
        Ok(())
    }

    /// Prints who has come to its end with what, and gives whether all is well.
    fn judge(&self) -> Result<bool, Error> {
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "\n{:>9}  {:>6}  {:>7}  {:>7}  {:>5}  {:>12}",
            "", "posted", "arrived", "missing", "twice", "out of order"
        )?;
        let verdicts = self.ledger.verdicts();
        for (name, verdict) in &verdicts {
            let crate::ledger::Verdict { posted, arrived, missing, twice, out_of_order } = verdict;
            writeln!(
                out,
                "{name:>9}  {posted:>6}  {arrived:>7}  {missing:>7}  {twice:>5}  {out_of_order:>12}"
            )?;
        }
        let good = verdicts.len() == 3 && verdicts.iter().all(|(_, verdict)| verdict.is_good());
        writeln!(
            out,
            "\n{}",
            if good { "each envelope arrived exactly once, in order" } else { "NOT exactly once" }
        )?;
        Ok(good)
    }

    fn says(&self, who: &str, what: String) -> Result<(), Error> {
        let passed = self.began.elapsed().as_secs_f64();
        Ok(writeln!(io::stdout(), "{passed:>7.3} s  {who:<6} {what}")?)
    }
}

/// A link to the hub, and the socket below it.
async fn enter(n: &Nursery<'_, Error>, url: &str) -> Result<(Tenant, WebSocketConnection), Error> {
    let socket = connect_websocket(n, url).await?;
    Ok((connect_tenant(n, LinkEndpoint::from(socket.clone())).await?, socket))
}
