"""What a test server forgets and writes down of stores and checkpointers that the test brought."""

from __future__ import annotations

import operator
import uuid
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.store.memory import InMemoryStore
from typing_extensions import TypedDict

from langgraph_client.server.options import StoreOptions
from langgraph_client.testing import TestClock, TestServer

THREAD = "11111111-1111-1111-1111-111111111111"


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def logging(**options: Any) -> Any:
    """A graph of two nodes that add to a log."""
    builder = StateGraph(State)
    builder.add_node("one", lambda state: {"log": ["one"]})
    builder.add_node("two", lambda state: {"log": ["two"]})
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    return builder.compile(**options)


def run(server: TestServer, given: str) -> list[str]:
    """Run the graph on THREAD, which is created; return its log."""
    client = server.sync_client()
    result = client.runs.wait(THREAD, "agent", input={"log": [given]}, if_not_exists="create")
    return list(result["log"])


def test_a_reset_forgets_threads_in_a_graphs_own_checkpointer() -> None:
    """A thread of the same id begins without a state."""
    saver = InMemorySaver()
    with TestServer({"agent": logging(checkpointer=saver)}) as server:
        assert run(server, "first") == ["first", "one", "two"]
        server.reset()
        assert not saver.storage
        assert run(server, "second") == ["second", "one", "two"]


def test_a_reset_forgets_threads_in_a_factorys_own_checkpointer() -> None:
    """Also where a factory gives the graph its checkpointer."""
    graph = logging(checkpointer=InMemorySaver())
    with TestServer({"agent": lambda: graph}) as server:
        run(server, "first")
        server.reset()
        assert run(server, "second") == ["second", "one", "two"]


def test_a_reset_forgets_threads_in_a_checkpointer_of_the_server() -> None:
    """A reset deletes them also in a checkpointer that the server was given."""
    with TestServer({"agent": logging()}, checkpointer=InMemorySaver()) as server:
        run(server, "first")
        server.reset()
        assert run(server, "second") == ["second", "one", "two"]


class Minimal(InMemorySaver):
    """A checkpointer that cannot delete threads."""

    def delete_thread(self, thread_id: str) -> None:
        raise NotImplementedError

    async def adelete_thread(self, thread_id: str) -> None:
        raise NotImplementedError


class Failing(InMemorySaver):
    async def adelete_thread(self, thread_id: str) -> None:
        raise OSError("read only")


def test_a_thread_is_seeded_in_a_checkpointer_that_cannot_delete_threads() -> None:
    """A new thread has no earlier states to delete."""
    with TestServer({"agent": logging(checkpointer=Minimal())}) as server:
        thread_id = server.seed_thread("agent", {"log": ["seed"]}, next="two")
        assert server.sync_client().threads.get_state(thread_id)["next"] == ["two"]


@pytest.mark.parametrize("saver", [Minimal, Failing])
def test_a_reset_forgets_the_threads_after_one_that_stays(saver: type[InMemorySaver]) -> None:
    """A checkpointer that cannot delete threads, or fails, does not stop the reset."""
    graphs = {
        "first": logging(checkpointer=saver()),
        "agent": logging(checkpointer=InMemorySaver()),
    }
    with TestServer(graphs) as server:
        server.sync_client().runs.wait(
            str(uuid.uuid4()), "first", input={"log": []}, if_not_exists="create"
        )
        assert run(server, "first") == ["first", "one", "two"]
        server.reset()
        assert run(server, "second") == ["second", "one", "two"]


