"""A network that cuts each answer after a number of bytes, once or time and again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx


class Cutting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Carries requests over `inner`; event streams break after `after` bytes, `times` times."""

    def __init__(self, inner: object, after: int, times: int) -> None:
        self.inner = inner
        self.after = after
        self.times = times

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(self.inner, httpx.BaseTransport)
        return self._cut(self.inner.handle_request(request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(self.inner, httpx.AsyncBaseTransport)
        return self._cut(await self.inner.handle_async_request(request))

    def _cut(self, response: httpx.Response) -> httpx.Response:
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            return response
        if self.times == 0:
            return response
        self.times -= 1
        body = _Cut(response, self.after)
        return httpx.Response(response.status_code, headers=response.headers, stream=body)


class _Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, left: int) -> None:
        self.response = response
        self.left = left

    def _piece(self, chunk: bytes) -> bytes:
        piece = chunk[: self.left]
        self.left -= len(piece)
        return piece

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self.response.stream, httpx.SyncByteStream)
        for chunk in self.response.stream:
            yield self._piece(chunk)
            if self.left == 0:
                raise httpx.ReadError("cut")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self.response.stream, httpx.AsyncByteStream)
        async for chunk in self.response.stream:
            yield self._piece(chunk)
            if self.left == 0:
                raise httpx.ReadError("cut")

    def close(self) -> None:
        self.response.close()

    async def aclose(self) -> None:
        await self.response.aclose()
