//! TCP over the loopback interface, in both families.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};

use wscope::runtime::block_on;

use super::{
    seam::{
        Address, Tcp, Transport,
        bytes::{close, once, read, read_exact, write},
    },
    tcp_pair,
};

#[test]
fn connect_says_where_both_ends_are_in_each_family() {
    for ip in [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))] {
        let listener = match TcpListener::bind(ip) {
            Ok(listener) => listener,
            Err(error) if ip.is_ipv6() => {
                eprintln!("this machine has no IPv6 ({error}): only IPv4 is tried");
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let server = listener.local_addr().unwrap();
        let socket = block_on(Tcp::connect(server)).unwrap();
        let (_peer, client) = listener.accept().unwrap();
        assert_eq!((socket.local(), socket.peer()), (&Address::Tcp(client), &Address::Tcp(server)));
    }
}

#[test]
fn small_messages_leave_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = async_io::Async::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap()).unwrap();
    let nodelay = stream.get_ref().try_clone().unwrap();
    assert!(!nodelay.nodelay().unwrap());
    let _socket = Tcp::over(stream, listener.local_addr().unwrap()).unwrap();
    assert!(nodelay.nodelay().unwrap());
}

#[test]
fn a_port_nobody_listens_at_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(block_on(Tcp::connect(address)).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn bytes_arrive_in_both_directions_and_after_a_half_close() {
    let (ours, theirs) = tcp_pair();
    let (mut ours, mut theirs) =
        (Transport::Tcp(ours), Transport::other(async_io::Async::new(theirs).unwrap()));
    let large: Vec<u8> = (0..=250).cycle().take(3_000_000).collect();
    block_on(async {
        let sent = async { write(&mut ours, &large).await.unwrap() };
        let received = async { read_exact(&mut theirs, large.len()).await.unwrap() };
        assert_eq!(futures::future::join(sent, received).await.1, large);
        close(&mut ours).await.unwrap();
        assert!(read(&mut theirs, 10).await.unwrap().is_empty());
        write(&mut theirs, b"late").await.unwrap();
        assert_eq!(read(&mut ours, 10).await.unwrap(), b"late");
    });
}

#[test]
fn a_reset_is_an_error_and_then_no_panic() {
    let (ours, theirs) = tcp_pair();
    let mut ours = Transport::Tcp(ours);
    block_on(async {
        write(&mut ours, b"never read").await.unwrap();
        drop(theirs); // with bytes unread: the kernel resets
        let error = loop {
            match read(&mut ours, 10).await {
                Ok(bytes) => assert!(bytes.is_empty()),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        close(&mut ours).await.unwrap();
        assert!(once(|cx| ours.poll_read(cx, &mut [0; 8])).is_ready());
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_dropped_transport_leaves_no_file_open_though_its_waker_lives() {
    use std::{
        sync::Arc,
        task::{Context, Wake, Waker},
    };

    struct Bell;
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {}
    }

    let waker = Waker::from(Arc::new(Bell));
    let (ours, theirs) = tcp_pair();
    let mut ours = Transport::Tcp(ours);
    assert!(ours.poll_read(&mut Context::from_waker(&waker), &mut [0; 8]).is_pending());
    drop(ours);
    // Other tests open files at the same time; the peer sees for sure whether ours is closed.
    let mut theirs = Transport::other(async_io::Async::new(theirs).unwrap());
    assert!(block_on(read(&mut theirs, 8)).unwrap().is_empty());
    drop(waker);
}
