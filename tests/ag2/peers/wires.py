"""Frames, seen one by one: hello, receipts, replay, many agents on one connection, what a connection may not do, and what is no frame."""

from ag2.network import errors
from ag2.network.identity import AuthBlock
from ag2.network.transport.frames import ErrorFrame, PingFrame, PongFrame, ReceiptFrame, WelcomeFrame
from operations import ID, is_time, refused
from wire import Wire, open_channel, soon, text, unique


async def two(first, second):
    """An agent on each, and a channel between them."""
    one = await first.register(unique("one"))
    await second.register(unique("two"))
    return one, await open_channel(first, one, [second])


async def came(wire):
    return [text(notify) for notify in await wire.waiting_texts()]


async def delivered(first, second, words):
    """An agent on each, and these words from the first to the second: the name of the second, and what it was notified of."""
    one, channel = await two(first, second)
    (name,) = second.ids
    for word in words:
        await first.post(channel, one, word)
    return name, [await second.next() for _ in words]


# ---- hello


async def hello(url):
    "hello: welcome"
    async with Wire(url) as first, Wire(url) as second:
        names = [unique("one"), unique("two")]
        for name in names:
            await first.register(name)
        welcomes = [await second.hello(name) for name in names]
        assert all(isinstance(welcome, WelcomeFrame) for welcome in welcomes), welcomes
        assert welcomes[0].endpoint_id == welcomes[1].endpoint_id and ID.fullmatch(welcomes[0].endpoint_id)
        assert is_time(welcomes[0].hub_time), welcomes
        assert second.link.endpoint_id == welcomes[0].endpoint_id


async def hello_refused(url):
    "hello: refused, and the connection goes on"
    async with Wire(url) as wire, Wire(url) as other:
        name, keyed = unique("plain"), unique("keyed")
        await wire.register(name)
        await wire.register(keyed, auth=AuthBlock(scheme="api_key", claim={"token": "s3cret"}))
        assert await other.refused("ghost") == ("not_found", "unknown name: ghost")
        wrong = await other.refused(keyed, scheme="api_key", claim={"token": "no"})
        assert wrong == ("auth_failed", f"api_key mismatch for '{keyed}'"), wrong
        wrong = await other.refused(keyed)
        assert wrong == ("auth_failed", f"auth scheme 'none' does not match '{keyed}''s registered scheme 'api_key'"), wrong
        wrong = await other.refused(name, scheme="api_key", claim={"token": "s3cret"})
        assert wrong == ("auth_failed", f"auth scheme 'api_key' does not match '{name}''s registered scheme 'none'"), wrong
        welcome = await other.hello(keyed, scheme="api_key", claim={"token": "s3cret"})
        assert isinstance(welcome, WelcomeFrame), welcome


async def ping(url):
    "ping: before hello"
    async with Wire(url) as wire:
        await wire.send(PingFrame())
        assert isinstance(await soon(wire.said.get()), PongFrame)


async def unbound(url):
    "connections: what one without an agent may do"
    async with Wire(url) as wire, Wire(url) as other:
        agent = await wire.register(unique("one"))
        assert (await other.request("get_agent", name_or_id=agent))["agent_id"] == agent
        assert (await other.request("get_rule", agent_id=agent))["limits"]["delegation_depth"] == 5
        message = "connection is not bound to agent '#'"
        for op in ("set_skill", "set_resume", "set_rule", "unregister", "pending_turns_for"):
            async with refused(errors.AccessDeniedError, message):
                await other.request(op, agent_id=agent, skill_md="", resume={}, rule={})


# ---- receipts and replay


async def again(wire, name, since=""):
    """Says hello on `wire`, and gives the texts that are replayed."""
    welcome = await wire.hello(name, since)
    assert isinstance(welcome, WelcomeFrame), welcome
    return await came(wire)


async def receipts(url):
    "receipts: what is acknowledged is not replayed, what is refused is"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        name, notified = await delivered(first, second, ["a", "b", "c"])
        await second.receipt(notified[0])
        await second.receipt(notified[1], "nack", reason="boom")
        await second.fence()
        assert await again(third, name) == ["b", "c"]


async def receipts_odd(url):
    "receipts: without recipient or channel, of another agent, of no kind"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        name, (notify,) = await delivered(first, second, ["a"])
        await second.receipt(notify, recipient_id="")
        await second.receipt(notify, channel_id="")
        await second.receipt(notify, "perhaps")
        await second.fence()
        await first.receipt(notify)
        await first.fence()
        assert await again(third, name) == ["a"]


async def receipts_backwards(url):
    "receipts: a late one moves nothing back"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        name, notified = await delivered(first, second, ["a", "b", "c"])
        for at in (1, 0, 0):
            await second.receipt(notified[at])
        await second.fence()
        assert await again(third, name) == ["c"]


