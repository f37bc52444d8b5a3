//! Trust: whom a client talks to, whom it does not, and what is said of it.

use std::sync::OnceLock;

use futures::future::join;
use openssl::{pkcs12::Pkcs12, pkey::PKey, rsa::Rsa, symm::Cipher};
use wscope::testing::{duplex, polled};

use crate::certificates::{Authority, Certified};
use crate::{
    runtime::{
        Transport, block_on,
        bytes::{read, write},
    },
    seam::tls::{Identity, IdentityError, TlsConfig, TlsError, TlsServerConfig, accept, connect},
};

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(Authority::new)
}

/// Trusts the authority, and nobody else.
fn trusting() -> TlsConfig {
    TlsConfig::new().root_certificate_pem(authority().root().pem()).unwrap().only_given_roots()
}

fn server(certified: &Certified) -> TlsServerConfig {
    TlsServerConfig::new(Identity::from_pem(certified.pem(), certified.key()).unwrap()).unwrap()
}

type Ends = (Result<Transport, TlsError>, Result<Transport, TlsError>);

/// What becomes of a client of `host` and a server.
fn shake(client: &TlsConfig, host: &str, server: &TlsServerConfig) -> Ends {
    let (here, there) = duplex(1 << 16);
    block_on(join(connect(client, host, Transport::other(here)), accept(server, Transport::other(there))))
}

fn refused(client: &TlsConfig, host: &str, certified: &Certified) -> TlsError {
    shake(client, host, &server(certified)).0.unwrap_err()
}

#[test]
fn a_good_certificate_is_taken_for_its_names_and_addresses() {
    let server = server(&authority().server(&["localhost", "*.example.com", "127.0.0.1", "::1"]));
    let client = trusting();
    for host in ["localhost", "LOCALHOST", "a.example.com", "127.0.0.1", "::1", "[::1]"] {
        let (client, server) = shake(&client, host, &server);
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        block_on(async {
            write(&mut client, b"hello").await.unwrap();
            assert_eq!(read(&mut server, 10).await.unwrap(), b"hello", "{host}");
        });
    }
}

#[test]
fn a_root_may_be_der() {
    let root = authority().root().certificate.to_der().unwrap();
    let client = TlsConfig::new().root_certificate_der(root).unwrap().only_given_roots();
    assert!(shake(&client, "localhost", &server(&authority().server(&["localhost"]))).0.is_ok());
}

