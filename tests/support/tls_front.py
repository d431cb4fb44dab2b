"""A port with TLS before a server without: what comes in is passed on, byte by byte."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from langgraph_client.testing.listening import stop_listening
from tests.support.raw_server import TLS

_SIZE = 64 * 1024


@contextmanager
def tls_front(url: str) -> Iterator[str]:
    """Listen with the tests' own certificate, and give the URL; `client_context()` trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    behind = urlsplit(url)

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError):
            while data := await source.read(_SIZE):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(behind.hostname, behind.port)
        try:
            await asyncio.gather(carry(reader, back), carry(there, writer))
        finally:
            back.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = loop.create_task(connected(reader, writer))
        serving.add(task)
        # Also if it is cancelled before it begins.
        task.add_done_callback(lambda _: writer.transport.abort())

    async def serve() -> None:
        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        await stop_listening(server)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    ports: list[int] = []
    serving: set[asyncio.Task[None]] = set()
    ready = threading.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(60)
        yield f"https://localhost:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0.01))  # The connections are closed in it.
        loop.close()
