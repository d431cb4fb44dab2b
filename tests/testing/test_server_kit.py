"""What a server offers to tests: requests, holds, failures, faults, time, seeds, dumps, reset."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from langgraph_client import StreamIncomplete
from langgraph_client.errors import LangGraphError, NotFoundError
from langgraph_client.testing import (
    Ask,
    Attempts,
    Dump,
    Fail,
    Say,
    ScriptedGraph,
    TestClock,
    TestServer,
    Update,
    Wait,
)
from tests.support.garbage import collect
from tests.support.graphs import graphs

AGENT = ScriptedGraph([Update({"a": 1}, "plan"), Ask("sure?", node="ask"), {"done": True}])


def hosted() -> dict[str, Any]:
    return {**graphs(), "agent": AGENT}


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer(hosted(), clock=TestClock()) as running:
        yield running


# --- what was asked ---


def test_requests_are_told(server: TestServer) -> None:
    """Method, path, body, status; runs by graph and thread; no keys."""
    client = server.sync_client(api_key="secret")
    thread = client.threads.create()
    client.runs.wait(thread.thread_id, "counter", input={"count": 1}, headers={"x-mine": "1"})
    with pytest.raises(NotFoundError):
        client.threads.get("00000000-0000-0000-0000-000000000000")
    assert [(asked.method, asked.status) for asked in server.requests] == [
        ("POST", 200),
        ("POST", 200),
        ("GET", 404),
    ]
    (run,) = server.requests.runs(graph="counter", thread_id=thread.thread_id)
    assert run.input == {"count": 1}
    assert run.headers["x-mine"] == "1"
    assert "secret" not in str([asked.headers for asked in server.requests])


def test_requests_are_asserted(server: TestServer) -> None:
    """One that fits is given; none, or several, is an AssertionError that shows what there was."""
    client = server.sync_client()
    client.runs.wait(None, "counter", input={"count": 1})
    assert server.requests.assert_one("POST", "/runs/*", input={"count": 1}).graph == "counter"
    with pytest.raises(AssertionError, match=r'(?s)-.*"count": 2.*\+.*"count": 1'):
        server.requests.assert_one("POST", "/runs/*", input={"count": 2})
    with pytest.raises(AssertionError, match="POST /runs/wait"):
        server.requests.assert_one("DELETE", "/threads/*")
    client.runs.wait(None, "counter", input={"count": 1})
    with pytest.raises(AssertionError, match="2 requests match"):
        server.requests.assert_one("POST", "/runs/*", input={"count": 1})


def test_all_runs_are_found_among_the_requests(server: TestServer) -> None:
    """Also those of a batch, one by one, and those that a thread stream starts."""
    client = server.sync_client()
    client.runs.wait(None, "counter", input={"count": 1})
    client.runs.create_batch(
        [
            {"assistant_id": "counter", "input": {"count": 2}},
            {"assistant_id": "row", "input": {}},
        ]
    )
    with client.threads.stream(assistant_id="counter") as thread:
        thread.run.start(input={"count": 3})
        assert thread.output == {"count": 4}
    runs = server.requests.runs(graph="counter")
    assert [run.input for run in runs] == [{"count": 1}, {"count": 2}, {"count": 3}]
    assert [run.input for run in server.requests.runs(thread_id=thread.thread_id)] == [{"count": 3}]
    assert len(server.requests.runs()) == 4


# --- holds ---


@pytest.mark.parametrize("graph", ["approval", "agent"])
def test_a_run_is_held_before_a_node(server: TestServer, graph: str) -> None:
    """Compiled or scripted; what came before it is done, and it goes on when it is let go."""
    client = server.sync_client()
    thread = client.threads.create()
    node = {"approval": "review", "agent": "ask"}[graph]
    with server.hold(node=node, graph=graph) as hold:
        run = client.runs.create(thread.thread_id, graph, input={"draft": "d"})
        assert hold.wait() == run.run_id
        assert client.runs.get(thread.thread_id, run.run_id).status == "running"
        assert client.threads.get_state(thread.thread_id).next == [node]
    client.runs.join(thread.thread_id, run.run_id)
    assert client.threads.get(thread.thread_id).status == "interrupted"


class SlowSaver(InMemorySaver):
    """A database at the other end of a slow network."""

    async def aput(self, *given: Any) -> Any:
        await asyncio.sleep(0.1)
        return await super().aput(*given)


def test_a_held_run_shows_the_step_before() -> None:
    """Also where a checkpoint takes longer to store than the next node to begin."""
    builder = StateGraph(dict)
    builder.add_node("one", lambda state: {"one": 1})
    builder.add_node("two", lambda state: {"two": 2})
    builder.add_edge(START, "one").add_edge("one", "two")
    with TestServer({"agent": builder.compile(checkpointer=SlowSaver())}) as server:
        client = server.sync_client()
        thread_id = client.threads.create().thread_id
        for node, before in (("one", {"zero": 0}), ("two", {"one": 1})):
            with server.hold(node=node) as hold:
                run = client.runs.create(thread_id, "agent", input={"zero": 0})
                hold.wait()
                state = client.threads.get_state(thread_id)
                assert (state.next, state.values) == ([node], before)
            client.runs.join(thread_id, run.run_id)


@pytest.mark.parametrize("status", ["pending", "running"])
async def test_a_run_is_held_pending_or_running(server: TestServer, status: Any) -> None:
    """Until the hold is released; other graphs' runs are not."""
    async with server.client() as client:
        thread = await client.threads.create()
        hold = server.hold(status=status, graph="counter")
        run = await client.runs.create(thread.thread_id, "counter", input={"count": 1})
        assert await hold.reached() == run.run_id
        assert (await client.runs.get(thread.thread_id, run.run_id)).status == status
        assert (await client.runs.wait(None, "row", input={}))["log"] == ["one", "two:None"]
        hold.release()
        assert await client.runs.join(thread.thread_id, run.run_id) == {"count": 2}


