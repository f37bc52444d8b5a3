"""Each operation that AG2's `HubClient` has, called by it. The name of a case begins with the operation."""

import asyncio
import contextlib
import re
from datetime import datetime, timedelta

from ag2 import Agent
from ag2.network import errors
from ag2.network.channel import ChannelState
from ag2.network.client.hub_client import HubClient
from ag2.network.envelope import EV_CHANNEL_INVITE, EV_CHANNEL_INVITE_REJECT, EV_TEXT, Envelope
from ag2.network.identity import AuthBlock, Passport, Resume, ResumeExample
from ag2.network.rule import Rule
from ag2.network.transport.ws import WsLink
from ag2.task import TaskMetadata, TaskSpec, TaskState
from ag2.testing import TestConfig
from wire import soon, unique

ID = re.compile("[0-9a-f]{32}")


@contextlib.asynccontextmanager
async def client(url):
    hub = HubClient(WsLink(url), rpc_timeout=20)
    try:
        yield hub
    finally:
        await hub.close()


@contextlib.asynccontextmanager
async def refused(kind, message):
    """Exactly this class of errors, and this message, in which `#` stands for any id."""
    try:
        yield
    except errors.NetworkError as error:
        found = ID.sub("#", str(error))
        assert (type(error), found) == (kind, message), f"{type(error).__name__}: {found}"
    else:
        raise AssertionError(f"not refused, where this is wanted: {message}")


async def silent(hub, name=None, **fields):
    """An agent that acknowledges what comes, and invites; nothing else. Its envelopes are in `.seen`."""
    agent = await hub.register(Agent("a", config=TestConfig()), Passport(name=name or unique("agent")), **fields)
    agent.seen = asyncio.Queue()

    async def keep(envelope):
        if envelope.event_type == EV_CHANNEL_INVITE:
            await agent._run_default_handler(envelope)
        agent.seen.put_nowait(envelope)

    agent.on_envelope(keep)
    return agent


async def talker(hub, *replies, name=None):
    """An agent with AG2's own handler, and a script in place of a model."""
    name = name or unique("talker")
    return await hub.register(Agent(name, config=TestConfig(*replies)), Passport(name=name))


async def seen(agent, event_type=EV_TEXT):
    while True:
        envelope = await soon(agent.seen.get())
        if envelope.event_type == event_type:
            return envelope


def is_time(text):
    time = datetime.fromisoformat(text)
    return "T" in text and text.endswith("+00:00") and abs(datetime.now(time.tzinfo) - time) < timedelta(minutes=5)


# ---- agents


async def register(url):
    "register"
    async with client(url) as hub:
        name = unique("alice")
        passport = Passport(name=name, owner="us", provider="anthropic", model="m", region="eu")
        agent = await hub.register(Agent("a", config=TestConfig()), passport, Resume(summary="s"), skill_md="# skill")
        told = await hub.get_agent(name)
        assert (told.name, told.owner, told.provider, told.model, told.region) == (name, "us", "anthropic", "m", "eu")
        assert told.agent_id == agent.agent_id and ID.fullmatch(told.agent_id), told
        assert is_time(told.created_at), told.created_at
        assert (told.version, told.auth.scheme, told.auth.claim) == (1, "none", {})
        assert await hub.get_skill(agent.agent_id) == "# skill"


async def register_taken(url):
    "register: a taken name, one like an id"
    async with client(url) as hub:
        agent = await silent(hub)
        name = agent.passport.name
        message = f"name '{name}' already registered (agent_id=#); unregister it before re-registering."
        async with refused(errors.ProtocolError, message):
            await silent(hub, name)
        async with refused(errors.ProtocolError, "name '#' is, or has the shape of, an agent id"):
            await silent(hub, "0" * 32)


