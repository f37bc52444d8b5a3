//! A tenant made of frames, over any link; and a hub that it can speak to.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    time::Duration,
};

use serde_json::{Value, json};
use wscope::{
    ClientConfig, ConnectionConfig, Error, Nursery, ServerConfig, WebSocketConnection, WebSocketServer,
    connect_websocket, fail_after,
    link::{
        CreateChannel, Envelope, Frame, Hello, Hub, LinkEndpoint, Notify, Operation, Passport, Payload,
        Receipt, Register, Request,
    },
    nursery,
    scope::Join,
    testing::{Simulation, duplex},
    websocket::{Accept, ConnectionClosed},
    wrap_client_stream, wrap_server_stream,
};

/// What anything may take, on whatever clock.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Runs `body` on a virtual clock, in a nursery.
pub(crate) fn simulated(body: impl AsyncFnOnce(Nursery<'_, Error>) -> Result<(), Error>) {
    Simulation::new().run(nursery(async |n| body(n).await)).unwrap();
}

/// Runs `body` on the real executor, in a nursery.
pub(crate) fn real(body: impl AsyncFnOnce(Nursery<'_, Error>) -> Result<(), Error>) {
    wscope::run(fail_after(Duration::from_secs(60), nursery(async |n| body(n).await))).unwrap().unwrap();
}

/// Lets the hub serve real sockets, and gives the URL.
pub(crate) async fn served(n: &Nursery<'_, Error>, hub: &Hub) -> Result<String, Error> {
    let server = WebSocketServer::bind("127.0.0.1:0").await?;
    let url = format!("ws://127.0.0.1:{}/any/path?at=all", server.port());
    let hub = hub.clone();
    let serving = hub.serve(server)?;
    n.start_service(async {
        serving.await;
        Ok(())
    });
    Ok(url)
}

/// A WebSocket to the hub in memory.
pub(crate) async fn web_socket(n: &Nursery<'_, Error>, hub: &Hub) -> Result<WebSocketConnection, Error> {
    let (client, server) = web_socket_ends(n).await?;
    let hub = hub.clone();
    n.start_service(async move {
        hub.attach(server).await;
        Ok(())
    });
    Ok(client)
}

/// Both ends of one.
pub(crate) async fn web_socket_pair(n: &Nursery<'_, Error>) -> Result<(LinkEndpoint, LinkEndpoint), Error> {
    let (client, server) = web_socket_ends(n).await?;
    Ok((client.into(), server.into()))
}

/// It holds 4 KiB: what more is sent is felt.
async fn web_socket_ends(
    n: &Nursery<'_, Error>,
) -> Result<(WebSocketConnection, WebSocketConnection), Error> {
    let (here, there) = duplex(4 * 1024);
    let config = ServerConfig::new();
    let connect = wrap_client_stream(n, here, ClientConfig::new("ws://example.com/")?.connection(patient()));
    let accept = async { wrap_server_stream(n, there, &config).await?.accept(Accept::new()).await };
    let (client, server) = (connect, accept).join().await;
    Ok((client?, server?))
}

/// Without pings, so that what is said is the hub's.
fn patient() -> ConnectionConfig {
    ConnectionConfig::new().keepalive_interval(None)
}

pub(crate) struct Guest {
    pub(crate) end: LinkEndpoint,
    heard: RefCell<VecDeque<Frame>>,
    asked: Cell<u64>,
}

impl Guest {
    pub(crate) fn new(end: impl Into<LinkEndpoint>) -> Self {
        Self { end: end.into(), heard: RefCell::default(), asked: Cell::default() }
    }

    /// Over a real socket.
    pub(crate) async fn connect(n: &Nursery<'_, Error>, url: &str) -> Result<Self, Error> {
        Ok(Self::new(connect_websocket(n, url.to_owned()).await?))
    }

    pub(crate) async fn say(&self, text: &str) -> Result<(), Error> {
        Ok(self.end.send(text).await?)
    }

    pub(crate) async fn frame(&self, frame: &Frame) -> Result<(), Error> {
        self.say(&frame.encode()).await
    }

    /// The next frame, of those that were passed over or from the wire.
    pub(crate) async fn hear(&self) -> Result<Frame, Error> {
        if let Some(frame) = self.heard.borrow_mut().pop_front() {
            return Ok(frame);
        }
        self.listen().await
    }

    async fn listen(&self) -> Result<Frame, Error> {
        let message = fail_after(SOON, self.end.receive()).await??.unwrap();
        Ok(Frame::decode(message.as_text().unwrap()).unwrap())
    }

    /// The first frame that `wanted` finds something in; the others stay.
    pub(crate) async fn find<T>(&self, wanted: impl Fn(&Frame) -> Option<T>) -> Result<T, Error> {
        let mut at = 0;
        loop {
            let frame = self.heard.borrow().get(at).cloned();
            match frame {
                Some(frame) => match wanted(&frame) {
                    Some(found) => {
                        self.heard.borrow_mut().remove(at);
                        return Ok(found);
                    }
                    None => at += 1,
                },
                None => {
                    let frame = self.listen().await?;
                    self.heard.borrow_mut().push_back(frame);
                }
            }
        }
    }

    /// Sends a request, and gives its id.
    pub(crate) async fn ask(&self, operation: &Operation) -> Result<String, Error> {
        self.asked.set(self.asked.get() + 1);
        let id = format!("r{}", self.asked.get());
        self.frame(&Frame::Request(Request::new(&id, operation.op(), operation.params()))).await?;
        Ok(id)
    }

    /// Result, or code and message.
    pub(crate) async fn answer(&self, id: &str) -> Result<Result<Value, (String, String)>, Error> {
        self.find(|frame| match frame {
            Frame::Response(response) if response.request_id == id => Some(if response.ok {
                Ok(response.result.to().unwrap())
            } else {
                Err((response.error_code.clone(), response.error_message.clone()))
            }),
            _ => None,
        })
        .await
    }

    pub(crate) async fn request(
        &self,
        operation: &Operation,
    ) -> Result<Result<Value, (String, String)>, Error> {
        let id = self.ask(operation).await?;
        self.answer(&id).await
    }

    /// Gives the id of the agent.
    pub(crate) async fn register(&self, name: &str) -> Result<String, Error> {
        let register = Register::new(Passport::new(name));
        let passport = self.request(&Operation::Register(Box::new(register))).await?.unwrap();
        Ok(passport["agent_id"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn hello(&self, name: &str, since: Option<&str>) -> Result<(), Error> {
        let mut hello = Hello::new(name);
        hello.since_envelope_id = since.map(str::to_owned);
        self.frame(&Frame::Hello(hello)).await
    }

    /// The code of the next error frame.
    pub(crate) async fn error(&self) -> Result<String, Error> {
        self.find(|frame| match frame {
            Frame::Error(error) => Some(error.code.as_str().to_owned()),
            _ => None,
        })
        .await
    }

    /// The next delivery of that type.
    pub(crate) async fn notify(&self, event: &str) -> Result<Notify, Error> {
        self.find(|frame| match frame {
            Frame::Notify(notify) if notify.envelope.event_type == event => Some((**notify).clone()),
            _ => None,
        })
        .await
    }

    /// The next text that is delivered, acknowledged.
    pub(crate) async fn text(&self) -> Result<String, Error> {
        let notify = self.notify(Envelope::TEXT).await?;
        self.ack(&notify).await?;
        Ok(notify.envelope.event_data.to::<Value>().unwrap()["text"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn ack(&self, notify: &Notify) -> Result<(), Error> {
        let Envelope { envelope_id, channel_id, .. } = &notify.envelope;
        self.frame(&Frame::Receipt(Receipt::ack(envelope_id, &notify.recipient_id, channel_id))).await
    }

    /// Opens a conversation between two agents, whose guests may be the same; gives the channel.
    pub(crate) async fn open(&self, creator: &str, other: &Self, invited: &str) -> Result<String, Error> {
        let create = CreateChannel::new(creator, "conversation", vec![invited.to_owned()]);
        let request = self.ask(&Operation::CreateChannel(Box::new(create))).await?;
        let invite = other.notify(Envelope::INVITE).await?;
        other.ack(&invite).await?;
        let channel = &invite.envelope.channel_id;
        let mut ack = Envelope::new(channel, invited, Envelope::INVITE_ACK, data(&json!({})));
        ack.causation_id = Some(invite.envelope.envelope_id.clone());
        other.post(ack).await?.unwrap();
        self.answer(&request).await?.unwrap();
        for guest in [self, other] {
            let opened = guest.notify(Envelope::OPENED).await?;
            guest.ack(&opened).await?;
        }
        Ok(channel.clone())
    }

    pub(crate) async fn post(&self, envelope: Envelope) -> Result<Result<Value, (String, String)>, Error> {
        self.request(&Operation::PostEnvelope { envelope: Box::new(envelope) }).await
    }

    pub(crate) async fn post_text(&self, channel: &str, sender: &str, text: &str) -> Result<(), Error> {
        self.post(said(channel, sender, text)).await?.unwrap();
        Ok(())
    }

    /// How the link ended; what still comes is passed over.
    pub(crate) async fn closed(&self) -> Result<ConnectionClosed, Error> {
        fail_after(SOON, async {
            while let Ok(Some(_)) = self.end.receive().await {}
            self.end.closed().unwrap()
        })
        .await
        .map_err(Error::from)
    }
}

/// Registers Alice and Bob, and opens a channel between them: her id, and the channel's.
pub(crate) async fn meet(alice: &Guest, bob: &Guest) -> Result<(String, String), Error> {
    let (a, b) = (alice.register("alice").await?, bob.register("bob").await?);
    let channel = alice.open(&a, bob, &b).await?;
    Ok((a, channel))
}

pub(crate) fn said(channel: &str, sender: &str, text: &str) -> Envelope {
    Envelope::new(channel, sender, Envelope::TEXT, data(&json!({ "text": text })))
}

fn data(value: &Value) -> Payload {
    Payload::of(value).unwrap()
}
