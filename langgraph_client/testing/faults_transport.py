"""Faults between an httpx client and the transport below it, blocking and async."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx

from langgraph_client.testing.faults_effects import (
    Body,
    CutStep,
    FaultSource,
    HoldStep,
    PauseStep,
    Piece,
    RespondStep,
    Step,
)


class FaultyTransport(httpx.BaseTransport):
    """Sends requests through `inner`, with faults."""

    def __init__(self, inner: httpx.BaseTransport, faults: FaultSource) -> None:
        self._inner = inner
        self._faults = faults

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        exchange = self._faults.exchange(request.method, request.url.path)
        if exchange is None:
            return self._inner.handle_request(request)
        for step in exchange.before():
            if isinstance(step, RespondStep):
                return _answered(step)
            _perform(step, request)
        response = self._inner.handle_request(request)
        try:
            for step in exchange.after():
                _perform(step, request)
        except BaseException:
            response.close()
            raise
        headers = exchange.headers(response.headers.raw)
        body = exchange.body(headers)
        return httpx.Response(
            response.status_code,
            headers=headers,
            stream=response.stream if body is None else _Stream(response, body, request),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._inner.close()


class AsyncFaultyTransport(httpx.AsyncBaseTransport):
    """Sends requests through `inner`, with faults."""

    def __init__(self, inner: httpx.AsyncBaseTransport, faults: FaultSource) -> None:
        self._inner = inner
        self._faults = faults

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = self._faults.exchange(request.method, request.url.path)
        if exchange is None:
            return await self._inner.handle_async_request(request)
        for step in exchange.before():
            if isinstance(step, RespondStep):
                return _answered(step)
            await _aperform(step, request)
        response = await self._inner.handle_async_request(request)
        try:
            for step in exchange.after():
                await _aperform(step, request)
        except BaseException:
            await response.aclose()
            raise
        headers = exchange.headers(response.headers.raw)
        body = exchange.body(headers)
        return httpx.Response(
            response.status_code,
            headers=headers,
            stream=response.stream if body is None else _AsyncStream(response, body, request),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


def _answered(step: RespondStep) -> httpx.Response:
    return httpx.Response(step.status, headers=dict(step.headers), content=step.content)


def _limit(request: httpx.Request) -> float | None:
    limit: float | None = request.extensions.get("timeout", {}).get("read")
    return limit


def _broken(step: CutStep, request: httpx.Request) -> httpx.TransportError:
    if step.unsent:
        return httpx.ConnectError("a fault let no connection be made", request=request)
    return httpx.ReadError("a fault broke the connection", request=request)


def _slow(request: httpx.Request) -> httpx.ReadTimeout:
    return httpx.ReadTimeout("a fault was longer than the client's patience", request=request)


def _perform(step: Step, request: httpx.Request) -> None:
    limit = _limit(request)
    if isinstance(step, PauseStep):  # One longer than the client's timeout ends like a real one.
        # A blocking caller waits in its own thread, as it would for a slow server.
        time.sleep(step.seconds if limit is None else min(step.seconds, limit))
        if limit is not None and step.seconds > limit:
            raise _slow(request)
    elif isinstance(step, HoldStep):
        released = threading.Event()
        step.fault.when_cancelled(released.set)
        try:
            if not released.wait(limit):
                raise _slow(request)
        finally:
            step.fault.forget(released.set)
    elif isinstance(step, CutStep):
        raise _broken(step, request)


async def _aperform(step: Step, request: httpx.Request) -> None:
    limit = _limit(request)
    if isinstance(step, PauseStep):
        await asyncio.sleep(step.seconds if limit is None else min(step.seconds, limit))
        if limit is not None and step.seconds > limit:
            raise _slow(request)
    elif isinstance(step, HoldStep):
        loop = asyncio.get_running_loop()
        released = asyncio.Event()

        def tell() -> None:
            try:
                loop.call_soon_threadsafe(released.set)
            except RuntimeError:  # The loop is closed: nothing waits.
                return

        step.fault.when_cancelled(tell)
        try:
            async with asyncio.timeout(limit):
                await released.wait()
        except TimeoutError:
            raise _slow(request) from None
        finally:
            step.fault.forget(tell)
    elif isinstance(step, CutStep):
        raise _broken(step, request)


class _Ended(Exception):
    """The body ends here, by a normal close of the connection."""


def _checked(step: Step) -> Step:
    if isinstance(step, CutStep) and step.clean:
        raise _Ended
    return step


class _Stream(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response, body: Body, request: httpx.Request) -> None:
        self._response, self._body, self._request = response, body, request

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._response.stream, httpx.SyncByteStream)
        try:
            for piece in self._body.start():
                yield self._carried(piece)
            for chunk in self._response.stream:
                for piece in self._body.feed(chunk):
                    yield self._carried(piece)
            for piece in self._body.end():
                yield self._carried(piece)
        except _Ended:
            return

    def _carried(self, piece: Piece) -> bytes:
        if isinstance(piece, bytes):
            return piece
        # An iterator must yield something for the step. Readers of a body pass over empty pieces.
        _perform(_checked(piece), self._request)
        return b""

    def close(self) -> None:
        self._response.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, body: Body, request: httpx.Request) -> None:
        self._response, self._body, self._request = response, body, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._response.stream, httpx.AsyncByteStream)
        try:
            for piece in self._body.start():
                yield await self._carried(piece)
            async for chunk in self._response.stream:
                for piece in self._body.feed(chunk):
                    yield await self._carried(piece)
            for piece in self._body.end():
                yield await self._carried(piece)
        except _Ended:
            return

    async def _carried(self, piece: Piece) -> bytes:
        if isinstance(piece, bytes):
            return piece
        await _aperform(_checked(piece), self._request)
        return b""

    async def aclose(self) -> None:
        await self._response.aclose()
