"""Faults: each does what it says, in process and on a port, and counts itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from langgraph_client import ScriptedGraph
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.testing import FaultProxy, Faults, TestServer

Way = tuple[httpx.Client, Faults]
STEPS = [{"n": n} for n in range(4)]
STREAM = {"assistant_id": "agent", "input": {}, "stream_mode": "updates"}


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    with TestServer({"agent": ScriptedGraph(STEPS)}) as running:
        running.listen()
        yield running


@pytest.fixture(params=["in process", "port"])
def way(request: pytest.FixtureRequest, server: TestServer) -> Iterator[Way]:
    """A client of the server with faults in between, and those faults."""
    if request.param == "port":
        assert server.url is not None
        with (
            FaultProxy(server.url) as proxy,
            httpx.Client(base_url=proxy.url, timeout=60) as client,
        ):
            yield client, proxy.faults
    else:
        faults = Faults()
        transport = faults.transport(server.transport())
        with httpx.Client(base_url="http://server", transport=transport, timeout=60) as client:
            yield client, faults


def events(client: httpx.Client) -> list[str]:
    """The names of a stream's events as they come, and the error that ended it."""
    seen: list[str] = []
    try:
        with client.stream("POST", "/runs/stream", json=STREAM) as response:
            for line in response.iter_lines():
                if line.startswith("event:"):
                    seen.append(line.removeprefix("event: "))
    except httpx.TransportError as error:
        seen.append(type(error).__name__)
    return seen


def test_without_faults_nothing_happens(way: Way) -> None:
    """What is not to be disturbed is carried as it is."""
    client, faults = way
    assert client.get("/ok").json()["ok"]
    assert events(client) == ["metadata", *["updates"] * 4]
    assert client.post("/runs/stream", json={}).status_code == 422
    assert faults.fired == {}


def test_a_cut_after_events(way: Way) -> None:
    """The stream breaks behind its third event; or closes in good order, if asked to."""
    client, faults = way
    with faults.cut_after(events=3, times=1) as cut:
        *seen, broken = events(client)
        assert seen == ["metadata", "updates", "updates"]
        assert broken in ("ReadError", "RemoteProtocolError")
        assert cut.fired == 1
        assert not cut.active
        assert len(events(client)) == 5
    with faults.cut_after(events=2, clean=True):
        assert events(client) == ["metadata", "updates"]
    with faults.cut_after(events=0):
        assert len(events(client)) == 1
    assert faults.fired == {"cut_after": 3}


def test_a_cut_after_bytes(way: Way) -> None:
    """Any body can be cut, at any byte."""
    client, faults = way
    with faults.cut_after(bytes=5, clean=True):
        assert client.get("/ok").content == b'{"ok"'
    with faults.cut_after(bytes=0), pytest.raises(httpx.TransportError):
        client.get("/ok")
    assert client.get("/ok").json()["ok"]


def test_refused_requests_get_their_status(way: Way) -> None:
    """An error status, so many times, for the requests that are meant."""
    client, faults = way
    faults.refuse(times=2, status=429, retry_after=7, path="/o*", method="get", detail='a "b"')
    assert client.get("/info").status_code == 200
    first = client.get("/ok")
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert first.json() == {"detail": 'a "b"'}
    assert [client.get("/ok").status_code for _ in range(2)] == [429, 200]
    assert faults.fired == {"refuse": 2}
    faults.clear()
    assert faults.fired == {}


def test_broken_connections(way: Way) -> None:
    """A connection that breaks before the answer, with and without the server knowing."""
    client, faults = way
    threads = "/threads/count"
    count = client.post(threads, json={}).json()
    with faults.disconnect(path="/threads"), pytest.raises(httpx.TransportError):
        client.post("/threads", json={})
    assert client.post(threads, json={}).json() == count
    with faults.disconnect(path="/threads", delivered=True), pytest.raises(httpx.TransportError):
        client.post("/threads", json={})
    assert client.post(threads, json={}).json() == count + 1
    with faults.unreachable(), pytest.raises(httpx.TransportError):
        client.get("/ok")


def test_a_silent_server_is_noticed(way: Way) -> None:
    """A stall lasts until the client loses patience, or the fault is cancelled."""
    client, faults = way
    with faults.stall(), pytest.raises(httpx.ReadTimeout):
        client.get("/ok", timeout=httpx.Timeout(60, read=0.05))
    stalled = faults.stall(events=2)
    with ThreadPoolExecutor() as threads:
        seen = threads.submit(events, client)
        stalled.wait()
        stalled.cancel()
        assert len(seen.result(60)) == 5
    with pytest.raises(TimeoutError, match="fired 1 times>, not 2"):
        stalled.wait(2, timeout=0)


