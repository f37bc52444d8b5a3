"""python `websockets` as server and as client: `websockets_peer.py server`, `websockets_peer.py client URL`."""

import asyncio
import contextlib
import http
import platform
import sys
from urllib.parse import parse_qs, urlsplit

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

import cases

# ---- the client


class Peer:
    lacks = {}

    def __init__(self, url):
        self.url = url

    @contextlib.asynccontextmanager
    async def connect(self, path, subprotocols=(), headers=(), compression=None):
        extensions = None  # an empty list would become an empty header
        if compression is not None:
            offer = {name: value for name, value in compression.items() if value}
            extensions = [ClientPerMessageDeflateFactory(**{"client_max_window_bits": True} | offer)]
        try:
            ws = await connect(
                self.url + path,
                subprotocols=list(subprotocols) or None,
                additional_headers=list(headers),
                extensions=extensions,
                compression=None,
                proxy=None,
            )
        except InvalidStatus as refused:
            answer = refused.response
            raise cases.Rejected(answer.status_code, answer.headers, answer.body) from None
        async with ws:
            yield Connection(ws)


class Connection:
    def __init__(self, ws):
        self.ws = ws
        self.subprotocol = ws.subprotocol

    def header(self, name):
        return self.ws.response.headers.get(name)

    async def send(self, message):
        await self.ws.send(message)

    async def send_fragments(self, parts):
        await self.ws.send(parts)

    async def receive(self):
        try:
            return await self.ws.recv()
        except ConnectionClosed:
            raise cases.Closed(self.ws.close_code, self.ws.close_reason) from None

    async def ping(self, payload):
        await (await self.ws.ping(payload))

    async def close(self, code, reason):
        await self.ws.close(code, reason)


# ---- the server


class Server:
    def __init__(self):
        self.ends = asyncio.Queue()

    def request(self, ws, request):
        url = urlsplit(request.path)
        if url.path == "/reject":
            answer = ws.respond(http.HTTPStatus.FORBIDDEN, "forbidden\n")
            answer.headers["X-Reject"] = "yes"
            return answer
        if url.path == "/deflate":
            wanted = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
            ws.protocol.available_extensions = [ServerPerMessageDeflateFactory(**wanted)]

    def response(self, ws, request, response):
        if "X-Echo-Me" in request.headers:
            response.headers["X-Echoed"] = request.headers["X-Echo-Me"]

    def choose(self, ws, offered):
        return next((name for name in offered if name.startswith("echo.")), None)

    async def handle(self, ws):
        url = urlsplit(ws.request.path)
        if url.path == "/close":
            query = parse_qs(url.query)
            await ws.close(int(query["code"][0]), query.get("reason", [""])[0])
        elif url.path == "/closed":
            await ws.send(await self.ends.get())
        elif url.path == "/drop":
            ws.transport.abort()
        elif url.path == "/fragments":
            await ws.send(self.parts(ws))
        elif url.path == "/ping":
            await (await ws.ping(b"srv-ping"))
            await ws.send("got pong")
        async for message in ws:
            await ws.send(message)
        if url.path == "/watch":
            await self.ends.put(f"{ws.close_code} {ws.close_reason}")

    async def parts(self, ws):
        yield "frag-"
        await ws.ping(b"mid")
        yield "é-"
        yield "mented"

    async def echo(self, ws):
        try:
            await self.handle(ws)
        except ConnectionClosed:
            if urlsplit(ws.request.path).path == "/watch":
                await self.ends.put(f"{ws.close_code} {ws.close_reason}")


async def serve_forever():
    server = Server()
    async with serve(
        server.echo,
        "127.0.0.1",
        0,
        process_request=server.request,
        process_response=server.response,
        select_subprotocol=server.choose,
        compression=None,
        max_size=2**24,
    ) as listening:
        print(f"listening {listening.sockets[0].getsockname()[1]}", flush=True)
        await listening.serve_forever()


print(f"version websockets {websockets.__version__}, CPython {platform.python_version()}", flush=True)
asyncio.run(serve_forever() if sys.argv[1] == "server" else cases.run(Peer(sys.argv[2])))
