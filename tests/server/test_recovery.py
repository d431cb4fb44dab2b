"""What a server does with the runs that an earlier process left, however that ended."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from langgraph_client.server.runs.new_run import NewRun
from langgraph_client.server.runs.recovery import MAX_KILLS, decide
from langgraph_client.server.runs.stop_runs import GONE
from langgraph_client.server.server import Server
from tests.support.eventually import eventually
from tests.support.hosted import Gate, hosted
from tests.support.killed_file import killed_copy

NEW = "00000000-0000-7000-8000-000000000001"


class State(TypedDict, total=False):
    x: str


class Work:
    """A graph whose node `think` waits, and takes its time when it is cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.stopped = threading.Event()
        self.go_on = threading.Event()
        self.effects: list[str] = []

    def graph(self, *, asks: bool = False) -> Any:
        def ask(state: State) -> State:
            return {"x": str(interrupt("who pays?"))}

        async def think(state: State) -> State:
            self.begun.release()
            try:
                await asyncio.to_thread(self.go_on.wait, 20)
            except asyncio.CancelledError:
                self.stopped.set()
                await asyncio.to_thread(self.go_on.wait, 20)
                raise
            return {}

        async def pay(state: State) -> State:
            self.effects.append(str(state.get("x")))
            return {"x": "paid"}

        builder = StateGraph(State)
        builder.add_node("think", think)
        builder.add_node("pay", pay)
        if asks:
            builder.add_node("ask", ask)
            builder.add_edge(START, "ask")
        builder.add_edge("ask" if asks else START, "think")
        builder.add_edge("think", "pay")
        return builder.compile()


@contextmanager
def serving(file: Path, **graphs: Any) -> Iterator[httpx.Client]:
    with Server(graphs, path=file) as server:
        transport = server.transport()
        with httpx.Client(transport=transport, base_url="http://server", timeout=60) as http:
            yield http


def begin(http: httpx.Client, **body: Any) -> tuple[str, str]:
    """Start a run on a new thread. Returns the paths of the thread and of the run."""
    thread = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
    body = {"assistant_id": "work", "input": {"x": "a"}, **body}
    run = http.post(f"{thread}/runs", json=body).json()
    return thread, f"{thread}/runs/{run['run_id']}"


@pytest.mark.sqlite
def test_an_answered_cancel_survives_a_kill(tmp_path: Path) -> None:
    """A run whose cancel was answered before the process was killed does not go on."""
    work = Work()
    with serving(tmp_path / "s.db", work=work.graph()) as http:
        thread, run = begin(http)
        assert work.begun.acquire(timeout=60)
        assert http.post(f"{run}/cancel").status_code == 202
        assert work.stopped.wait(60)
        image = killed_copy(tmp_path / "s.db")
        work.go_on.set()
        http.get(f"{run}/join")
    with serving(image, work=work.graph()) as http:
        http.get(f"{run}/join")
        assert http.get(run).json()["status"] == "interrupted"
        shown = http.get(thread).json()
        assert (shown["status"], shown["error"]["error"]) == ("interrupted", "UserInterrupt")
    assert work.effects == []


