# Generated from tests/_async/test_matrix.py by .ci/unasync.py; do not edit.
"""Every call under every fault: a result or an error of ours, in time, and nothing done twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from langgraph_client import (
    ReconnectPolicy,
    RetryPolicy,
    ScriptedGraph,
    SyncLangGraphClient,
    get_sync_client,
)
from langgraph_client.errors import LangGraphError, StreamIncomplete
from langgraph_client.testing import Faults, TestServer
from tests.support.counting import Counting
from tests.support.fault_table import FAULTS, HARMLESS, UNTOLD

URL = "http://server"
LONGEST = 20.0
LASTING = ("refused always", "answer lost always", "cut always", "cut events always", "damaged")
STEPS = [{"n": n} for n in range(4)]
EVENTS = ["metadata", "values", "values", "values", "values", "values"]


@dataclass
class World:
    """What there is on the server for a call to find. `good` is a client without faults."""

    good: SyncLangGraphClient
    thread_id: str
    run_id: str
    assistant_id: str
    cron_id: str


def listed(items: Iterator[Any]) -> list[Any]:
    return [item for item in items]


def streamed(stream: Iterator[Any]) -> list[str]:
    """The names of a stream's events. A stream that is not complete raises."""
    return [part.event for part in stream]


def first_of(stream: Iterator[Any]) -> Any:
    for item in stream:
        return item
    raise AssertionError("the stream of a thread has no end")


def fresh_thread(w: World) -> str:
    return (w.good.threads.create()).thread_id


def fresh_cron(w: World) -> str:
    return (w.good.crons.create("agent", schedule="0 0 1 1 *"))["cron_id"]


def fresh_assistant(w: World) -> str:
    return (w.good.assistants.create("agent")).assistant_id


def fresh_run(w: World) -> tuple[str, str]:
    thread_id = fresh_thread(w)
    run = w.good.runs.create(thread_id, "agent", input={})
    w.good.runs.join(thread_id, run.run_id)
    return thread_id, run.run_id


def delete_assistant(c: SyncLangGraphClient, w: World) -> None:
    c.assistants.delete(fresh_assistant(w))


def delete_thread(c: SyncLangGraphClient, w: World) -> None:
    c.threads.delete(fresh_thread(w))


def prune(c: SyncLangGraphClient, w: World) -> Any:
    return c.threads.prune([fresh_thread(w)])


def delete_cron(c: SyncLangGraphClient, w: World) -> None:
    c.crons.delete(fresh_cron(w))


def delete_run(c: SyncLangGraphClient, w: World) -> None:
    c.runs.delete(*fresh_run(w))


def post_thread(c: SyncLangGraphClient, w: World) -> Any:
    return c.http.post("/threads", json={})


def put_item(c: SyncLangGraphClient, w: World) -> Any:
    item = {"namespace": ["m"], "key": "put", "value": {"n": 2}}
    return c.http.put("/store/items", json=item)


def background(c: SyncLangGraphClient, w: World) -> Any:
    return c.runs.create(fresh_thread(w), "agent", input={})


def waited(c: SyncLangGraphClient, w: World) -> Any:
    return c.runs.wait(fresh_thread(w), "agent", input={})


def resumable(c: SyncLangGraphClient, w: World) -> list[str]:
    thread_id = fresh_thread(w)
    return streamed(c.runs.stream(thread_id, "agent", input={}, stream_resumable=True))


def not_resumable(c: SyncLangGraphClient, w: World) -> list[str]:
    return streamed(c.runs.stream(fresh_thread(w), "agent", input={}))


def followed(c: SyncLangGraphClient, w: World) -> list[str]:
    with c.threads.stream(assistant_id="agent") as thread:
        thread.run.start(input={"n": 9})
        return ["metadata", *[e["method"] for e in thread.subscribe(["values"])]]


