"""Graphs that bring their own checkpointer: it is the truth, under the caller's thread ids."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import httpx
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

from langgraph_client import APIStatusError, Server
from langgraph_client.server.graphs.hosted_saver import HostedSaver
from langgraph_client.thread_ids import GIVEN_ID, given_thread_id, server_thread_id

ON = {"configurable": {"thread_id": "user-1"}}


class State(TypedDict):
    said: Annotated[list[str], operator.add]


def built(saver: Any = None, seen: list[RunnableConfig] | None = None) -> Any:
    def say(state: State, config: RunnableConfig) -> dict[str, Any]:
        if seen is not None:
            seen.append(config)
        return {"said": ["node"]}

    builder = StateGraph(State)
    builder.add_node("say", say)
    builder.add_edge(START, "say")
    return builder.compile(checkpointer=saver)


def test_a_remote_run_is_found_in_the_savers_own_threads() -> None:
    """Under the id that the caller has given, as after a local run."""
    saver = InMemorySaver()
    with Server({"agent": built(saver)}) as server:
        server.remote_graph("agent").invoke({"said": ["caller"]}, ON)
    found = saver.get_tuple(ON)
    assert found is not None
    assert found.checkpoint["channel_values"]["said"] == ["caller", "node"]


def test_checkpoints_have_the_metadata_of_a_local_run(tmp_path: Path) -> None:
    """And the run's id where the server may be started again: a run that was cut off needs it."""
    saver, local, kept = InMemorySaver(), InMemorySaver(), InMemorySaver()
    config = {**ON, "metadata": {"who": "me"}}
    built(local).invoke({"said": []}, config)
    with Server({"agent": built(saver)}) as server:
        server.remote_graph("agent").invoke({"said": []}, config)
    with Server({"agent": built(kept)}, path=tmp_path / "server.db") as server:
        server.remote_graph("agent").invoke({"said": []}, config)
    expected = [item.metadata for item in local.list(ON)]
    assert [item.metadata for item in saver.list(ON)] == expected
    assert ["run_id" in item.metadata for item in kept.list(ON)] == [True] * len(expected)


def test_a_thread_that_the_server_has_never_seen_is_asked_of_the_saver() -> None:
    """Its state, its history, and the run that goes on from there; reading makes no thread."""
    saver = InMemorySaver()
    built(saver).invoke({"said": ["local"]}, ON)
    with Server({"agent": built(saver)}) as server:
        remote = server.remote_graph("agent")
        assert remote.get_state(ON).values == {"said": ["local", "node"]}
        assert len(list(remote.get_state_history(ON))) == 3
        assert server.sync_client().threads.count() == 0
        assert remote.invoke({"said": ["remote"]}, ON)["said"] == [
            "local",
            "node",
            "remote",
            "node",
        ]


def test_an_update_of_an_unseen_thread_goes_on_from_what_the_saver_has() -> None:
    """An update of a thread that the server has not seen continues from the saver's state."""
    saver = InMemorySaver()
    built(saver).invoke({"said": ["local"]}, ON)
    with Server({"agent": built(saver)}) as server:
        server.remote_graph("agent").update_state(ON, {"said": ["written"]})
    assert built(saver).get_state(ON).values == {"said": ["local", "node", "written"]}


def test_deleting_a_thread_deletes_it_in_its_graphs_saver() -> None:
    """A thread that is deleted on the server is deleted in its graph's own saver, too."""
    saver = InMemorySaver()
    with Server({"agent": built(saver)}) as server:
        server.remote_graph("agent").invoke({"said": []}, ON)
        server.sync_client().threads.delete(server_thread_id("user-1"))
    assert saver.get_tuple(ON) is None


class Failing(InMemorySaver):
    """A saver whose database is away, or that cannot delete at all."""

    error: Exception = ConnectionError("away")

    async def adelete_thread(self, thread_id: str) -> None:
        raise self.error

    def delete_thread(self, thread_id: str) -> None:
        raise self.error


