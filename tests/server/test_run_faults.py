"""What may go wrong with a run: it ends all the same, once, and nothing else does."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.server import Server
from langgraph_client.testing import TestClock
from tests.support.engine import is_at_rest
from tests.support.eventually import aeventually, eventually
from tests.support.garbage import collect


def _added(one: list[Any], other: list[Any]) -> list[Any]:
    return one + other


class State(TypedDict, total=False):
    log: Annotated[list[str], _added]


def graph_of(node: Callable[[State], Any], **edges: Any) -> Any:
    """A graph of one node, and perhaps of an edge behind it."""
    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    if "edge" in edges:
        builder.add_conditional_edges("node", edges["edge"])
    return builder.compile()


async def well(state: State) -> State:
    await asyncio.sleep(0)
    return {"log": ["well"]}


@contextmanager
def serving(graphs: dict[str, Any], **options: Any) -> Iterator[tuple[Server, httpx.Client]]:
    with Server(graphs, **options) as server:
        transport = server.transport()
        with httpx.Client(transport=transport, base_url="http://server", timeout=60) as http:
            yield server, http


def new_thread(http: httpx.Client) -> str:
    return str(http.post("/threads", json={}).json()["thread_id"])


def rest(server: Server) -> None:
    """Wait until the engine has nothing left to do."""
    waiting = aeventually(lambda: is_at_rest(server.services.engine))  # Seen by its loop.
    asyncio.run_coroutine_threadsafe(waiting, server.loop).result()


# Cancelled before the first step.


@pytest.mark.parametrize("strategy", ["interrupt", "rollback"])
async def test_two_messages_at_the_same_moment(strategy: str) -> None:
    """Two runs that are created together, the second stopping the first, both end."""
    with Server({"well": graph_of(well)}) as server:
        transport = server.async_transport()
        async with httpx.AsyncClient(
            transport=transport, base_url="http://server", timeout=60
        ) as http:
            body = {"assistant_id": "well", "input": {}, "multitask_strategy": strategy}
            for _ in range(40):
                thread = (await http.post("/threads", json={})).json()["thread_id"]
                path = f"/threads/{thread}/runs"
                made = await asyncio.gather(*(http.post(path, json=body) for _ in range(2)))
                async with asyncio.timeout(60):
                    for run in made:
                        await http.get(f"{path}/{run.json()['run_id']}/join")
                assert (await http.get(f"/threads/{thread}")).json()["status"] != "busy"
        await asyncio.to_thread(rest, server)


# On PostgreSQL stopping takes messages, in which the run may end by itself.
@pytest.mark.sqlite
@pytest.mark.parametrize("then", ["cancel", "rollback", "delete the run", "delete the thread"])
def test_stopped_as_soon_as_it_is_created(then: str) -> None:
    """A run that is stopped before its task has taken a step is settled, and its place is free."""
    with serving({"well": graph_of(well)}, max_runs=1) as (server, http):
        for _ in range(20):
            thread = new_thread(http)
            path = f"/threads/{thread}/runs"

            async def both(thread: str = thread) -> None:
                services = server.services
                created = await services.runs.create({"assistant_id": "well", "input": {}}, thread)
                run_id = created.job.run_id
                if then == "delete the run":
                    await services.engine.stopper.delete_run(thread, run_id)
                elif then == "delete the thread":
                    await services.engine.stopper.delete_thread(thread)
                else:
                    action: Any = "interrupt" if then == "cancel" else "rollback"
                    await services.engine.stopper.cancel([run_id], action)
                await created.job.over.wait()

            asyncio.run_coroutine_threadsafe(both(), server.loop).result(60)
            rest(server)
            expected = {"cancel": ["interrupted"]}.get(then, [])
            found = http.get(path)
            if then == "delete the thread":
                assert found.status_code == 404
            else:
                assert [run["status"] for run in found.json()] == expected
        answer = http.post("/runs/wait", json={"assistant_id": "well", "input": {}}).json()
        assert answer == {"log": ["well"]}


# Whatever user code raises.


class Odd(BaseException):
    """No exception, as panics of extensions are none."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text either")


RAISED = [
    SystemExit(3),
    KeyboardInterrupt(),
    Odd("odd"),
    pytest.fail.Exception("not to be called"),
    asyncio.CancelledError("by hand"),
    Unprintable(),
]


@pytest.mark.parametrize("place", ["node", "async node", "edge", "factory"])
@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
def test_whatever_is_raised_ends_its_run_alone(raised: BaseException, place: str) -> None:
    """A run whose graph raises anything at all ends as `error` by that name; the server lives."""

    def sync(state: State) -> Any:
        raise raised

    async def later(state: State) -> Any:
        await asyncio.sleep(0)
        raise raised

    def factory() -> Any:
        raise raised

    hosted = {
        "node": graph_of(sync),
        "async node": graph_of(later),
        "edge": graph_of(well, edge=sync),
        "factory": factory,
    }[place]
    with serving({"bad": hosted, "well": graph_of(well)}) as (server, http):
        thread = new_thread(http)
        for path in ("/runs/wait", f"/threads/{thread}/runs/wait"):
            answer = http.post(path, json={"assistant_id": "bad", "input": {}}).json()
            # langgraph has a name of its own for a cancellation that a node raises.
            assert answer["__error__"]["error"].removeprefix("Node") == type(raised).__name__
        assert http.get(f"/threads/{thread}").json()["status"] == "error"
        assert [run["status"] for run in http.get(f"/threads/{thread}/runs").json()] == ["error"]
        answer = http.post("/runs/wait", json={"assistant_id": "well", "input": {}}).json()
        assert answer == {"log": ["well"]}
        rest(server)