#[test]
fn each_bad_certificate_is_refused_for_its_fault() {
    let client = trusting();
    let good = authority().server(&["localhost"]);
    for host in ["other", "127.0.0.1", "localhost.example.com"] {
        let error = refused(&client, host, &good);
        assert!(matches!(&error, TlsError::WrongHost { host: named } if named == host), "{error:?}");
    }
    let expired = authority().server_between(&["localhost"], (-10, -1));
    assert!(matches!(refused(&client, "localhost", &expired), TlsError::Expired { .. }));
    let early = authority().server_between(&["localhost"], (1, 10));
    assert!(matches!(refused(&client, "localhost", &early), TlsError::NotYetValid { .. }));
    for stranger in [Certified::self_signed(&["localhost"]), Authority::new().server(&["localhost"])] {
        let error = refused(&client, "localhost", &stranger);
        assert!(matches!(&error, TlsError::NotTrusted { host, .. } if host == "localhost"), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn the_systems_roots_do_not_know_our_authority_and_given_ones_are_added_to_them() {
    let good = authority().server(&["localhost"]);
    assert!(matches!(refused(&TlsConfig::new(), "localhost", &good), TlsError::NotTrusted { .. }));
    let added = TlsConfig::new().root_certificate_pem(authority().root().pem()).unwrap();
    assert!(shake(&added, "localhost", &server(&good)).0.is_ok());
}

#[test]
fn checks_are_left_out_only_where_it_says_danger() {
    let expired = authority().server_between(&["localhost"], (-10, -1));
    let any_host = trusting().danger_accept_invalid_hostnames();
    assert!(shake(&any_host, "other", &server(&authority().server(&["localhost"]))).0.is_ok());
    assert!(matches!(refused(&any_host, "other", &expired), TlsError::Expired { .. }));
    let anybody = TlsConfig::new().danger_accept_invalid_certificates();
    assert!(shake(&anybody, "other", &server(&expired)).0.is_ok());
}

#[test]
fn a_server_learns_that_it_was_refused() {
    let (here, there) = duplex(1 << 16);
    let server = server(&Certified::self_signed(&["localhost"]));
    block_on(async {
        let (client, told) = join(
            connect(&trusting(), "localhost", Transport::other(here)),
            accept(&server, Transport::other(there)),
        )
        .await;
        assert!(client.is_err());
        assert!(matches!(told.unwrap_err(), TlsError::Alert(_)));
    });
}

#[test]
fn an_end_instead_of_a_handshake_is_no_timeout() {
    let (here, there) = duplex(1 << 16);
    drop(there);
    let error = block_on(connect(&trusting(), "localhost", Transport::other(here))).unwrap_err();
    assert!(matches!(error, TlsError::Ended | TlsError::Io(_)), "{error:?}");
    let (here, there) = duplex(1 << 16);
    drop(here);
    let server = server(&authority().server(&["localhost"]));
    let error = block_on(accept(&server, Transport::other(there))).unwrap_err();
    assert!(matches!(error, TlsError::Ended), "{error:?}");
}

#[test]
fn a_handshake_that_is_dropped_after_any_poll_drops_the_stream() {
    let server = server(&authority().server(&["localhost"]));
    let finishes_in = |polls| {
        let (here, there) = duplex(1 << 16);
        let client = trusting();
        let connecting = polled(polls, connect(&client, "localhost", Transport::other(here)));
        let accepting = async {
            // Waits for the end of the stream, be it during the handshake or after it.
            if let Ok(mut server) = accept(&server, Transport::other(there)).await {
                drop(read(&mut server, 10).await);
            }
        };
        wscope::run(join(async { connecting.await.is_some() }, accepting)).0
    };
    let needed = (0..).find(|polls| finishes_in(*polls)).unwrap();
    assert!(needed > 1, "the handshake never waited");
}

#[test]
fn the_ends_of_a_connection_say_that_it_is_tls() {
    let (here, there) = shake(&trusting(), "localhost", &server(&authority().server(&["localhost"])));
    assert!(here.unwrap().is_tls() && there.unwrap().is_tls());
}

#[test]
fn an_identity_is_read_from_each_form_that_is_promised() {
    let certified = authority().server(&["localhost"]);
    let remark = [&b"what tools write in front\n"[..], &certified.key()].concat();
    Identity::from_pem(certified.pem(), remark).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, certified.pem()).unwrap();
    let error = Identity::from_pem_files(&chain, &key).unwrap_err();
    assert!(matches!(&error, IdentityError::File { path, .. } if *path == key), "{error:?}");
    std::fs::write(&key, certified.key()).unwrap();
    let identity = Identity::from_pem_files(&chain, &key).unwrap();
    assert!(shake(&trusting(), "localhost", &TlsServerConfig::new(identity).unwrap()).0.is_ok());

    let mut archive = Pkcs12::builder();
    archive.pkey(&certified.key).cert(&certified.certificate);
    let archive = archive.build2("password").unwrap().to_der().unwrap();
    let identity = Identity::from_pkcs12(&archive, "password").unwrap();
    assert!(shake(&trusting(), "localhost", &TlsServerConfig::new(identity).unwrap()).0.is_ok());
    assert!(matches!(Identity::from_pkcs12(&archive, "wrong").unwrap_err(), IdentityError::Refused(_)));
}

#[test]
fn a_chain_is_shown_whole() {
    // The client knows the root alone; what lies between comes from the server.
    let between = authority().intermediate();
    let certified = between.server(&["localhost"]);
    let chain = [certified.pem(), between.root().pem()].concat();
    let identity = Identity::from_pem(chain, certified.key()).unwrap();
    assert!(shake(&trusting(), "localhost", &TlsServerConfig::new(identity).unwrap()).0.is_ok());
    assert!(matches!(refused(&trusting(), "localhost", &certified), TlsError::NotTrusted { .. }));
}

#[test]
fn a_client_can_have_an_identity() {
    let certified = authority().server(&["client"]);
    let client = trusting().identity(Identity::from_pem(certified.pem(), certified.key()).unwrap());
    assert!(shake(&client, "localhost", &server(&authority().server(&["localhost"]))).0.is_ok());
}

#[test]
fn what_is_no_identity_is_refused_with_advice() {
    let certified = authority().server(&["localhost"]);
    let (chain, key) = (certified.pem(), certified.key());
    let refuse = |chain: &[u8], key: &[u8]| Identity::from_pem(chain, key).unwrap_err();
    assert!(matches!(refuse(b"", &key), IdentityError::NoCertificate));
    assert!(matches!(refuse(&chain, b""), IdentityError::NoKey));
    assert!(matches!(refuse(&chain, &chain), IdentityError::NoKey));
    assert!(matches!(refuse(&chain[..chain.len() / 2], &key), IdentityError::Refused(_)));
    assert!(matches!(refuse(&chain, &key[..key.len() / 2]), IdentityError::Refused(_)));
    assert!(matches!(TlsConfig::new().root_certificate_pem("").unwrap_err(), IdentityError::NoCertificate));
    assert!(matches!(TlsConfig::new().root_certificate_der("x").unwrap_err(), IdentityError::Refused(_)));

    let stranger = authority().server(&["localhost"]);
    assert!(matches!(refuse(&chain, &stranger.key()), IdentityError::Refused(_)));

    let rsa = Rsa::generate(2048).unwrap();
    let encrypted = PKey::from_rsa(rsa.clone()).unwrap();
    let encrypted =
        encrypted.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"password").unwrap();
    let ec = certified.key.ec_key().unwrap().private_key_to_pem().unwrap();
    for (key, form) in [
        (rsa.private_key_to_pem().unwrap(), "RSA PRIVATE KEY"),
        (ec, "EC PRIVATE KEY"),
        (encrypted, "ENCRYPTED PRIVATE KEY"),
    ] {
        let error = refuse(&chain, &key);
        assert!(matches!(error, IdentityError::KeyForm { label } if label == form), "{error}");
        assert!(error.to_string().contains("openssl pkcs8 -topk8"));
    }
}

#[test]
fn nothing_of_a_key_is_printed() {
    let certified = authority().server(&["localhost"]);
    let identity = Identity::from_pem(certified.pem(), certified.key()).unwrap();
    let config = trusting().identity(identity.clone());
    let texts = [format!("{identity:?}"), format!("{config:?}"), format!("{:?}", server(&certified))];
    assert_eq!(texts[0], "Identity { .. }");
    assert_eq!(
        texts[1],
        "TlsConfig { roots: 1, only_given_roots: true, identity: true, \
         accept_invalid_certificates: false, accept_invalid_hostnames: false }"
    );
    assert_eq!(texts[2], "TlsServerConfig { .. }");
}