def test_a_wait_for_a_hold_can_be_cancelled(server: TestServer) -> None:
    """No thread waits on, for which the end of the event loop would wait."""
    hold = server.hold(status="running")

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hold.reached(timeout=60), 0.05)

    looping = threading.Thread(target=asyncio.run, args=[give_up()], daemon=True)
    looping.start()
    looping.join(60)
    assert not looping.is_alive()


def test_what_is_over_is_not_entered_again(server: TestServer) -> None:
    """A hold or a fault would do nothing in a second `with`."""
    for rule in (server.hold(status="running"), server.faults.refuse()):
        with rule:
            pass
        with pytest.raises(RuntimeError, match="make a new one"), rule:
            pass


def test_a_hold_that_nobody_reaches_says_so(server: TestServer) -> None:
    """Waiting has a limit."""
    with server.hold(node="nowhere") as hold, pytest.raises(TimeoutError, match="nowhere"):
        hold.wait(timeout=0.01)
    with pytest.raises(ValueError, match="either"):
        server.hold()


def test_a_held_run_does_not_keep_the_server_from_closing() -> None:
    """The server closes within seconds."""
    server = TestServer(hosted()).start()
    hold = server.hold(status="running")
    thread = server.sync_client().threads.create()
    server.sync_client().runs.create(thread.thread_id, "counter", input={"count": 1})
    hold.wait()
    closing = threading.Thread(target=server.close)
    closing.start()
    closing.join(60)
    is_closed = not closing.is_alive()
    hold.release()  # Lets the test itself end where closing does not.
    closing.join()
    assert is_closed


def test_a_hold_does_not_outlive_the_server(server: TestServer) -> None:
    """A server that is started again holds no run."""
    server.hold(status="running")
    server.close()
    client = server.start().sync_client(deadline=60)
    assert client.runs.wait(None, "counter", input={"count": 1}) == {"count": 2}


# --- failures ---