async def replay_since(url):
    "replay: strictly after an id; all; none"
    async with Wire(url) as first, Wire(url) as second:
        one, channel = await two(first, second)
        (name,) = second.ids
        ids = [await first.post(channel, one, word) for word in ("a", "b", "c")]
        for since, wanted in [("", ["a", "b", "c"]), (ids[0], ["b", "c"]), (ids[2], []), (None, []), ("f" * 32, [])]:
            async with Wire(url) as third:
                found = await again(third, name, since)
                assert found == wanted, (since, found)


async def replay_offline(url):
    "replay: what was posted while nobody was there, once and in order, behind the welcome"
    async with Wire(url) as first, Wire(url) as third:
        async with Wire(url) as second:
            one, channel = await two(first, second)
            (name,) = second.ids
        words = [str(number) for number in range(50)]
        for word in words:
            await first.post(channel, one, word)
        assert await again(third, name) == words
        await first.post(channel, one, "live")
        assert await came(third) == ["live"]


async def replay_cursor_wins(url):
    "replay: what is acknowledged stays so, whatever the hello says"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        name, notified = await delivered(first, second, ["a", "b"])
        for notify in notified:
            await second.receipt(notify)
        await second.fence()
        assert await again(third, name, "0" * 32) == []


async def replay_two_channels(url):
    "replay: each channel by itself, closed ones not"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        one, channel = await two(first, second)
        (name,) = second.ids
        others = [await open_channel(first, one, [second]) for _ in range(2)]
        for each in (channel, *others):
            await first.post(each, one, f"a in {each}")
            await first.post(each, one, f"b in {each}")
        notified = [await second.next() for _ in range(6)]
        await second.receipt(notified[0])
        await second.fence()
        await first.request("close_channel", channel_id=others[1])
        found = await again(third, name)
        assert found == [f"b in {channel}", f"a in {others[0]}", f"b in {others[0]}"], found


async def replay_invite(url):
    "replay: an invite that was missed"
    async with Wire(url) as first, Wire(url) as third:
        name, one = unique("two"), await first.register(unique("one"))
        async with Wire(url) as second:
            two = await second.register(name)
        creating = first.start("create_channel", creator_id=one, manifest_type="conversation", participants=[two])
        await third.hello(name, "")
        await third.join()
        assert (await creating)["state"] == "active"


# ---- connections


async def gone(url):
    "connections: one that closes leaves its agents"
    async with Wire(url) as first, Wire(url) as third:
        async with Wire(url) as second:
            one, channel = await two(first, second)
            (name,) = second.ids
        assert await first.post(channel, one, "to nobody")
        told = await first.request("get_agent", name_or_id=name)
        assert told["name"] == name
        assert await again(third, name) == ["to nobody"]


async def many(url):
    "connections: many agents on one, each its own deliveries"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        one = await first.register(unique("one"))
        left, right = await second.register(unique("left")), await second.register(unique("right"))
        other = await third.register(unique("other"))
        creating = first.start(
            "create_channel", creator_id=one, manifest_type="discussion", participants=[left, right, other]
        )
        for wire in (second, second, third):
            await wire.join()
        channel = (await creating)["channel_id"]
        await first.post(channel, one, "to all")
        assert [notify.recipient_id for notify in await second.waiting_texts()] == [left, right]
        assert await came(third) == ["to all"]
        await first.post(channel, one, audience=[right], event_type="aside")
        await second.fence()
        aside = [second.notified.get_nowait() for _ in range(second.notified.qsize())]
        assert [notify.recipient_id for notify in aside] == [right], aside
        assert await came(first) == [] and await came(third) == []
        await second.request("unregister", agent_id=left)
        await second.post(channel, right, event_type="still here")
        assert (await third.next()).envelope.event_type == "still here"


async def takeover(url):
    "connections: deliveries go where the agent said hello last"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        one, channel = await two(first, second)
        ((name, agent),) = second.ids.items()
        await third.hello(name)
        await first.post(channel, one, "a")
        assert await came(third) == ["a"] and await came(second) == []
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await second.post(channel, agent)
        assert await third.post(channel, agent)


async def order(url):
    "connections: notifies before the answer to what caused them"
    async with Wire(url) as first:
        one = await first.register(unique("one"))
        async with Wire(url) as second:
            await second.register(unique("two"))
            channel = await open_channel(first, one, [second])
            await first.post(channel, one, audience=[one], event_type="to me")
            assert first.notified.get_nowait().envelope.event_type == "to me"
            await first.request("close_channel", channel_id=channel)
            assert first.notified.get_nowait().envelope.event_type == "ag2.channel.closed"


# ---- what is no frame


async def nonsense(url):
    "messages: no frame: the connection goes on"
    async with Wire(url) as wire:
        for word in ("", "5", "[]", "{", '{"kind": "nonsense"}', "{}", '{"kind": "ping", "more": 1}', '{"kind": "request"}'):
            await wire.send_text(word)
        await wire.fence()
        assert await wire.register(unique("one"))


