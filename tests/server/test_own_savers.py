"""What is done with whole threads and runs of a graph that was compiled with a checkpointer."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

from langgraph_client import APIStatusError, UnprocessableEntityError
from langgraph_client.testing import TestServer


class AbleSaver(InMemorySaver):
    """A saver that can prune threads and delete the checkpoints of runs."""

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        for thread_id, namespaces in self.storage.items():
            for namespace, checkpoints in namespaces.items():
                place = {"configurable": {"thread_id": thread_id, "checkpoint_ns": namespace}}
                for item in [*self.list(place)]:
                    if item.metadata.get("run_id") in run_ids:
                        del checkpoints[item.checkpoint["id"]]

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        assert strategy == "keep_latest"
        for thread_id in thread_ids:
            for checkpoints in self.storage[thread_id].values():
                for checkpoint_id in sorted(checkpoints)[:-1]:
                    del checkpoints[checkpoint_id]


class FailingSaver(InMemorySaver):
    """A saver that cannot list, and so not copy."""

    def list(self, *args: Any, **options: Any) -> Any:
        raise OSError("no disk")


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def built(saver: Any) -> Any:
    async def work(state: State) -> dict[str, Any]:
        return {"log": ["one"]}

    async def stop(state: State) -> dict[str, Any]:
        if state["log"][-2] == "slow":
            await asyncio.Event().wait()
        return {"log": ["two"]}

    builder = StateGraph(State).add_sequence([("work", work), ("stop", stop)])
    return builder.add_edge(START, "work").compile(checkpointer=saver)


def test_a_copied_thread_has_the_state_and_goes_its_own_way() -> None:
    """A copy has the history, also in a saver that has no method to copy a thread."""
    with TestServer({"agent": built(InMemorySaver())}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        copied = client.threads.copy(thread_id)["thread_id"]
        histories = [
            [(state["values"], state["next"]) for state in client.threads.get_history(each)]
            for each in (thread_id, copied)
        ]
        assert histories[0] == histories[1]
        assert len(histories[0]) == 4
        client.runs.wait(copied, "agent", input={"log": ["copy"]})
        assert client.threads.get_state(thread_id)["values"] == {"log": ["first", "one", "two"]}
        assert len(client.threads.get_state(copied)["values"]["log"]) == 6


def test_a_copy_that_fails_is_none() -> None:
    """The request is answered with the saver's error, and there is no thread without its state."""
    with TestServer({"agent": built(FailingSaver())}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        with pytest.raises(APIStatusError, match="no disk") as failed:
            client.threads.copy(thread_id)
        assert failed.value.status_code == 503
        assert client.threads.count() == 1


async def test_runs_are_rolled_back_and_deleted_in_a_saver_that_can() -> None:
    """The next run goes on from the state before."""
    with TestServer({"agent": built(AbleSaver())}) as server:
        async with server.client() as client, asyncio.timeout(60):
            thread_id = (await client.threads.create())["thread_id"]
            await client.runs.wait(thread_id, "agent", input={"log": ["first"]})
            before = (await client.threads.get_state(thread_id))["values"]
            run = await client.runs.create(thread_id, "agent", input={"log": ["slow"]})
            while (await client.threads.get_state(thread_id))["next"] != ["stop"]:
                pass
            await client.runs.cancel(thread_id, run["run_id"], wait=True, action="rollback")
            assert (await client.threads.get_state(thread_id))["values"] == before
            run = await client.runs.create(thread_id, "agent", input={"log": ["more"]})
            await client.runs.join(thread_id, run["run_id"])
            await client.runs.delete(thread_id, run["run_id"])
            assert (await client.threads.get_state(thread_id))["values"] == before
            assert (await client.threads.get(thread_id))["values"] == before


def test_a_thread_is_pruned_in_a_saver_that_can() -> None:
    """The latest state stays."""
    with TestServer({"agent": built(AbleSaver())}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        before = client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        assert client.threads.prune([thread_id], strategy="keep_latest")["pruned_count"] == 1
        history = client.threads.get_history(thread_id)
        assert [state["values"] for state in history] == [before]


def test_a_saver_that_cannot_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Pruning is refused; a deleted run's checkpoints stay, with a warning."""
    with TestServer({"agent": built(InMemorySaver())}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        run = client.runs.create(thread_id, "agent", input={"log": ["first"]})
        client.runs.join(thread_id, run["run_id"])
        with pytest.raises(UnprocessableEntityError, match="'agent' cannot prune"):
            client.threads.prune([thread_id], strategy="keep_latest")
        client.runs.delete(thread_id, run["run_id"])
        assert client.threads.get_state(thread_id)["values"] == {"log": ["first", "one", "two"]}
        assert "cannot delete runs" in caplog.text
