"""A server with a `TestClock`: crons, delays, time limits, ids and heartbeats go by the clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from langgraph_client import Auth, get_sync_client
from langgraph_client.errors import NotFoundError
from langgraph_client.server.http.streaming import LongResponse
from langgraph_client.testing import (
    Ask,
    Emit,
    Say,
    ScriptedGraph,
    TestClock,
    TestServer,
    Update,
    Wait,
)
from tests.support.graphs import fresh_graph, graphs

AGENT = ScriptedGraph([Update({"a": 1}, "plan"), Ask("sure?", node="ask"), {"done": True}])


def hosted() -> dict[str, Any]:
    return {**graphs(), "agent": AGENT}


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer(hosted(), clock=TestClock()) as running:
        yield running


def test_a_cron_fires_when_the_clock_is_moved(server: TestServer) -> None:
    """A day passes at once; each firing is a run."""
    client = server.sync_client()
    thread = client.threads.create()
    client.crons.create_for_thread(
        thread.thread_id, "counter", schedule="0 * * * *", input={"count": 1}
    )
    server.clock.advance(days=1)
    runs = client.runs.list(thread.thread_id, limit=100)
    for run in runs:
        client.runs.join(thread.thread_id, run.run_id)
    assert len(runs) == 24


@pytest.mark.usefixtures("long_looks")
def test_wait_idle_waits_for_the_run_of_a_due_cron() -> None:
    """It is not created yet when the clock has moved, if an `Auth` is asked first."""
    auth, gate, has_asked = Auth(), threading.Event(), threading.Event()

    @auth.authenticate
    async def authenticate() -> str:
        return "ann"

    @auth.on.threads.create_run
    async def decide(ctx: Auth.types.AuthContext, value: Any) -> None:
        has_asked.set()
        await asyncio.to_thread(gate.wait, 60)

    with TestServer({"agent": AGENT}, auth=auth, clock=TestClock()) as server:
        client = server.sync_client()
        thread = client.threads.create()
        client.crons.create_for_thread(thread.thread_id, "agent", schedule="* * * * *", input={})
        server.clock.advance(seconds=61)
        assert has_asked.wait(60)
        with pytest.raises(TimeoutError, match="the run of a cron"):
            server.wait_idle(timeout=0.05)
        assert client.runs.list(thread.thread_id) == []
        gate.set()
        server.wait_idle()
        (run,) = client.runs.list(thread.thread_id)
        assert run.status == "success"


def test_a_run_waits_for_its_time(server: TestServer) -> None:
    """`after_seconds`, and the `Wait` of a script, go by the clock."""
    client = server.sync_client()
    thread = client.threads.create()
    run = client.runs.create(thread.thread_id, "counter", input={"count": 1}, after_seconds=3600)
    assert client.runs.get(thread.thread_id, run.run_id).status == "pending"
    server.clock.advance(hours=1)
    assert client.runs.join(thread.thread_id, run.run_id) == {"count": 2}


def test_a_script_waits_by_the_clock() -> None:
    """A minute of a script takes no time."""
    clock = TestClock()
    with TestServer(
        {"slow": ScriptedGraph([Emit("begun"), Wait(60), {"a": 1}])}, clock=clock
    ) as server:
        with server.sync_client().runs.stream(
            None, "slow", input={}, stream_mode=["custom", "values"]
        ) as events:
            for event in events:
                if event.event == "custom":
                    clock.advance(minutes=1)
        assert event.data == {"a": 1}
    assert clock.now() == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


def test_a_thread_s_time_to_live_ends(server: TestServer) -> None:
    """The thread is gone after its minutes."""
    client = server.sync_client()
    thread = client.threads.create(ttl=10)
    server.clock.advance(minutes=9)
    client.threads.get(thread.thread_id)
    server.clock.advance(minutes=2)
    with pytest.raises(NotFoundError):
        client.threads.get(thread.thread_id)


def test_a_run_s_time_limit_goes_by_the_clock() -> None:
    """`max_run_seconds` ends a run as `timeout`."""
    with TestServer({"slow": fresh_graph("slow")}, clock=TestClock(), max_run_seconds=60) as server:
        client = server.sync_client()
        thread = client.threads.create()
        with server.hold(status="running") as hold:
            run = client.runs.create(thread.thread_id, "slow", input={"topic": "t"})
            hold.wait()
            server.clock.advance(61)
        client.runs.join(thread.thread_id, run.run_id)
        assert client.runs.get(thread.thread_id, run.run_id).status == "timeout"


def test_ids_are_the_same_each_time() -> None:
    """They are made of the clock's seed."""

    def ids() -> list[str]:
        with TestServer({"agent": AGENT}, clock=TestClock(seed=3)) as server:
            client = server.sync_client()
            return [client.threads.create().thread_id for _ in range(3)]

    assert ids() == ids()