async def malformed_hello(url):
    "messages: no frame: a hello with a field of a wrong type"
    async with Wire(url) as wire:
        await wire.send_text('{"kind": "hello", "name": 5}')
        error = await soon(wire.said.get())
        assert isinstance(error, ErrorFrame), error
        assert (error.code, error.message) == ("protocol_error", "malformed hello frame: name"), error


async def binary(url):
    "messages: binary is read as text, and pieces as a whole"
    async with Wire(url) as wire:
        await wire.send_text(b'{"kind": "ping"}')
        assert isinstance(await soon(wire.said.get()), PongFrame)
        await wire.send_text(iter(['{"ki', 'nd": "pi', 'ng"}']))
        assert isinstance(await soon(wire.said.get()), PongFrame)


async def large(url):
    "messages: one of 900 kB"
    async with Wire(url) as first, Wire(url) as second:
        one, channel = await two(first, second)
        await first.post(channel, one, "x" * 900_000)
        assert text(await second.next()) == "x" * 900_000


async def missing(url):
    "messages: a parameter that is missing is named, one that is unknown left alone"
    async with Wire(url) as wire:
        agent = await wire.register(unique("one"))
        async with refused(errors.NetworkError, "'name_or_id'"):
            await wire.request("get_agent")
        told = await wire.request("get_agent", name_or_id=agent, more="than is known")
        assert told["agent_id"] == agent


# ---- what is better


async def head_of_line(url):
    "better: a ping is answered while a channel waits for its invited"
    async with Wire(url) as first, Wire(url) as second:
        one, two = await first.register(unique("one")), await second.register(unique("two"))
        creating = first.start("create_channel", creator_id=one, manifest_type="conversation", participants=[two])
        await second.next()
        await first.fence()
        assert not creating.done()
        creating.cancel()


async def gaps(url):
    "better: what was not acknowledged is replayed, though later ones were"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        name, notified = await delivered(first, second, ["a", "b", "c"])
        await second.receipt(notified[0])
        await second.receipt(notified[2])
        await second.fence()
        assert await again(third, name) == ["b"]


async def poison(url):
    "better: a receipt for what was never sent moves nothing"
    async with Wire(url) as first, Wire(url) as second, Wire(url) as third:
        one, channel = await two(first, second)
        ((name, agent),) = second.ids.items()
        await first.post(channel, one, "a")
        await second.next()
        for envelope_id in ("zzzz", "f" * 32):
            frame = ReceiptFrame(envelope_id=envelope_id, status="ack", recipient_id=agent, channel_id=channel)
            await second.send(frame)
        await second.fence()
        assert await again(third, name) == ["a"]


async def idempotent(url):
    "better: an idempotency key counts once"
    async with Wire(url) as first, Wire(url) as second:
        one, channel = await two(first, second)
        ids = {await first.post(channel, one, "a", idempotency_key="k") for _ in range(3)}
        assert len(ids) == 1 and await came(second) == ["a"]


async def too_large(url):
    "better: a message over 1 MiB is answered, and the connection goes on"
    async with Wire(url) as first, Wire(url) as second:
        one, channel = await two(first, second)
        await first.send_text('{"kind": "ping", "x": "' + "x" * 1_500_000 + '"}')
        error = await soon(first.said.get())
        assert error.code == "too_large", error
        for _ in range(2):
            await first.post(channel, one, "x" * 700_000)
            await second.receipt(await second.next())
        try:
            await first.request("read_wal", channel_id=channel)
        except errors.NetworkError as error:
            assert type(error) is errors.NetworkError, error
        else:
            raise AssertionError("more than a tenant can receive")
        assert len(await first.request("read_wal", channel_id=channel, since=-1)) == 1


async def not_utf8(url):
    "better: bytes that are not UTF-8 are answered, and the connection goes on"
    async with Wire(url) as wire:
        await wire.send_text(b"\xff\xfe")
        assert (await soon(wire.said.get())).code == "protocol_error"
        await wire.fence()
        assert await wire.register(unique("one"))


async def superseded(url):
    "better: who was taken over from is told"
    async with Wire(url) as first, Wire(url) as second:
        name = unique("one")
        await first.register(name)
        await second.hello(name)
        assert (await soon(first.said.get())).code == "superseded"


BETTER = [head_of_line, gaps, poison, idempotent, too_large, not_utf8, superseded]
for case in BETTER:
    case.differs = "AG2's own hub does not do it"

CASES = [
    hello,
    hello_refused,
    ping,
    unbound,
    receipts,
    receipts_odd,
    receipts_backwards,
    replay_since,
    replay_offline,
    replay_cursor_wins,
    replay_two_channels,
    replay_invite,
    gone,
    many,
    takeover,
    order,
    nonsense,
    malformed_hello,
    binary,
    large,
    missing,
    *BETTER,
]
