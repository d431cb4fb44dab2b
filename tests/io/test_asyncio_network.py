"""Connections on asyncio: to which address, how long a step may take, and what is closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpcore
import pytest

from langgraph_client._io.asyncio_network import MAX_BUFFERED, Backend, Wire
from langgraph_client.testing.listening import stop_listening

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
FIRST, SECOND = "127.0.0.1", "127.0.0.2"
INTERFACES = Path("/proc/net/if_inet6")


@asynccontextmanager
async def listening(serve: Serve, host: str = FIRST) -> AsyncIterator[int]:
    """A server on a free port of an address."""
    serving: list[asyncio.Task[None]] = []

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve_and_close, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await stop_listening(server)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    """Wait, within the test's own limit, until something holds."""
    while not holds():  # noqa: ASYNC110 (the loop itself is watched)
        await asyncio.sleep(0)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say hello, and keep the connection until the client closes it."""
    writer.write(b"hello")
    await reader.read()


async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read nothing and say nothing."""
    await asyncio.Event().wait()


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of the host `many.example`, in order."""
    found: list[str] = []

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        assert host == "many.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, port)) for name in found]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return found


class Held:
    """Holds connections to some addresses until they are released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.released = asyncio.Event()
        self.asked: list[str] = []
        self.open: list[Wire] = []
        self.cancelled: list[str] = []
        connect = asyncio.BaseEventLoop.create_connection

        async def held(loop: Any, make: Any, host: str, port: int, **options: Any) -> Any:
            self.asked.append(host)
            if host in names:
                try:
                    await self.released.wait()
                except asyncio.CancelledError:
                    self.cancelled.append(host)
                    raise
            connected = await connect(loop, make, host, port, **options)
            self.open.append(connected[1])
            return connected

        monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", held)