def test_failures_of_graphs_are_told(server: TestServer) -> None:
    """With the exception itself; those that were expected apart."""
    failing = server.remote_graph("failing")
    with pytest.raises(ValueError, match="value is wrong"):
        failing.invoke({"how": "value"})
    (failure,) = server.unexpected_errors
    assert (failure.graph, type(failure.error)) == ("failing", ValueError)
    assert 'raise ValueError("value is wrong")' in str(failure)
    with server.expect_error(KeyError, match="missing") as found, pytest.raises(KeyError):
        failing.invoke({"how": "key"})
    assert [type(one.error) for one in found] == [KeyError]
    assert server.unexpected_errors == [failure]
    with pytest.raises(AssertionError, match="no run failed"), server.expect_error():
        pass


def test_what_failed_runs_had_in_memory_is_not_kept() -> None:
    """`errors` keeps exceptions and tracebacks, without the frames' local variables."""

    class Page:
        alive = 0

        def __init__(self) -> None:
            Page.alive += 1

        def __del__(self) -> None:
            Page.alive -= 1

    def failing(state: Any) -> Any:
        page = Page()
        raise ValueError("no", id(page))

    with TestServer({"agent": ScriptedGraph(failing)}) as server:
        client = server.sync_client()
        for _ in range(20):
            client.runs.wait(None, "agent", input={}, raise_error=False)
        collect()
        assert len(server.errors) == 20
        assert Page.alive == 0
        assert 'raise ValueError("no"' in str(server.errors[0])


def test_wait_idle_waits_for_runs_at_work_only(server: TestServer) -> None:
    """Not for those that a hold holds, nor for those whose time the test decides."""
    client = server.sync_client()
    thread_ids = [client.threads.create().thread_id for _ in range(3)]
    runs = [client.runs.create(thread_ids[0], "counter", input={"count": n}) for n in range(3)]
    server.wait_idle()
    assert {client.runs.get(thread_ids[0], run.run_id).status for run in runs} == {"success"}
    client.runs.create(thread_ids[1], "counter", input={}, after_seconds=60)
    with server.hold(status="running") as hold:
        client.runs.create(thread_ids[2], "counter", input={"count": 1})
        hold.wait()
        server.wait_idle()
    server.wait_idle()
    assert client.threads.get(thread_ids[2]).status == "idle"


@pytest.mark.usefixtures("long_looks")
def test_wait_idle_has_a_limit() -> None:
    """It names the runs that are at work."""
    with TestServer({"slow": ScriptedGraph([Wait(30)])}) as server:
        client = server.sync_client()
        run = client.runs.create(client.threads.create().thread_id, "slow", input={})
        with pytest.raises(TimeoutError, match=run.run_id):
            server.wait_idle(timeout=0.02)


@pytest.mark.usefixtures("long_looks")
def test_wait_idle_has_a_limit_where_each_look_takes_long() -> None:
    """An async node that blocks the loop again and again makes each look wait for its turn."""
    is_over = threading.Event()

    async def working(state: Any) -> Any:
        while not is_over.is_set():
            is_over.wait(0.05)
            await asyncio.sleep(0)
        return {}

    builder = StateGraph(dict).add_node("working", working).add_edge(START, "working")
    with TestServer({"agent": builder.compile()}) as server, ThreadPoolExecutor() as pool:
        client = server.sync_client()
        pool.submit(client.runs.create, None, "agent", input={}).result(60)
        looks = []
        progressing = server._activity.progressing

        def look(services: Any) -> list[str]:
            looks.append(services)
            return progressing(services)

        server._activity.progressing = look  # type: ignore[method-assign]
        with pytest.raises(TimeoutError, match="active after"):
            server.wait_idle(timeout=0.5)
        is_over.set()
        # Of 50 ms each. As many as fit without the waits, a hundred, would be five seconds.
        assert len(looks) < 50
        server.wait_idle()


def test_a_server_whose_loop_is_held_up_is_not_waited_for() -> None:
    """An async node that blocks: every method of the kit gives up, and says why."""
    blocked, release = threading.Event(), threading.Event()

    def blocking(state: Any) -> Any:
        blocked.set()
        release.wait(60)
        return []

    with TestServer({"agent": ScriptedGraph(blocking)}) as server:
        client = server.sync_client()
        thread_id = client.threads.create().thread_id
        # Beside this thread: the run may block the loop before the answer about it has left.
        with ThreadPoolExecutor() as pool:
            started = pool.submit(client.runs.create, thread_id, "agent", input={})
            assert blocked.wait(60)
            with pytest.raises(TimeoutError, match="event loop is held up"):
                server.wait_idle(timeout=0.05)
            release.set()
            started.result(60)
        server.wait_idle()


