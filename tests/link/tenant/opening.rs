//! How a tenant begins and ends: in a block, in a nursery, and over a socket.

use std::{sync::Mutex, time::Duration};

use wscope::{
    CancelScope, Error, Nursery, WebSocketServer, fail_after,
    link::{
        ChannelType, Delivery, Hub, LinkError, Passport, RequestError, ServeError, TenantLink,
        connect_tenant, open_tenant,
    },
    move_on_after, nursery, run,
    scope::Join,
    testing::Simulation,
};

use crate::town::{Town, in_town, scripted, simulated};

#[test]
fn nothing_of_a_tenant_outlives_its_block() {
    simulated(async |_| {
        for (fails, code) in [(false, 1000), (true, 1011)] {
            let (link, hub) = scripted();
            let mut kept = None;
            let block = open_tenant(link, async |tenant| {
                kept = Some(tenant);
                if fails { Err(Error::other("on purpose")) } else { Ok(()) }
            });
            assert_eq!(block.await.is_err(), fails);
            assert_eq!(hub.closed().unwrap().code(), code);
            let tenant = kept.unwrap();
            assert!(!tenant.is_open());
            assert_eq!(tenant.closed().unwrap().code(), code);
            let error = tenant.passport_of("a").await.unwrap_err();
            assert!(matches!(error, RequestError::Closed { sent: false, .. }), "{error}");
        }
        let (link, hub) = scripted();
        let endless = open_tenant(link, async |tenant| {
            tenant.passport_of("a").await?;
            Ok::<_, Error>(())
        });
        assert!(move_on_after(Duration::from_secs(1), endless).await.is_none());
        assert_eq!(hub.closed().unwrap().code(), 1001);
        Ok(())
    });
}

#[test]
fn nothing_of_a_tenant_outlives_its_nursery() {
    let (link, hub) = scripted();
    Simulation::new()
        .run(async {
            let tenant = nursery(async |n: Nursery<'_, Error>| Ok(connect_tenant(&n, link).await?)).await?;
            assert_eq!(hub.closed().unwrap().code(), 1001);
            let error = tenant.passport_of("a").await.unwrap_err();
            assert!(matches!(error, RequestError::Closed { sent: false, .. }), "{error}");
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn a_tenant_needs_a_link_that_was_not_opened() {
    simulated(async |n| {
        let link = TenantLink::from(scripted().0);
        link.open(n).await?;
        let error = connect_tenant(n, link.clone()).await.unwrap_err();
        assert!(matches!(error, LinkError::AlreadyOpened));
        let error = open_tenant("http://nowhere/", async |_| Ok::<_, LinkError>(())).await.unwrap_err();
        assert!(matches!(error, LinkError::Handshake(_)));
        Ok(())
    });
}

#[test]
fn a_tenant_that_the_operator_puts_out_knows_why() {
    in_town(async |n, town| {
        let tenant = connect_tenant(n, town.connect(n)).await?;
        let alice = tenant.register(Passport::new("alice")).await?;
        let kicking = async {
            wscope::sleep(Duration::from_secs(1)).await;
            town.kick("alice");
        };
        let (served, ()) = (alice.serve(async |_| Ok(())), kicking).join().await;
        let Err(ServeError::Closed { closed: Some(closed) }) = served else { panic!("{served:?}") };
        assert_eq!((closed.code(), closed.reason()), (1008, "closed by the operator"));
        assert_eq!(tenant.closed(), Some(closed));
        Ok(())
    });
}

#[test]
fn what_was_sent_before_the_end_of_the_block_arrives() {
    Simulation::new()
        .run(nursery(async |n: Nursery<'_, Error>| {
            let town = Town::new(wscope::link::HubConfig::new());
            let register = async |tenant: wscope::link::Tenant| {
                Ok::<_, Error>(tenant.register(Passport::new("alice")).await?.id().to_owned())
            };
            let id = open_tenant(town.connect(&n), register).await?;
            let tenant = connect_tenant(&n, town.connect(&n)).await?;
            assert_eq!(tenant.passport_of("alice").await?.agent_id, Some(id));
            assert!(tenant.ping().await.is_ok() && tenant.is_open() && tenant.latency().is_none());
            assert_eq!(tenant.close().await.unwrap().code(), 1000);
            assert!(matches!(tenant.passport_of("alice").await, Err(RequestError::Closed { .. })));
            Ok(())
        }))
        .unwrap();
}

#[test]
fn over_a_socket_it_is_the_same() {
    run(fail_after(
        Duration::from_secs(60),
        nursery(async |n: Nursery<'_, Error>| {
            let hub = Hub::builder().build();
            let server = WebSocketServer::bind("127.0.0.1:0").await?;
            let url = format!("ws://127.0.0.1:{}/", server.port());
            let serving = hub.serve(server)?;
            n.start_service(async {
                serving.await;
                Ok(())
            });
            let bob = connect_tenant(&n, &url).await?.register(Passport::new("bob")).await?;
            let served = bob.clone();
            n.start_service(async move {
                let echo = async |delivery: Delivery| {
                    if let Some(text) = delivery.text() {
                        delivery.reply(text).await?;
                    }
                    Ok(())
                };
                Ok(served.serve(echo).await?)
            });
            open_tenant(&url, async |tenant| {
                assert!(tenant.ping().await? > Duration::ZERO);
                let alice = tenant.register(Passport::new("alice")).await?;
                let channel = alice.open_channel(ChannelType::Conversation, [bob.id()]).await?;
                let words = ["hello", "\u{fc}n\u{ef}code \u{2713}", "bye"];
                for word in words {
                    channel.post(word).await?;
                }
                let (heard, left) = (Mutex::new(Vec::new()), CancelScope::new());
                let listen = async |delivery: Delivery| {
                    heard.lock().unwrap().extend(delivery.text());
                    if heard.lock().unwrap().len() == words.len() {
                        left.cancel();
                    }
                    Ok(())
                };
                drop(left.run(alice.serve(listen)).await);
                assert_eq!(*heard.lock().unwrap(), words);
                Ok::<_, Error>(())
            })
            .await?;
            let online: Vec<bool> = hub.agents().into_iter().map(|agent| agent.online).collect();
            assert_eq!(online.len(), 2, "who has left is known still");
            Ok(())
        }),
    ))
    .unwrap()
    .unwrap();
}
