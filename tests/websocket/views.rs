//! A connection as a stream, as a sink, as bytes, in pieces and as JSON.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, TryStreamExt};
use wscope::{
    CloseCode, ConnectionConfig, Error, Message, Text, fail_after,
    proto::{Event, MessageDelivery, Piece, Ping},
    scope::Join,
    sleep,
    testing::polled,
    websocket::{CloseCause, GetJsonError, SendJsonError, SinkError},
};

use crate::support::{BOTH, pair, pair_of, simulated, with_raw};

#[test]
fn a_stream_of_messages_ends_quietly_after_1000_and_1001() {
    for code in [CloseCode::NORMAL_CLOSURE, CloseCode::GOING_AWAY] {
        simulated(async |n| {
            let ends = pair(&n).await?;
            ends.server.send_message("one").await?;
            ends.server.send_message("two").await?;
            ends.server.close(code);
            let mut messages = ends.client.messages();
            let all: Vec<Message> = (&mut messages).try_collect().await?;
            assert_eq!(all, ["one".into(), "two".into()]);
            assert!(messages.next().await.is_none(), "and it stays at its end");
            Ok(())
        });
    }
}

#[test]
fn a_stream_of_messages_says_once_how_else_it_ended() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        ends.server.close(CloseCode::INTERNAL_ERROR);
        let mut messages = ends.client.messages();
        let closed = messages.next().await.unwrap().unwrap_err();
        assert_eq!(closed.code(), 1011);
        assert!(messages.next().await.is_none());
        Ok(())
    });
}

#[test]
fn a_stream_that_is_dropped_gives_its_place_up() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        let mut messages = Box::pin(ends.client.messages());
        assert!(polled(1, messages.next()).await.is_none());
        let second = n.child({
            let client = ends.client.clone();
            async move { Ok(client.get_message().await?) }
        });
        sleep(Duration::from_secs(1)).await;
        drop(messages);
        ends.server.send_message("hello").await?;
        assert_eq!(fail_after(Duration::from_secs(1), second).await??.as_text(), Some("hello"));
        Ok(())
    });
}

#[test]
fn a_sink_takes_messages_and_closes_with_1000() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        let mut sink = ends.client.sink();
        sink.feed("one".into()).await?;
        sink.send("two".into()).await?;
        sink.close().await?;
        assert!(matches!(sink.feed("three".into()).await, Err(SinkError::Closed(_))));
        assert!(matches!(
            futures::Sink::start_send(std::pin::pin!(&mut sink), "four".into()),
            Err(SinkError::Unsent(_))
        ));
        let all: Vec<Message> = ends.server.messages().try_collect().await?;
        assert_eq!(all, ["one".into(), "two".into()]);
        assert_eq!(ends.server.closed().map(|closed| closed.code()), Some(1000));
        Ok(())
    });
}

#[test]
fn a_message_can_be_forwarded_from_stream_to_sink() {
    simulated(async |n| {
        let (left, right) = (pair(&n).await?, pair(&n).await?);
        n.start_service(async move {
            let _ = left.server.messages().map_err(SinkError::from).forward(right.client.sink()).await;
            Ok(())
        });
        for number in 0..100 {
            left.client.send_message(format!("{number}")).await?;
            assert_eq!(right.server.get_message().await?.as_text(), Some(&*number.to_string()));
        }
        Ok(())
    });
}

#[test]
fn bytes_flow_over_messages_in_both_directions() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        let (mut here, mut there) = (ends.client.bytes(), ends.server.bytes());
        let big: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
        let write = async {
            here.write_all(&big).await?;
            here.close().await
        };
        let read = async {
            let mut all = Vec::new();
            there.read_to_end(&mut all).await.map(|_| all)
        };
        let (written, all) = (write, read).join().await;
        written?;
        assert_eq!(all?, big);
        assert_eq!(ends.server.stats().messages_received, 300_000_u64.div_ceil(64 * 1024));
        Ok(())
    });
}

#[test]
fn bytes_of_text_can_be_read_a_little_at_a_time() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        ends.client.send_message("hello").await?;
        ends.client.send_message("").await?;
        ends.client.send_message("world").await?;
        ends.client.close(CloseCode::PROTOCOL_ERROR);
        let mut bytes = ends.server.bytes();
        let mut all = [0; 10];
        for byte in &mut all {
            bytes.read_exact(std::slice::from_mut(byte)).await?;
        }
        assert_eq!(&all, b"helloworld");
        let error = bytes.read(&mut [0]).await.unwrap_err();
        assert!(error.to_string().contains("1002"), "{error}");
        Ok(())
    });
}