def test_a_reset_ends_where_a_checkpointer_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What it does not delete is told in a warning, and the server works."""

    class Lasting(InMemorySaver):
        async def adelete_thread(self, thread_id: str) -> None:
            raise OSError("read only")

    with TestServer({"agent": logging(checkpointer=Lasting())}) as server:
        run(server, "first")
        server.reset()
        assert "not all deleted" in caplog.text
        assert server.sync_client().threads.search() == []


@pytest.mark.parametrize("kind", [OSError, TimeoutError])
def test_one_thread_that_is_not_deleted_does_not_keep_the_others(
    kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the checkpointer raises: also a TimeoutError, which is not the kit's own."""

    class Lasting(InMemorySaver):
        async def adelete_thread(self, thread_id: str) -> None:
            if thread_id == THREAD:
                raise kind("pool is exhausted")
            await super().adelete_thread(thread_id)

    saver = Lasting()
    with TestServer({"agent": logging(checkpointer=saver)}) as server:
        run(server, "first")
        client = server.sync_client()
        for _ in range(2):
            thread = client.threads.create()
            client.runs.wait(thread.thread_id, "agent", input={"log": []})
        server.reset()
        assert list(saver.storage) == [THREAD]
        assert f"not all deleted: of thread {THREAD}" in caplog.text


def test_the_next_test_with_a_clock_begins_without_states() -> None:
    """Ids of a `TestClock` repeat: a graph of the module has no state of an earlier server."""
    graph = logging(checkpointer=InMemorySaver())
    for given in ("first", "second"):
        with TestServer({"agent": graph}, clock=TestClock()) as server:
            assert run(server, given) == [given, "one", "two"]


def test_a_checkpointer_lasts_beyond_a_server_with_the_true_time() -> None:
    """Without a `TestClock` a thread goes on in the next server, as it does locally."""
    graph = logging(checkpointer=InMemorySaver())
    with TestServer({"agent": graph}) as server:
        run(server, "first")
    with TestServer({"agent": graph}) as server:
        assert run(server, "second") == ["first", "one", "two", "second", "one", "two"]


def test_a_seeded_thread_has_its_seed_only() -> None:
    """Neither an earlier state in the graph's own checkpointer, nor what was tried for `next`."""
    saver = InMemorySaver()
    graph = logging(checkpointer=saver)
    with TestServer({"agent": graph}) as server:
        run(server, "first")
    with TestServer({"agent": graph}) as server:
        server.seed_thread("agent", {"log": ["seed"]}, next="two", thread_id=THREAD)
        state = server.sync_client().threads.get_state(THREAD)
        assert (state.values, state.next) == ({"log": ["seed"]}, ["two"])
        assert list(saver.storage) == [THREAD]


def test_a_store_that_keeps_its_items_is_not_reset() -> None:
    """A store that was passed as an object; one that is made by a function is made again."""
    with (
        TestServer({"agent": logging()}, store=InMemoryStore()) as server,
        pytest.raises(ValueError, match="store=InMemoryStore"),
    ):
        server.reset()
    for store in (InMemoryStore, StoreOptions(), None):
        with TestServer({"agent": logging()}, store=store) as server:
            client = server.sync_client()
            client.store.put_item(("a",), "k", {"v": 1})
            server.reset()
            assert client.store.get_item(("a",), "k") is None


def test_a_dump_has_the_items_of_a_store_that_was_brought() -> None:
    """Of one that was passed, and of one that a graph was compiled with; they are loaded, too."""
    for graph, options in (
        (logging(), {"store": InMemoryStore()}),
        (logging(store=InMemoryStore()), {}),
    ):
        with TestServer({"agent": graph}, **options) as server:
            server.sync_client().store.put_item(("a",), "k", {"v": 1})
            dump = server.dump()
        assert dump.document["store"] == [{"namespace": ["a"], "key": "k", "value": {"v": 1}}]
        for other in ({}, {"store": InMemoryStore}):
            with TestServer({"agent": logging()}, **other) as server:
                server.load(dump)
                assert server.sync_client().store.get_item(("a",), "k")["value"] == {"v": 1}
                assert server.dump() == dump


def test_a_dump_is_loaded_by_the_server_that_wrote_it() -> None:
    """States in a graph's own checkpointer are not in the file, and so stay where they are."""
    with TestServer({"agent": logging(checkpointer=InMemorySaver())}) as server:
        run(server, "first")
        dump = server.dump()
        server.load(dump)
        assert server.dump() == dump
