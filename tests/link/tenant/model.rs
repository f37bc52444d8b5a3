//! A model of the whole way, over seeds: any interleaving of posts, acks, nacks, links that are cut, closed or dropped, agents
//! that come back, handlers that are slow, fail or are dropped half-way, and inboxes that are full.
//!
//! What must hold: everyone handles everything that the others have posted, each envelope exactly once, and in the order of
//! the channel but for what a handler has refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wscope::{
    Error, Nursery, fail_after,
    link::{
        Agent, ChannelType, Delivery, Envelope, HubConfig, HubLimits, Passport, Post, RequestError, Tenant,
        TenantConfig, TenantStats, open_tenant,
    },
    nursery,
    scope::Race,
    testing::Simulation,
    websocket::BoxError,
};

use crate::town::Town;

const AGENTS: usize = 4;
/// Each with its neighbour: agent 0 with 1, 1 with 2, 2 with 3.
const CHANNELS: usize = AGENTS - 1;
const POSTS: u64 = 25;
const SEEDS: u64 = 40;

/// What one agent has done and seen.
#[derive(Default)]
struct Record {
    /// Numbers handled, by channel, in order.
    handled: BTreeMap<String, Vec<u64>>,
    refused: BTreeSet<u64>,
    links: u64,
    put_down: u64,
    duplicates: u64,
}