#[test]
fn a_message_in_pieces_is_one_message_and_others_wait() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            let mut writer = ws.send_pieces::<Text>().await?;
            writer.send("frag-").await?;
            let other = n.child({
                let ws = ws.clone();
                async move { Ok(ws.send_message("other").await?) }
            });
            sleep(Duration::from_secs(1)).await;
            raw.send(Ping::new(b"mid")?).await;
            writer.send("é-").await?;
            writer.finish("mented").await?;
            other.await?;
            let mut events = Vec::new();
            for _ in 0..3 {
                events.push(raw.receive().await.unwrap());
            }
            events.sort_by_key(|event| matches!(event, Event::Message(_))); // the pong may come between any two frames
            assert!(matches!(&events[0], Event::Pong(_)));
            assert_eq!(events[1..], [Event::Message("frag-é-mented".into()), Event::Message("other".into())]);
            Ok(())
        });
    }
}

#[test]
fn a_writer_that_is_dropped_in_the_middle_closes_with_1011_and_before_it_does_nothing() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            drop(ws.send_pieces::<bytes::Bytes>().await?);
            ws.send_message("still open").await?;
            assert_eq!(raw.receive().await, Some(Event::Message("still open".into())));
            let mut writer = ws.send_pieces::<bytes::Bytes>().await?;
            writer.send(vec![1, 2, 3]).await?;
            drop(writer);
            let Some(Event::CloseConnection(close)) = raw.receive().await else { panic!("no close frame") };
            assert_eq!(close.reason.map(|reason| reason.code()), Some(CloseCode::INTERNAL_ERROR));
            Ok(())
        });
    }
}

#[test]
fn pieces_come_as_they_come_and_whole_messages_can_be_had_of_them() {
    simulated(async |n| {
        let config = ConnectionConfig::new().delivery(MessageDelivery::Pieces).receive_buffer(1000);
        let ends = pair_of(&n, ConnectionConfig::new(), config).await?;
        for text in ["by pieces", "whole"] {
            let mut writer = ends.client.send_pieces::<Text>().await?;
            writer.send(&text[..2]).await?;
            sleep(Duration::from_secs(1)).await;
            writer.finish(&text[2..]).await?;
        }
        assert_eq!(ends.server.get_piece().await?.data.as_text(), Some("by"));
        let rest = ends.server.get_piece().await?;
        assert_eq!((rest.data.as_text(), rest.message_finished), (Some(" pieces"), true));
        assert_eq!(ends.server.get_message().await?.as_text(), Some("whole"));

        // Larger than the buffer, taken half-way as a whole and then by pieces: nothing is lost.
        let send = async { ends.client.send_message(vec![7; 100_000]).await };
        let receive = async {
            assert!(polled(1, ends.server.get_message()).await.is_none());
            let mut len = 0;
            loop {
                let Piece { data, message_finished, .. } = ends.server.get_piece().await?;
                len += data.len();
                if message_finished {
                    return Ok::<_, Error>(len);
                }
            }
        };
        let (sent, len) = (send, receive).join().await;
        sent?;
        assert_eq!(len?, 100_000);
        let send = async { ends.client.send_message(vec![7; 100_000]).await };
        let (sent, whole) = (send, ends.server.get_message()).join().await;
        sent?;
        assert_eq!(whole?.len(), 100_000, "and beyond the buffer's limit");
        Ok(())
    });
}

#[test]
fn a_whole_message_is_one_piece() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        ends.client.send_message("hello").await?;
        assert_eq!(ends.server.get_piece().await?, Piece::last("hello"));
        Ok(())
    });
}

#[test]
fn json_goes_out_as_text_and_comes_back_as_a_value() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        ends.client.send_json(&("move", [1, 2])).await?;
        assert_eq!(ends.server.get_message().await?.as_text(), Some(r#"["move",[1,2]]"#));
        ends.client.send_json(&("move", [1, 2])).await?;
        assert_eq!(ends.server.get_json::<(String, [u8; 2])>().await?, ("move".to_owned(), [1, 2]));
        ends.client.send_message("{").await?;
        let error = ends.server.get_json::<u8>().await.unwrap_err();
        let GetJsonError::Json { error, message, .. } = error else { panic!("{error}") };
        assert_eq!((error.line(), message.as_text()), (1, Some("{")), "the message is given along");
        let wrong = std::collections::HashMap::from([((1, 2), 3)]); // JSON has no such key
        assert!(matches!(ends.client.send_json(&wrong).await, Err(SendJsonError::Json(_))));
        ends.client.aclose(CloseCode::NORMAL_CLOSURE).await?;
        assert!(matches!(ends.client.send_json(&1).await, Err(SendJsonError::Send(_))));
        assert!(
            matches!(ends.server.get_json::<u8>().await, Err(GetJsonError::Closed(closed)) if closed.cause() == &CloseCause::Handshake)
        );
        Ok(())
    });
}
