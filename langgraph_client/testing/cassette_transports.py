"""The transports of a cassette: they forward requests and record them, or replay responses."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Protocol, TypeAlias

import httpx

from langgraph_client._core.events import EventParser, ServerEvent
from langgraph_client._io.loops import close_with_loop, current_loop
from langgraph_client.models.fields import JsonMapping, JsonObject

Exchange: TypeAlias = JsonObject
"""A request and its response, in the form of a cassette's file."""


class Tape(Protocol):
    """The part of a cassette that the transports use."""

    is_recording: bool

    def read_request(self, request: httpx.Request, body: bytes) -> JsonObject:
        """Return a request in the form that is written and compared."""
        ...

    def begin(self, request: JsonObject, response: httpx.Response) -> Exchange:
        """Record a request with the head of its response."""
        ...

    def add_body(self, exchange: Exchange, body: bytes) -> None:
        """Add the body of a response."""
        ...

    def add_event(self, exchange: Exchange, event: ServerEvent, after: float) -> None:
        """Add an event of a response."""
        ...

    def find(self, request: JsonObject) -> JsonObject:
        """Return the response that was recorded for a request."""
        ...

    def pause(self, event: JsonMapping) -> float:
        """Return how many seconds to wait before an event is replayed."""
        ...


class CassetteTransport(httpx.BaseTransport):
    """Records or replays, blocking."""

    def __init__(self, cassette: Tape, inner: httpx.BaseTransport | None) -> None:
        self._cassette = cassette
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        cassette = self._cassette
        recorded_request = cassette.read_request(request, request.read())
        if not cassette.is_recording:
            return _replayed(cassette, recorded_request)
        if self._inner is None:
            self._inner = httpx.HTTPTransport()
        response = self._inner.handle_request(request)
        exchange = cassette.begin(recorded_request, response)
        if _is_stream(response):
            return _with_stream(response, _RecordedStream(cassette, exchange, response))
        # In full: the recorded body is needed, and the response is rebuilt without its encoding.
        # If that breaks, a replay breaks there, too.
        exchange["response"]["complete"] = False
        try:
            response.read()
        finally:
            response.close()
        cassette.add_body(exchange, response.content)
        return _with_body(response)

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()


class AsyncCassetteTransport(httpx.AsyncBaseTransport):
    """Records or replays, async."""

    def __init__(self, cassette: Tape, inner: httpx.AsyncBaseTransport | None) -> None:
        self._cassette = cassette
        self._inner = inner
        self._by_loop: dict[asyncio.AbstractEventLoop | None, httpx.AsyncBaseTransport] = {}
        self._lock = threading.Lock()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        cassette = self._cassette
        recorded_request = cassette.read_request(request, await request.aread())
        if not cassette.is_recording:
            return _replayed(cassette, recorded_request)
        response = await self._sender().handle_async_request(request)
        exchange = cassette.begin(recorded_request, response)
        if _is_stream(response):
            return _with_stream(response, _RecordedStream(cassette, exchange, response))
        exchange["response"]["complete"] = False
        try:
            await response.aread()
        finally:
            await response.aclose()
        cassette.add_body(exchange, response.content)
        return _with_body(response)

    def _sender(self) -> httpx.AsyncBaseTransport:
        """Return the transport that reaches the deployment from the current event loop."""
        if self._inner is not None:
            return self._inner
        loop = current_loop()
        with self._lock:
            for ended in [known for known in self._by_loop if known and known.is_closed()]:
                del self._by_loop[ended]
            if loop not in self._by_loop:
                # Connections belong to one loop, and are closed when it ends.
                self._by_loop[loop] = httpx.AsyncHTTPTransport()
                if loop is not None:
                    close_with_loop(self._by_loop[loop])
            return self._by_loop[loop]

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()
        with self._lock:
            senders, self._by_loop = self._by_loop, {}
        here = senders.pop(current_loop(), None)
        # Only its own loop can close a connection. Loops that ended have done so.
        for loop, sender in senders.items():
            if loop is not None and loop.is_running():
                asyncio.run_coroutine_threadsafe(sender.aclose(), loop)
        if here is not None:
            await here.aclose()