async def register_claims(url):
    "register: claims"
    async with client(url) as hub:
        name = unique("keyed")

        async def claim(scheme, claim, name=name):
            passport = Passport(name=name, auth=AuthBlock(scheme=scheme, claim=claim))
            return await hub.register(Agent("a", config=TestConfig()), passport)

        async with refused(errors.AuthError, f"api_key mismatch for '{name}'"):
            await claim("api_key", {"token": "wrong"})
        async with refused(errors.AuthError, "api_key claim missing required string field 'token'"):
            await claim("api_key", {"token": 5})
        async with refused(errors.AuthError, "unknown auth scheme: 'magic'"):
            await claim("magic", {})
        async with refused(errors.AuthError, "no api_key registered for 'nobody'"):
            await claim("api_key", {"token": "s3cret"}, "nobody")
        agent = await claim("api_key", {"token": "s3cret"})
        told = await hub.get_agent(agent.agent_id)
        assert (told.auth.scheme, told.auth.claim) == ("api_key", {}), "a claim was kept"


async def register_human(url):
    "register: a human"
    async with client(url) as hub:
        human = await hub.register_human(Passport(name=unique("human")))
        agent = await silent(hub)
        humans = [passport.agent_id for passport in await hub.list_agents(kind="human", limit=1000)]
        assert human.agent_id in humans and agent.agent_id not in humans


async def register_remote(url):
    "register: no agents of other hubs"
    async with client(url) as hub:
        await silent(hub)
        message = "this hub does not accept remote_agent registration over the wire"
        async with refused(errors.AccessDeniedError, message):
            passport = Passport(name=unique("remote"), kind="remote_agent")
            await hub.register(Agent("a", config=TestConfig()), passport)


async def attach(url):
    "hello: attach, on another connection"
    async with client(url) as hub, client(url) as other:
        name = unique("keyed")
        passport = Passport(name=name, auth=AuthBlock(scheme="api_key", claim={"token": "s3cret"}))
        agent = await hub.register(Agent("a", config=TestConfig()), passport, Resume(summary="who"))
        bare = Agent("a", config=TestConfig())
        scheme = f"api_key claim missing required string field 'token'"
        async with refused(errors.AuthError, scheme):
            await other.attach(bare, name)
        passport = Passport(name=name, auth=AuthBlock(scheme="api_key", claim={"token": "s3cret"}))
        again = await other.attach(bare, name, passport=passport)
        assert (again.agent_id, again.resume.summary) == (agent.agent_id, "who")
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await agent.set_skill("taken over")


async def attach_unknown(url):
    "hello: attach falls back to register"
    async with client(url) as hub:
        name = unique("new")
        try:
            await hub.attach(Agent("a", config=TestConfig()), name)
        except ValueError:
            pass
        agent = await hub.attach(Agent("a", config=TestConfig()), name, passport=Passport(name=name), resume=Resume())
        assert (await hub.get_agent(name)).agent_id == agent.agent_id


async def get_agent(url):
    "get_agent"
    async with client(url) as hub:
        agent = await silent(hub)
        assert (await hub.get_agent(agent.passport.name)) == (await hub.get_agent(agent.agent_id))
        async with refused(errors.NotFoundError, "agent not found: ghost"):
            await hub.get_agent("ghost")


async def find_agent_id(url):
    "find_agent_id"
    async with client(url) as hub:
        agent = await silent(hub)
        assert await hub._rpc("find_agent_id", {"name": agent.passport.name}) == agent.agent_id
        assert await hub._rpc("find_agent_id", {"name": "ghost"}) is None
        assert await hub._rpc("find_agent_id", {"name": agent.agent_id}) is None


async def names_for(url):
    "names_for"
    async with client(url) as hub:
        agent = await silent(hub)
        told = await hub._rpc("names_for", {"agent_ids": [agent.agent_id, "ghost"]})
        assert told == {agent.agent_id: agent.passport.name, "ghost": "ghost"}, told


