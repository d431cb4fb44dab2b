"""Our own connections as transports of httpx: so that faults can be put before them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator

import httpx

from langgraph_client._async.direct import AsyncDirectAnswer, AsyncDirectSender
from langgraph_client._core.connection import Limits, Steps, ssl_context
from langgraph_client._core.exchange import NoAnswer, Request
from langgraph_client._sync.direct import DirectAnswer, DirectSender

_OURS = ("host", "accept-encoding", "content-length", "transfer-encoding")


def _request(request: httpx.Request, content: bytes) -> tuple[Request, Steps]:
    headers = {k: v for k, v in request.headers.items() if k not in _OURS}
    limits = request.extensions.get("timeout", {})
    steps = Steps(**{step: limits.get(step) for step in Steps._fields})
    target = request.url.raw_path.decode("ascii")
    return Request(request.method, target, headers, content or None), steps


def _error(error: NoAnswer) -> Exception:
    raised: Exception = error.alike(error.detail)
    return raised


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: DirectAnswer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            while piece := self._answer.read():
                yield piece
        except NoAnswer as error:
            raise _error(error) from error

    def close(self) -> None:
        self._answer.close()


class DirectTransport(httpx.BaseTransport):
    """Blocking."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        self._sender = DirectSender(url, tls or ssl_context(True, encrypted=False), Limits())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._sender.send(*_request(request, request.read()))
        except NoAnswer as error:
            raise _error(error) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._sender.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, answer: AsyncDirectAnswer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while piece := await self._answer.read():
                yield piece
        except NoAnswer as error:
            raise _error(error) from error

    async def aclose(self) -> None:
        await self._answer.aclose()


class AsyncDirectTransport(httpx.AsyncBaseTransport):
    """Async."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        self._sender = AsyncDirectSender(url, tls or ssl_context(True, encrypted=False), Limits())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = await self._sender.send(*_request(request, await request.aread()))
        except NoAnswer as error:
            raise _error(error) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_AsyncBody(answer))

    async def aclose(self) -> None:
        await self._sender.aclose()