# --- faults ---


def test_faults_act_between_server_and_client(server: TestServer) -> None:
    """Also on clients that were made before, and no longer than the `with`."""
    client = server.sync_client()
    with server.faults.refuse(times=1, status=503) as refused:
        client.assistants.search()
    assert refused.fired == 1
    with server.faults.cut_after(events=2), pytest.raises(StreamIncomplete):
        list(client.runs.stream(None, "row", input={}))
    assert len(list(client.runs.stream(None, "row", input={}))) > 2


def test_a_client_that_a_fault_stalls_goes_on_when_the_server_closes() -> None:
    """Nobody would cancel the fault later; its count stays."""
    server = TestServer({"agent": AGENT}).start()
    fault = server.faults.stall()
    client = server.sync_client()

    def ask() -> None:
        with suppress(LangGraphError):
            client.threads.search()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    fault.wait()
    server.close()
    asking.join(60)
    assert not asking.is_alive()
    assert server.faults.fired == {"stall": 1}
    assert server.start().sync_client().threads.search() == []
    server.close()


# --- seeds ---


def test_a_thread_is_seeded_in_a_state(server: TestServer) -> None:
    """Before the node that was named, with a history, and it goes on from there."""
    thread_id = server.seed_thread(
        "row", {"topic": "seeded"}, next="two", history=[{"log": ["x"]}, {"log": ["y"]}]
    )
    client = server.sync_client()
    state = client.threads.get_state(thread_id)
    assert state.next == ["two"]
    assert state.values == {"log": ["x", "y"], "topic": "seeded"}
    assert len(client.threads.get_history(thread_id, limit=100)) == 3
    assert client.runs.wait(thread_id, "row")["log"] == ["x", "y", "two:seeded"]


@pytest.mark.parametrize(
    ("graph", "wanted", "expected"),
    [
        ("row", "one", ["one"]),
        ("row", (), []),
        ("parallel", ["left", "right"], ["left", "right"]),
        ("agent", "ask", ["ask"]),
        ("agent", (), []),
    ],
)
def test_what_comes_next_is_what_was_asked(
    server: TestServer, graph: str, wanted: Any, expected: list[str]
) -> None:
    """One node, several, or none."""
    thread_id = server.seed_thread(graph, {"topic": "t"} if graph == "row" else {}, next=wanted)
    assert sorted(server.sync_client().threads.get_state(thread_id).next) == expected


def test_a_seed_that_cannot_be_says_why(server: TestServer) -> None:
    """An unknown graph or node, and what the nodes lead to."""
    with pytest.raises(ValueError, match="no graph 'nope'"):
        server.seed_thread("nope")
    with pytest.raises(ValueError, match=r"after 'one' comes \['two'\]"):
        server.seed_thread("row", {}, next="nope")
    with pytest.raises(ValueError, match="the script has no step"):
        server.seed_thread("agent", {}, next="nope")


# --- dumps ---


def test_a_server_is_dumped_and_loaded(server: TestServer, tmp_path: Path) -> None:
    """Threads, states, runs and the store are there again, and an interrupted run goes on."""
    approval = server.remote_graph("approval")
    config = {"configurable": {"thread_id": "1"}}
    approval.invoke({"draft": "d"}, config)
    client = server.sync_client()
    client.store.put_item(["a", "b"], "key", {"value": 1})
    dump = server.dump(tmp_path / "dump.json")
    with TestServer(hosted()) as other:
        other.load(tmp_path / "dump.json")
        assert other.dump() == dump
        again = other.remote_graph("approval")
        assert again.get_state(config) == approval.get_state(config)
        assert again.invoke(Command(resume="yes"), config)["answers"] == ["yes"]
        assert other.sync_client().store.get_item(["a", "b"], "key").value == {"value": 1}
        assert other.dump() != dump
    text = (tmp_path / "dump.json").read_text()
    assert '"draft": "d!"' in text
    assert Dump.read(tmp_path / "dump.json") == dump