@pytest.mark.parametrize("action", ["interrupt", "rollback"])
def test_a_cancel_while_the_server_stops_holds(tmp_path: Path, gate: Gate, action: Any) -> None:
    """A run that was stopped with its server, and then cancelled, does not go on."""
    graphs, file = hosted(gate), tmp_path / "s.db"
    with (
        Server(graphs, path=file) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        thread, run = begin(http, assistant_id="gate", input={"name": "a"})
        gate.arrived()

        async def stop_and_cancel() -> None:
            engine, run_id = server.services.engine, run.rpartition("/")[2]
            job = engine.jobs[run_id]
            assert job.task is not None
            closing = asyncio.create_task(engine.close())
            await asyncio.wait([job.task])
            assert await engine.stopper.cancel([run_id], action) == [job]
            await closing

        asyncio.run_coroutine_threadsafe(stop_and_cancel(), server.loop).result(60)
    with serving(file, **graphs) as http:
        http.get(f"{run}/join")
        if action == "interrupt":
            assert http.get(run).json()["status"] == "interrupted"
        else:
            assert http.get(run).status_code == 404
        assert http.get(thread).json()["error"]["message"] == GONE


@pytest.mark.sqlite
@pytest.mark.parametrize("strategy", ["interrupt", "rollback"])
def test_a_kill_behind_a_run_that_replaces_others(tmp_path: Path, strategy: str) -> None:
    """Neither the running run nor the waiting one that a new run replaces goes on afterwards."""
    work, file = Work(), tmp_path / "s.db"
    with (
        Server({"work": work.graph()}, path=file) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        thread, _ = begin(http)
        body = {"assistant_id": "work", "input": {"x": "waiting"}}
        waiting = http.post(f"{thread}/runs", json=body).json()["run_id"]
        assert work.begun.acquire(timeout=60)

        async def replace() -> Path:
            # Under the lock of the thread, which what ends the replaced runs waits for.
            services, thread_id = server.services, thread.rpartition("/")[2]
            async with services.engine.locks.hold(thread_id):
                known = await services.storage.runs.get(waiting)
                owner = await services.storage.threads.get(thread_id)
                assert known is not None
                assert owner is not None
                new = {**known, "run_id": NEW, "multitask_strategy": strategy}
                new["kwargs"] = {**known["kwargs"], "input": {"x": "new"}}
                await services.engine.submit(NewRun(new, owner))
                return killed_copy(file)

        image = asyncio.run_coroutine_threadsafe(replace(), server.loop).result(60)
        work.go_on.set()
    work.effects.clear()
    with serving(image, work=work.graph()) as http:
        assert http.get(f"{thread}/runs/{NEW}/join").json() == {"x": "paid"}
        left = ["interrupted", "interrupted"] if strategy == "interrupt" else []
        found = [run["status"] for run in http.get(f"{thread}/runs").json()]
        assert sorted(found) == [*left, "success"]
    assert work.effects == ["new"]


@pytest.mark.sqlite
@pytest.mark.parametrize("how", ["cancelled", "replaced"])
def test_a_stopped_run_keeps_its_key(tmp_path: Path, how: str) -> None:
    """If the process is killed after a rollback was accepted, the run's key still answers it."""
    work, file = Work(), tmp_path / "s.db"
    body = {"assistant_id": "work", "input": {"x": "a"}}
    key = {"idempotency-key": "4ab1"}
    with serving(file, work=work.graph()) as http:
        path = f"/threads/{http.post('/threads', json={}).json()['thread_id']}/runs"
        run_id = http.post(path, json=body, headers=key).json()["run_id"]
        assert work.begun.acquire(timeout=60)
        if how == "cancelled":
            http.post(f"{path}/{run_id}/cancel", params={"action": "rollback"})
        else:
            http.post(path, json={**body, "multitask_strategy": "rollback"})
        assert work.stopped.wait(60)
        image = killed_copy(file)
        work.go_on.set()
        http.get(f"{path}/{run_id}/join")
    with serving(image, work=work.graph()) as http:
        http.get(f"{path}/{run_id}/join")
        repeated = http.post(path, json=body, headers=key)
        assert repeated.json()["run_id"] == run_id
        for run in http.get(path).json():
            http.get(f"{path}/{run['run_id']}/join")


@pytest.mark.sqlite
@pytest.mark.parametrize("how", ["cancelled", "cancelled before the kill", "replaced"])
def test_a_rollback_undoes_what_was_written_before_a_kill(tmp_path: Path, how: str) -> None:
    """The answer to an interrupt belongs to an older checkpoint, and is gone nevertheless."""
    work = Work()
    graph = work.graph(asks=True)
    rollback = {"action": "rollback"}

    def answer(name: str) -> dict[str, Any]:
        return {"assistant_id": "work", "command": {"resume": name}}

    with serving(tmp_path / "s.db", work=graph) as http:
        thread = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
        http.post(f"{thread}/runs/wait", json={"assistant_id": "work", "input": {"x": "a"}})
        before = http.get(f"{thread}/state").json()
        assert before["interrupts"]
        run = f"{thread}/runs/{http.post(f'{thread}/runs', json=answer('b')).json()['run_id']}"
        assert work.begun.acquire(timeout=60)
        if how == "cancelled before the kill":
            http.post(f"{run}/cancel", params=rollback)
            assert work.stopped.wait(60)
        image = killed_copy(tmp_path / "s.db")
        work.go_on.set()
        http.get(f"{run}/join")
    work.effects.clear()
    for event in (work.stopped, work.go_on):
        event.clear()
    with serving(image, work=graph) as http:
        if how != "cancelled before the kill":
            assert work.begun.acquire(timeout=60)
            if how == "cancelled":
                http.post(f"{run}/cancel", params=rollback)
            else:
                new = {**answer("c"), "multitask_strategy": "rollback"}
                after = http.post(f"{thread}/runs", json=new).json()["run_id"]
            assert work.stopped.wait(60)
        work.go_on.set()
        http.get(f"{run}/join")
        assert http.get(run).status_code == 404
        if how == "replaced":
            http.get(f"{thread}/runs/{after}/join")
            assert work.effects == ["c"]
        else:
            assert http.get(f"{thread}/state").json() == before


@pytest.mark.sqlite
def test_a_run_that_ends_with_its_connection_is_not_run_again(tmp_path: Path) -> None:
    """A stateless run with `on_disconnect: cancel` is over with the process that held the
    connection; one that continues is taken up again."""
    work = Work()
    graph = work.graph()
    ends = [threading.Event(), threading.Event()]
    with serving(tmp_path / "s.db", work=graph) as http:

        def wait(on_disconnect: str, end: threading.Event) -> None:
            body = {"assistant_id": "work", "input": {"x": on_disconnect}}
            http.post("/runs/wait", json={**body, "on_disconnect": on_disconnect})
            end.set()

        for how, end in zip(("cancel", "continue"), ends, strict=True):
            threading.Thread(target=wait, args=(how, end)).start()
            assert work.begun.acquire(timeout=60)
        image = killed_copy(tmp_path / "s.db")
        work.go_on.set()
        assert all(end.wait(60) for end in ends)
    work.effects.clear()
    with serving(image, work=graph) as http:
        metrics = partial(http.get, "/metrics", params={"format": "json"})
        eventually(lambda: metrics().json()["workers"]["active"] == 0)
    assert work.effects == ["continue"]


@pytest.mark.sqlite
def test_a_run_that_kills_its_process_is_given_up(tmp_path: Path) -> None:
    """After three kills at the same step a run ends as `error`, which says so."""
    work, file = Work(), tmp_path / "s.db"
    graph = work.graph()
    run = ""
    for _ in range(MAX_KILLS):
        with serving(file, work=graph) as http:
            run = run or begin(http)[1]
            assert work.begun.acquire(timeout=60)
            image = killed_copy(file)
        file = image
    with serving(file, work=graph) as http:
        answer = http.get(f"{run}/join").json()
        assert answer["__error__"]["error"] == "RunGivenUp"
        assert "killed 3 times" in answer["__error__"]["message"]
        assert http.get(run).json()["status"] == "error"
        thread = run.partition("/runs")[0]
        work.go_on.set()
        again = http.post(f"{thread}/runs/wait", json={"assistant_id": "work", "input": {}})
        assert again.json() == {"x": "paid"}


def test_orderly_stops_do_not_count(tmp_path: Path) -> None:
    """However often the server is stopped and started, a run is taken up again."""
    work, file = Work(), tmp_path / "s.db"
    graph = work.graph()
    run = ""
    for _ in range(MAX_KILLS + 2):
        with serving(file, work=graph) as http:
            run = run or begin(http)[1]
            assert work.begun.acquire(timeout=60)
    work.go_on.set()
    with serving(file, work=graph) as http:
        assert http.get(f"{run}/join").json() == {"x": "paid"}
    assert work.effects == ["a"]


def test_a_run_that_answers_the_stop_of_the_server_with_an_error_is_taken_up_again(
    tmp_path: Path, gate: Gate
) -> None:
    """As when a client in a node raises an error of its own for a call that was cancelled."""

    async def call(state: State) -> State:
        try:
            await gate.hold()
        except asyncio.CancelledError as error:
            raise ConnectionError("the call was interrupted") from error
        return {"x": "answered"}

    graph = StateGraph(State).add_node("call", call).add_edge(START, "call").compile()
    with serving(tmp_path / "s.db", work=graph) as http:
        _, run = begin(http)
        gate.arrived()
    with serving(tmp_path / "s.db", work=graph) as http:
        gate.arrived()
        gate.open()
        assert http.get(f"{run}/join").json() == {"x": "answered"}
        assert http.get(run).json()["status"] == "success"


def test_a_graph_that_is_gone(tmp_path: Path) -> None:
    """A run whose graph is not hosted any more ends as `error` and names the graph."""
    work, file = Work(), tmp_path / "s.db"
    with serving(file, work=work.graph(), other=work.graph()) as http:
        thread, run = begin(http)
        assert work.begun.acquire(timeout=60)
    with serving(file, other=work.graph()) as http:
        answer = http.get(f"{run}/join").json()
        assert "Graph 'work' not found" in answer["__error__"]["message"]
        assert http.get(run).json()["status"] == "error"
        assert http.get(thread).json()["status"] == "error"


RUN = {"run_id": "r", "thread_id": "t", "status": "running"}


@pytest.mark.parametrize(
    ("status", "control", "latest", "event", "suspect"),
    [
        ("running", {}, "c1", None, False),
        ("running", {"kills": 1, "at": "c1"}, "c1", None, True),
        ("running", {"kills": 1, "at": "c1"}, "c2", None, False),
        ("running", {"kills": 2, "at": "c1"}, "c1", "fail", False),
        ("running", {"kills": 2, "at": "c1"}, "c2", None, False),
        ("running", {"kills": 1, "at": None}, None, None, True),
        ("pending", {"kills": 2, "at": "c1"}, "c1", None, True),
        ("pending", {}, "c1", None, False),
        ("pending", {"stop": "rollback"}, "c1", "rollback", False),
        ("running", {"bound": True}, None, "interrupt", False),
    ],
)
def test_what_becomes_of_a_run(
    status: str, control: dict[str, Any], latest: str | None, event: str | None, suspect: bool
) -> None:
    """Three kills at one place end a run; progress, and kills while it was pending, do not count;
    after two it is carried out while no other suspect is."""
    decision = decide({**RUN, "status": status}, control, latest)
    assert (decision.outcome and decision.outcome.event, decision.suspect) == (event, suspect)
    if event is None:
        assert decision.run["status"] == "pending"


@pytest.mark.sqlite
@pytest.mark.parametrize("what", ["runs", "threads"])
def test_a_damaged_document_keeps_no_other_run_from_being_resumed(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that cannot be read, itself or its thread, is logged and left as it is."""
    work, file = Work(), tmp_path / "s.db"
    with serving(file, work=work.graph()) as http:
        begun = [begin(http) for _ in range(3)]
        for _ in begun:
            assert work.begun.acquire(timeout=60)
        image = killed_copy(file)
        work.go_on.set()
    damaged = begun[1][what == "runs"].rpartition("/")[2]
    key = f"{what.removesuffix('s')}_id"
    with contextlib.closing(sqlite3.connect(image)) as database, database:
        deep = f"json_set(doc, '$.deep', json('{'[' * 300}{']' * 300}'))"
        changed = database.execute(f"UPDATE {what} SET doc = {deep} WHERE {key} = ?", [damaged])
        assert changed.rowcount == 1
    work.effects.clear()
    with serving(image, work=work.graph()) as http:
        for _, run in (begun[0], begun[2]):
            assert http.get(f"{run}/join").json() == {"x": "paid"}
    assert len(work.effects) == 2
    assert ("left out" if what == "runs" else "not resumed") in caplog.text
