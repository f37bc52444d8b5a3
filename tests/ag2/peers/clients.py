"""AG2's own clients against a hub: `clients.py URL [ag2]`. A line on stdout for each case, with tabs; with `ag2` it is AG2's hub that is tried.

Whatever is asserted here holds for AG2's hub as well, word for word, but for the cases that have a `differs`, which says
why they are left out when AG2's own is tried: what a hub may do better without a tenant of AG2 being the worse for it, and what we have not.
"""

import asyncio
import logging
import sys

import operations
import wires
from versions import VERSION
from wire import Wire


def tell(*words):
    print("\t".join(" ".join(word.split()) for word in words), flush=True)


async def main(url, is_ag2):
    logging.disable(logging.CRITICAL)
    print("version", VERSION, flush=True)
    async with Wire(url) as wire:
        tell("deflate", "on" if wire.is_compressed else "off")
    for case in [*operations.CASES, *wires.CASES]:
        name, differs = case.__doc__, getattr(case, "differs", None)
        if is_ag2 and differs:
            tell("skipped", name, differs)
            continue
        try:
            await asyncio.wait_for(case(url), 60)
        except Exception as error:  # noqa: BLE001: whatever it is, it is told
            tell("failed", name, f"{type(error).__name__} {error}"[:1000])
        else:
            tell("ok", name)
    tell("done")


asyncio.run(main(sys.argv[1], "ag2" in sys.argv[2:]))
