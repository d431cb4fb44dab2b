# Generated from tests/_async/test_network.py by .ci/unasync.py; do not edit.
"""Over real sockets: proxies, and ports where nobody listens."""

from __future__ import annotations

import socket
import traceback
from typing import Any

import httpx
import pytest

from langgraph_client import get_sync_client
from langgraph_client._core.failure import RetryPolicy
from langgraph_client.errors import APIConnectionError, InvalidArgumentError
from tests.support.raw_server import http, raw_server
from tests.support.tcp import listening

PROXIES = ("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def test_the_environment_s_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY carries requests, except to the hosts of NO_PROXY."""
    with listening() as proxy, listening() as direct:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with get_sync_client(url="http://server.example") as client:
            client.threads.get("a")
        with get_sync_client(url=direct.url) as client:
            client.threads.get("b")
        assert proxy.asked == ["http://server.example/threads/a"]
        assert direct.asked == ["/threads/b"]


def test_a_given_proxy_is_used() -> None:
    """`proxy=` needs no environment."""
    with listening() as proxy:
        with get_sync_client(url="http://server.example/base", proxy=proxy.url) as client:
            client.threads.get("a")
        assert proxy.asked == ["http://server.example/base/threads/a"]


def test_a_port_where_nobody_listens() -> None:
    """A refused connection is an error of ours that names the URL, after the attempts allowed."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        twice = RetryPolicy(max_attempts=2, initial=0, jitter=0)
        with get_sync_client(url=url, retry=twice) as client:
            with pytest.raises(APIConnectionError, match=r"Is the server running") as caught:
                client.runs.create(None, "agent")
            assert url in "".join(traceback.format_exception_only(caught.value))
            assert caught.value.__cause__ is not None
            assert not client.ok()


def test_a_host_that_does_not_exist() -> None:
    """A name that is not known is an error of ours."""
    with get_sync_client(
        url="http://no-such-host.invalid", retry=RetryPolicy(max_attempts=1)
    ) as client:
        with pytest.raises(APIConnectionError, match="connection failed"):
            client.threads.get("a")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_this_machine_is_reached_past_a_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A proxy of the environment, of whatever kind, is for other machines."""
    proxy = "http" if variable == "HTTP_PROXY" else "socks5"
    monkeypatch.setenv(variable, f"{proxy}://127.0.0.1:9")
    with listening() as direct:
        with get_sync_client(url=direct.url) as client:
            client.threads.get("a")
        with get_sync_client(url=direct.url.replace("127.0.0.1", "localhost")) as client:
            client.threads.get("b")
        assert direct.asked == ["/threads/a", "/threads/b"]


def test_a_proxy_that_cannot_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kind that needs a package names it; one that nobody knows is named itself."""
    with pytest.raises(InvalidArgumentError, match="ftp"):
        get_sync_client(url="http://server.example", proxy="ftp://proxy.example")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(InvalidArgumentError, match=r"^proxy: .*socksio"):
        get_sync_client(url="http://server.example")


@pytest.mark.parametrize("seconds", [3_000_000, 1e8, 1e10, float("inf")])
@pytest.mark.parametrize("name", ["timeout", "deadline"])
def test_a_limit_may_be_longer_than_a_socket_can_wait(name: str, seconds: float) -> None:
    """A caller who wants no limit may write any large number, whoever opens the connection."""
    limit: dict[str, Any] = {name: seconds}
    with raw_server(lambda asked, send: send(http(b"{}"))) as server:
        with get_sync_client(url=server.url, **limit) as client:
            assert client.http.get("/") == {}
        with (
            httpx.Client(base_url=server.url, timeout=None) as below,
            get_sync_client(http_client=below, **limit) as client,
        ):
            assert client.http.get("/") == {}