def test_ids_of_messages_are_the_same_each_time() -> None:
    """Those of `Say` are made of the clock's seed, too."""

    def message_id() -> str:
        graphs = {"agent": ScriptedGraph([Say("hi")])}
        with TestServer(graphs, clock=TestClock(seed=3)) as server:
            values = server.sync_client().runs.wait(None, "agent", input={})
            return str(values["messages"][0]["id"])

    assert message_id() == message_id()


@pytest.mark.parametrize("port", [False, True])
def test_a_clock_moves_on_where_all_wait_for_it(port: bool) -> None:
    """`auto_advance`: hours pass while one waits alone, in `Wait` or for `after_seconds`."""
    clock = TestClock(auto_advance=True)
    steps = [Wait(3600), Emit("half"), Wait(3600), {"done": True}]
    with TestServer({"agent": ScriptedGraph(steps)}, clock=clock) as server:
        client = get_sync_client(url=server.listen()) if port else server.sync_client()
        thread_id = client.threads.create().thread_id
        run = client.runs.create(thread_id, "agent", input={}, after_seconds=86400)
        assert client.runs.join(thread_id, run.run_id) == {"done": True}
        present = clock.now()
        assert present == datetime(2026, 1, 2, 2, tzinfo=UTC)
        client.threads.create(ttl=1)
        server.wait_idle()
        assert clock.now() == present
        client.close()


def test_a_reset_sets_the_clock_back(server: TestServer) -> None:
    """Time and ids are those of the start."""
    client = server.sync_client()
    first = client.threads.create()
    server.clock.advance(days=1)
    server.reset()
    assert client.threads.create() == first


def test_a_clock_does_not_go_back() -> None:
    """A negative step, and a start without an offset from UTC, are refused."""
    with pytest.raises(ValueError, match="back"):
        TestClock().advance(-1)
    with pytest.raises(ValueError, match="offset"):
        TestClock(datetime(2026, 1, 1))


def test_two_threads_move_a_clock_on_one_after_the_other(server: TestServer) -> None:
    """Both distances count, and the time does not go back."""
    clock: Any = server.clock
    before = clock.time()
    is_there, go_on = threading.Event(), threading.Event()

    def due() -> None:
        is_there.set()
        go_on.wait(60)

    async def plan() -> None:
        clock.call_later(5, due)

    # A call that is due in between keeps the first thread from its end.
    asyncio.run_coroutine_threadsafe(plan(), server.loop).result(60)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(clock.advance, 10)
        assert is_there.wait(60)
        second = pool.submit(clock.advance, 100)
        wait([second], 0.2)  # Nothing tells that it waits for the first one, as it should.
        go_on.set()
        first.result(60)
        second.result(60)
    assert clock.time() - before == 110


def test_a_thread_with_an_event_loop_moves_a_clock_on_as_well(server: TestServer) -> None:
    """It does not wait for the other thread, which may need its loop; both distances count."""
    before = server.clock.time()
    is_there, go_on = threading.Event(), threading.Event()

    def due() -> None:
        is_there.set()
        go_on.wait(10)

    async def plan() -> None:
        server.clock.call_later(5, due)

    async def advance() -> None:
        server.clock.advance(100)

    asyncio.run_coroutine_threadsafe(plan(), server.loop).result(60)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(server.clock.advance, 10)
        assert is_there.wait(60)
        asyncio.run(advance())
        go_on.set()
        first.result(60)
    assert server.clock.time() - before == 110


def test_a_clock_that_could_not_move_on_moves_on_from_where_it_is(server: TestServer) -> None:
    """A distance counts only as far as it was gone."""
    before = server.clock.time()

    async def plan() -> None:
        server.clock.call_later(5, lambda: None)
        with pytest.raises(RuntimeError, match="own loop"):
            server.clock.advance(10)

    asyncio.run_coroutine_threadsafe(plan(), server.loop).result(10)
    server.clock.advance(1)
    assert server.clock.time() - before == 6