async def list_agents(url):
    "list_agents"
    async with client(url) as hub:
        mark = unique("mark")
        names = [unique(name) for name in ("z", "a", "m")]
        for name in names:
            resume = Resume(claimed_capabilities=[mark], summary=f"Straße {mark.upper()}")
            await silent(hub, name, resume=resume)
        told = [passport.name for passport in await hub.list_agents(capability=mark)]
        assert told == names, told
        told = [passport.name for passport in await hub.list_agents(query=mark, sort_by="name", limit=2)]
        assert told == sorted(names)[:2], told
        assert await hub.list_agents(capability=mark, kind="human") == []
        assert await hub.list_agents(capability="nobody has it") == []


async def resumes(url):
    "get_resume, set_resume"
    async with client(url) as hub, client(url) as other:
        agent = await silent(hub, resume=Resume(claimed_capabilities=["a"], domains=["d"], summary="before"))
        example = ResumeExample(title="t", outcome="completed", task_id="1", when="now", note="n")
        await agent.add_example(example)
        await agent.set_resume(Resume(summary="after", examples=[example]))
        told = await other.get_resume(agent.agent_id)
        assert (told.summary, told.version, told.examples) == ("after", 3, [example]), told
        assert is_time(told.last_updated), told
        async with refused(errors.NotFoundError, "resume not found: ghost"):
            await hub.get_resume("ghost")
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await other.set_resume(agent.agent_id, Resume())


async def skills(url):
    "get_skill, set_skill"
    async with client(url) as hub, client(url) as other:
        agent = await silent(hub)
        assert await other.get_skill(agent.agent_id) is None
        await agent.set_skill("# ünïcode ✓ 𝄞")
        assert await other.get_skill(agent.agent_id) == "# ünïcode ✓ 𝄞"
        await agent.set_skill(None)
        assert await other.get_skill(agent.agent_id) is None
        assert await other.get_skill("ghost") is None
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await other.set_skill(agent.agent_id, "not mine")


async def rules(url):
    "get_rule, set_rule"
    async with client(url) as hub, client(url) as other:
        rule = Rule()
        rule.limits.delegation_depth = 2
        agent = await silent(hub, rule=rule)
        told = await other.get_rule(agent.agent_id)
        assert told == rule, told
        rule.access.inbound_from = ["a*", "b?"]
        rule.limits.channel_ttl_default = "30s"
        await agent.set_rule(rule)
        told = await other.get_rule(agent.agent_id)
        rule.version = 2
        assert told == rule, told
        async with refused(errors.NotFoundError, "rule not found: ghost"):
            await hub.get_rule("ghost")
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await other.set_rule(agent.agent_id, rule)


async def unregister(url):
    "unregister"
    async with client(url) as hub, client(url) as other:
        agent, brother = await silent(hub), await silent(hub)
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await other.unregister_agent(agent.agent_id)
        await agent.unregister()
        async with refused(errors.NotFoundError, f"agent not found: {agent.passport.name}"):
            await other.get_agent(agent.passport.name)
        await brother.set_skill("is still here")
        await silent(other, agent.passport.name)  # the name is free


# ---- channels


def room_for_two():
    rule = Rule()
    rule.limits.inbox.max_pending = 2
    return rule


async def pair(hub, other, kind="conversation", *, rule=None, **options):
    """Two agents, the second with this rule, and a channel between them."""
    first, second = await silent(hub), await silent(other, rule=rule)
    channel = await first.open(type=kind, target=second.passport.name, **options)
    return first, second, channel


