//! Servers on real sockets: where they listen, and when they are out of files.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use wscope::{
    ClientConfig, Error, ServerConfig, WebSocketConnection, WebSocketRequest, WebSocketServer, fail_after,
    open_websocket, run, sleep,
    websocket::{Accept, ServerError},
};

use crate::{
    sockets::{Socket, until},
    support::{echo, serving, with_server_of},
};

#[test]
fn one_server_listens_in_several_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let server = async || {
        WebSocketServer::bind("127.0.0.1:0").await?.and_bind("[::1]:0").await?.and_bind_unix(&path).await
    };
    serving(server, echo, async |server, _| {
        let endpoints = server.endpoints();
        let [v4, v6, unix] = &endpoints[..] else { panic!("{endpoints:?}") };
        assert_eq!(v4.port(), Some(server.port()));
        assert!(v6.port() > Some(0)); // which may be the same as that of IPv4
        assert!(v6.url().unwrap().starts_with("ws://[::1]:"));
        assert_eq!((unix.path(), unix.port(), unix.url()), (Some(&*path), None, None));
        let over_unix = ClientConfig::new("ws://example.com/")?.unix_socket(&path);
        for client in
            [ClientConfig::new(&v4.url().unwrap())?, ClientConfig::new(&v6.url().unwrap())?, over_unix]
        {
            let through = open_websocket(client, async |ws: WebSocketConnection| {
                ws.send_message("hello").await?;
                ws.get_message().await?;
                Ok::<_, Error>(ws.remote().clone())
            });
            assert!(endpoints.contains(&through.await?));
        }
        Ok(())
    });
}

#[cfg(feature = "tls")]
#[test]
fn one_server_listens_with_tls_and_without() {
    let authority = crate::certificates::Authority::new();
    let certified = authority.server(&["localhost"]);
    let tls = || {
        use wscope::websocket::{Identity, TlsServerConfig};
        TlsServerConfig::new(Identity::from_pem(certified.pem(), certified.key()).unwrap()).unwrap()
    };
    let server =
        async || WebSocketServer::bind_tls("127.0.0.1:0", tls()).await?.and_bind("127.0.0.1:0").await;
    serving(server, echo, async |server, _| {
        let [secure, plain] = &server.endpoints()[..] else { panic!("{server:?}") };
        assert_eq!((secure.is_tls(), plain.is_tls()), (true, false));
        assert_eq!(Some(server.port()), secure.port());
        let trust = wscope::websocket::TlsConfig::new().root_certificate_pem(authority.root().pem()).unwrap();
        let secure = format!("wss://localhost:{}/", server.port());
        assert_eq!(
            crate::sockets::answer_to(ClientConfig::new(&secure)?.tls(trust.only_given_roots())).await,
            101
        );
        assert_eq!(crate::sockets::answer_to(plain.url().unwrap()).await, 101);
        Ok(())
    });
}

#[test]
fn a_server_of_unix_sockets_alone_has_no_port() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    serving(
        async || WebSocketServer::bind_unix(&path).await,
        echo,
        async |server, _| {
            assert_eq!(server.port(), 0);
            Ok(())
        },
    );
    assert!(!path.exists(), "the file has gone with the server");
}

// ---- out of files

/// Set for the process that runs out of files.
#[cfg(target_os = "linux")]
const SCARCE: &str = "WSCOPE_TEST_WITH_FEW_FILES";

#[cfg(target_os = "linux")]
#[test]
fn a_server_out_of_files_waits_says_so_once_and_serves_again() {
    if std::env::var_os(SCARCE).is_some() {
        return serve_with_few_files();
    }
    let scarce = Process::start("server::a_server_out_of_files_waits_says_so_once_and_serves_again");
    run(fail_after(30 * SECOND, async {
        let address = format!("ws://127.0.0.1:{}/", scarce.port);
        let before = scarce.open_files();
        let mut flood = Vec::new();
        for _ in 0..FILES * 2 {
            flood.push(Socket::to(scarce.port).await);
        }
        until(async || scarce.open_files() >= FILES).await;
        let busy = scarce.processor_time();
        sleep(Duration::from_millis(300)).await; // the real clock: a loop that spins would take all of it
        let busy = scarce.processor_time() - busy;
        assert!(busy < Duration::from_millis(100), "it spins: {busy:?} of 300 ms");
        drop(flood);
        let droughts = open_websocket(address, async |ws: WebSocketConnection| {
            Ok::<_, Error>(ws.get_message().await?.as_text().unwrap().to_owned())
        });
        assert_eq!(droughts.await.unwrap(), "1");
        until(async || scarce.open_files() <= before + 1).await;
    }))
    .unwrap();
}

/// The other process: tells everybody how often it was told that accepting has failed.
#[cfg(target_os = "linux")]
fn serve_with_few_files() {
    let droughts = Arc::new(AtomicUsize::new(0));
    let count = droughts.clone();
    let config = ServerConfig::new().on_error(move |error| {
        if let ServerError::Listen(error) = error {
            assert_eq!(error.raw_os_error(), Some(24), "EMFILE");
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let handler = move |request: WebSocketRequest| {
        let droughts = droughts.clone();
        async move {
            let ws = request.accept(Accept::new()).await?;
            ws.send_message(droughts.load(Ordering::SeqCst).to_string()).await?;
            ws.wait_closed().await;
            Ok(())
        }
    };
    with_server_of(config, handler, async |server| {
        println!("PORT={};", server.port());
        wscope::blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await?; // until the first process has gone
        Ok(())
    });
}

#[cfg(target_os = "linux")]
const FILES: usize = 64;

/// This binary once more, with few files. Ended with this value.
#[cfg(target_os = "linux")]
struct Process {
    child: std::process::Child,
    port: u16,
}

#[cfg(target_os = "linux")]
impl Process {
    fn start(test: &str) -> Self {
        use std::{io::Read, process::Stdio};
        let mut child = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -n {FILES} && exec \"$0\" --exact {test} --nocapture"))
            .arg(std::env::current_exe().unwrap())
            .env(SCARCE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut output, mut said) = (child.stdout.take().unwrap(), String::new());
        let port = loop {
            let mut byte = [0];
            assert_eq!(output.read(&mut byte).unwrap(), 1, "it has ended: {said}");
            said.push(char::from(byte[0]));
            if let Some((_, rest)) = said.split_once("PORT=")
                && let Some(port) = rest.strip_suffix(';')
            {
                break port.parse().unwrap();
            }
        };
        child.stdout = Some(output); // or what it prints at its end would break its pipe
        Self { child, port }
    }

    fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// In user and system mode.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks: u64 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

const SECOND: Duration = Duration::from_secs(1);