class _RecordedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Passes a stream on as it arrives, and records it event by event."""

    def __init__(self, cassette: Tape, exchange: Exchange, response: httpx.Response) -> None:
        self._cassette = cassette
        self._exchange = exchange
        self._response = response
        self._reader = EventParser()
        self._last = time.monotonic()
        self._is_left = False
        # Until the end is read: if the reader leaves earlier, a replay must not look complete.
        exchange["response"].update(complete=False, events=[])

    def _record(self, piece: bytes) -> None:
        for event in self._reader.feed(piece):
            now = time.monotonic()
            self._cassette.add_event(self._exchange, event, now - self._last)
            self._last = now

    def _end(self) -> None:
        # A reader may be closed by another thread or task. Some transports end the body then, as if
        # it were complete.
        self._exchange["response"]["complete"] = not self._is_left

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._response.iter_bytes():
            self._record(piece)
            yield piece
        self._end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.aiter_bytes():
            self._record(piece)
            yield piece
        self._end()

    def close(self) -> None:
        self._is_left = True
        self._response.close()

    async def aclose(self) -> None:
        self._is_left = True
        await self._response.aclose()


class _ReplayedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Replays a recorded stream, or a body that broke while it was recorded."""

    def __init__(self, cassette: Tape, answer: JsonMapping) -> None:
        self._cassette = cassette
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        for event in self._answer.get("events", ()):
            if pause := self._cassette.pause(event):
                time.sleep(pause)  # The recorded pause, with `timing=True`.
            yield frame(event)
        self._end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self._answer.get("events", ()):
            if pause := self._cassette.pause(event):
                await asyncio.sleep(pause)
            yield frame(event)
        self._end()

    def _end(self) -> None:
        if not self._answer.get("complete", True):
            raise httpx.ReadError("the recording ends here: the response was not read to its end")


def frame(event: JsonMapping) -> bytes:
    """Return an event as server-sent event, with the line ends of the real server."""
    data = event["data"]
    text = json.dumps(data)
    lines = [f"event: {event['event']}", f"data: {text}"]
    if event.get("id"):
        lines.append(f"id: {event['id']}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _is_stream(response: httpx.Response) -> bool:
    kind: str = response.headers.get("content-type", "")
    return kind.startswith("text/event-stream")


def _with_stream(response: httpx.Response, stream: _RecordedStream) -> httpx.Response:
    # The recorded stream is decoded already, so the headers of its encoding no longer apply.
    headers = [(k, v) for k, v in response.headers.multi_items() if k not in _TRANSFER_HEADERS]
    return httpx.Response(response.status_code, headers=headers, stream=stream)


def _with_body(response: httpx.Response) -> httpx.Response:
    headers = [(k, v) for k, v in response.headers.multi_items() if k not in _TRANSFER_HEADERS]
    return httpx.Response(response.status_code, headers=headers, content=response.content)


def _replayed(cassette: Tape, request: JsonObject) -> httpx.Response:
    """Return the response that was recorded for a request."""
    answer = cassette.find(request)
    if "events" in answer or not answer.get("complete", True):
        return _response(answer, _ReplayedStream(cassette, answer))
    return _response(answer, None)


_TRANSFER_HEADERS = ("content-encoding", "content-length", "transfer-encoding")


def _response(answer: JsonMapping, stream: _ReplayedStream | None) -> httpx.Response:
    headers = dict(answer["headers"])
    if stream is not None:
        return httpx.Response(answer["status"], headers=headers, stream=stream)
    body = answer.get("body")
    is_json = "json" in headers.get("content-type", "json")
    content = b"" if body is None and not is_json else json.dumps(body).encode()
    if isinstance(body, str) and not is_json:
        content = body.encode()
    if answer["status"] in (204, 304):
        content = b""  # These statuses have no body; without a content type, it would be `null`.
    return httpx.Response(answer["status"], headers=headers, content=content)
