"""Runs that are undone, rolled back or deleted, take along what is theirs and nothing else."""

from __future__ import annotations

import asyncio
import math
import operator
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from langgraph_client import RemoteGraph
from langgraph_client.testing import TestServer
from tests.support.eventually import aeventually, eventually


def joined(log: list[Any] | None, writes: list[list[Any]]) -> list[Any]:
    return [*(log or []), *(item for write in writes for item in write)]


class Plain(TypedDict):
    log: Annotated[list[Any], operator.add]


class Delta(TypedDict):
    log: Annotated[list[Any], DeltaChannel(joined)]


class Snapshots(TypedDict):
    log: Annotated[list[Any], DeltaChannel(joined, snapshot_frequency=2)]


def counting(schema: Any) -> Any:
    builder = StateGraph(schema)
    builder.add_node("count", lambda state: {"log": [len(state["log"])]})
    builder.add_edge(START, "count")
    return builder.compile()


@pytest.mark.parametrize("schema", [Plain, Delta, Snapshots])
@pytest.mark.parametrize("deleted", [0, 1, 2])
def test_deleting_a_run_leaves_the_state_of_later_ones(schema: Any, deleted: int) -> None:
    """Also where later checkpoints are read through those of the run."""
    with TestServer({"agent": counting(schema)}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        runs = []
        for number in range(4):
            run = client.runs.create(thread_id, "agent", input={"log": [f"input {number}"]})
            client.runs.join(thread_id, run["run_id"])
            runs.append(run["run_id"])
        before = client.threads.get_state(thread_id)["values"]
        client.runs.delete(thread_id, runs[deleted])
        assert client.threads.get_state(thread_id)["values"] == before
        assert client.threads.get(thread_id)["values"] == before
        later = client.runs.wait(thread_id, "agent", input={"log": ["next"]})
        assert later == {"log": [*before["log"], "next", len(before["log"]) + 1]}


def asking() -> Any:
    def ask(state: Plain) -> dict[str, Any]:
        return {"log": [interrupt("first?"), interrupt("second?")]}

    async def other(state: Plain) -> dict[str, Any]:
        interrupt("other?")
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    builder = StateGraph(Plain)
    builder.add_node("ask", ask)
    builder.add_node("other", other)
    builder.add_edge(START, "ask")
    builder.add_edge(START, "other")
    return builder.compile()


async def test_a_rollback_restores_the_interrupts_that_the_run_replaced() -> None:
    """Each time that the thread is resumed and rolled back, it waits as before."""
    with TestServer({"agent": asking()}) as server:
        async with server.client() as client, asyncio.timeout(60):
            thread_id = (await client.threads.create())["thread_id"]
            await client.runs.wait(thread_id, "agent", input={"log": []})
            before = await client.threads.get_state(thread_id)
            answers = {item["id"]: "answer" for item in before["interrupts"]}
            assert len(answers) == 2
            for _ in range(2):
                run = await client.runs.create(thread_id, "agent", command={"resume": answers})
                asked = {"first?"}
                while "second?" not in asked:
                    state = await client.threads.get_state(thread_id)
                    asked = {item["value"] for item in state["interrupts"]}
                await client.runs.cancel(thread_id, run["run_id"], wait=True, action="rollback")
                assert await client.threads.get_state(thread_id) == before
                thread = await client.threads.get(thread_id)
                assert thread["status"] == "interrupted"
                shown = [item["value"] for task in thread["interrupts"].values() for item in task]
                assert sorted(shown) == ["first?", "other?"]


def stop(state: Plain) -> dict[str, Any]:
    if state["log"][-1] == "fail":
        raise ValueError("failed")
    return {"log": [interrupt("?") if state["log"][-1] == "ask" else "done"]}


def stopping() -> Any:
    builder = StateGraph(Plain)
    builder.add_node("stop", stop)
    builder.add_edge(START, "stop")
    return builder.compile()


@pytest.mark.parametrize("last", ["plain", "ask", "fail"])
def test_the_document_of_a_thread_follows_the_deletion_of_its_last_run(last: str) -> None:
    """Its values, status, interrupts and error are those of the state before; at last, of none."""
    with TestServer({"agent": stopping()}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        runs = []
        for given in ("first", last):
            run = client.runs.create(thread_id, "agent", input={"log": [given]})
            client.runs.join(thread_id, run["run_id"])
            runs.append(run["run_id"])
        client.runs.delete(thread_id, runs[1])
        thread = client.threads.get(thread_id)
        assert thread["values"] == client.threads.get_state(thread_id)["values"]
        assert thread["values"] == {"log": ["first", "done"]}
        assert (thread["status"], thread["interrupts"], thread.get("error")) == ("idle", {}, None)
        client.runs.delete(thread_id, runs[0])
        assert client.threads.get(thread_id)["values"] is None


def test_the_document_stays_if_an_earlier_run_is_deleted() -> None:
    """The last run's error and values are still those of the thread."""
    with TestServer({"agent": stopping()}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        runs = []
        for given in ("first", "fail"):
            run = client.runs.create(thread_id, "agent", input={"log": [given]})
            client.runs.join(thread_id, run["run_id"])
            runs.append(run["run_id"])
        before = client.threads.get(thread_id)
        assert before["status"] == "error"
        client.runs.delete(thread_id, runs[0])
        assert client.threads.get(thread_id) == before


def test_numbers_that_json_does_not_have_are_not_in_the_way() -> None:
    """Infinity in a run's metadata holds up neither the end of a run nor a copy."""
    with TestServer({"count": counting(Plain)}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        config: Any = {"configurable": {"thread_id": thread_id}, "metadata": {"far": math.inf}}
        RemoteGraph("count", sync_client=client).invoke({"log": []}, config)
        (run,) = client.runs.list(thread_id)
        assert run["status"] == "success"
        assert client.threads.get_state(thread_id)["metadata"]["far"] is None
        assert client.threads.copy(thread_id)["thread_id"] != thread_id
        client.runs.delete(thread_id, run["run_id"])
        assert not client.threads.get_state(thread_id)["values"]


class Slow:
    """A graph whose node `two` waits after an input `x`; cancelled, it takes its time to end."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cancelled = threading.Event()
        self.may_end = threading.Event()

    def graph(self) -> Any:
        async def two(state: Plain) -> dict[str, Any]:
            if "x" not in state["log"]:
                return {}
            self.begun.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled.set()
                await asyncio.to_thread(self.may_end.wait, 20)
                raise
            return {}

        builder = StateGraph(Plain)
        builder.add_node("one", lambda state: {"log": [len(state["log"])]})
        builder.add_node("two", two)
        builder.add_edge(START, "one")
        builder.add_edge("one", "two")
        return builder.compile()


@pytest.mark.parametrize("how", ["delete", "rollback", "replace"])
def test_a_run_that_is_being_interrupted_can_still_be_undone(how: str) -> None:
    """Deleted, rolled back, or replaced by a run that rolls it back: its checkpoints go."""
    slow = Slow()
    with (
        TestServer({"slow": slow.graph()}) as server,
        server.sync_client() as client,
        ThreadPoolExecutor() as pool,
    ):
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "slow", input={"log": ["first"]})
        before = client.threads.get_history(thread_id)
        run_id = client.runs.create(thread_id, "slow", input={"log": ["x"]})["run_id"]
        assert slow.begun.wait(60)
        client.runs.cancel(thread_id, run_id)
        assert slow.cancelled.wait(60)
        if how == "delete":
            undone = pool.submit(client.runs.delete, thread_id, run_id)
            eventually(lambda: server.services.engine.jobs[run_id].deleted)
            slow.may_end.set()
            undone.result()
        elif how == "rollback":
            client.runs.cancel(thread_id, run_id, action="rollback")
            slow.may_end.set()
            client.runs.join(thread_id, run_id)
        else:
            given: Any = {"input": {"log": ["y"]}, "multitask_strategy": "rollback"}
            replacing = client.runs.create(thread_id, "slow", **given)["run_id"]
            slow.may_end.set()
            assert client.runs.join(thread_id, replacing) == {"log": ["first", 1, "y", 3]}
            client.runs.delete(thread_id, replacing)
        assert client.threads.get_history(thread_id) == before
        thread = client.threads.get(thread_id)
        assert (thread["status"], thread["values"]) == ("idle", {"log": ["first", 1]})
        assert len(client.runs.list(thread_id)) == 1


@pytest.mark.parametrize("how", ["delete", "rollback"])
def test_a_run_is_undone_while_its_end_is_being_written(how: str) -> None:
    """It ended by itself, and the server reads its state: the checkpoints go nevertheless."""
    reads, may_read = threading.Event(), threading.Event()
    opened: list[None] = []

    async def factory() -> Any:
        opened.append(None)
        if len(opened) == 2:  # For the state at the end of the run.
            reads.set()
            await asyncio.to_thread(may_read.wait, 20)
        return counting(Plain)

    with (
        TestServer({"made": factory}) as server,
        server.sync_client() as client,
        ThreadPoolExecutor() as pool,
    ):
        thread_id = client.threads.create()["thread_id"]
        run_id = client.runs.create(thread_id, "made", input={"log": ["x"]})["run_id"]
        assert reads.wait(60)
        if how == "delete":
            undone = pool.submit(client.runs.delete, thread_id, run_id)
            eventually(lambda: server.services.engine.jobs[run_id].deleted)
        else:
            undone = pool.submit(client.runs.cancel, thread_id, run_id, action="rollback")
            undone.result()
        may_read.set()
        undone.result()
        eventually(lambda: not server.services.engine.jobs)
        assert client.threads.get_history(thread_id) == []
        thread = client.threads.get(thread_id)
        assert (thread["status"], thread["values"]) == ("idle", None)
        assert client.runs.list(thread_id) == []


@pytest.mark.parametrize("last", ["done", "ask", "fail"])
def test_a_pending_run_that_ends_late_leaves_the_thread_as_the_run_before_it(last: str) -> None:
    """Both ends wait for the thread's lock; the second one knows what the first has written."""
    may_end = threading.Event()

    async def wait(_: Plain) -> dict[str, Any]:
        await asyncio.to_thread(may_end.wait, 20)
        return {}

    builder = StateGraph(Plain).add_node("wait", wait).add_node("stop", stop)
    builder.add_edge(START, "wait").add_edge("wait", "stop")
    with (
        TestServer({"agent": builder.compile(), "stop": stopping()}) as server,
        server.sync_client() as client,
    ):
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "stop", input={"log": ["first"]})
        running = client.runs.create(thread_id, "agent", input={"log": [last]})["run_id"]
        pending = client.runs.create(thread_id, "agent", input={"log": ["never"]})["run_id"]
        engine = server.services.engine

        async def hold_until_both_wait() -> None:
            async with engine.locks.hold(thread_id):
                may_end.set()
                await aeventually(lambda: engine.locks._users[thread_id] == 2)
                engine.stopper.stop(engine.jobs[pending], "interrupt", "stopped")
                await aeventually(lambda: engine.locks._users[thread_id] == 3)

        asyncio.run_coroutine_threadsafe(hold_until_both_wait(), server.loop).result(60)
        client.runs.join(thread_id, running)
        eventually(lambda: not engine.jobs)
        thread, state = client.threads.get(thread_id), client.threads.get_state(thread_id)
        assert thread["values"] == state["values"]
        asked = [item["value"] for task in thread["interrupts"].values() for item in task]
        assert asked == (["?"] if last == "ask" else [])
        status = {"done": "idle", "ask": "interrupted", "fail": "error"}[last]
        assert thread["status"] == status