def test_clients_do_not_wait_before_they_ask_again(server: TestServer) -> None:
    """Their back-off moves the clock instead: a minute of `Retry-After` passes at once."""
    before = server.clock.time()
    with server.faults.refuse(times=1, status=503, retry_after=50):
        server.sync_client().assistants.search()
    assert server.clock.time() - before == 50


async def test_async_clients_do_not_wait_either(server: TestServer) -> None:
    """The same in an event loop, for requests and for streams that go on."""
    before = server.clock.time()
    async with server.client() as client:
        with server.faults.refuse(times=1, status=503, retry_after=50):
            await client.assistants.search()
        thread = await client.threads.create()
        with server.faults.cut_after(events=2, times=3):
            stream = client.runs.stream(thread.thread_id, "row", input={}, stream_resumable=True)
            events = [part.event async for part in stream]
    assert events == ["metadata", "values", "values"]
    assert server.clock.time() - before >= 50


def test_heartbeats_go_by_the_clock(server: TestServer) -> None:
    """A silent stream beats when the clock has moved on by five seconds."""
    client = server.sync_client()
    thread = client.threads.create()
    with (
        server.hold(status="running") as hold,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
        http.stream(
            "POST",
            f"/threads/{thread.thread_id}/runs/stream",
            json={"assistant_id": "row", "input": {}},
        ) as answer,
    ):
        hold.wait()
        pieces = answer.iter_raw()
        while b"metadata" not in next(pieces):
            pass
        server.clock.advance(5)
        assert next(pieces).startswith(b":")


class Silent(LongResponse):
    """A response without any part."""

    async def parts(self) -> AsyncGenerator[bytes]:
        """Wait for ever."""
        await asyncio.Event().wait()
        yield b""


class Moving(TestClock):
    """A clock that another thread moves on by five seconds, just after one reading of the time.

    Args:
        reading: After which reading, counted from 1 while `is_armed` is set.
    """

    def __init__(self, reading: int) -> None:
        super().__init__()
        self.is_armed = False
        self._reading = reading

    def time(self) -> float:
        present = super().time()
        if self.is_armed:
            self._reading -= 1
            if self._reading == 0:
                self.is_armed = False
                mover = threading.Thread(target=self.advance, args=(5,))
                mover.start()
                mover.join(60)
        return present


@pytest.mark.parametrize("reading", [1, 2])
async def test_a_heartbeat_is_due_five_seconds_after_the_head(reading: int) -> None:
    """Also if the clock moves between a look at the time and the setting of the timer."""
    clock = Moving(reading)
    clock.is_armed = True
    sent: list[Any] = []
    beaten = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] != "http.response.start":
            beaten.set()

    services = SimpleNamespace(services=SimpleNamespace(clock=clock))
    scope = {"method": "GET", "app": SimpleNamespace(state=services)}
    sending = asyncio.create_task(
        Silent({}, heartbeat=b": beat")(scope, asyncio.Event().wait, send)  # type: ignore[arg-type]
    )
    async with asyncio.timeout(60):
        await beaten.wait()
    sending.cancel()
    assert [message.get("body") for message in sent] == [None, b": beat"]


@pytest.mark.parametrize("reading", range(1, 13))  # The last one of a request is the tenth.
def test_a_run_that_is_put_off_begins_in_time(reading: int) -> None:
    """Also if the clock moves to its time before the server has set the timer for it."""
    clock = Moving(reading)
    with TestServer({"agent": ScriptedGraph([{"done": True}])}, clock=clock) as server:
        client = server.sync_client()
        thread_id = client.threads.create().thread_id
        clock.is_armed = True
        run = client.runs.create(thread_id, "agent", input={}, after_seconds=5)
        clock.is_armed = False
        # The first readings are for other things: the run is due five seconds after them.
        clock.advance(max((run.created_at - clock.now()).total_seconds(), 0.0))
        assert client.runs.join(thread_id, run.run_id) == {"done": True}


def test_a_server_without_a_test_clock_says_so() -> None:
    """Time is real then; the error says how to get a clock that can be moved."""
    with (
        TestServer({}) as server,
        pytest.raises(AttributeError, match=r"needs a clock .*clock=TestClock\(\)"),
    ):
        server.clock.advance(5)