def test_delayed_answers_arrive(way: Way) -> None:
    """A delay that is longer than the client waits is a timeout, a shorter one is waited out."""
    client, faults = way
    with faults.delay(5), pytest.raises(httpx.ReadTimeout):
        client.get("/ok", timeout=httpx.Timeout(60, read=0.05))
    with faults.delay(0.01):
        assert client.get("/ok").status_code == 200


def test_damaged_bytes_are_an_error(way: Way) -> None:
    """Repeated events, damaged bytes, shuffled headers, single bytes."""
    client, faults = way
    with faults.duplicate(event=2):
        assert len(events(client)) == 6
    with faults.duplicate():
        assert len(events(client)) == 10
    with faults.corrupt(byte=2):
        assert client.get("/ok").content[:4] == b'{"\x90k'
    with faults.shuffle_headers():
        assert client.get("/ok").json()["ok"]
    with faults.drip(bytes=1):
        assert events(client) == ["metadata", *["updates"] * 4]
        with client.stream("GET", "/ok") as response:
            assert all(len(piece) == 1 for piece in response.iter_raw())


def test_a_client_that_leaves_frees_its_connection(server: TestServer) -> None:
    """Behind a proxy, too, the server learns that nobody reads any more."""
    assert server.url is not None
    with FaultProxy(server.url) as proxy:
        with httpx.Client(base_url=proxy.url, timeout=60) as client:
            stalled = proxy.faults.stall(events=1)
            with client.stream("POST", "/runs/stream", json=STREAM) as response:
                pieces = response.iter_bytes()  # Forgotten, it would close the response.
                next(pieces)
                assert proxy.connections == 1
        stalled.cancel()
    assert proxy.connections == 0


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def test_faults_act_on_async_clients(server: TestServer) -> None:
    """The async transport knows the same faults."""
    faults = Faults()
    transport = faults.async_transport(server.async_transport())
    async with httpx.AsyncClient(
        base_url="http://server", transport=transport, timeout=60
    ) as client:
        with faults.refuse(times=1):
            assert (await client.get("/ok")).status_code == 503
        for fault in (faults.unreachable, faults.disconnect):
            with fault(), pytest.raises(httpx.TransportError):
                await client.get("/ok")
        with faults.disconnect(delivered=True), pytest.raises(httpx.ReadError):
            await client.get("/ok")
        for slow in (faults.stall(), faults.delay(5)):
            with slow, pytest.raises(httpx.ReadTimeout):
                await client.get("/ok", timeout=httpx.Timeout(60, read=0.05))
        with faults.delay(0):
            assert (await client.get("/ok")).status_code == 200
        with faults.cut_after(bytes=3, clean=True):
            assert (await client.get("/ok")).content == b'{"o'
        with faults.cut_after(bytes=3), pytest.raises(httpx.ReadError):
            await client.get("/ok")
        stalled = faults.stall(events=1)
        async with client.stream("POST", "/runs/stream", json=STREAM) as response:
            pieces: AsyncIterator[bytes] = response.aiter_bytes()
            first = await anext(pieces)
            rest = asyncio.ensure_future(joined(pieces))
            await asyncio.to_thread(stalled.wait)
            await asyncio.to_thread(stalled.cancel)
            assert (first + await rest).count(b"event: ") == 5


@pytest.mark.parametrize(
    "make",
    [
        lambda faults: faults.cut_after(),
        lambda faults: faults.cut_after(events=1, bytes=1),
        lambda faults: faults.cut_after(events=-1),
        lambda faults: faults.refuse(times=0),
        lambda faults: faults.delay(-1),
        lambda faults: faults.drip(bytes=0),
    ],
)
def test_bad_faults_are_refused(make: Callable[[Faults], object]) -> None:
    """What cannot be is named when it is asked for."""
    with pytest.raises(InvalidArgumentError):
        make(Faults())


def test_faults_need_no_extra() -> None:
    """Faults of a client need neither langgraph nor Starlette."""
    program = (
        "import sys; from langgraph_client.testing import Faults; import httpx;"
        "Faults().transport(httpx.MockTransport(lambda request: httpx.Response(200)));"
        "print([m for m in sys.modules if m.split('.')[0] in"
        " ('langgraph', 'langchain_core', 'starlette', 'uvicorn', 'pytest')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.strip() == "[]"