async def create_channel(url):
    "create_channel: conversation"
    async with client(url) as hub, client(url) as other:
        labels, knobs = {"k": "v"}, {"x": [1, None]}
        first, second, channel = await pair(hub, other, ttl="90s", knobs=knobs, intent="why", labels=labels)
        for told in (channel.metadata, await hub.get_channel(channel.channel_id), await other.get_channel(channel.channel_id)):
            assert told.state is ChannelState.ACTIVE and told.creator_id == first.agent_id
            assert [(p.agent_id, p.role.value, p.order) for p in told.participants] == [
                (first.agent_id, "initiator", 0),
                (second.agent_id, "respondent", 1),
            ]
            assert (told.knobs, told.labels) == (knobs, {"k": "v", "intent": "why"}), told
            lives = datetime.fromisoformat(told.expires_at) - datetime.fromisoformat(told.created_at)
            assert lives == timedelta(seconds=90), lives
            adapter = hub.adapter_for_metadata(told)
            assert told.manifest == adapter.manifest, told.manifest
            assert (told.pending_acks, told.rejected_by, told.closed_at, told.close_reason) == ([], [], None, "")
        wal = await other.read_wal(channel.channel_id)
        assert [e.event_type.removeprefix("ag2.channel.") for e in wal] == ["invite", "invite.ack", "opened"], wal
        assert wal[0].event_data == {
            "channel_id": channel.channel_id,
            "manifest_type": "conversation",
            "manifest_version": 1,
            "creator_id": first.agent_id,
            "knobs": knobs,
            "labels": {"k": "v", "intent": "why"},
        }, wal[0]
        assert wal[0].audience == [second.agent_id] and wal[2].audience == [first.agent_id, second.agent_id]
        assert [e.envelope_id for e in wal] == sorted(e.envelope_id for e in wal)
        assert all(is_time(e.created_at) for e in wal)


async def create_other_types(url):
    "create_channel: consulting, discussion"
    async with client(url) as hub, client(url) as other, client(url) as third:
        _, _, channel = await pair(hub, other, "consulting")
        assert channel.metadata.manifest == hub.adapter_for_metadata(channel.metadata).manifest
        agents = [await silent(one) for one in (hub, other, third)]
        targets = [agent.passport.name for agent in agents[1:]]
        channel = await agents[0].open(type="discussion", target=targets, knobs={"ordering": "round_robin"})
        assert channel.metadata.manifest == hub.adapter_for_metadata(channel.metadata).manifest
        roles = [(p.agent_id, p.role.value) for p in channel.metadata.participants]
        assert roles == [(a.agent_id, r) for a, r in zip(agents, ("initiator", "participant", "participant"))], roles


async def create_refused(url):
    "create_channel: refused"
    async with client(url) as hub, client(url) as other:
        first, second, third = await silent(hub), await silent(other), await silent(other)

        async def create(*participants, creator=first, kind="conversation", **options):
            return await hub.create_channel(
                creator_id=creator.agent_id, manifest_type=kind, participants=list(participants), **options
            )

        async with refused(errors.NotFoundError, "no adapter registered for 'nonsense'@v1"):
            await create(second.agent_id, kind="nonsense")
        async with refused(errors.NotFoundError, "no adapter registered for 'conversation'@v9"):
            await create(second.agent_id, manifest_version=9)
        async with refused(errors.NotFoundError, "participant not registered: ghost"):
            await create("ghost")
        async with refused(errors.ProtocolError, "channel requires at least one participant"):
            await create()
        async with refused(errors.ProtocolError, "participant listed twice: '#'"):
            await create(second.agent_id, second.agent_id)
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await create(first.agent_id, creator=second)
        message = "discussion knobs.ordering='random' not supported; choose from ['round_robin']"
        async with refused(errors.ProtocolError, message):
            await create(second.agent_id, third.agent_id, kind="discussion", knobs={"ordering": "random"})


async def create_rejected(url):
    "create_channel: rejected by who was invited"
    async with client(url) as hub, client(url) as other:
        first, second = await silent(hub), await silent(other)

        async def reject(envelope):
            if envelope.event_type == EV_CHANNEL_INVITE:
                answer = Envelope(envelope.channel_id, second.agent_id, None, EV_CHANNEL_INVITE_REJECT, {})
                await second.send_envelope(answer)

        second.on_envelope(reject)
        async with refused(errors.ProtocolError, "channel '#' closed during handshake: invite_rejected"):
            await first.open(type="conversation", target=second.passport.name)


