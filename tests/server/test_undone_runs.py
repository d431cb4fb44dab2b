"""Runs that are undone, rolled back or deleted, take along what is theirs and nothing else."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import httpx
import pytest
from langgraph.channels import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from langgraph_client.testing import TestServer


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


def stopping() -> Any:
    def stop(state: Plain) -> dict[str, Any]:
        if state["log"][-1] == "fail":
            raise ValueError("failed")
        return {"log": [interrupt("?") if state["log"][-1] == "ask" else "done"]}

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
    with TestServer({"count": counting(Plain)}) as server:
        client = server.sync_client()
        thread_id = client.threads.create()["thread_id"]
        path = f"/threads/{thread_id}"
        run = b'{"assistant_id": "count", "input": {"log": []}, "metadata": {"far": 1e999}}'
        with httpx.Client(transport=server.transport(), base_url="http://x", timeout=20) as http:
            first = http.post(f"{path}/runs", content=run).json()["run_id"]
            client.runs.join(thread_id, first)
            assert http.get(f"{path}/state").json()["metadata"]["far"] is None
            assert http.post(f"{path}/copy").status_code == 200
            assert http.delete(f"{path}/runs/{first}").status_code == 204
            assert not http.get(f"{path}/state").json()["values"]