def test_two_servers_that_did_the_same_dump_the_same() -> None:
    """Ids and times aside."""
    dumps = []
    for _ in range(2):
        with TestServer(hosted()) as server:
            server.remote_graph("row").invoke({"topic": "t"}, {"configurable": {"thread_id": "1"}})
            dumps.append(server.dump())
    assert dumps[0] == dumps[1]


def test_what_is_no_dump_is_refused(server: TestServer, tmp_path: Path) -> None:
    """A file of something else; a server with a run in it."""
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="not the file of a dump"):
        server.load(tmp_path / "other.json")
    thread = server.sync_client().threads.create()
    with server.hold(status="running") as hold:
        server.sync_client().runs.create(thread.thread_id, "counter", input={"count": 1})
        hold.wait()
        with pytest.raises(ValueError, match="pending or running"):
            server.dump()


# --- reset ---


def test_a_reset_begins_anew(server: TestServer) -> None:
    """Runs end, threads are gone, and the same clients go on."""
    client = server.sync_client()
    thread = client.threads.create()
    ended = threading.Event()
    with server.hold(status="running") as hold:
        client.runs.create(thread.thread_id, "slow", input={"topic": "t"})
        hold.wait()
        server.reset()
        ended.set()
    assert client.threads.search() == []
    assert [asked.path for asked in server.requests] == ["/threads/search"]
    assert client.runs.wait(None, "counter", input={"count": 1}) == {"count": 2}


def test_a_server_with_a_file_is_not_reset(tmp_path: Path) -> None:
    """That would delete what the user keeps."""
    with TestServer({}, path=tmp_path / "db") as server, pytest.raises(ValueError, match="file"):
        server.reset()


# --- scripts ---


def test_a_script_for_each_try() -> None:
    """ "The agent asks for approval, then fails on the second try"."""
    agent = ScriptedGraph(
        Attempts([Ask("approve?"), {"sent": True}], [Say("Trying again"), Fail(ValueError("no"))])
    )
    config = {"configurable": {"thread_id": "1"}}
    with TestServer({"agent": agent}) as server:
        remote = server.remote_graph("agent")
        assert remote.invoke({}, config)["__interrupt__"][0].value == "approve?"
        assert remote.invoke(Command(resume="yes"), config)["sent"] is True
        with server.expect_error(ValueError), pytest.raises(ValueError, match="no"):
            remote.invoke({}, config)
        with server.expect_error(ValueError), pytest.raises(ValueError, match="no"):
            remote.invoke({}, config)
        assert remote.get_state(config).next == ("step-2",)
    with pytest.raises(ValueError, match="at least one"):
        Attempts()


def test_a_script_from_a_recorded_run(server: TestServer) -> None:
    """It writes, says and asks what the run did."""
    client = server.sync_client()
    modes: Any = ["updates", "custom"]
    events = list(client.runs.stream(None, "row", input={"topic": "t"}, stream_mode=modes))
    with TestServer({"row": ScriptedGraph.replaying(events)}) as other:
        again = list(
            other.sync_client().runs.stream(None, "row", input={"topic": "t"}, stream_mode=modes)
        )
    assert [e[:2] for e in again[1:]] == [e[:2] for e in events[1:]]


async def test_many_servers_at_once() -> None:
    """No state is shared: each has its own threads."""

    async def one(number: int) -> int:
        async with TestServer({"agent": AGENT}) as server, server.client() as client:
            for _ in range(number):
                await client.threads.create()
            return len(await client.threads.search())

    assert await asyncio.gather(*map(one, range(4))) == [0, 1, 2, 3]


def test_a_server_without_graphs_says_so() -> None:
    """Such as a test without a marker that names them."""
    with TestServer({}) as server, pytest.raises(LangGraphError, match="registered graphs: none"):
        server.remote_graph("agent").invoke({})
