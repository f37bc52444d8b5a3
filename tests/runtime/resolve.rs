//! Names and literal addresses.

use wscope::runtime::block_on;

use super::seam::resolve;

#[test]
fn literal_addresses_are_not_looked_up() {
    for (host, address) in
        [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("[::1]", "[::1]:80"), ("0.0.0.0", "0.0.0.0:80")]
    {
        // Ready at the first poll: nobody was asked.
        let found = futures::FutureExt::now_or_never(resolve(host, 80)).unwrap().unwrap();
        assert_eq!(found, [address.parse().unwrap()], "{host}");
    }
}

#[test]
fn a_name_is_looked_up_on_another_thread() {
    let found = block_on(resolve("localhost", 81)).unwrap();
    assert!(!found.is_empty());
    assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 81), "{found:?}");
}

#[test]
fn what_is_no_name_is_an_error() {
    for host in ["", "[::1", "a name with spaces", "nul\0byte"] {
        assert!(block_on(resolve(host, 80)).is_err(), "{host:?}");
    }
}
