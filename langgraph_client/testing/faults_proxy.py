"""Faults on a real port: a proxy in front of a server, with resets and half-open connections."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Self

import h11
import httpx

from langgraph_client.testing.arguments import check_url
from langgraph_client.testing.faults import Faults
from langgraph_client.testing.faults_effects import (
    Body,
    CutStep,
    FaultedExchange,
    HoldStep,
    PauseStep,
    Piece,
    RespondStep,
    Step,
)
from langgraph_client.testing.faults_splitters import Headers
from langgraph_client.testing.listening import stop_listening

_READ = 64 * 1024
# Headers that belong to one connection, so they are not forwarded.
_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"host"})
_RESET_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER with 0 seconds: closing sends a reset.


class FaultProxy:
    """Forwards requests from a port of this machine to a server, with faults.

        with FaultProxy("http://localhost:2024") as proxy:
            client = get_sync_client(url=proxy.url)
            with proxy.faults.cut_after(events=3):
                ...

    WebSockets are forwarded, too. The faults treat the bytes from the server like a body, and count
    events like those of an event stream.

    A broken connection is reset (RST); a stalled one stays open and silent. The proxy has an event
    loop in a thread of its own.

    Args:
        upstream: The server's URL.
        faults: The faults; by default a new `Faults` without any.

    Attributes:
        url: The URL for clients; empty before the start.
        faults: The faults.

    Raises:
        InvalidArgumentError: `upstream` is not an HTTP URL.
    """

    def __init__(self, upstream: str, faults: Faults | None = None) -> None:
        self.url = ""
        self.faults = Faults() if faults is None else faults
        self._upstream = check_url("upstream", upstream).rstrip("/")
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """The number of open connections of clients."""
        return len(self._serving)

    def start(self) -> Self:
        """Listen; `with` does this.

        Raises:
            RuntimeError: it is listening.
        """
        if self._thread is not None:
            raise RuntimeError("the proxy is running already")
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main(started)), name="fault-proxy", daemon=True
        )
        self._thread.start()
        started.result()
        return self

    def close(self) -> None:
        """Close all connections and the port. Safe to repeat."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def _main(self, started: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        # No timeout here: the client decides how long it waits for a response.
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=None, limits=limits, trust_env=False) as client:
            try:
                server = await asyncio.start_server(
                    lambda reader, writer: self._connected(client, reader, writer), "127.0.0.1", 0
                )
            except BaseException as error:
                started.set_exception(error)
                return
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            started.set_result(None)
            await self._stop.wait()
            await stop_listening(server)
            serving = list(self._serving)  # A copy: each task is removed at its end.
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)

    def _connected(
        self,
        client: httpx.AsyncClient,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        connection = _Connection(client, self._upstream, self.faults, reader, writer)
        task = asyncio.create_task(connection.serve())
        self._serving.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            # Not in the task: one that is cancelled before it begins would leave the connection.
            self._serving.discard(task)
            writer.transport.abort()

        task.add_done_callback(ended)


class _Broken(Exception):
    """A fault broke the connection."""


class _Connection:
    """One client's connection, request after request."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        upstream: str,
        faults: Faults,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._client, self._upstream, self._faults = client, upstream, faults
        self._reader, self._writer = reader, writer
        self._h11 = h11.Connection(h11.SERVER)

    async def serve(self) -> None:
        """Answer requests until one side closes. The client gets all that was written for it."""
        with suppress(OSError, h11.RemoteProtocolError):
            await self._answer_all()
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _answer_all(self) -> None:
        while (request := await self._request()) is not None:
            if _is_upgrade(request[0]):
                await self._tunnelled(request[0])
                return
            if not await self._answered(*request):
                return
            # Any other state means that the connection ends here, as after `connection: close`.
            if self._h11.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                return
            self._h11.start_next_cycle()

    async def _answered(self, request: h11.Request, body: bytes) -> bool:
        """Answer a request unless the client leaves; return False if the connection is closed."""
        answering = asyncio.ensure_future(self._answer(request, body))
        # A client sends nothing more before it has its response. So a read that ends means that the
        # client has closed the connection.
        gone = asyncio.ensure_future(self._reader.read(_READ))
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                return False
            answering.result()
            if gone.done():  # Empty if the client closed; else its next request, sent early.
                self._h11.receive_data(gone.result())
        except _Broken:
            self._reset()
            return False
        except httpx.HTTPError:  # The server broke the connection, so the client must see that.
            self._reset()
            return False
        finally:
            # Both are awaited: two tasks must not read from the connection at the same time.
            for task in (answering, gone):
                task.cancel()
            await asyncio.gather(answering, gone, return_exceptions=True)
        return True

    async def _tunnelled(self, request: h11.Request) -> None:
        """Carry a WebSocket: the faults act on the bytes from the server."""
        upstream = httpx.URL(self._upstream)
        target = upstream.raw_path.rstrip(b"/") + request.target
        path = target.partition(b"?")[0].decode("ascii")
        exchange = self._faults.exchange("GET", path) or FaultedExchange(())
        try:
            for step in exchange.before():
                if isinstance(step, RespondStep):
                    await self._refuse(step)
                    return
                await _perform(step)
            port = upstream.port or (443 if upstream.scheme == "https" else 80)
            reader, writer = await asyncio.open_connection(
                upstream.host, port, ssl=True if upstream.scheme == "https" else None
            )
            try:
                writer.write(_handshake(upstream.netloc, target, request))
                head = await reader.readuntil(b"\r\n\r\n")
                for step in exchange.after():
                    await _perform(step)
                self._writer.write(head)
                await self._both_ways(reader, writer, exchange.body(_headers_of(head)))
            except asyncio.CancelledError:  # The proxy is closed, and waits for no server.
                writer.transport.abort()
                raise
            finally:
                writer.close()
        except (_Broken, OSError, asyncio.IncompleteReadError):
            self._reset()

    async def _both_ways(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: Body | None
    ) -> None:
        """Carry bytes both ways until one side closes, or a fault ends it."""
        # Bytes that the client sent right after the head of its request were read with it.
        begun, _ = self._h11.trailing_data
        writer.write(begun)
        tasks = [
            asyncio.ensure_future(_carry(self._reader, writer)),
            asyncio.ensure_future(self._carry_back(reader, body)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:  # Raise the fault, or the error of the connection, that ended it.
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_back(self, reader: asyncio.StreamReader, body: Body | None) -> None:
        pieces = body.start() if body is not None else iter(())
        while True:
            for piece in pieces:
                if isinstance(piece, bytes):
                    self._writer.write(piece)
                    await self._writer.drain()
                elif isinstance(piece, CutStep) and piece.clean:
                    return
                else:
                    await _perform(piece)
            if not (data := await reader.read(_READ)):
                return
            pieces = iter([data]) if body is None else body.feed(data)

    async def _refuse(self, answer: RespondStep) -> None:
        headers = [(k.encode(), v.encode()) for k, v in answer.headers.items()]
        await self._head(answer.status, headers)
        await self._data(answer.content)
        await self._send(h11.EndOfMessage())

    async def _request(self) -> tuple[h11.Request, bytes] | None:
        """Return the next request; None if the client has closed."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                self._h11.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return head, bytes(body)
            else:
                return None

    async def _answer(self, request: h11.Request, body: bytes) -> None:
        target = request.target.decode("ascii")
        method = request.method.decode("ascii")
        path = httpx.URL(self._upstream + target).path
        exchange = self._faults.exchange(method, path) or FaultedExchange(())
        for step in exchange.before():
            if isinstance(step, RespondStep):
                await self._refuse(step)
                return
            await _perform(step)
        headers = [(k, v) for k, v in request.headers if k.lower() not in _HOP_BY_HOP]
        forwarded = self._client.build_request(
            method, self._upstream + target, headers=headers, content=body or None
        )
        response = await self._client.send(forwarded, stream=True)
        try:
            for step in exchange.after():
                await _perform(step)
            # A fault may make the body longer or shorter, so it is sent in chunks.
            dropped = _HOP_BY_HOP | {b"content-length"}
            kept = [(k, v) for k, v in response.headers.raw if k.lower() not in dropped]
            kept = exchange.headers(kept)
            await self._head(response.status_code, kept)
            await self._body(response, exchange, kept)
            await self._send(h11.EndOfMessage())
        finally:
            await response.aclose()

    async def _body(
        self, response: httpx.Response, exchange: FaultedExchange, headers: Headers
    ) -> None:
        body = exchange.body(headers)
        if body is None:
            async for chunk in response.aiter_raw():
                await self._data(chunk)
            return
        if await self._pieces(body.start()):
            return
        async for chunk in response.aiter_raw():
            if await self._pieces(body.feed(chunk)):
                return
        await self._pieces(body.end())

    async def _pieces(self, pieces: Iterator[Piece]) -> bool:
        """Send pieces of a body; return whether it ends here."""
        for piece in pieces:
            if isinstance(piece, bytes):
                await self._data(piece)
            elif isinstance(piece, CutStep) and piece.clean:
                return True
            else:
                await _perform(piece)
        return False

    async def _head(self, status: int, headers: Headers) -> None:
        await self._send(h11.Response(status_code=status, headers=headers))

    async def _data(self, data: bytes) -> None:
        if data:
            await self._send(h11.Data(data=data))

    async def _send(self, event: h11.Response | h11.Data | h11.EndOfMessage) -> None:
        data = self._h11.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    def _reset(self) -> None:
        connection: socket.socket | None = self._writer.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        self._writer.transport.abort()


def _is_upgrade(request: h11.Request) -> bool:
    return (b"upgrade", b"websocket") in [(k, v.lower()) for k, v in request.headers]


def _handshake(host: bytes, target: bytes, request: h11.Request) -> bytes:
    headers = [(b"host", host), *((k, v) for k, v in request.headers if k != b"host")]
    lines = [b"GET %b HTTP/1.1" % target, *(b"%b: %b" % header for header in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _headers_of(head: bytes) -> Headers:
    lines = head.strip().split(b"\r\n")[1:]
    return [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_READ):
        writer.write(data)
        await writer.drain()


async def _perform(step: Step) -> None:
    if isinstance(step, PauseStep):
        await asyncio.sleep(step.seconds)
    elif isinstance(step, HoldStep):
        await _released(step)
    elif isinstance(step, CutStep):
        raise _Broken


async def _released(step: HoldStep) -> None:
    loop = asyncio.get_running_loop()
    released = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # The loop is closed: nothing waits.
            loop.call_soon_threadsafe(released.set)

    step.fault.when_cancelled(tell)
    try:
        await released.wait()
    finally:
        step.fault.forget(tell)