async def create_by_rules(url):
    "create_channel: rules of both"
    async with client(url) as hub, client(url) as other:
        shy = Rule()
        shy.access.inbound_from = ["friend-*"]
        second = await silent(other, rule=shy)
        friend, stranger = await silent(hub, unique("friend")), await silent(hub, unique("stranger"))
        assert await friend.open(type="conversation", target=second.passport.name)
        try:
            await stranger.open(type="conversation", target=second.passport.name)
        except errors.AccessDeniedError:
            pass
        else:
            raise AssertionError("a stranger came in")
        bound = Rule()
        bound.limits.max_concurrent_channels = 1
        limited, peer = await silent(hub, rule=bound), await silent(other)
        await limited.open(type="conversation", target=peer.passport.name)
        try:
            await limited.open(type="conversation", target=peer.passport.name)
        except errors.AccessDeniedError:
            pass
        else:
            raise AssertionError("a channel more than the rule allows")


async def get_channel(url):
    "get_channel"
    async with client(url) as hub, client(url) as other, client(url) as third:
        _, _, channel = await pair(hub, other)
        await silent(third)
        assert await hub.get_channel(channel.channel_id) == await other.get_channel(channel.channel_id)
        async with refused(errors.NotFoundError, "channel not found: ghost"):
            await hub.get_channel("ghost")
        async with refused(errors.AccessDeniedError, "connection has no participant in channel '#'"):
            await third.get_channel(channel.channel_id)


async def list_channels(url):
    "list_channels"
    async with client(url) as hub, client(url) as other:
        first, second = await silent(hub), await silent(other)
        channels = [await first.open(type="conversation", target=second.passport.name) for _ in range(3)]
        await channels[1].close()
        ids = [channel.channel_id for channel in channels]
        told = await hub.list_channels(agent_id=first.agent_id)
        assert [one.channel_id for one in told] == [ids[0], ids[2]], told
        told = await other.list_channels(include_terminal=True)
        assert [one.channel_id for one in told] == ids, told
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await hub.list_channels(agent_id=second.agent_id)


async def close_channel(url):
    "close_channel"
    async with client(url) as hub, client(url) as other, client(url) as third:
        first, second, channel = await pair(hub, other)
        await silent(third)
        async with refused(errors.AccessDeniedError, "connection has no participant in channel '#'"):
            await third.close_channel(channel.channel_id)
        told = await channel.close("enough")
        assert (told.state, told.close_reason) == (ChannelState.CLOSED, "enough") and is_time(told.closed_at)
        for agent in (first, second):
            closed = await seen(agent, "ag2.channel.closed")
            assert closed.event_data == {"reason": "enough", "channel_id": channel.channel_id}, closed
            assert closed.sender_id == first.agent_id and closed.audience == [first.agent_id, second.agent_id]
        async with refused(errors.ProtocolError, "channel '#' is closed"):
            await channel.send("too late")
        _, _, channel = await pair(hub, other)
        assert (await other.close_channel(channel.channel_id)).close_reason == "explicit_close"


# ---- envelopes


async def post_envelope(url):
    "post_envelope"
    async with client(url) as hub, client(url) as other:
        first, second, channel = await pair(hub, other)
        data = {"text": "ünïcode ✓ 𝄞 \u0000 \" \\", "more": [1, 1.5, -0.0, 1e300, None, True, {"": []}]}
        envelope = Envelope(
            channel_id=channel.channel_id,
            sender_id=first.agent_id,
            audience=None,
            event_type=EV_TEXT,
            event_data=data,
            causation_id="because",
            task_id="task-1",
            trace_id="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            priority="urgent",
            depth=2,
            ttl_seconds=60,
        )
        posted = await hub.post_envelope(envelope)
        came = await seen(second)
        wal = await other.read_wal(channel.channel_id)
        assert came == wal[-1] and came.envelope_id == posted and is_time(came.created_at), came
        came.envelope_id = came.created_at = ""
        assert came == envelope, came
        await channel.send("", event_type="custom.event", event_data={"any": "thing"})
        assert (await seen(second, "custom.event")).event_data == {"any": "thing"}


