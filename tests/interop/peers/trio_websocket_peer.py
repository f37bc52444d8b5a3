"""python `trio-websocket` as server and as client: `trio_websocket_peer.py server`, `trio_websocket_peer.py client URL`."""

import contextlib
import platform
import sys
from urllib.parse import parse_qs, urlsplit

import trio
import trio_websocket
from trio_websocket import ConnectionClosed, ConnectionRejected, open_websocket_url, serve_websocket

import cases

# ---- the client


class Peer:
    lacks = {
        "fragments_sent": "trio-websocket sends whole messages only",
        "bad_gateway_received": "wsproto does not know 1014",
        "deflate": "trio-websocket has no compression",
    }

    def __init__(self, url):
        self.url = url

    @contextlib.asynccontextmanager
    async def connect(self, path, subprotocols=(), headers=(), compression=None):
        headers = [(name.encode(), value.encode()) for name, value in headers]
        open_ws = open_websocket_url(self.url + path, subprotocols=subprotocols, extra_headers=headers, message_queue_size=16)
        try:
            ws = await open_ws.__aenter__()
        except ConnectionRejected as refused:
            headers = {name.decode().title(): value.decode() for name, value in refused.headers}
            raise cases.Rejected(refused.status_code, headers, refused.body) from None
        try:
            yield Connection(ws)
        finally:
            await open_ws.__aexit__(None, None, None)


class Connection:
    def __init__(self, ws):
        self.ws = ws
        self.subprotocol = ws.subprotocol

    def header(self, name):
        values = (value.decode() for key, value in self.ws.handshake_headers if key == name.lower().encode())
        return next(values, None)

    async def send(self, message):
        await self.ws.send_message(message)

    async def receive(self):
        try:
            return await self.ws.get_message()
        except ConnectionClosed as closed:
            raise cases.Closed(closed.reason.code, closed.reason.reason or "") from None

    async def ping(self, payload):
        # Without a payload it makes one of its own: an empty one is taken for none.
        await self.ws.ping(payload or None)

    async def close(self, code, reason):
        await self.ws.aclose(code, reason)


# ---- the server


class Server:
    def __init__(self):
        self.end, self.ends = trio.open_memory_channel(100)

    async def handle(self, request):
        url = urlsplit(request.path)
        if url.path == "/reject":
            await request.reject(403, extra_headers=[(b"X-Reject", b"yes")], body=b"forbidden\n")
            return
        echoed = [(b"X-Echoed", value) for name, value in request.headers if name == b"x-echo-me"]
        chosen = next((name for name in request.proposed_subprotocols if name.startswith("echo.")), None)
        ws = await request.accept(subprotocol=chosen, extra_headers=echoed)
        try:
            await self.serve(ws, url)
        except ConnectionClosed:
            if url.path == "/watch":
                await self.end.send(f"{ws.closed.code} {ws.closed.reason or ''}")

    async def serve(self, ws, url):
        if url.path == "/close":
            query = parse_qs(url.query)
            await ws.aclose(int(query["code"][0]), query.get("reason", [""])[0])
        elif url.path == "/closed":
            await ws.send_message(await self.ends.receive())
        elif url.path == "/drop":
            await ws._stream.aclose()  # it has no way of its own to leave without a close frame
        elif url.path == "/ping":
            await ws.ping(b"srv-ping")
            await ws.send_message("got pong")
        while True:
            await ws.send_message(await ws.get_message())


async def serve_forever():
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, Server().handle, "127.0.0.1", 0, None)
        print(f"listening {server.port}", flush=True)


version = f"trio-websocket {trio_websocket.__version__}, trio {trio.__version__}, CPython {platform.python_version()}"
print(f"version {version}", flush=True)
if sys.argv[1] == "server":
    trio.run(serve_forever)
else:
    trio.run(cases.run, Peer(sys.argv[2]))
