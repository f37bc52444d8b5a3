//! Unix sockets, in a folder of their own.

use std::os::unix::net::UnixListener;

use tempfile::tempdir;
use wscope::runtime::block_on;

use super::seam::{
    Address, Transport, Unix,
    bytes::{close, read, write},
};

#[test]
fn bytes_arrive_and_a_half_close_is_seen() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let ours = block_on(Unix::connect(&path)).unwrap();
    assert_eq!(ours.peer(), &Address::Unix(Some(path)));
    assert_eq!(ours.local(), &Address::Unix(None));

    let mut ours = Transport::Unix(ours);
    let mut theirs = Transport::other(async_io::Async::new(listener.accept().unwrap().0).unwrap());
    assert!(ours.can_fill() && ours.gathers() && !ours.is_tls());
    block_on(async {
        write(&mut ours, b"hello").await.unwrap();
        assert_eq!(read(&mut theirs, 10).await.unwrap(), b"hello");
        close(&mut ours).await.unwrap();
        close(&mut ours).await.unwrap();
        assert!(read(&mut theirs, 10).await.unwrap().is_empty());
        write(&mut theirs, b"late").await.unwrap();
        let mut vec = b"<".to_vec();
        let read = std::future::poll_fn(|cx| ours.poll_fill(cx, &mut vec, 100)).await.unwrap();
        assert_eq!((read, &vec[..]), (4, &b"<late"[..]));
    });
}

#[test]
fn a_path_where_nobody_listens_is_an_error() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    assert_eq!(block_on(Unix::connect(&path)).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(block_on(Unix::connect(&path)).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    let long = folder.path().join("x".repeat(200));
    assert!(block_on(Unix::connect(long)).is_err());
}
