"""A server of asyncio that is closed while a client connects."""

from __future__ import annotations

import asyncio
import socket

from langgraph_client.testing.listening import stop_listening


async def test_a_connection_that_was_just_accepted_is_not_lost() -> None:
    """Its callback gets it, and can close it."""
    connected: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        for _ in range(2):  # It is accepted now, and made in the next turn of the loop.
            await asyncio.sleep(0)
        assert connected == []
        await stop_listening(server)
        (writer,) = connected
        writer.close()
        await writer.wait_closed()


async def test_after_it_nobody_can_connect() -> None:
    """The port is closed."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    await stop_listening(server)
    with socket.socket() as client:
        assert client.connect_ex(address) != 0