async def post_refused(url):
    "post_envelope: refused"
    async with client(url) as hub, client(url) as other, client(url) as third:
        first, second, channel = await pair(hub, other)
        stranger = await silent(third)

        async def post(**fields):
            values = {"channel_id": channel.channel_id, "sender_id": first.agent_id, "audience": None}
            envelope = Envelope(**{**values, "event_type": EV_TEXT, "event_data": {"text": "x"}, **fields})
            return await hub.post_envelope(envelope)

        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await post(sender_id=second.agent_id)
        async with refused(errors.ProtocolError, "'ag2.channel.closed' is emitted only by the hub"):
            await post(event_type="ag2.channel.closed")
        async with refused(errors.ProtocolError, "audience must list only participants of the channel"):
            await post(audience=[stranger.agent_id])
        async with refused(errors.NotFoundError, "channel not found: ghost"):
            await post(channel_id="ghost")
        async with refused(errors.ProtocolError, "invalid task_id: '../up'"):
            await post(task_id="../up")
        message = "channel '#' only accepts sends from participants, got '#'"
        async with refused(errors.ProtocolError, message):
            envelope = Envelope(channel.channel_id, stranger.agent_id, None, EV_TEXT, {"text": "x"})
            await third.post_envelope(envelope)
        try:
            await post(depth=99)
        except errors.AccessDeniedError:
            pass
        else:
            raise AssertionError("delegated too deep")


async def post_full_inbox(url):
    "post_envelope: a full inbox"
    async with client(url) as hub, client(url) as other:
        _, second, channel = await pair(hub, other, rule=room_for_two())

        async def never(_):
            await asyncio.Event().wait()

        second.on_envelope(never)
        for _ in range(2):
            await channel.send("x")
        async with refused(errors.NetworkError, "recipient '#' inbox at capacity (2 >= 2)"):
            await channel.send("x")


async def read_wal(url):
    "read_wal"
    async with client(url) as hub, client(url) as other, client(url) as third:
        _, _, channel = await pair(hub, other)
        await silent(third)
        for number in range(4):
            await channel.send(str(number))
        whole = await hub.read_wal(channel.channel_id)
        assert len(whole) == 7
        for since, until in [(0, None), (3, None), (3, 5), (0, 0), (-2, None), (0, -1), (5, 3), (99, None), (-99, 99)]:
            part = await other.read_wal(channel.channel_id, since=since, until=until)
            assert part == whole[since:until], (since, until)
        async with refused(errors.AccessDeniedError, "connection has no participant in channel '#'"):
            await third.read_wal(channel.channel_id)
        async with refused(errors.NotFoundError, "channel not found: ghost"):
            await hub.read_wal("ghost")


async def causation(url):
    "find_envelope_by_causation"
    async with client(url) as hub, client(url) as other:
        first, second, channel = await pair(hub, other)

        async def find(sender, cause):
            return await hub.find_envelope_by_causation(channel.channel_id, sender_id=sender, causation_id=cause)

        assert await find(first.agent_id, "c") is None
        await channel.send("one", causation_id="c")
        last = await channel.send("two", causation_id="c")
        found = await find(first.agent_id, "c")
        assert (found.envelope_id, found.event_data) == (last, {"text": "two"}), found
        assert await find(second.agent_id, "c") is None
        assert await find("ghost", "c") is None
        await channel.close()
        assert await find(first.agent_id, "c") is None