CALLS: dict[str, Callable[[SyncLangGraphClient, World], Any]] = {
    "info": lambda c, w: c.info(),
    "ok": lambda c, w: c.ok(),
    "assistants.create": lambda c, w: c.assistants.create("agent"),
    "assistants.get": lambda c, w: c.assistants.get(w.assistant_id),
    "assistants.update": lambda c, w: c.assistants.update(w.assistant_id, name="n"),
    "assistants.delete": delete_assistant,
    "assistants.search": lambda c, w: c.assistants.search(),
    "assistants.count": lambda c, w: c.assistants.count(),
    "assistants.iter": lambda c, w: listed(c.assistants.iter(limit=3)),
    "assistants.get_graph": lambda c, w: c.assistants.get_graph(w.assistant_id),
    "assistants.get_schemas": lambda c, w: c.assistants.get_schemas(w.assistant_id),
    "assistants.get_subgraphs": lambda c, w: c.assistants.get_subgraphs(w.assistant_id),
    "assistants.get_versions": lambda c, w: c.assistants.get_versions(w.assistant_id),
    "assistants.set_latest": lambda c, w: c.assistants.set_latest(w.assistant_id, 1),
    "threads.create": lambda c, w: c.threads.create(),
    "threads.get": lambda c, w: c.threads.get(w.thread_id),
    "threads.update": lambda c, w: c.threads.update(w.thread_id, metadata={"a": 1}),
    "threads.delete": delete_thread,
    "threads.search": lambda c, w: c.threads.search(limit=3),
    "threads.count": lambda c, w: c.threads.count(),
    "threads.iter": lambda c, w: listed(c.threads.iter(limit=3)),
    "threads.copy": lambda c, w: c.threads.copy(w.thread_id),
    "threads.prune": prune,
    "threads.get_state": lambda c, w: c.threads.get_state(w.thread_id),
    "threads.update_state": lambda c, w: c.threads.update_state(w.thread_id, {"n": 9}),
    "threads.get_history": lambda c, w: c.threads.get_history(w.thread_id, limit=2),
    "threads.iter_history": lambda c, w: listed(c.threads.iter_history(w.thread_id, limit=2)),
    "threads.join_stream": lambda c, w: first_of(
        c.threads.join_stream(w.thread_id, last_event_id="-")
    ),
    "threads.stream": followed,
    "runs.create": background,
    "runs.create, stateless": lambda c, w: c.runs.create(None, "agent", input={}),
    "runs.create_batch": lambda c, w: c.runs.create_batch([{"assistant_id": "agent"}]),
    "runs.wait": waited,
    "runs.wait, stateless": lambda c, w: c.runs.wait(None, "agent", input={}),
    "runs.stream": not_resumable,
    "runs.stream, resumable": resumable,
    "runs.stream, stateless": lambda c, w: streamed(c.runs.stream(None, "agent", input={})),
    "runs.get": lambda c, w: c.runs.get(w.thread_id, w.run_id),
    "runs.list": lambda c, w: c.runs.list(w.thread_id),
    "runs.iter": lambda c, w: listed(c.runs.iter(w.thread_id)),
    "runs.join": lambda c, w: c.runs.join(w.thread_id, w.run_id),
    "runs.join_stream": lambda c, w: streamed(
        c.runs.join_stream(w.thread_id, w.run_id, last_event_id="0")
    ),
    "runs.cancel": lambda c, w: c.runs.cancel(w.thread_id, w.run_id),
    "runs.cancel_many": lambda c, w: c.runs.cancel_many(status="pending"),
    "runs.delete": delete_run,
    "crons.create": lambda c, w: c.crons.create("agent", schedule="0 0 1 1 *"),
    "crons.create_for_thread": lambda c, w: c.crons.create_for_thread(
        w.thread_id, "agent", schedule="0 0 1 1 *"
    ),
    "crons.get": lambda c, w: c.crons.get(w.cron_id),
    "crons.update": lambda c, w: c.crons.update(w.cron_id, enabled=False),
    "crons.delete": delete_cron,
    "crons.search": lambda c, w: c.crons.search(),
    "crons.count": lambda c, w: c.crons.count(),
    "crons.iter": lambda c, w: listed(c.crons.iter(limit=3)),
    "store.put_item": lambda c, w: c.store.put_item(("m",), key="put", value={"n": 2}),
    "store.get_item": lambda c, w: c.store.get_item(("m",), key="k"),
    "store.delete_item": lambda c, w: c.store.delete_item(("m",), key="none"),
    "store.search_items": lambda c, w: c.store.search_items(("m",)),
    "store.iter_items": lambda c, w: listed(c.store.iter_items(("m",), limit=2)),
    "store.list_namespaces": lambda c, w: c.store.list_namespaces(),
    "http.get": lambda c, w: c.http.get("/ok"),
    "http.post": post_thread,
    "http.put": put_item,
    "http.patch": lambda c, w: c.http.patch(f"/threads/{w.thread_id}", json={"metadata": {}}),
    "http.delete": lambda c, w: c.http.delete("/store/items", json={"namespace": [], "key": "n"}),
    "http.stream": lambda c, w: streamed(
        c.http.stream("/runs/stream", "POST", json={"assistant_id": "agent", "input": {}})
    ),
    "http.request_reconnect": lambda c, w: c.http.request_reconnect(
        "/runs/wait", "POST", json={"assistant_id": "agent", "input": {}}
    ),
}
# What these answer when nothing is wrong is an error, too: the run is over, nothing is pending.
REFUSED = ("runs.cancel", "runs.cancel_many")

