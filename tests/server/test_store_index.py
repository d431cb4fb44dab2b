"""`store` options: an index, times to live, and stores and savers of the user's own."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from typing_extensions import TypedDict

from langgraph_client.server.errors import StartError
from langgraph_client.server.options import StoreIndex, StoreOptions, ThreadTTL
from langgraph_client.server.server import Server
from langgraph_client.server.storage.sqlite.vectors import cosine_distance
from langgraph_client.testing import TestClock, TestServer
from tests.support.graphs import shared_graphs
from tests.support.killed_file import killed_copy

WORDS = ("cat", "dog", "car")


def embed(texts: list[str]) -> list[list[float]]:
    """Say how often each of three words comes up; nothing to download."""
    return [[float(text.count(word)) for word in WORDS] for text in texts]


async def aembed(texts: list[str]) -> list[list[float]]:
    return embed(texts)


def http_to(server: Server) -> httpx.Client:
    return httpx.Client(transport=server.transport(), base_url="http://server", timeout=60)


def put(http: httpx.Client, key: str, value: Any, **options: Any) -> httpx.Response:
    return http.put(
        "/store/items", json={"namespace": ["a"], "key": key, "value": value, **options}
    )


def keys(http: httpx.Client, query: str | None = None) -> list[str]:
    body = {"namespace_prefix": ["a"], "query": query}
    answer = http.post("/store/items/search", json=body)
    return [item["key"] for item in answer.json()["items"]]


class State(TypedDict, total=False):
    found: list[str]


def searching(state: State, *, store: BaseStore) -> State:
    store.put(("a",), "of the node", {"text": "dog"})
    return {"found": [item.key for item in store.search(("a",), query="dog", limit=1)]}


@pytest.mark.vector
@pytest.mark.parametrize("function", [embed, aembed], ids=["blocking", "async"])
@pytest.mark.parametrize("path", [None, "kept.db"])
def test_items_are_found_by_meaning(
    tmp_path: Path, function: Callable[..., Any], path: str | None
) -> None:
    """Items are found by meaning by clients and by plain nodes, also after a restart; one that is
    written again is found by its new text only, and one without an index not at all."""
    options = StoreOptions(StoreIndex(3, function, ("text",)))
    graph = StateGraph(State).add_node("n", searching).add_edge(START, "n").compile()
    file = None if path is None else tmp_path / path
    with Server({"g": graph}, path=file, store=options) as server, http_to(server) as http:
        put(http, "one", {"text": "cat", "other": "dog"})
        put(http, "two", {"text": "car"})
        put(http, "three", {"text": "cat"}, index=False)
        assert keys(http, "cat") == ["one", "two"]
        put(http, "one", {"text": "dog"}, index=False)
        assert keys(http, "cat") == ["two"]
        put(http, "other", {"other": "cat"}, index=["other"])
        assert keys(http, "cat")[0] == "other"
        done = http.post("/runs/wait", json={"assistant_id": "g", "input": {}})
        assert done.json() == {"found": ["of the node"]}
    if path is not None:
        with Server({"g": graph}, path=file, store=options) as server, http_to(server) as http:
            assert keys(http, "dog")[0] == "of the node"


def wrong_count(texts: list[str]) -> list[list[float]]:
    return []


def wrong_size(texts: list[str]) -> list[list[float]]:
    return [[1.0] for _ in texts]


def no_numbers(texts: list[str]) -> list[list[float]]:
    return [[float("nan")] * 3 for _ in texts]


@pytest.mark.vector
@pytest.mark.parametrize("function", [wrong_count, wrong_size, no_numbers])
def test_embeddings_that_are_none(function: Callable[..., Any]) -> None:
    """What an embedding function gives wrong is told, and nothing is written."""
    options = StoreOptions(StoreIndex(3, function))
    with Server(shared_graphs(), store=options) as server, http_to(server) as http:
        answer = put(http, "k", {"text": "x"})
        assert answer.status_code == 422
        assert "embedding" in answer.text
        assert keys(http) == []


def test_a_model_that_nobody_knows() -> None:
    """The server does not start, and says which package is missing."""
    options = StoreOptions(StoreIndex(3, "nobody:model"))
    with pytest.raises(StartError, match="nobody:model"):
        Server(shared_graphs(), store=options).start()


def test_times_to_live_by_default() -> None:
    """An item lives as long as the options say; reading begins its time again, if they say so."""
    for refresh in (True, False):
        options = StoreOptions(default_ttl=10, refresh_on_read=refresh)
        clock = TestClock()
        with (
            TestServer(shared_graphs(), clock=clock, store=options) as server,
            http_to(server) as http,
        ):
            put(http, "k", {"text": "x"})
            put(http, "longer", {"text": "x"}, ttl=60)
            clock.advance(8 * 60)
            assert http.get("/store/items?namespace=a&key=k").json() is not None
            clock.advance(8 * 60)
            assert keys(http) == (["k", "longer"] if refresh else ["longer"])


def test_the_distance_is_that_of_sqlite_vec() -> None:
    """As sqlite-vec computes it, which not every Python can load."""

    def packed(*numbers: float) -> bytes:
        return struct.pack(f"{len(numbers)}f", *numbers)

    assert cosine_distance(packed(1, 2), packed(2, 4)) == pytest.approx(0)
    assert cosine_distance(packed(1, 0), packed(0, 1)) == pytest.approx(1)
    assert cosine_distance(packed(1, 0), packed(-1, 0)) == pytest.approx(2)
    assert cosine_distance(packed(0, 0), packed(1, 0)) == 1


def test_a_store_of_the_user_s_own() -> None:
    """A store, and what makes one in any of the usual ways, is that of clients and graphs."""
    seen: list[str] = []

    @asynccontextmanager
    async def make() -> AsyncIterator[InMemoryStore]:
        seen.append("open")
        yield InMemoryStore()
        seen.append("close")

    async def coroutine() -> InMemoryStore:
        return InMemoryStore()

    for given in (InMemoryStore(), InMemoryStore, make, coroutine):
        with Server(shared_graphs(), store=given) as server, http_to(server) as http:
            put(http, "k", {"text": "x"})
            assert keys(http) == ["k"]
    assert seen == ["open", "close"]


def fails() -> Any:
    raise ConnectionError("no database")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"store": fails}, "the store could not be opened: ConnectionError: no database"),
        ({"store": {}}, "the store .* it is a dict"),
        ({"checkpointer": lambda: 3}, "the checkpointer .* it is a int"),
    ],
)
def test_parts_that_cannot_be_opened(options: dict[str, Any], match: str) -> None:
    """The server does not start, and says which part it was."""
    with pytest.raises(StartError, match=match):
        Server(shared_graphs(), **options).start()


class BareSaver(InMemorySaver):
    """A saver without the methods that many do not have."""

    def prune(self, *args: Any, **options: Any) -> None:
        raise NotImplementedError

    async def aprune(self, *args: Any, **options: Any) -> None:
        raise NotImplementedError

    def copy_thread(self, *args: Any) -> None:
        raise NotImplementedError

    async def acopy_thread(self, *args: Any) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("saver", [InMemorySaver, BareSaver])
def test_a_saver_of_the_user_s_own(saver: Callable[[], BaseCheckpointSaver[Any]]) -> None:
    """Runs, states, history, copies and deletions of threads are those of the saver."""
    made = saver()
    with Server(shared_graphs(), checkpointer=made) as server, server.sync_client() as client:
        thread = client.threads.create().thread_id
        client.runs.wait(thread, "counter", input={"count": 1})
        assert client.threads.get_state(thread)["values"] == {"count": 2}
        place: Any = {"configurable": {"thread_id": thread}}
        assert made.get_tuple(place) is not None
        copied = client.threads.copy(thread).thread_id
        assert len(client.threads.get_history(copied)) == len(client.threads.get_history(thread))
        client.runs.wait(copied, "counter", input={"count": 5})
        assert client.threads.get_state(copied)["values"] == {"count": 6}
        assert client.http.get(f"/threads/{thread}/storage")["checkpoints"]["count"] >= 2
        client.threads.delete(thread)
        assert made.get_tuple(place) is None
        assert client.threads.get_state(copied)["values"] == {"count": 6}


class FailingSaver(InMemorySaver):
    """A saver that fails when it has to delete a thread, if a test says so.

    Args:
        failed: Called before it fails.
        deletes: Whether it deletes the thread before that.
    """

    def __init__(self, failed: Callable[[], None], *, deletes: bool) -> None:
        super().__init__()
        self.fails = False
        self._failed = failed
        self._deletes = deletes

    async def adelete_thread(self, thread_id: str) -> None:
        if self._deletes or not self.fails:
            await super().adelete_thread(thread_id)
        if self.fails:
            self._failed()
            raise ConnectionError("no answer")


@pytest.mark.parametrize("deletes", [True, False])
def test_a_thread_whose_saver_fails_can_be_deleted_again(deletes: bool) -> None:
    """The server has the thread until its checkpoints are gone."""
    saver = FailingSaver(lambda: None, deletes=deletes)
    with Server(shared_graphs(), checkpointer=saver) as server, http_to(server) as http:
        path = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
        http.post(f"{path}/runs/wait", json={"assistant_id": "counter", "input": {"count": 1}})
        saver.fails = True
        assert http.delete(path).status_code == 503
        assert http.get(path).status_code == 200
        saver.fails = False
        assert http.delete(path).status_code == 204
        assert http.get(path).status_code == 404
        assert not saver.storage.get(path.rpartition("/")[2])


@pytest.mark.sqlite
@pytest.mark.parametrize("deletes", [True, False])
def test_no_state_is_left_by_a_kill_while_a_thread_is_deleted(
    tmp_path: Path, deletes: bool
) -> None:
    """A new thread of the same id does not find the state of the deleted one in the saver."""
    images: list[Path] = []
    file = tmp_path / "s.db"
    saver = FailingSaver(lambda: images.append(killed_copy(file)), deletes=deletes)
    body = {"thread_id": "7ac5ca6e-7a1f-4c3e-9df6-9f2b1f5b2f10"}
    path = f"/threads/{body['thread_id']}"
    count = {"assistant_id": "counter", "input": {"count": 1}}
    with Server(shared_graphs(), path=file, checkpointer=saver) as server, http_to(server) as http:
        http.post("/threads", json=body)
        http.post(f"{path}/runs/wait", json=count)
        saver.fails = True
        http.delete(path)
        saver.fails = False
    (image,) = images
    with Server(shared_graphs(), path=image, checkpointer=saver) as server, http_to(server) as http:
        if http.post("/threads", json=body).status_code == 409:  # It is still there.
            http.delete(path)
            http.post("/threads", json=body)
        http.patch(path, json={"metadata": {"graph_id": "counter"}})
        assert http.get(f"{path}/state").json()["values"] == {}


@pytest.mark.parametrize("strategy", ["delete", "keep_latest"])
def test_threads_live_as_long_as_by_default(strategy: Any) -> None:
    """Threads that are created, copied, or made by a run; one with a time of its own keeps it."""
    clock = TestClock()
    ttl = ThreadTTL(10, strategy)
    with TestServer(shared_graphs(), clock=clock, thread_ttl=ttl) as server:
        client = server.sync_client()
        bare = client.threads.create().thread_id
        own = client.threads.create(ttl=60).thread_id
        by_run = "7ac5ca6e-7a1f-4c3e-9df6-9f2b1f5b2f10"
        client.runs.wait(by_run, "counter", input={"count": 1}, if_not_exists="create")
        copied = client.threads.copy(by_run).thread_id
        assert client.threads.get(bare, include=["ttl"])["ttl"]["ttl_minutes"] == 10
        clock.advance(11 * 60)
        asyncio.run_coroutine_threadsafe(server.services.thread_ttl.sweep(), server.loop).result(60)
        left = {thread.thread_id for thread in client.threads.search()}
        assert left == ({own} if strategy == "delete" else {bare, own, by_run, copied})
        if strategy == "keep_latest":
            assert len(client.threads.get_history(by_run)) == 1
