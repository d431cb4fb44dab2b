# Generated from tests/_async/test_connecting.py by .ci/unasync.py; do not edit.
"""Connecting to a host with several addresses, some of which do not answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
import pytest
from freezegun import freeze_time

from langgraph_client import RetryPolicy, get_sync_client
from langgraph_client.errors import APIConnectionError, APITimeoutError
from tests.support.raw_server import Asked, Send, http, raw_server

ONCE = RetryPolicy(max_attempts=1)
HOST = "several.example"


def thread(asked: Asked, send: Send) -> None:
    send(http(b'{"thread_id": "t"}'))


@contextmanager
def silent(address: str, port: int) -> Iterator[None]:
    """A port that answers no more attempts to connect, as a host behind a firewall does."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        try:
            listener.bind((address, port))
        except OSError:
            pytest.skip(f"{address} is not an address of this machine")
        listener.listen(0)
        for _ in range(3):  # They fill its queue.
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect((address, port))
        yield


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the host's name stand for these addresses."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != HOST:
            return real(host, port, *args, **options)
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_limit_is_one_of_all_addresses_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve that do not answer take no longer than one; it is httpx's ConnectTimeout as well."""
    addresses = [f"127.0.0.{number}" for number in range(2, 14)]
    resolving(monkeypatch, *addresses)
    with raw_server(thread) as server, ExitStack() as stack:
        port = int(server.url.rpartition(":")[2])
        for address in addresses:
            stack.enter_context(silent(address, port))
        url = f"http://{HOST}:{port}"
        with get_sync_client(url=url, retry=ONCE, timeout=(2, 20)) as client:
            begin = time.monotonic()
            with pytest.raises(APITimeoutError, match="connect") as caught:
                client.threads.get("t")
            assert isinstance(caught.value, httpx.ConnectTimeout)
            assert 1.9 < time.monotonic() - begin < 20  # One after the other, it would be 24.


def test_a_stopped_clock_does_not_make_it_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A test may have stopped it: the waits themselves take their time."""
    addresses = [f"127.0.0.{number}" for number in range(2, 4)]
    resolving(monkeypatch, *addresses)
    with raw_server(thread) as server, ExitStack() as stack:
        port = int(server.url.rpartition(":")[2])
        for address in addresses:
            stack.enter_context(silent(address, port))
        url = f"http://{HOST}:{port}"
        with get_sync_client(url=url, retry=ONCE, timeout=(0.6, 5)) as client:
            with (
                freeze_time("2026-01-01", real_asyncio=True),
                pytest.raises(APITimeoutError, match="connect"),
            ):
                client.threads.get("t")


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_an_address_that_does_not_answer_does_not_hold_up_the_next(
    monkeypatch: pytest.MonkeyPatch, dead: int
) -> None:
    """Addresses that are silent or refuse are passed over after a moment."""
    addresses = [f"127.0.0.{number}" for number in range(2, 2 + dead)]
    resolving(monkeypatch, *addresses, "127.0.0.9", "127.0.0.1")
    with raw_server(thread) as server, ExitStack() as stack:
        port = int(server.url.rpartition(":")[2])
        for address in addresses:
            stack.enter_context(silent(address, port))
        url = f"http://{HOST}:{port}"
        with get_sync_client(url=url, retry=ONCE, timeout=(20, 20)) as client:
            begin = time.monotonic()
            for _ in range(2):
                assert (client.threads.get("t")).thread_id == "t"
            assert time.monotonic() - begin < 15
        assert {asked.connection for asked in server.asked} == {1}


def test_addresses_that_all_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is that of the first one, and nothing was sent."""
    resolving(monkeypatch, "127.0.0.9", "127.0.0.8")
    with raw_server(thread) as server:
        port = int(server.url.rpartition(":")[2])
        with get_sync_client(url=f"http://{HOST}:{port}", retry=ONCE) as client:
            with pytest.raises(APIConnectionError, match=r"refused|127\.0\.0\.9") as caught:
                client.threads.get("t")
            assert isinstance(caught.value, httpx.ConnectError)
    assert not server.asked