struct World {
    town: Town,
    random: Mutex<StdRng>,
    channels: Mutex<Vec<String>>,
    records: [Mutex<Record>; AGENTS],
    /// From now on nothing bad happens any more.
    calm: Mutex<bool>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut limits = HubLimits::new();
        limits.window = 2_000; // a few deliveries
        Self {
            town: Town::new(HubConfig::new().limits(limits)),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            channels: Mutex::default(),
            records: std::array::from_fn(|_| Mutex::default()),
            calm: Mutex::new(false),
        }
    }

    fn below(&self, most: u64) -> u64 {
        self.random.lock().unwrap().random_range(0..most)
    }

    async fn rest(&self, most: u64) {
        let time = Duration::from_millis(self.below(most));
        if !time.is_zero() {
            wscope::sleep(time).await;
        }
    }

    fn is_calm(&self) -> bool {
        *self.calm.lock().unwrap()
    }

    async fn handle(&self, at: usize, delivery: Delivery) -> Result<(), BoxError> {
        if delivery.envelope().event_type != Envelope::TEXT {
            return Ok(());
        }
        self.rest(30).await;
        let number: u64 = delivery.text().unwrap().parse().unwrap();
        let mut record = self.records[at].lock().unwrap();
        if !self.is_calm() && self.below(10) == 0 {
            record.refused.insert(number);
            return Err("not now".into());
        }
        let handled = record.handled.entry(delivery.channel().id().to_owned()).or_default();
        assert!(!handled.contains(&number), "agent {at} has handled {number} twice");
        handled.push(number);
        Ok(())
    }

    /// Posts what is left to be posted; what has an unknown outcome is posted again.
    async fn post(&self, agent: &Agent, at: usize, next: &Mutex<u64>) -> Result<(), Error> {
        loop {
            let number = *next.lock().unwrap();
            if number == POSTS {
                return Ok(());
            }
            self.rest(60).await;
            let channels: Vec<String> = {
                let all = self.channels.lock().unwrap();
                (0..CHANNELS).filter(|it| *it == at || *it + 1 == at).map(|it| all[it].clone()).collect()
            };
            // The same number always goes to the same channel, or its key would be of no use.
            let channel = &channels[usize::try_from(number).unwrap() % channels.len()];
            let number_of_all = number * AGENTS as u64 + at as u64;
            let post = Post::text(number_of_all.to_string()).idempotency_key(number_of_all.to_string());
            match agent.channel(channel).post(post).await {
                Ok(_) => *next.lock().unwrap() += 1,
                Err(RequestError::Closed { .. } | RequestError::TimedOut { .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn note(&self, at: usize, stats: TenantStats) {
        let mut record = self.records[at].lock().unwrap();
        record.links += 1;
        record.put_down += stats.put_down;
        record.duplicates += stats.duplicates;
    }
}

/// One link after the other, until all is posted and the world is calm.
async fn live(world: Arc<World>, n: Nursery<'_, Error>, at: usize, first: Agent) -> Result<(), Error> {
    let next = Mutex::new(0);
    let mut agent = first;
    loop {
        let calm = world.is_calm();
        let (end, scissors) = world.town.connect_with_scissors(&n);
        let config =
            TenantConfig::new(end)?.inbox(3_000).max_handlers(2).request_timeout(Duration::from_secs(5));
        let (world, next) = (&world, &next);
        let resumed = open_tenant(config, async |tenant: Tenant| {
            let resumed = match tenant.resume(&agent).await {
                Ok(resumed) => resumed,
                Err(RequestError::Closed { .. }) => return Ok(agent.clone()),
                Err(error) => return Err(error.into()),
            };
            let serving = async {
                // Handlers that run when the link ends run to their end.
                drop(resumed.serve(async |delivery| world.handle(at, delivery).await).await);
                Ok(())
            };
            let posting = async {
                world.post(&resumed, at, next).await?;
                std::future::pending().await
            };
            let fate = async {
                if calm {
                    return std::future::pending().await;
                }
                world.rest(400).await;
                match world.below(4) {
                    0 => drop(scissors.send(())),    // and what is on its way to the hub is lost
                    1 => drop(tenant.close().await), // and what is on its way here is lost
                    2 => return Ok(()),              // and handlers are dropped half-way
                    _ => {}                          // the world changes, and this link lives on for a while
                }
                wscope::sleep(Duration::from_secs(2)).await;
                Ok::<_, Error>(())
            };
            let outcome = (serving, posting, fate).race().await;
            world.note(at, tenant.stats());
            outcome.map(|()| resumed)
        })
        .await?;
        agent = resumed;
        world.rest(100).await;
    }
}

/// Four agents, and a conversation of each with the next.
async fn settle_in(world: &Arc<World>, n: &Nursery<'_, Error>) -> Result<Vec<Agent>, Error> {
    let end = world.town.connect(n);
    open_tenant(end, async |tenant: Tenant| {
        nursery(async |n: Nursery<'_, Error>| {
            let mut agents = Vec::new();
            for at in 0..AGENTS {
                let agent = tenant.register(Passport::new(format!("agent{at}"))).await?;
                let served = agent.clone();
                n.start_service(async move { Ok(served.serve(async |_| Ok(())).await?) });
                agents.push(agent);
            }
            for pair in agents.windows(2) {
                let channel = pair[0].open_channel(ChannelType::Conversation, [pair[1].id()]).await?;
                world.channels.lock().unwrap().push(channel.id().to_owned());
            }
            Ok(agents)
        })
        .await
    })
    .await
}

/// Waits until everyone has handled what the others have posted.
async fn all_is_handled(world: &World) {
    let share = |at: usize, channel: usize| {
        // Of two channels the numbers alternate, the lower one first.
        match (at, at == 0 || at == AGENTS - 1) {
            (_, true) => POSTS,
            (_, false) if channel < at => POSTS.div_ceil(2),
            (_, false) => POSTS / 2,
        }
    };
    loop {
        wscope::sleep(Duration::from_millis(500)).await;
        let channels = world.channels.lock().unwrap().clone();
        let done = (0..AGENTS).all(|at| {
            let record = world.records[at].lock().unwrap();
            let count = |channel: usize| record.handled.get(&channels[channel]).map_or(0, Vec::len) as u64;
            let below = at.checked_sub(1).is_none_or(|below| count(below) == share(below, below));
            let above = at + 1 == AGENTS || count(at) == share(at + 1, at);
            below && above
        });
        if done {
            return;
        }
    }
}

fn run(seed: u64) -> [Record; AGENTS] {
    let world = Arc::new(World::new(seed));
    let bounded = fail_after(
        Duration::from_secs(10_000),
        nursery(async |n: Nursery<'_, Error>| {
            let agents = settle_in(&world, &n).await?;
            for (at, agent) in agents.into_iter().enumerate() {
                n.start_service(live(world.clone(), n.clone(), at, agent));
            }
            wscope::sleep(Duration::from_secs(20)).await;
            *world.calm.lock().unwrap() = true;
            all_is_handled(&world).await;
            wscope::sleep(Duration::from_secs(10)).await; // and nothing more comes
            Ok(())
        }),
    );
    let outcome = Simulation::seed(seed).run(bounded);
    outcome
        .unwrap_or_else(|slow| panic!("seed {seed}: {slow}"))
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    std::array::from_fn(|at| std::mem::take(&mut *world.records[at].lock().unwrap()))
}

#[test]
fn everyone_handles_everything_exactly_once_and_in_the_order_of_the_channel() {
    let (mut links, mut refused, mut put_down, mut duplicates) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        for (at, record) in run(seed).iter().enumerate() {
            for (channel, handled) in &record.handled {
                // One other posts in it, so the order of the channel is that of its numbers.
                let in_order: Vec<u64> =
                    handled.iter().copied().filter(|number| !record.refused.contains(number)).collect();
                assert!(in_order.is_sorted(), "seed {seed}, agent {at}, {channel}: {handled:?}");
                let distinct: BTreeSet<&u64> = handled.iter().collect();
                assert_eq!(distinct.len(), handled.len());
            }
            links += record.links;
            refused += record.refused.len();
            put_down += record.put_down;
            duplicates += record.duplicates;
        }
    }
    println!("{links} links, {refused} refused, {put_down} put down, {duplicates} duplicates");
    assert!(links > 500 && refused > 50 && put_down > 50 && duplicates > 50, "the model did not do much");
}