async def can_send(url):
    "can_send"
    async with client(url) as hub, client(url) as other:
        first, second, channel = await pair(hub, other, "consulting")
        assert await hub.can_send(channel.channel_id, first.agent_id)
        assert not await other.can_send(channel.channel_id, second.agent_id)
        await channel.send("?")
        assert not await hub.can_send(channel.channel_id, first.agent_id)
        assert await other.can_send(channel.channel_id, second.agent_id)
        assert not await hub.can_send("ghost", first.agent_id)
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await hub.can_send(channel.channel_id, second.agent_id)
        await channel.close()
        assert not await other.can_send(channel.channel_id, second.agent_id)


async def pending_turns(url):
    "pending_turns_for"
    async with client(url) as hub, client(url) as other:
        first, second, channel = await pair(hub, other, "consulting")
        turns = await hub.pending_turns_for(first.agent_id)
        assert [(t.channel_id, t.triggering_envelope_id) for t in turns] == [(channel.channel_id, None)], turns
        asked = await channel.send("?")
        assert await hub.pending_turns_for(first.agent_id) == []
        (turn,) = await other.pending_turns_for(second.agent_id)
        assert (turn.channel_id, turn.triggering_envelope_id) == (channel.channel_id, asked), turn
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await hub.pending_turns_for(second.agent_id)


async def turn_failure(url):
    "report_turn_failure"
    async with client(url) as hub, client(url) as other, client(url) as third:
        first, second, channel = await pair(hub, other)
        stranger = await silent(third)

        async def report(hub, agent):
            await hub.report_turn_failure(
                channel_id=channel.channel_id, agent_id=agent.agent_id, envelope_id="x", exc=ValueError("boom")
            )

        await report(hub, first)
        async with refused(errors.AccessDeniedError, "connection is not bound to agent '#'"):
            await report(hub, second)
        async with refused(errors.AccessDeniedError, "agent is not a participant of channel '#'"):
            await report(third, stranger)


# ---- turns, by AG2's own handlers


async def consulting(url):
    "turns: a consulting, by AG2's own handler"
    async with client(url) as hub, client(url) as other:
        first, second = await silent(hub), await talker(other, "the answer")
        channel = await first.open(type="consulting", target=second.passport.name)
        asked = await channel.send("the question")
        answer = await seen(first)
        assert (answer.event_data, answer.causation_id) == ({"text": "the answer"}, asked), answer
        closed = await seen(first, "ag2.channel.closed")
        assert closed.event_data["reason"] == "consulting_complete", closed
        assert (await channel.info()).state is ChannelState.CLOSED


async def conversation(url):
    "turns: a conversation, by AG2's own handler"
    async with client(url) as hub, client(url) as other:
        first, second = await silent(hub), await talker(other, "well")
        channel = await first.open(type="conversation", target=second.passport.name)
        for _ in range(3):
            asked = await channel.send("and?")
            answer = await seen(first)
            assert (answer.event_data, answer.causation_id) == ({"text": "well"}, asked), answer


async def discussion(url):
    "turns: a discussion"
    async with client(url) as hub, client(url) as other, client(url) as third:
        agents = [await silent(one) for one in (hub, other, third)]
        channel = await agents[0].open(type="discussion", target=[agent.passport.name for agent in agents[1:]])
        for turn in range(7):
            speaker = turn % 3
            envelope = Envelope(channel.channel_id, agents[(turn + 1) % 3].agent_id, None, EV_TEXT, {"text": "!"})
            async with refused(errors.ProtocolError, "discussion channel '#' expects '#' to speak, got '#'"):
                await agents[(turn + 1) % 3].send_envelope(envelope)
            envelope = Envelope(channel.channel_id, agents[speaker].agent_id, None, EV_TEXT, {"text": str(turn)})
            await agents[speaker].send_envelope(envelope)
            for listener in range(3):
                if listener != speaker:
                    assert (await seen(agents[listener])).event_data == {"text": str(turn)}


