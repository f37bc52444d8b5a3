//! A crowd of clients at one server for a while: some stay, some come and go in every way, some do not read, and some have a network with
//! faults in between. Memory and open files stay where they are, and when all have left nothing is left.
//!
//! 20 seconds with 120 clients by default; `SOAK_SECONDS` and `SOAK_CLIENTS` say otherwise, and `.ci/soak` runs ten minutes with 500.
//! A binary of its own: it counts the heap and the files of the whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "chaos/proxy.rs"]
mod proxy;

use std::{
    env, fs,
    time::{Duration, Instant},
};

use proxy::{Fault, Proxy, Random};
use wscope::{
    Accept, BoxError, ClientConfig, CloseCode, ConnectionConfig, Error, Nursery, ServerConfig,
    WebSocketConnection, WebSocketRequest, WebSocketServer, connect_websocket, move_on_after, nursery,
    open_websocket, run, sleep,
};

#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

#[test]
fn a_crowd_leaves_memory_and_files_where_they_are() {
    let number = |name: &str, default| env::var(name).map_or(default, |value| value.parse().unwrap());
    let (seconds, clients) = (number("SOAK_SECONDS", 20), number("SOAK_CLIENTS", 120));
    let before = open_files();
    let samples = run(soak(Duration::from_secs(seconds), clients)).unwrap();
    let warm = (samples.len() / 10).max(5); // a minute of ten
    let samples = &samples[warm..];
    let heap = Trend::of(samples, |sample| sample.heap);
    let resident = Trend::of(samples, |sample| sample.resident);
    let files = Trend::of(samples, |sample| sample.files);
    println!("{clients} clients for {seconds} s; a minute adds:");
    println!("heap      {:>9.0} KiB to {:>9.0} KiB", heap.a_minute / 1024.0, heap.mean / 1024.0);
    println!("resident  {:>9.0} KiB to {:>9.0} KiB", resident.a_minute / 1024.0, resident.mean / 1024.0);
    println!("files     {:>9.1}     to {:>9.1}", files.a_minute, files.mean);
    // What a crowd has at a moment comes and goes with it, and in a short run that is most of what a line through it shows.
    let slack = if samples.len() < 300 { 16.0 } else { 1.0 };
    for (what, trend, allowed) in [("heap", heap, MIB), ("resident", resident, MIB), ("files", files, 10.0)] {
        let allowed = allowed * slack;
        assert!(
            trend.a_minute < allowed,
            "{what} grows by {:.0} a minute, above {allowed:.0}",
            trend.a_minute
        );
    }
    let began = Instant::now();
    while open_files() > before + RUNTIME_FILES {
        assert!(began.elapsed() < Duration::from_secs(10), "{} files are open, {before} were", open_files());
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("in the end {} KiB of heap, {} files", HEAP.current_usage() / 1024, open_files());
    assert!(HEAP.current_usage() < 4 << 20, "{} bytes are left", HEAP.current_usage());
}

/// What there is at a moment.
struct Sample {
    heap: f64,
    resident: f64,
    files: f64,
}

/// A line through samples, one a second.
struct Trend {
    mean: f64,
    a_minute: f64,
}

impl Trend {
    fn of(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> Self {
        let count = samples.len() as f64;
        let mean = samples.iter().map(&value).sum::<f64>() / count;
        let middle = (count - 1.0) / 2.0;
        let points = || samples.iter().enumerate().map(|(at, it)| (at as f64 - middle, value(it) - mean));
        let slope = points().map(|(x, y)| x * y).sum::<f64>() / points().map(|(x, _)| x * x).sum::<f64>();
        Self { mean, a_minute: slope * 60.0 }
    }
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn sample() -> Sample {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    Sample {
        heap: HEAP.current_usage() as f64,
        resident: resident.unwrap().parse::<f64>().unwrap() * 1024.0,
        files: open_files() as f64,
    }
}

async fn soak(time: Duration, clients: u64) -> Result<Vec<Sample>, Error> {
    let limits = ConnectionConfig::new()
        .send_timeout(2 * SECOND)
        .keepalive_interval(2 * SECOND)
        .keepalive_timeout(5 * SECOND)
        .close_timeout(SECOND);
    let config = ServerConfig::new().connection(limits).handshake_timeout(5 * SECOND);
    nursery(async |n: Nursery<'_, Error>| {
        let server = WebSocketServer::bind("127.0.0.1:0").await?.config(config);
        let (handle, port) = (server.handle(), server.port());
        n.start_service(async move {
            server.run(serve).await;
            Ok(())
        });
        let end = Instant::now() + time;
        let guests = nursery(async |n: Nursery<'_, Error>| {
            for seed in 0..clients {
                n.start_soon(async move {
                    let mut random = Random(seed);
                    while Instant::now() < end {
                        match seed % 10 {
                            0..5 => stay(port, end, &mut random).await?,
                            5 | 6 => come_and_go(port, &mut random).await?,
                            7 => read_slowly(port, &mut random).await?,
                            _ => suffer(port, &mut random).await?,
                        }
                    }
                    Ok(())
                });
            }
            let mut samples = Vec::new();
            while Instant::now() < end {
                sleep(SECOND).await;
                samples.push(sample());
            }
            Ok(samples)
        });
        let samples = guests.await?;
        handle.stop();
        Ok(samples)
    })
    .await
}

/// Echo; on the path `/flood`, messages without end.
async fn serve(request: WebSocketRequest) -> Result<(), BoxError> {
    let flood = request.path() == "/flood";
    let ws = request.accept(Accept::new()).await?;
    if flood {
        loop {
            ws.send_message("x".repeat(8000)).await?;
        }
    }
    while let Some(message) = ws.next_message().await? {
        ws.send_message(message).await?;
    }
    Ok(())
}

fn client(port: u16, path: &str) -> Result<ClientConfig, Error> {
    Ok(ClientConfig::new(&format!("ws://127.0.0.1:{port}{path}"))?)
}

async fn exchange(ws: &WebSocketConnection, size: usize) -> Result<(), Error> {
    ws.send_message(vec![7; size]).await?;
    let answer = ws.get_message().await?;
    if answer.len() == size { Ok(()) } else { Err(Error::other("another message came back")) }
}

/// Talks all the time. Nothing may go wrong.
async fn stay(port: u16, end: Instant, random: &mut Random) -> Result<(), Error> {
    open_websocket(client(port, "/stay")?, async |ws| {
        while Instant::now() < end {
            exchange(&ws, random.below(4000)).await?;
            ws.ping(None).await?;
            sleep(Duration::from_millis(random.below(300) as u64)).await;
        }
        Ok(())
    })
    .await
}

/// Says a few words and leaves, one way or the other. Nothing may go wrong.
async fn come_and_go(port: u16, random: &mut Random) -> Result<(), Error> {
    let words = random.below(4);
    let leave = random.below(4);
    nursery(async |n: Nursery<'_, Error>| {
        let ws = connect_websocket(&n, client(port, "/churn")?).await?;
        for _ in 0..words {
            exchange(&ws, 100).await?;
        }
        match leave {
            0 => ws.aclose(CloseCode::NORMAL_CLOSURE).await?,
            1 => ws.abort(),
            2 => drop(ws), // the last handle
            _ => n.cancel(),
        }
        Ok(())
    })
    .await
    .or_else(|error| if matches!(error, Error::Cancelled(_)) { Ok(()) } else { Err(error) })?;
    sleep(Duration::from_millis(50 + random.below(300) as u64)).await;
    Ok(())
}