# The protocol has no event for the end. Where a stream has no ids to ask after, one that was closed
# in good order is over when its run is; of a stateless run nobody can be asked even that.
BELIEVED = ("runs.stream", "runs.stream, stateless", "http.stream")


@pytest.fixture(scope="module")
def hosted() -> Any:
    with TestServer({"agent": ScriptedGraph(STEPS)}) as running:
        yield running


@pytest.fixture
def world(hosted: TestServer) -> Iterator[World]:
    with get_sync_client(url=URL, transport=hosted.transport()) as good:
        assistant = good.assistants.create("agent")
        thread = good.threads.create()
        run = good.runs.create(
            thread.thread_id, "agent", input={}, stream_mode="values", stream_resumable=True
        )
        good.runs.join(thread.thread_id, run.run_id)
        good.store.put_item(("m",), key="k", value={"n": 1})
        cron = good.crons.create("agent", schedule="0 0 1 1 *")
        yield World(good, thread.thread_id, run.run_id, assistant.assistant_id, cron["cron_id"])


@pytest.mark.parametrize("name", CALLS)
def test_a_call_under_every_fault(hosted: TestServer, world: World, name: str) -> None:
    """A result or an error of ours, within a limit, and at most one effect of a kind."""
    for fault, make in FAULTS.items():
        faults, counted = Faults(), Counting(hosted.transport())
        make(faults)
        # Whether a run may be started again is one more question, which a slow machine may take a
        # moment to answer.
        stalled = 1.0 if name.startswith("runs.") else 0.05
        read = stalled if "stalled" in fault else 5
        client = get_sync_client(
            url=URL,
            transport=faults.transport(counted),
            timeout=httpx.Timeout(5, read=read),
            retry=RetryPolicy(initial=0, jitter=0),
            reconnect=ReconnectPolicy(
                initial=0, heartbeat_timeout=stalled if "stalled" in fault else 15
            ),
        )
        begun = time.perf_counter()
        error: LangGraphError | None = None
        result: Any = None
        with client:
            try:
                result = CALLS[name](client, world)
            except LangGraphError as raised:
                error = raised
        said = f"{name}, {fault}: {error or result!r}, {faults.fired}, {counted.accepted}"
        assert time.perf_counter() - begun < LONGEST, said
        assert counted.started <= 1, said
        if counted.started and error is not None and fault not in LASTING:
            assert is_known_to_its_caller(name, error), said
        if not is_safe(name):
            assert all(count <= 1 for count in counted.accepted.values()), said
        if fault in HARMLESS:
            assert (error is None) is (name not in REFUSED), said
        believed = fault == "closed events" and name in BELIEVED
        if isinstance(result, list) and "stream" in name and fault not in UNTOLD and not believed:
            assert result == EVENTS, said


def is_known_to_its_caller(name: str, error: LangGraphError) -> bool:
    """Whether a run that was started is not lost, although its call has failed.

    A batch, and a request without a method of its own, have no key.
    """
    if isinstance(error, StreamIncomplete):
        return error.run_id is not None
    return name == "runs.create_batch" or name.startswith("http.")


def is_safe(name: str) -> bool:
    """Whether doing it twice is doing it once."""
    verbs = ("search", "count", "iter", "get", "list", "put", "prune", "set_latest", "delete_item")
    return name.split(".")[-1].startswith(verbs)


def test_every_call_is_in_the_matrix() -> None:
    """No method of a client is forgotten."""
    client = get_sync_client(url=URL)
    methods = {"info", "ok"}
    for resource in ("assistants", "threads", "runs", "crons", "store", "http"):
        kind = type(getattr(client, resource))
        names = [n for n in dir(kind) if not n.startswith("_") and callable(getattr(kind, n))]
        methods |= {f"{resource}.{name}" for name in names}
    assert {name.split(",")[0] for name in CALLS} == methods