def test_a_run_that_is_cancelled_is_cancelled() -> None:
    """A node that swallows its cancellation does not make a success of a run that was stopped."""
    inside = threading.Event()

    async def stubborn(state: State) -> State:
        inside.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(30)
        return {"log": ["went on"]}

    with serving({"g": graph_of(stubborn)}) as (_, http):
        thread = new_thread(http)
        run = http.post(f"/threads/{thread}/runs", json={"assistant_id": "g", "input": {}}).json()
        assert inside.wait(60)
        path = f"/threads/{thread}/runs/{run['run_id']}"
        http.post(f"{path}/cancel", params={"wait": "1"})
        assert http.get(path).json()["status"] == "interrupted"


def test_nothing_of_a_failure_is_kept() -> None:
    """The local variables of a node that failed are not kept."""

    class Page:
        pass

    kept: list[weakref.ref[Page]] = []

    def fail(state: State) -> Any:
        page = Page()
        kept.append(weakref.ref(page))
        raise ValueError("no")

    with serving({"g": graph_of(fail)}) as (server, http):
        for _ in range(5):
            http.post("/runs/wait", json={"assistant_id": "g", "input": {}})
        rest(server)

        def is_free() -> bool:
            collect()
            # The latest may be in a frame still; those before, until their threads go on.
            return sum(page() is not None for page in kept) <= 1

        eventually(is_free)


