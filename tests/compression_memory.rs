//! What compression costs a connection in memory, counted. A binary of its own: it replaces the allocator. `--nocapture` prints the
//! table that stands on the page of defaults.
#![cfg(feature = "deflate")]
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use allocation_counter::measure;
use wscope::proto::{
    Config, Connection, Message, Role, accept_extension, confirm_extension,
    extension::{Extension, PermessageDeflate, WindowBits},
};

/// The two ends of a connection.
type Pair = [Connection; 2];

fn pair(wanted: Option<&PermessageDeflate>) -> Pair {
    let mut ends = [Role::Client, Role::Server].map(|role| Connection::new(role, Config::new()));
    if let Some(wanted) = wanted {
        let (answer, at_server) = accept_extension(&wanted.offers(), wanted).unwrap();
        let at_client = confirm_extension(&[answer], Some(wanted)).unwrap().unwrap();
        let [client, server] = ends;
        ends = [client.with_transforms(at_client), server.with_transforms(at_server)];
    }
    ends
}

/// The client sends `len` bytes of JSON, and the server sends them back.
fn echo([client, server]: &mut Pair, len: usize) {
    let message: String =
        (0..).flat_map(|n| format!("{{\"id\":{n}}},").into_bytes()).map(char::from).take(len).collect();
    let mut wire = Vec::new();
    client.send(&*message, &mut wire).unwrap();
    let came = server.receive(&mut &mut wire[..]).unwrap().unwrap();
    wire.clear();
    server.send(came, &mut wire).unwrap();
    assert!(client.receive(&mut &mut wire[..]).unwrap().is_some());
}

/// Bytes that one end holds: before the first message, after one of 1 KiB in each direction, and after one of 64 KiB.
fn held(wanted: Option<&PermessageDeflate>) -> [i64; 3] {
    const PAIRS: i64 = 20;
    echo(&mut pair(wanted), 1024); // what the thread keeps is there already
    let mut pairs = Vec::with_capacity(PAIRS as usize);
    let opened = measure(|| pairs.extend((0..PAIRS).map(|_| pair(wanted)))).bytes_current;
    let small = measure(|| pairs.iter_mut().for_each(|pair| echo(pair, 1024))).bytes_current;
    let large = measure(|| pairs.iter_mut().for_each(|pair| echo(pair, 65_536))).bytes_current;
    [opened, opened + small, opened + small + large].map(|bytes| bytes / (2 * PAIRS))
}

#[test]
fn a_connection_holds_what_its_mode_promises() {
    let with_windows = |bits| {
        let bits = WindowBits::new(bits).unwrap();
        PermessageDeflate::dedicated().server_max_window_bits(bits).client_max_window_bits(bits)
    };
    let plain = held(None);
    println!("{:<32} {plain:?}", "off");
    let extra = |name: &str, wanted: &PermessageDeflate| {
        let held = held(Some(wanted));
        println!("{name:<32} {held:?}");
        [0, 1, 2].map(|at| held[at] - plain[at])
    };
    let shared = extra("shared", &PermessageDeflate::shared());
    assert!(shared.iter().all(|bytes| *bytes < 512), "{shared:?}: between messages, no stream");
    let dedicated = extra("dedicated", &PermessageDeflate::dedicated());
    assert!(dedicated[0] < 512, "{dedicated:?}: a stream is made when it is needed");
    assert!(dedicated[1..].iter().all(|bytes| (380_000..460_000).contains(bytes)), "{dedicated:?}");
    let medium = extra("dedicated, windows of 4 KiB", &with_windows(12));
    assert!(medium[1..].iter().all(|bytes| (180_000..380_000).contains(bytes)), "{medium:?}");
    let small = extra("dedicated, windows of 512 bytes", &with_windows(9));
    assert!(small[1..].iter().all(|bytes| (150_000..360_000).contains(bytes)), "{small:?}");
}

#[test]
fn what_a_thread_keeps_is_bounded() {
    let wanted = PermessageDeflate::shared();
    let kept = measure(|| {
        let mut pairs: Vec<_> = (0..20).map(|_| pair(Some(&wanted))).collect();
        let mut wires = vec![Vec::new(); pairs.len()];
        for ([client, _], wire) in pairs.iter_mut().zip(&mut wires) {
            client.send(wscope::proto::Piece::more("x".repeat(1000)), wire).unwrap(); // each holds a stream
        }
        for ([client, _], wire) in pairs.iter_mut().zip(&mut wires) {
            client.send(wscope::proto::Piece::last("y"), wire).unwrap();
        }
        pairs.iter_mut().for_each(|pair| {
            let [_, server] = pair;
            let mut wire = wires.pop().unwrap();
            assert!(server.receive(&mut &mut wire[..]).unwrap().is_some());
        });
    });
    println!("a thread keeps {} bytes of {} that were held at a time", kept.bytes_current, kept.bytes_max);
    assert!(kept.bytes_current < 850_000, "{kept:?}");
    assert!(kept.bytes_max > 20 * 300_000, "{kept:?}: they were all in use");
}

#[test]
fn a_bomb_takes_no_more_memory_than_the_limit() {
    let wanted = PermessageDeflate::shared();
    let bombs: [Message; 2] = [vec![0; 20_000_000].into(), "0".repeat(20_000_000).into()];
    for (bomb, limit) in bombs.iter().flat_map(|bomb| [(bomb, 1 << 20), (bomb, 1_100_000)]) {
        let [mut client, _] = pair(Some(&wanted));
        let mut wire = Vec::new();
        client.send(bomb.clone(), &mut wire).unwrap();
        let (answer, at_server) = accept_extension(&wanted.offers(), &wanted).unwrap();
        drop(answer);
        let server = Connection::new(Role::Server, Config::new().max_message_size(limit));
        let mut server = Some(server.with_transforms(at_server));
        let taken = measure(|| {
            let mut server = server.take().unwrap();
            assert!(server.receive(&mut &mut wire[..]).is_err());
        });
        println!("a bomb of 20 MB took {} bytes at most, where {limit} were allowed", taken.bytes_max);
        let most = 2 * limit as u64 + 128 * 1024;
        assert!(taken.bytes_max < most, "{taken:?}: the buffer doubles up to the limit, and is moved");
    }
}
