"""Close a server of asyncio."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def stop_listening(server: asyncio.Server) -> None:
    """Close a server of asyncio. All connections that it has accepted have come to its callback.

    `Server.close` alone leaves the socket of a connection open that was accepted in the same turn
    of the loop (seen with CPython 3.11).
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        with suppress(NotImplementedError):  # The loop of Windows.
            loop.remove_reader(listening)
    # A turn for the task that makes the connection, a turn for the callback, and one for its task.
    for _ in range(3):
        await asyncio.sleep(0)
    server.close()
