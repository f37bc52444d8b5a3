//! Waiting for connections at a path, and the file there.

use std::{fs, io::ErrorKind, os::unix::net, path::Path};

use tempfile::tempdir;
use wscope::runtime::block_on;

use super::seam::{
    Address, Listener, Transport, Unix, UnixListener,
    bytes::{read, write},
};

fn bind(path: &Path) -> std::io::Result<Listener> {
    block_on(UnixListener::bind(path)).map(Listener::Unix)
}

#[test]
fn accept_gives_out_connections_and_the_file_goes_with_the_listener() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = bind(&path).unwrap();
    assert_eq!(listener.local(), &Address::Unix(Some(path.clone())));
    block_on(async {
        let mut client = Transport::Unix(Unix::connect(&path).await.unwrap());
        let mut server = listener.accept().await.unwrap();
        assert_eq!((server.peer(), server.local()), (&Address::Unix(None), listener.local()));
        write(&mut client, b"hello").await.unwrap();
        assert_eq!(read(&mut server, 10).await.unwrap(), b"hello");
    });
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_dead_servers_file_is_replaced_and_a_live_ones_is_not() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    drop(net::UnixListener::bind(&path).unwrap()); // leaves its file behind, as a killed server does
    let listener = bind(&path).unwrap();
    assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert!(path.exists());
    drop(listener);
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("precious");
    fs::write(&path, "data").unwrap();
    assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(fs::read_to_string(&path).unwrap(), "data");
    assert!(bind(&folder.path().join("no/such/folder")).is_err());
}

#[test]
fn the_file_of_a_successor_is_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let old = bind(&path).unwrap();
    fs::rename(&path, folder.path().join("moved")).unwrap();
    let new = bind(&path).unwrap();
    drop(old);
    assert!(block_on(Unix::connect(&path)).is_ok());
    drop(new);
    assert!(!path.exists());
}