async def resumed_turn(url):
    "turns: resumed on another connection, once"
    async with client(url) as hub, client(url) as again:
        first = await silent(hub)
        name = unique("second")
        async with client(url) as other:
            second = await silent(other, name)
            channel = await first.open(type="consulting", target=name)
        asked = await channel.send("?")  # nobody is there
        second = await again.attach(Agent(name, config=TestConfig("late", "twice")), name)
        await second.resume_pending_turns()
        assert (await seen(first)).causation_id == asked
        assert await second.resume_pending_turns() == 0
        await seen(first, "ag2.channel.closed")
        wal = await hub.read_wal(channel.channel_id)
        assert [e.event_data["text"] for e in wal if e.event_type == EV_TEXT] == ["?", "late"], wal


# ---- what only AG2's hub has, and its own words for it


async def not_there(hub, op, call):
    async with refused(errors.ProtocolError, f"unknown control-plane op: '{op}'"):
        await call


async def unknown(url):
    "what is not there: an operation that nobody knows"
    async with client(url) as hub:
        await not_there(hub, "nope", hub._rpc("nope", {}))


async def tasks(url):
    "what is not there: tasks and workflow, in AG2's own words"
    async with client(url) as hub, client(url) as other:
        first, second = await silent(hub), await silent(other)
        spec = TaskSpec(title="t")
        task = TaskMetadata(task_id="t", owner_id=first.agent_id, spec=spec, state=TaskState.CREATED, created_at="")
        observed = {"owner_id": first.agent_id, "capability": "c", "outcome": TaskState.COMPLETED}
        await not_there(hub, "observe_task", hub.observe_task(task))
        await not_there(hub, "get_task", hub.get_task("t"))
        await not_there(hub, "list_tasks", hub.list_tasks())
        await not_there(hub, "update_task", hub.update_task("t"))
        await not_there(hub, "record_observation", hub.record_observation(**observed))
        await not_there(hub, "fire_task_event", hub.fire_task_event("t", "mirror_failed", {}))
        await not_there(hub, "checkpoint_task", hub.checkpoint_task("t", {}))
        await not_there(hub, "read_task_checkpoint", hub.read_task_checkpoint("t"))
        async with refused(errors.NotFoundError, "no adapter registered for 'workflow'@v1"):
            await first.open(type="workflow", target=second.passport.name)


tasks.differs = "AG2's own hub has them"

# ---- what is better


async def one_connection(url):
    "better: two agents of one connection open a channel"
    async with client(url) as hub:
        first, second = await silent(hub), await silent(hub)
        channel = await first.open(type="conversation", target=second.passport.name)
        await channel.send("here")
        assert (await seen(second)).event_data == {"text": "here"}


async def inbox_falls(url):
    "better: an inbox empties as its envelopes are acknowledged"
    async with client(url) as hub, client(url) as other:
        _, second, channel = await pair(hub, other, rule=room_for_two())
        for _ in range(10):
            await channel.send("x")
            await seen(second)
            await other._rpc("get_agent", {"name_or_id": second.agent_id})  # the receipt was sent before this


async def presence(url):
    "better: presence_for"
    async with client(url) as hub:
        first = await silent(hub)
        async with client(url) as other:
            second = await silent(other)
            ids = [first.agent_id, second.agent_id]
            assert await hub._rpc("presence_for", {"agent_ids": ids}) == dict.fromkeys(ids, True)


for case in (one_connection, inbox_falls, presence):
    case.differs = "AG2's own hub does not do it"

CASES = [
    register,
    register_taken,
    register_claims,
    register_human,
    register_remote,
    attach,
    attach_unknown,
    get_agent,
    find_agent_id,
    names_for,
    list_agents,
    resumes,
    skills,
    rules,
    unregister,
    create_channel,
    create_other_types,
    create_refused,
    create_rejected,
    create_by_rules,
    get_channel,
    list_channels,
    close_channel,
    post_envelope,
    post_refused,
    post_full_inbox,
    read_wal,
    causation,
    can_send,
    pending_turns,
    turn_failure,
    consulting,
    conversation,
    discussion,
    resumed_turn,
    unknown,
    tasks,
    one_connection,
    inbox_falls,
    presence,
]
