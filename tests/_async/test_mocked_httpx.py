"""Tests of users mock httpx, with respx, pytest-httpx, vcrpy or by hand: the client goes by it."""

from __future__ import annotations

from functools import wraps
from typing import Any

import httpcore
import httpx
import pytest

from langgraph_client import APIConnectionError, get_client

URL = "http://127.0.0.1:9"  # Where nothing listens.


@pytest.mark.parametrize("wrapped", [False, True])
async def test_a_mocked_transport_of_httpx_gets_the_requests(
    monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    """Of a client that was made before, for as long as the mock lasts."""

    async def answer(self: Any, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ok": True, "path": request.url.path})

    original = httpx.AsyncHTTPTransport.handle_async_request
    async with get_client(url=URL) as client:
        with monkeypatch.context() as patch:
            replacement = wraps(original)(answer) if wrapped else answer
            patch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", replacement)
            assert await client.ok()
            assert (await client.http.get("/anything"))["path"] == "/anything"
        with pytest.raises(APIConnectionError):
            await client.http.get("/anything")


async def test_a_mocked_connection_of_httpcore_gets_the_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pool of httpcore whose class is patched, as respx does it, is what answers."""

    async def answer(self: Any, request: httpcore.Request) -> httpcore.Response:
        return httpcore.Response(200, content=b'{"ok": true}')

    async with get_client(url=URL) as client:
        monkeypatch.setattr(httpcore.AsyncConnectionPool, "handle_async_request", answer)
        assert await client.ok()