def test_a_thread_that_its_saver_cannot_delete_stays_until_it_can() -> None:
    """It would come back to life under the same id; one that never can is no reason to keep it."""
    saver = Failing()
    with Server({"agent": built(saver)}) as server:
        server.remote_graph("agent").invoke({"said": []}, ON)
        threads = server.sync_client(retry=None).threads
        with pytest.raises(APIStatusError, match="has not deleted the thread: ConnectionError"):
            threads.delete(server_thread_id("user-1"))
        assert threads.get(server_thread_id("user-1"))
        saver.error = NotImplementedError()
        threads.delete(server_thread_id("user-1"))
        assert threads.count() == 0


@pytest.mark.parametrize("is_own", [True, False])
def test_nodes_see_the_callers_id(is_own: bool) -> None:
    """Whoever keeps the thread; the wire shows the server's."""
    seen: list[RunnableConfig] = []
    with Server({"agent": built(InMemorySaver() if is_own else None, seen)}) as server:
        server.remote_graph("agent").invoke({"said": []}, ON)
        state = server.sync_client().threads.get_state(server_thread_id("user-1"))
    assert seen[0]["configurable"]["thread_id"] == "user-1"
    assert state.checkpoint["thread_id"] == server_thread_id("user-1")


def test_plain_clients_read_and_run_the_same_thread() -> None:
    """The caller's id belongs to the thread, not to the client that asks for it."""
    saver = InMemorySaver()
    with Server({"agent": built(saver)}) as server:
        server.remote_graph("agent").invoke({"said": ["first"]}, ON)
        client = server.sync_client()
        thread_id = server_thread_id("user-1")
        assert client.threads.get_state(thread_id)["values"] == {"said": ["first", "node"]}
        client.runs.wait(thread_id, "agent", input={"said": ["second"]})
    assert built(saver).get_state(ON).values["said"] == ["first", "node", "second", "node"]


def test_a_given_id_that_is_not_the_threads_counts_for_nothing() -> None:
    """Metadata can be written by anybody: they give nobody the state of another thread."""
    saver = InMemorySaver()
    built(saver).invoke({"said": ["secret"]}, ON)
    with Server({"agent": built(saver)}) as server:
        client = server.sync_client()
        thread = client.threads.create(graph_id="agent", metadata={GIVEN_ID: "user-1"})
        assert client.threads.get_state(thread.thread_id)["values"] == {}
    assert given_thread_id({GIVEN_ID: "user-1"}, thread.thread_id) == thread.thread_id


def test_the_given_id_of_a_thread_cannot_be_changed() -> None:
    """Its state would be lost: it is kept under that id."""
    with Server({"agent": built(InMemorySaver())}) as server:
        server.remote_graph("agent").invoke({"said": []}, ON)
        client = server.sync_client()
        changed = client.threads.update(
            server_thread_id("user-1"), metadata={GIVEN_ID: "user-2", "more": 1}
        )
    assert changed["metadata"][GIVEN_ID] == "user-1"
    assert changed["metadata"]["more"] == 1


def test_an_odd_header_is_refused() -> None:
    """A header with the thread of the caller is a JSON list of the right form, or 422."""
    path = f"/threads/{server_thread_id('user-1')}/state"
    with (
        Server({"agent": built()}) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as wire,
    ):
        for odd in ("user-1", '["agent"]', "{}"):
            answer = wire.get(path, headers={"x-langgraph-client-thread": odd})
            assert answer.status_code == 422, odd


