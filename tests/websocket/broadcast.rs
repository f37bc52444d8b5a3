//! One message to many.

use futures::AsyncReadExt;
use wscope::{CloseCode, ConnectionConfig, Text, broadcast, sleep, testing::polled};

use crate::support::{pair, pair_of, simulated};

#[test]
fn everybody_gets_it_and_those_who_cannot_are_told_back() {
    simulated(async |n| {
        let (one, two, closed, in_pieces) =
            (pair(&n).await?, pair(&n).await?, pair(&n).await?, pair(&n).await?);
        let full = pair_of(&n, ConnectionConfig::new(), ConnectionConfig::new().send_buffer(1000)).await?;
        closed.server.close(CloseCode::NORMAL_CLOSURE);
        let mut writer = in_pieces.server.send_pieces::<Text>().await?;
        writer.send("begun").await?;
        while let Some(Ok(())) = polled(1, full.server.send_message(vec![0; 100_000])).await {}
        for big in [false, true] {
            let message = if big { "x".repeat(100_000) } else { "to all".to_owned() };
            let all =
                [&one.server, &closed.server, &full.server, &in_pieces.server, &two.client, &two.server]
                    .map(Clone::clone);
            let skipped: Vec<_> = broadcast(&all, message.clone()).into_iter().map(|ws| ws.id()).collect();
            let expected = [&closed.server, &full.server, &in_pieces.server, &two.client].map(|ws| ws.id());
            assert_eq!(skipped, expected);
            for ws in [&one.client, &two.client] {
                assert_eq!(ws.get_message().await?.as_text(), Some(&*message));
            }
        }
        writer.finish(" and finished").await?;
        assert_eq!(in_pieces.client.get_message().await?.as_text(), Some("begun and finished"));
        sleep(std::time::Duration::from_secs(1)).await;
        let mut nothing = Vec::new();
        let mut bytes = closed.client.bytes();
        bytes.read_to_end(&mut nothing).await?;
        assert!(nothing.is_empty());
        Ok(())
    });
}
