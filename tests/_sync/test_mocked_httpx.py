# Generated from tests/_async/test_mocked_httpx.py by .ci/unasync.py; do not edit.
"""Tests of users mock httpx, with respx, pytest-httpx, vcrpy or by hand: the client goes by it."""

from __future__ import annotations

from functools import wraps
from typing import Any

import httpcore
import httpx
import pytest

from langgraph_client import APIConnectionError, get_sync_client

URL = "http://127.0.0.1:9"  # Where nothing listens.


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_mocked_transport_of_httpx_gets_the_requests(
    monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    """Of a client that was made before, for as long as the mock lasts."""

    def answer(self: Any, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ok": True, "path": request.url.path})

    original = httpx.HTTPTransport.handle_request
    with get_sync_client(url=URL) as client:
        with monkeypatch.context() as patch:
            replacement = wraps(original)(answer) if wrapped else answer
            patch.setattr(httpx.HTTPTransport, "handle_request", replacement)
            assert client.ok()
            assert (client.http.get("/anything"))["path"] == "/anything"
        with pytest.raises(APIConnectionError):
            client.http.get("/anything")


def test_a_mocked_connection_of_httpcore_gets_the_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pool of httpcore whose class is patched, as respx does it, is what answers."""

    def answer(self: Any, request: httpcore.Request) -> httpcore.Response:
        return httpcore.Response(200, content=b'{"ok": true}')

    with get_sync_client(url=URL) as client:
        monkeypatch.setattr(httpcore.ConnectionPool, "handle_request", answer)
        assert client.ok()
