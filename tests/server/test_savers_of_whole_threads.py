"""With a checkpointer that can only delete whole threads, nobody's state goes with a run's."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

from langgraph_client.testing import ScriptedGraph, TestServer, Wait
from tests.support.eventually import eventually


class ShallowSaver(InMemorySaver):
    """A saver that keeps only the latest checkpoint of each namespace."""

    def put(self, config: Any, checkpoint: Any, *rest: Any) -> Any:
        written = super().put(config, checkpoint, *rest)
        place = config["configurable"]
        kept = self.storage[place["thread_id"]][place.get("checkpoint_ns", "")]
        for checkpoint_id in set(kept) - {checkpoint["id"]}:
            del kept[checkpoint_id]
        return written


class EmptyListSaver(InMemorySaver):
    """A saver whose author did not need the history."""

    def list(self, *args: Any, **options: Any) -> Any:
        return iter(())


class FailingListSaver(InMemorySaver):
    """A saver with an old checkpoint that it cannot read any more."""

    def list(self, *args: Any, **options: Any) -> Any:
        raise OSError("a checkpoint is damaged")


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    name: str


def graph(saver: InMemorySaver | None, may_end: asyncio.Event) -> Any:
    async def work(state: State) -> dict[str, Any]:
        if state["log"][-1] == "slow":
            await may_end.wait()
            return {"log": ["two"]}
        return {"log": ["one"], "name": "bob"}

    return StateGraph(State).add_node("work", work).add_edge(START, "work").compile(saver)


@pytest.mark.parametrize("saver", [ShallowSaver, EmptyListSaver, FailingListSaver])
@pytest.mark.parametrize("is_own", [True, False])
def test_a_rollback_leaves_a_thread_whose_history_cannot_be_seen(saver: Any, is_own: bool) -> None:
    """Unless all of the thread is certainly the run's, it stays, and the thread says so."""
    options: Any = {} if is_own else {"checkpointer": saver()}
    hosted = graph(saver() if is_own else None, asyncio.Event())
    with TestServer({"agent": hosted}, **options) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        run_id = client.runs.create(thread_id, "agent", input={"log": ["slow"]})["run_id"]
        eventually(lambda: "slow" in client.threads.get_state(thread_id)["values"]["log"])
        client.runs.cancel(thread_id, run_id, wait=True, action="rollback")
        left: Any = client.threads.get_state(thread_id)["values"]
        assert left == {"log": ["first", "one", "slow"], "name": "bob"}
        assert "no method delete_for_runs()" in client.threads.get(thread_id)["error"]["message"]


@pytest.mark.parametrize("is_own", [True, False])
def test_a_run_is_deleted_while_another_one_goes_on_from_its_state(is_own: bool) -> None:
    """What the other one does not change is not written again, so it must not be deleted."""
    may_end = asyncio.Event()
    options: Any = {} if is_own else {"checkpointer": InMemorySaver()}
    hosted = graph(InMemorySaver() if is_own else None, may_end)
    with TestServer({"agent": hosted}, **options) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        first = client.runs.list(thread_id)[0]["run_id"]
        second = client.runs.create(thread_id, "agent", input={"log": ["slow"]}, durability="exit")[
            "run_id"
        ]
        eventually(lambda: client.runs.get(thread_id, second)["status"] == "running")
        client.runs.delete(thread_id, first)
        server.loop.call_soon_threadsafe(may_end.set)
        values = client.runs.join(thread_id, second)
        assert values == {"log": ["first", "one", "slow", "two"], "name": "bob"}
        assert [run["run_id"] for run in client.runs.list(thread_id)] == [second]


def test_a_scripted_graph_is_rolled_back_whatever_the_checkpointer_can() -> None:
    """Its states are the server's own, so no message says that something stays."""
    scripted = ScriptedGraph(lambda values: [{"name": "ann"}, Wait(60 * values.get("minutes", 0))])
    options: Any = {"checkpointer": InMemorySaver()}
    with TestServer({"agent": scripted}, **options) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        before = client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        run_id = client.runs.create(thread_id, "agent", input={"minutes": 1})["run_id"]
        eventually(lambda: client.threads.get_state(thread_id)["values"].get("minutes") == 1)
        client.runs.cancel(thread_id, run_id, wait=True, action="rollback")
        assert client.threads.get_state(thread_id)["values"] == before
        message = client.threads.get(thread_id)["error"]["message"]
        assert "rollback requested" in message
        assert "still" not in message