/// Is sent more than it takes; what the server does then is its affair.
async fn read_slowly(port: u16, random: &mut Random) -> Result<(), Error> {
    let pause = Duration::from_millis(random.below(400) as u64);
    nursery(async |n: Nursery<'_, Error>| {
        let ws = connect_websocket(&n, client(port, "/flood")?).await?;
        if random.below(2) == 0 {
            ws.pause_reading();
        }
        move_on_after(4 * SECOND, async {
            while ws.get_message().await.is_ok() {
                sleep(pause).await;
            }
        })
        .await;
        ws.abort();
        Ok(())
    })
    .await
}

/// Has a network with a fault in between; whatever it says, it comes to an end.
async fn suffer(port: u16, random: &mut Random) -> Result<(), Error> {
    let fault = Fault::ALL[random.below(Fault::ALL.len())];
    let (seed, after) = (random.below(1 << 30) as u64, random.below(2000));
    nursery(async |n: Nursery<'_, Error>| {
        let proxy = Proxy::start(&n, port, fault, seed, after)?;
        let limits = ConnectionConfig::new()
            .keepalive_interval(SECOND)
            .keepalive_timeout(SECOND)
            .receive_timeout(SECOND)
            .close_timeout(SECOND);
        let config = client(proxy.port, "/chaos")?.connect_timeout(2 * SECOND).connection(limits);
        if let Ok(ws) = connect_websocket(&n, config).await {
            for _ in 0..20 {
                if exchange(&ws, 500).await.is_err() {
                    break;
                }
            }
        }
        proxy.strike();
        Ok(())
    })
    .await
}

/// Of the reactor and the pool of threads, made once.
const RUNTIME_FILES: usize = 8;
const MIB: f64 = 1_048_576.0;
const SECOND: Duration = Duration::from_secs(1);
