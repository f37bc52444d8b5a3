//! Compression as a connection has it: asked for by both sides, or not there.

use wscope::{
    ClientConfig, Error, Message, Nursery, ServerConfig, Text, broadcast,
    proto::extension::{PermessageDeflate, WindowBits},
    scope::Join,
    testing::duplex,
    websocket::{Accept, Compression},
    wrap_client_stream, wrap_server_stream,
};

use crate::{
    payloads::json,
    support::{Pair, URL, simulated},
};

/// A connection between a client and a server that want these; `accept` overrides what the server wants.
pub(crate) async fn pair(
    n: &Nursery<'_, Error>,
    client: Compression,
    server: Compression,
    accept: Accept,
) -> Result<Pair, Error> {
    let (here, there) = duplex(64 * 1024);
    let to = ClientConfig::new(URL)?.compression(client);
    let config = ServerConfig::new().compression(server);
    let connect = wrap_client_stream(n, here, to);
    let accept = async { wrap_server_stream(n, there, &config).await?.accept(accept).await };
    let (client, server) = (connect, accept).join().await;
    Ok(Pair { client: client?, server: server? })
}

/// Bytes before and after, of what each end sends.
async fn ratio(pair: &Pair) -> Result<[(u64, u64); 2], Error> {
    for (from, to) in [(&pair.client, &pair.server), (&pair.server, &pair.client)] {
        for len in [100, 2000, 2000, 100_000] {
            from.send_message(json(len)).await?;
            assert_eq!(to.get_message().await?, Message::from(json(len)));
        }
        let (sent, received) = (from.stats(), to.stats());
        assert_eq!(sent.bytes_sent, received.bytes_received);
        assert_eq!(sent.wire_bytes_sent, received.wire_bytes_received);
    }
    Ok([&pair.client, &pair.server].map(|ws| (ws.stats().bytes_sent, ws.stats().wire_bytes_sent)))
}

#[test]
fn messages_are_compressed_where_both_sides_want_it() {
    let (off, shared, dedicated) = (Compression::off, Compression::shared, Compression::dedicated);
    for (client, server, compressed) in [
        (off(), off(), false),
        (shared(), off(), false),
        (off(), dedicated(), false),
        (shared(), shared(), true),
        (dedicated(), shared(), true),
        (shared(), dedicated(), true),
        (dedicated(), dedicated(), true),
    ] {
        simulated(async |n| {
            let pair = pair(&n, client, server, Accept::new()).await?;
            for (before, after) in ratio(&pair).await? {
                if compressed {
                    assert!(after < before / 2, "{after} of {before}");
                } else {
                    assert_eq!(after, before);
                }
            }
            Ok(())
        });
    }
}

#[test]
fn an_acceptance_overrides_what_the_server_wants() {
    simulated(async |n| {
        let accept = Accept::new().compression(Compression::off());
        let plain = pair(&n, Compression::shared(), Compression::shared(), accept).await?;
        let accept = Accept::new().compression(Compression::shared());
        let compressed = pair(&n, Compression::shared(), Compression::off(), accept).await?;
        for ((before, after), (_, compressed)) in
            ratio(&plain).await?.into_iter().zip(ratio(&compressed).await?)
        {
            assert!(before == after && compressed < before);
        }
        Ok(())
    });
}

#[test]
fn a_message_that_points_back_is_shorter() {
    simulated(async |n| {
        let shared = pair(&n, Compression::shared(), Compression::shared(), Accept::new()).await?;
        let dedicated = pair(&n, Compression::dedicated(), Compression::dedicated(), Accept::new()).await?;
        for ((_, shared), (_, dedicated)) in ratio(&shared).await?.into_iter().zip(ratio(&dedicated).await?) {
            assert!(dedicated < shared, "{dedicated}, {shared}");
        }
        Ok(())
    });
}

#[test]
fn every_parameter_can_be_set() {
    simulated(async |n| {
        let patient = PermessageDeflate::shared().threshold(1_000_000);
        let pair = pair(&n, patient.clone().into(), patient.into(), Accept::new()).await?;
        for (before, after) in ratio(&pair).await? {
            assert_eq!(before, after, "all below the threshold");
        }
        Ok(())
    });
}

#[test]
fn a_message_can_be_sent_uncompressed() {
    simulated(async |n| {
        let pair = pair(&n, Compression::dedicated(), Compression::dedicated(), Accept::new()).await?;
        for (from, to) in [(&pair.client, &pair.server), (&pair.server, &pair.client)] {
            for len in [2000, 100_000] {
                for (plain, pieces) in [(true, false), (false, false), (true, true), (false, true)] {
                    let before = from.stats().wire_bytes_sent;
                    let send = async {
                        if pieces {
                            let mut writer = from.send_pieces::<Text>().await?;
                            if plain {
                                writer = writer.uncompressed();
                            }
                            writer.send(&json(len)[..len / 2]).await?;
                            writer.finish(&json(len)[len / 2..]).await?;
                        } else if plain {
                            from.send_uncompressed(json(len)).await?;
                        } else {
                            from.send_message(json(len)).await?;
                        }
                        Ok::<(), Error>(())
                    };
                    let (sent, got) = (send, to.get_message()).join().await;
                    sent?;
                    assert_eq!(got?, Message::from(json(len)), "the windows of both ends agree");
                    let wire = from.stats().wire_bytes_sent - before;
                    assert_eq!(wire == len as u64, plain, "{wire} of {len}");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_broadcast_is_plain_and_counts_as_such() {
    simulated(async |n| {
        let pair = pair(&n, Compression::dedicated(), Compression::dedicated(), Accept::new()).await?;
        for _ in 0..2 {
            assert!(broadcast([&pair.server], json(5000)).is_empty());
            pair.server.send_message(json(5000)).await?; // the windows of both ends still agree
            for _ in 0..2 {
                assert_eq!(pair.client.get_message().await?, Message::from(json(5000)));
            }
        }
        let (sent, received) = (pair.server.stats(), pair.client.stats());
        assert_eq!((sent.bytes_sent, sent.wire_bytes_sent), (20_000, received.wire_bytes_received));
        assert!((10_000..13_000).contains(&sent.wire_bytes_sent), "{sent:?}");
        Ok(())
    });
}

#[test]
fn the_last_word_on_a_clients_offer_counts() {
    let config = ClientConfig::new(URL).unwrap().compression(Compression::shared());
    assert_eq!(config.request().extensions().len(), 1);
    let config = config.compression(Compression::off());
    assert!(config.request().extensions().is_empty());
    assert_eq!(Compression::default(), Compression::off());
    assert!(
        format!("{:?}", ServerConfig::new().compression(Compression::shared())).contains("threshold: 512")
    );
}

#[test]
fn a_window_that_no_compressor_has_goes_through_a_question_mark() {
    let window = || Ok(WindowBits::new(16)?);
    let outcome: Result<WindowBits, Error> = window();
    assert!(matches!(outcome, Err(Error::Other(_))), "{outcome:?}");
}