async def test_an_address_that_does_not_answer_holds_nobody_up(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one is tried, and the attempt at the first is given up."""
    addresses += [FIRST, SECOND]
    held = Held(monkeypatch, FIRST)
    async with listening(greet, SECOND) as port:
        stream = await Backend().connect_tcp("many.example", port, timeout=60)
        assert await stream.read(100, timeout=60) == b"hello"
        await stream.aclose()
        await asyncio.sleep(0)
    assert held.asked == [FIRST, SECOND]
    assert held.cancelled == [FIRST]


async def test_an_address_that_refuses_is_passed_over(addresses: list[str]) -> None:
    """At once: the next one is not waited for."""
    addresses += [FIRST, SECOND]
    async with listening(greet, SECOND) as port:
        stream = await Backend().connect_tcp("many.example", port, timeout=60)
        assert stream.get_extra_info("server_addr")[0] == SECOND
        await stream.aclose()


async def test_no_address_answers(addresses: list[str]) -> None:
    """The error is that of the first address."""
    addresses += [FIRST, SECOND]
    async with listening(greet) as port:
        pass
    with pytest.raises(httpcore.ConnectError, match=FIRST):
        await Backend().connect_tcp("many.example", port, timeout=60)


async def test_one_address_needs_no_race(addresses: list[str]) -> None:
    """An address that the resolver names twice is connected to once."""
    addresses += [FIRST, FIRST]
    async with listening(greet) as port:
        stream = await Backend().connect_tcp("many.example", port, timeout=60)
        assert await stream.read(100, timeout=60) == b"hello"
        await stream.aclose()


def link_local() -> list[str]:
    """This machine's addresses that are valid on one network only, with that network."""
    lines = INTERFACES.read_text().splitlines() if INTERFACES.exists() else []
    found = [line.split() for line in lines if line.startswith("fe80")]
    return [f"{socket.inet_ntop(socket.AF_INET6, bytes.fromhex(f[0]))}%{f[-1]}" for f in found]


@pytest.mark.skipif(not link_local(), reason="this machine has no link-local address")
async def test_the_network_of_a_link_local_address_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of the local network may stand for one; it is unreachable without its network."""
    look_up = asyncio.BaseEventLoop.getaddrinfo

    async def getaddrinfo(loop: Any, host: str, port: int, **options: Any) -> list[Any]:
        known = link_local()[0] if host == "printer.local" else host
        return await look_up(loop, known, port, **options)

    async with listening(greet, link_local()[0]) as port:
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
        stream = await Backend().connect_tcp("printer.local", port, timeout=60)
        assert await stream.read(100, timeout=60) == b"hello"
        await stream.aclose()


async def test_cancelling_gives_all_addresses_up(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No attempt goes on alone."""
    addresses += [FIRST, SECOND]
    held = Held(monkeypatch, FIRST, SECOND)
    connecting = asyncio.create_task(Backend().connect_tcp("many.example", 1))
    await until(lambda: len(held.asked) == 2)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await asyncio.sleep(0)
    assert sorted(held.cancelled) == [FIRST, SECOND]


async def test_too_late_for_the_race_is_closed(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two addresses that answer at the same moment leave one connection."""
    addresses += [FIRST, SECOND]
    held = Held(monkeypatch, FIRST, SECOND)
    async with listening(greet, "0.0.0.0") as port:
        connecting = asyncio.create_task(Backend().connect_tcp("many.example", port))
        await until(lambda: len(held.asked) == 2)
        held.released.set()
        stream = await connecting
        # A loser is cancelled before it is open, or closed as soon as it is.
        await until(lambda: len(held.open) + len(held.cancelled) == 2)
        await until(lambda: sum(not wire.is_over for wire in held.open) == 1)
        assert await stream.read(100, timeout=60) == b"hello"
        await stream.aclose()


async def test_connecting_has_a_limit(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all addresses together."""
    addresses += [FIRST, SECOND]
    held = Held(monkeypatch, FIRST, SECOND)
    with pytest.raises(httpcore.ConnectTimeout):
        await Backend().connect_tcp("many.example", 1, timeout=0.01)
    assert held.asked
    assert not held.open


async def test_each_read_has_its_own_limit() -> None:
    """A long one after a short one, and a short one after a long one."""
    heard = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"first")
        await heard.wait()
        writer.write(b"second")
        await reader.read()

    async with listening(speak) as port:
        stream = await Backend().connect_tcp(FIRST, port)
        assert await stream.read(100, timeout=60) == b"first"
        for _ in range(2):
            with pytest.raises(httpcore.ReadTimeout):
                await stream.read(100, timeout=0.01)
        heard.set()
        assert await stream.read(100, timeout=60) == b"second"
        await stream.aclose()


async def test_a_sender_that_is_faster_than_its_reader_has_to_wait() -> None:
    """No more is held than a limit and what the loop reads at once."""
    size = 8 * MAX_BUFFERED

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(size))
        await reader.read()

    async with listening(pour) as port:
        loop = asyncio.get_running_loop()
        transport, wire = await loop.create_connection(Wire, FIRST, port)
        await until(lambda: not transport.is_reading())
        assert MAX_BUFFERED < sum(map(len, wire.pieces)) < 2 * MAX_BUFFERED + 1
        read = 0
        while read < size:
            read += len(await wire.read(20))
        assert transport.is_reading()
        wire.abort()


async def test_a_peer_that_does_not_read_is_a_write_timeout() -> None:
    """A write has a time limit, and a closed stream refuses it."""
    async with listening(keep_silent) as port:
        stream = await Backend().connect_tcp(FIRST, port)
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(64 * 1024 * 1024), timeout=0.01)
        await stream.aclose()
        with pytest.raises(httpcore.WriteError, match="closed"):
            await stream.write(b"more", timeout=1)


async def test_a_connection_that_is_closed_ends_a_write() -> None:
    """The writer is woken with an error, and does not wait for its limit."""
    async with listening(keep_silent) as port:
        stream = await Backend().connect_tcp(FIRST, port)
        writing = asyncio.create_task(stream.write(bytes(64 * 1024 * 1024)))
        await asyncio.sleep(0)
        stream.interrupt()
        with pytest.raises(httpcore.WriteError, match="closed by this client"):
            await writing


async def test_tls_that_does_not_come() -> None:
    """A peer that hangs up is an error of connecting, and so is one that says nothing."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with listening(hang_up) as port:
        stream = await Backend().connect_tcp(FIRST, port)
        with pytest.raises(httpcore.ConnectError):
            await stream.start_tls(ssl.create_default_context(), FIRST, timeout=60)
    async with listening(keep_silent) as port:
        stream = await Backend().connect_tcp(FIRST, port)
        with pytest.raises(httpcore.ConnectTimeout, match="TLS"):
            await stream.start_tls(ssl.create_default_context(), FIRST, timeout=0.01)
