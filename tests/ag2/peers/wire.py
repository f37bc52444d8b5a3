"""A tenant made of AG2's own `WsLinkClient` and frames, where each frame is seen and each receipt is sent by hand."""

import asyncio
import itertools

from ag2.network.client.hub_client import _error_from_code
from ag2.network.envelope import EV_CHANNEL_INVITE, EV_CHANNEL_INVITE_ACK, EV_TEXT, Envelope
from ag2.network.identity import AuthBlock, Passport, Resume
from ag2.network.rule import Rule
from ag2.network.transport.frames import (
    ErrorFrame,
    HelloFrame,
    NotifyFrame,
    PingFrame,
    PongFrame,
    ReceiptFrame,
    RequestFrame,
    ResponseFrame,
)
from ag2.network.transport.ws import WsLink

LIMIT = 20.0  # seconds, for one step, on a machine that is busy

numbers = itertools.count()


def unique(name):
    """Cases share a hub, and a name belongs to one agent."""
    return f"{name}-{next(numbers)}"


async def soon(step):
    return await asyncio.wait_for(step, LIMIT)


class Wire:
    """One connection. `ids` are the agents that were registered or said hello on it, by name."""

    def __init__(self, url):
        self.link = WsLink(url).client()
        self.ids = {}
        self.notified = asyncio.Queue()
        self.said = asyncio.Queue()  # welcome, error, pong
        self.waiting = {}

    async def __aenter__(self):
        await soon(self.link.open())
        self.reading = asyncio.create_task(self.read())
        return self

    async def __aexit__(self, *_):
        await self.link.close()
        await soon(self.reading)

    @property
    def is_compressed(self):
        return bool(self.link._ws.protocol.extensions)

    async def read(self):
        async for frame in self.link.frames():
            if isinstance(frame, NotifyFrame):
                self.notified.put_nowait(frame)
            elif isinstance(frame, ResponseFrame):
                self.waiting.pop(frame.request_id).set_result(frame)
            else:
                self.said.put_nowait(frame)

    async def send(self, frame):
        await self.link.send_frame(frame)

    async def send_text(self, text):
        await self.link._ws.send(text)

    # ---- requests

    def start(self, op, **params):
        """Sends a request, and gives what its answer is waited for with."""

        async def answer():
            request_id = unique("request")
            self.waiting[request_id] = asyncio.get_running_loop().create_future()
            future = self.waiting[request_id]
            await self.send(RequestFrame(request_id=request_id, op=op, params=params))
            response = await soon(future)
            if not response.ok:
                raise _error_from_code(response.error_code, response.error_message)
            return response.result

        return asyncio.create_task(answer())

    async def request(self, op, **params):
        return await self.start(op, **params)

    async def register(self, name, *, auth=None, rule=None, resume=None):
        passport = Passport(name=name, auth=auth or AuthBlock())
        told = await self.request(
            "register",
            passport=passport.to_dict(),
            resume=(resume or Resume()).to_dict(),
            skill_md=None,
            rule=(rule or Rule()).to_dict(),
        )
        self.ids[name] = told["agent_id"]
        return told["agent_id"]

    async def post(self, channel, sender, text="hello", *, event_type=EV_TEXT, **fields):
        data = {"text": text} if event_type == EV_TEXT else {}
        fields = {"audience": None, "event_type": event_type, "event_data": data, **fields}
        envelope = Envelope(channel_id=channel, sender_id=sender, **fields)
        return await self.request("post_envelope", envelope=envelope.to_dict())

    # ---- the rest of the frames

    async def hello(self, name, since=None, scheme="none", claim=None):
        """Gives the welcome, or the error."""
        await self.send(HelloFrame(name=name, auth_scheme=scheme, auth_claim=claim or {}, since_envelope_id=since))
        return await soon(self.said.get())

    async def refused(self, name, **hello):
        answer = await self.hello(name, **hello)
        assert isinstance(answer, ErrorFrame), answer
        return answer.code, answer.message

    async def fence(self):
        """All that the hub has said before the answer to a ping is here when this returns."""
        await self.send(PingFrame())
        while not isinstance(await soon(self.said.get()), PongFrame):
            pass

    async def next(self):
        return await soon(self.notified.get())

    async def waiting_texts(self):
        """The texts that have come, in order; other envelopes are left out."""
        await self.fence()
        frames = [self.notified.get_nowait() for _ in range(self.notified.qsize())]
        return [frame for frame in frames if frame.envelope.event_type == EV_TEXT]

    async def receipt(self, notify, status="ack", **fields):
        receipt = {
            "envelope_id": notify.envelope.envelope_id,
            "recipient_id": notify.recipient_id,
            "channel_id": notify.envelope.channel_id,
            **fields,
        }
        await self.send(ReceiptFrame(status=status, **receipt))

    async def join(self):
        """Acknowledges the invite that comes next, both ways."""
        invite = await self.next()
        assert invite.envelope.event_type == EV_CHANNEL_INVITE, invite
        await self.post(
            invite.envelope.channel_id,
            invite.recipient_id,
            event_type=EV_CHANNEL_INVITE_ACK,
            causation_id=invite.envelope.envelope_id,
        )
        await self.receipt(invite)


def text(notify):
    return notify.envelope.event_data["text"]


async def open_channel(creator, sender, others, kind="conversation", **options):
    """A channel between an agent and those of other wires, one on each; everything up to its opening is acknowledged."""
    invited = [agent for wire in others for agent in wire.ids.values()]
    creating = creator.start(
        "create_channel", creator_id=sender, manifest_type=kind, participants=invited, **options
    )
    for wire in others:
        await wire.join()
    created = await creating
    for wire in [creator, *others]:
        opened = await wire.next()
        assert opened.envelope.event_type == "ag2.channel.opened", opened
        await wire.receipt(opened)
    return created["channel_id"]
