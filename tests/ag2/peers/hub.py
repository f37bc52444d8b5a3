"""AG2's own hub, until it is killed: `hub.py [quiet]`; quiet without pings. Says for each connection whether it is compressed. Takes the schemes `none` and `api_key`, the latter with the key `s3cret` for `keyed-*`."""

import asyncio
import logging
import sys

from ag2.knowledge import MemoryKnowledgeStore
from ag2.network.auth import ApiKeyAuth, AuthRegistry, NoAuth
from ag2.network.hub import Hub
from ag2.network.transport import ws
from versions import VERSION


async def key_of(name):
    return "s3cret" if name.startswith("keyed-") else None


serve_connection = ws._serve_connection


async def tell_and_serve(hub, connection):
    print("connection", "compressed" if connection.protocol.extensions else "plain", flush=True)
    await serve_connection(hub, connection)


ws._serve_connection = tell_and_serve


async def main():
    logging.disable(logging.CRITICAL)
    auth = AuthRegistry([NoAuth(), ApiKeyAuth(resolver=key_of)])
    hub = await Hub.open(MemoryKnowledgeStore(), auth=auth)
    ping_interval = None if "quiet" in sys.argv else 20
    async with ws.serve_ws(hub, "127.0.0.1", 0, ping_interval=ping_interval) as server:
        print("version", VERSION, flush=True)
        print("listening", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