def test_each_run_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A line for the start of each run and one for its end name run, thread, graph and seconds; a
    failure is a warning with what was raised."""

    def fail(state: State) -> Any:
        raise ValueError("card expired")

    caplog.set_level(logging.INFO, "langgraph_client.server")
    with serving({"bad": graph_of(fail), "well": graph_of(well)}) as (_, http):
        thread = new_thread(http)
        for name in ("well", "bad"):
            http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": name, "input": {}})
        ids = [run["run_id"] for run in http.get(f"/threads/{thread}/runs").json()]
    lines = [(r.levelname, r.getMessage()) for r in caplog.records if r.getMessage()[:4] == "run "]
    assert [level for level, _ in lines] == ["INFO", "INFO", "INFO", "WARNING"]
    assert all(thread in line and any(run_id in line for run_id in ids) for _, line in lines)
    assert "started" in lines[0][1]
    assert re.search(r"success after \d+\.\d{3} s", lines[1][1])
    assert "graph bad" in lines[3][1]
    assert "ValueError: card expired" in lines[3][1]


# One writer per thread.


def held_graph() -> tuple[Any, threading.Event, threading.Event]:
    """A graph whose reducer waits: an update of its state takes as long as a test wants."""
    inside, go_on = threading.Event(), threading.Event()

    async def held(state: State) -> State:
        return {"log": ["held"]}

    async def edge(state: State) -> str:
        inside.set()
        await asyncio.to_thread(go_on.wait, 60)
        return "__end__"

    return graph_of(held, edge=edge), inside, go_on


def slowly(call: Callable[[], httpx.Response]) -> tuple[threading.Thread, list[httpx.Response]]:
    """Make a call in a thread of its own."""
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    return thread, answers


def with_graph(http: httpx.Client) -> str:
    body = {"metadata": {"graph_id": "held"}}
    return str(http.post("/threads", json=body).json()["thread_id"])


@pytest.mark.parametrize("meanwhile", ["patch", "delete", "run"])
def test_state_update_takes_its_time(meanwhile: str) -> None:
    """While a state is being updated nothing else is written to its thread: a change made
    meanwhile is kept, a deleted thread stays deleted, a run begins behind the update."""
    graph, inside, go_on = held_graph()
    with serving({"held": graph, "well": graph_of(well)}) as (_, http):
        thread = with_graph(http)
        path = f"/threads/{thread}"
        values = {"values": {"log": ["x"]}, "as_node": "node"}
        update, updated = slowly(lambda: http.post(f"{path}/state", json=values))
        assert inside.wait(60)
        calls: dict[str, Callable[[], httpx.Response]] = {
            "patch": lambda: http.patch(path, json={"metadata": {"important": "yes"}}),
            "delete": lambda: http.delete(path),
            "run": lambda: http.post(
                f"{path}/runs/wait", json={"assistant_id": "well", "input": {}}
            ),
        }
        other, answers = slowly(calls[meanwhile])
        other.join(0.05)
        go_on.set()
        update.join(60)
        other.join(60)
        assert updated[0].status_code == 200
        assert answers[0].is_success
        found = http.get(path)
        if meanwhile == "delete":
            assert found.status_code == 404
        elif meanwhile == "patch":
            assert found.json()["metadata"] == {"graph_id": "held", "important": "yes"}
            assert found.json()["values"] == {"log": ["x"]}
        else:
            assert answers[0].json() == {"log": ["x", "well"]}


def test_no_run_on_a_thread_that_is_being_deleted() -> None:
    """A run asked for while its thread is being deleted is refused, and nothing of it is left."""
    inside, go_on = threading.Event(), threading.Event()

    async def tidy(state: State) -> State:
        inside.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.to_thread(go_on.wait, 60)
            raise
        return {}

    with serving({"g": graph_of(tidy), "well": graph_of(well)}) as (server, http):
        thread = new_thread(http)
        path = f"/threads/{thread}"
        http.post(f"{path}/runs", json={"assistant_id": "g", "input": {}})
        assert inside.wait(60)
        deletion, deleted = slowly(lambda: http.delete(path))
        while thread not in server.services.engine.stopper.deleting:
            deletion.join(0.001)
        body = {"assistant_id": "well", "input": {}, "if_not_exists": "create"}
        assert http.post(f"{path}/runs", json=body).status_code == 404
        go_on.set()
        deletion.join(60)
        assert deleted[0].status_code == 204
        assert http.get(path).status_code == 404
        tables = asyncio.run_coroutine_threadsafe(
            server.services.storage.export(), server.loop
        ).result(60)
        assert {"threads", "runs", "run_controls", "events"}.isdisjoint(tables)


# The storage fails.


def limit_pages(server: Server, limit: int | None) -> None:
    """Let the database have so many pages beyond those it has; None for as many as it wants."""

    async def set_limit() -> None:
        storage: Any = server.services.storage
        row = storage._database.row
        (pages,) = row("PRAGMA page_count")
        row(f"PRAGMA max_page_count={2**30 if limit is None else pages + limit}")

    asyncio.run_coroutine_threadsafe(set_limit(), server.loop).result(60)


@pytest.mark.parametrize("path", ["memory", "file"])
@pytest.mark.sqlite
def test_disk_full_in_the_middle_of_a_run(path: str, tmp_path: Path) -> None:
    """While nothing can be written requests are 503 and nothing is lost or left running; the run
    ends as `error` when there is room again, and the thread goes on."""
    inside, go_on = threading.Event(), threading.Event()

    async def large(state: State) -> State:
        inside.set()
        await asyncio.to_thread(go_on.wait, 60)
        return {"log": ["x" * 3_000_000]}

    options = {"path": tmp_path / "s.db"} if path == "file" else {}
    graphs = {"large": graph_of(large), "well": graph_of(well)}
    with serving(graphs, **options) as (server, http):
        thread = new_thread(http)
        runs = f"/threads/{thread}/runs"
        run = http.post(runs, json={"assistant_id": "large", "input": {}}).json()
        assert inside.wait(60)
        limit_pages(server, 0)
        big = {"metadata": {"big": "y" * 1_000_000}}
        assert http.patch(f"/threads/{thread}", json=big).status_code == 503
        assert http.post("/threads", json=big).status_code == 503
        waiting, answers = slowly(lambda: http.get(f"{runs}/{run['run_id']}/join"))
        job = server.services.engine.jobs[run["run_id"]]
        go_on.set()
        eventually(lambda: job.ended)  # The state could not be written.
        assert http.get(f"/threads/{thread}").status_code == 200
        limit_pages(server, None)
        waiting.join(60)
        assert "__error__" in answers[0].json()
        assert http.get(f"{runs}/{run['run_id']}").json()["status"] == "error"
        assert http.get(f"/threads/{thread}").json()["metadata"].get("big") is None
        rest(server)
        answer = http.post(f"{runs}/wait", json={"assistant_id": "well", "input": {}}).json()
        assert answer == {"log": ["well"]}


@pytest.mark.parametrize("prefix", ["/threads/{thread}", ""])
@pytest.mark.sqlite
def test_a_run_starts_when_its_start_can_be_written(
    prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that is due while nothing can be written waits until it can, and does not fail."""
    clock = TestClock()
    with serving({"well": graph_of(well)}, clock=clock) as (server, http):
        path = prefix.format(thread=new_thread(http)) + "/runs"
        body = {"assistant_id": "well", "input": {}, "after_seconds": 5}
        run_id = http.post(path, json=body).json()["run_id"]
        job = server.services.engine.jobs[run_id]

        async def refuse_writes(refuse: bool) -> None:
            storage: Any = server.services.storage
            storage._database.row(f"PRAGMA query_only={refuse:d}")

        async def end() -> None:
            while f"of run {run_id} cannot be" not in caplog.text:  # noqa: ASYNC110 (a log line)
                await asyncio.sleep(0.001)
            await refuse_writes(False)
            await job.over.wait()

        asyncio.run_coroutine_threadsafe(refuse_writes(True), server.loop).result(60)
        clock.advance(6)
        asyncio.run_coroutine_threadsafe(end(), server.loop).result(60)
        assert job.result == {"log": ["well"]}
