"""What a client of any library tries on a server that keeps to the agreement of tests/interop/main.rs, a line on stdout for each case.

A library is an object with `connect(path, subprotocols=(), headers=(), compression=None)`, an asynchronous context manager that
gives a connection or raises `Rejected`, and `lacks`: names of cases and why it has them not. Nothing here knows which event loop runs.
"""

import itertools

LARGE = 65_537
REASON = "Grüße " * 15 + "123"  # 123 bytes: as long as a reason may be
SENT_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4999)
RECEIVED_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4999)
WINDOWS = (None, 9, 10, 11, 12, 13, 14, 15)


class Rejected(Exception):
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Closed(Exception):
    """The connection is closed; `code` as this side saw it, 1005 without one and 1006 without a close frame."""

    def __init__(self, code, reason):
        super().__init__(f"closed with {code} {reason!r}")
        self.code, self.reason = code, reason


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f"{str(found)[:200]!r} where {str(wanted)[:200]!r} is wanted")


async def echoes(ws, message):
    await ws.send(message)
    equal(await ws.receive(), message)


async def text(peer):
    async with peer.connect("/") as ws:
        for message in ("hello", "Grüße, 世界 𝄞", "x" * 125, "x" * 126, "x" * LARGE, "é" * LARGE):
            await echoes(ws, message)


async def binary(peer):
    async with peer.connect("/") as ws:
        for message in (b"\x00\xff", bytes(125), bytes(range(256)) * 256, b"y" * LARGE):
            await echoes(ws, message)


async def empty(peer):
    async with peer.connect("/") as ws:
        await echoes(ws, "")
        await echoes(ws, b"")


async def fragments_sent(peer):
    async with peer.connect("/") as ws:
        for parts in (["in ", "", "fragments é"], [b"\x00" * 1000] * 100):
            await ws.send_fragments(parts)
            equal(await ws.receive(), type(parts[0])().join(parts))


async def fragments_received(peer):
    async with peer.connect("/fragments") as ws:
        equal(await ws.receive(), "frag-é-mented")
        await echoes(ws, "and on")


async def ping_sent(peer):
    async with peer.connect("/") as ws:
        for payload in (b"", b"mine", b"p" * 125):
            await ws.ping(payload)
        await echoes(ws, "and on")


async def ping_received(peer):
    async with peer.connect("/ping") as ws:
        equal(await ws.receive(), "got pong")
        await echoes(ws, "and on")


async def close_sent(peer):
    for code, reason in [*((code, f"code {code}") for code in SENT_CODES), (1000, ""), (4000, REASON)]:
        async with peer.connect("/watch") as ws:
            await echoes(ws, "hello")
            await ws.close(code, reason)
        async with peer.connect("/closed") as ws:
            equal(await ws.receive(), f"{code} {reason}")


async def close_received(peer):
    for code, reason in [*((code, f"code-{code}") for code in RECEIVED_CODES), (1000, "")]:
        await is_closed(peer, code, reason)


async def bad_gateway_received(peer):
    await is_closed(peer, 1014, "code-1014")


async def is_closed(peer, code, reason):
    async with peer.connect(f"/close?code={code}&reason={reason}") as ws:
        try:
            await ws.receive()
        except Closed as closed:
            equal((closed.code, closed.reason), (code, reason))
        else:
            raise AssertionError("a message, where a close is wanted")


async def cut(peer):
    async with peer.connect("/drop") as ws:
        try:
            await ws.receive()
        except Closed as closed:
            equal(closed.code, 1006)
        else:
            raise AssertionError("a message, where the end is wanted")


async def subprotocol(peer):
    for offered, chosen in (((), None), (("other",), None), (("other", "echo.v1", "echo.v2"), "echo.v1")):
        async with peer.connect("/", subprotocols=offered) as ws:
            equal(ws.subprotocol, chosen)


async def headers(peer):
    async with peer.connect("/", headers=[("X-Echo-Me", "a, b; c=\"d\"")]) as ws:
        equal(ws.header("X-Echoed"), "a, b; c=\"d\"")


async def rejected(peer):
    try:
        async with peer.connect("/reject"):
            raise AssertionError("let in")
    except Rejected as answer:
        equal((answer.status, answer.headers["X-Reject"], answer.body.strip()), (403, "yes", b"forbidden"))


CASES = (
    text, binary, empty, fragments_sent, fragments_received, ping_sent, ping_received, close_sent, close_received,
    bad_gateway_received, cut, subprotocol, headers, rejected,
)  # fmt: skip


def compressed_messages():
    """Alike ones, one that does not compress, and repetitions as far apart as the windows are long."""
    json = '{"user": %d, "on": true, "name": "wscope"}, '
    alike = "".join(json % n for n in range(60))
    state, noise = 1, bytearray()
    for _ in range(17_000):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        noise.append(state >> 16 & 0xFF)
    far = b"".join(bytes(noise[:distance]) * 2 for distance in (200, 500, 4000, 16_000))
    return [alike, alike, "", "short", bytes(noise), far, alike]


MESSAGES = compressed_messages()


def parameter_sets():
    for server_alone, client_alone, server_window, client_window in itertools.product((False, True), (False, True), WINDOWS, WINDOWS):
        yield {
            "server_no_context_takeover": server_alone,
            "client_no_context_takeover": client_alone,
            "server_max_window_bits": server_window,
            "client_max_window_bits": client_window,
        }


def query(parameters):
    return "&".join(f"{name}={int(value)}" for name, value in parameters.items() if value)


def agreed(header):
    """The answer, as parameter_sets has it."""
    name, *items = (item.strip() for item in (header or "").split(";"))
    equal(name, "permessage-deflate")
    pairs = (item.partition("=") for item in items)
    return {name: int(value) if value else True for name, _, value in pairs}


async def deflate(peer, path, offer, wanted):
    """A connection on which compression is agreed on with at least what is `wanted`, and what goes over it."""
    async with peer.connect(path, compression=offer) as ws:
        answer = agreed(ws.header("Sec-WebSocket-Extensions"))
        for name, value in wanted.items():
            if value:
                equal(answer.get(name), value)
        for message in MESSAGES:
            await echoes(ws, message)
        if "fragments_sent" not in peer.lacks:
            await ws.send_fragments(["half of it, ", "half of it, ", "and the rest"])
            equal(await ws.receive(), "half of it, half of it, and the rest")


def deflate_cases():
    """Name, path, offer and what must be agreed on."""
    for parameters in parameter_sets():
        # The client asks. A window of its own that it names need not be named again: the server may leave it at that.
        asked = {name: parameters[name] for name in ("server_no_context_takeover", "server_max_window_bits")}
        yield f"deflate, the client asks: {query(parameters)}", "/deflate", parameters, asked
        # The server asks; the client offers what it always offers. It need not be told of the server's window, nor of the largest.
        window = parameters["client_max_window_bits"]
        told = parameters | {"server_max_window_bits": None, "client_max_window_bits": None if window == 15 else window}
        yield f"deflate, the server asks: {query(parameters)}", f"/deflate?{query(parameters)}", {}, told


async def run(peer):
    """Every case; the last line is `done`."""
    for case in CASES:
        await report(peer, case.__name__, case, peer)
    for name, *case in deflate_cases():
        await report(peer, name, deflate, peer, *case)
    print("done", flush=True)


async def report(peer, name, case, *arguments):
    why = next((why for lacked, why in peer.lacks.items() if name.startswith(lacked)), None)
    if why:
        print(f"skipped {name}: {why}", flush=True)
        return
    try:
        await case(*arguments)
        print(f"ok {name}", flush=True)
    except Exception as error:
        print(f"failed {name}: {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