def test_without_a_lent_checkpointer_graphs_keep_what_they_were_compiled_to_keep() -> None:
    """As locally: no state without one, and no run without a thread with one."""
    graphs = {"keeps": built(InMemorySaver()), "forgets": built()}
    with Server(graphs, lend_checkpointer=False) as server:
        forgets, keeps = server.remote_graph("forgets"), server.remote_graph("keeps")
        assert forgets.invoke({"said": ["a"]}, ON)["said"] == ["a", "node"]
        assert forgets.invoke({"said": ["b"]}, ON)["said"] == ["b", "node"]
        with pytest.raises(ValueError, match="No checkpointer set"):
            forgets.get_state(ON)
        with pytest.raises(ValueError, match="thread_id"):
            keeps.invoke({"said": ["a"]})
        assert keeps.invoke({"said": ["a"]}, ON)["said"] == ["a", "node"]
        assert keeps.invoke({"said": ["b"]}, ON)["said"] == ["a", "node", "b", "node"]


def test_with_a_lent_checkpointer_a_run_without_a_thread_keeps_nothing() -> None:
    """Also of a graph with its own, as servers run it."""
    saver = InMemorySaver()
    with Server({"agent": built(saver)}) as server:
        assert server.remote_graph("agent").invoke({"said": ["a"]}) == {"said": ["a", "node"]}
    assert list(saver.list(None)) == []


class OldSaver(InMemorySaver):
    """A saver of the time before tasks had paths."""

    def put_writes(self, config: Any, writes: Any, task_id: str) -> None:  # type: ignore[override]
        super().put_writes(config, writes, task_id)

    async def aput_writes(self, config: Any, writes: Any, task_id: str) -> None:  # type: ignore[override]
        self.put_writes(config, writes, task_id)


def test_savers_that_do_not_know_the_path_of_a_task_are_not_given_it() -> None:
    """A saver whose `put_writes` has no `task_path` gets none, and its runs succeed."""
    with Server({"agent": built(OldSaver())}) as server:
        assert server.remote_graph("agent").invoke({"said": []}, ON) == {"said": ["node"]}


async def test_the_servers_saver_keeps_the_callers_ids_as_uuids() -> None:
    """What is read back bears the id that it was asked for by."""
    inner = InMemorySaver()
    saver: BaseCheckpointSaver[Any] = HostedSaver(inner, is_own=False)
    await built(saver).ainvoke({"said": ["a"]}, ON)
    known = {"configurable": {"thread_id": server_thread_id("user-1")}}
    assert inner.get_tuple(ON) is None
    assert inner.get_tuple(known) is not None
    for found in (saver.get_tuple(ON), await saver.aget_tuple(ON)):
        assert found is not None
        assert found.config["configurable"]["thread_id"] == "user-1"
        assert found.parent_config is not None
        assert found.parent_config["configurable"]["thread_id"] == "user-1"
    listed = [*saver.list(ON), *[item async for item in saver.alist(ON)]]
    assert {item.config["configurable"]["thread_id"] for item in listed} == {"user-1"}
    await saver.adelete_thread("user-1")
    assert inner.get_tuple(known) is None


def test_a_node_of_a_parent_that_keeps_nothing_keeps_nothing() -> None:
    """As a local subgraph: its own checkpointer is not used, and no thread is asked for."""
    saver = InMemorySaver()
    child = built(saver)
    with Server({"child": child}, lend_checkpointer=False) as server:
        for node in (child, server.remote_graph("child")):
            parent = StateGraph(State).add_node("child", node).add_edge(START, "child").compile()
            assert parent.invoke({"said": ["caller"]}, ON)["said"][-1] == "node"
            assert parent.invoke({"said": ["caller"]})["said"][-1] == "node"
    assert list(saver.list(None)) == []


class Careful(InMemorySaver):
    """Overrides a blocking method, in the form of older releases, and not its async twin."""

    def put_writes(self, config: Any, writes: Any, task_id: str) -> None:  # type: ignore[override]
        """Refuse."""
        raise ValueError("no writes today")


def test_a_blocking_method_that_a_saver_overrides_alone_is_used() -> None:
    """As by blocking calls of a local graph."""
    local = built(Careful())
    with Server({"agent": built(Careful())}) as server:
        for graph in (local, server.remote_graph("agent")):
            with pytest.raises(ValueError, match="no writes today"):
                graph.invoke({"said": []}, ON)
