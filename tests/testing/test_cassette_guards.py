"""What a cassette does not let pass: swallowed mismatches, other hosts, clients that go past it."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from langgraph_client import get_client, get_sync_client
from langgraph_client.errors import InvalidArgumentError, LangGraphError
from langgraph_client.testing import (
    CassetteMismatch,
    Faults,
    ScriptedGraph,
    TestServer,
    recorded,
)
from langgraph_client.testing.caught_errors import watch_caught

URL = "http://deployment.example"
AGENT = {"agent": ScriptedGraph([{"x": 1}])}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cassette with a run of the agent."""
    path = tmp_path / "one.json"
    with TestServer(AGENT) as server, recorded(path) as cassette:
        cassette.sync_client(url=URL, transport=server.transport()).runs.wait(
            None, "agent", input={"q": 1}
        )
    return path


def answer(client: Any, number: int) -> Any:
    """Code that takes every error for an outage."""
    try:
        return client.runs.wait(None, "agent", input={"q": number})["x"]
    except LangGraphError:
        return "unavailable"


def test_a_mismatch_cannot_be_swallowed(path: Path) -> None:
    """The first one is raised when the `with` ends."""
    cassette = recorded(path)

    def use() -> None:
        with cassette:
            client = cassette.sync_client(url=URL)
            assert [answer(client, number) for number in (2, 3, 1)] == ["unavailable"] * 2 + [1]

    with pytest.raises(CassetteMismatch, match='"q": 2'):
        use()
    with cassette:  # It was told.
        pass


async def test_a_mismatch_cannot_be_swallowed_by_async_code(path: Path) -> None:
    """The same for `async with`."""

    async def use() -> None:
        async with recorded(path) as cassette:
            with suppress(LangGraphError):
                await cassette.client(url=URL).runs.wait(None, "agent", input={"q": 2})

    with pytest.raises(CassetteMismatch, match='"q": 2'):
        await use()


def test_another_error_goes_before_a_mismatch(path: Path) -> None:
    """It is what the test shows."""

    def use() -> None:
        with recorded(path) as cassette:
            answer(cassette.sync_client(url=URL), 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()


def wrapped(call: Callable[[], object]) -> None:
    try:
        call()
    except LangGraphError as error:
        raise ValueError("no answer") from error


def test_a_mismatch_that_a_test_expects_is_not_raised_again(path: Path) -> None:
    """Whatever catches it, and also as the cause of what is caught."""
    case = unittest.TestCase()
    with recorded(path) as cassette:
        client = cassette.sync_client(url=URL)
        send = lambda: client.runs.wait(None, "agent", input={"q": 2})  # noqa: E731
        with pytest.raises(CassetteMismatch):
            send()
        with case.assertRaises(AssertionError):  # noqa: PT027
            send()
        with pytest.raises(ValueError, match="no answer"):
            wrapped(send)
        pytest.raises(CassetteMismatch, send)  # noqa: RUF061


def test_a_failed_test_shows_a_mismatch_once(pytester: pytest.Pytester, path: Path) -> None:
    """A fixture does not know that the test has failed with it."""
    pytester.makepyfile(
        f"""
import pytest
from langgraph_client.errors import LangGraphError
from langgraph_client.testing import recorded

@pytest.fixture
def client():
    with recorded({str(path)!r}) as cassette:
        yield cassette.sync_client(url="http://deployment.example")

def test_failed(client):
    client.runs.wait(None, "agent", input={{"q": 2}})

def test_swallowed(client):
    try:
        client.runs.wait(None, "agent", input={{"q": 2}})
    except LangGraphError:
        pass
"""
    )
    result = pytester.runpytest("-p", "no:cacheprovider", "-p", "no:asyncio")
    result.assert_outcomes(failed=1, passed=1, errors=1)


def test_a_stream_that_was_left_is_no_mismatch(tmp_path: Path) -> None:
    """A client that reads ahead comes to the end of the recording, and tries to go on."""
    path = tmp_path / "left.json"

    def use(client: Any) -> Any:
        with client.threads.stream(
            "11111111-1111-1111-1111-111111111111", assistant_id="agent"
        ) as t:
            t.run.start(input={})
            return t.output["x"]

    with TestServer(AGENT) as server, recorded(path) as cassette:
        assert use(cassette.sync_client(url=URL, transport=server.transport())) == 1
        streams = [e["response"] for e in cassette.exchanges if "events" in e["response"]]
        streams[0]["complete"] = False
    with recorded(path) as cassette:
        assert use(cassette.sync_client(url=URL, sleep=lambda _: None)) == 1


def test_watches_may_overlap() -> None:
    """One that ends first does not end the others, and the last one leaves nothing."""
    original = type(pytest.raises(ValueError)).__exit__  # noqa: PT011
    told: list[tuple[str, BaseException]] = []
    first, second = (watch_caught(lambda e, n=name: told.append((n, e))) for name in "ab")
    error = ValueError("x")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(ValueError, match="x"):
        raise error
    second.__exit__(None, None, None)
    assert told == [("b", error)]
    assert type(pytest.raises(ValueError)).__exit__ is original  # noqa: PT011


@pytest.mark.parametrize("mode", ["record", "replay"])
def test_a_cassette_is_of_one_host(path: Path, mode: Any) -> None:
    """The file does not name it, so that the answers of two could be mixed up."""
    inner = httpx.MockTransport(lambda request: httpx.Response(200, json={"x": 1}))
    before = path.read_bytes()

    def use() -> None:
        with recorded(path, mode=mode) as cassette:
            first = cassette.sync_client(url="https://one.example/", transport=inner)
            assert answer(first, 1) == 1
            again = cassette.sync_client(url="http://ONE.example", transport=inner)
            if mode == "record":
                assert answer(again, 1) == 1
            second = cassette.sync_client(url="http://two.example", transport=inner)
            assert answer(second, 1) == "unavailable"

    with pytest.raises(InvalidArgumentError, match=r"^url: .*one\.example.*two\.example"):
        use()
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["record", "replay"])
@pytest.mark.parametrize("option", ["client", "sync_client"])
def test_a_graph_does_not_go_past_the_cassette(path: Path, mode: Any, option: str) -> None:
    """Its clients are those of the cassette, and nothing is sent otherwise."""
    with TestServer(AGENT) as server:
        foreign = {"client": server.client(), "sync_client": server.sync_client()}[option]
        cassette = recorded(path, mode=mode)
        for other in (foreign, object()):
            with pytest.raises(InvalidArgumentError, match=rf"^{option}: .*cassette\.{option}\("):
                cassette.remote_graph("agent", url=URL, **{option: other})
        assert len(server.requests) == 0


def test_a_graph_takes_every_client_that_the_cassette_is_behind(path: Path) -> None:
    """Made by it or over its transport, directly or through another one."""
    cassette = recorded(path)
    transport, faults = cassette.transport(), Faults()
    clients: list[Any] = [
        cassette.sync_client(url=URL),
        cassette.sync_client(url=URL).with_options(timeout=3),
        get_sync_client(url=URL, transport=transport),
        get_sync_client(url=URL, transport=faults.transport(transport)),
        get_sync_client(http_client=httpx.Client(base_url=URL, transport=transport)),
    ]
    for client in clients:
        cassette.remote_graph("agent", url=URL, sync_client=client)
    for client in (
        cassette.client(url=URL),
        get_client(url=URL, transport=faults.async_transport(cassette.async_transport())),
    ):
        cassette.remote_graph("agent", url=URL, client=client)
