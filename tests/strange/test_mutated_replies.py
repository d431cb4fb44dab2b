"""Replies that are damaged at random: a reading, or an error of ours; never anything else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langgraph_client import (
    LangGraphError,
    RemoteException,
    RemoteGraph,
    RetryPolicy,
    get_sync_client,
)
from langgraph_client.testing import documents as doc

ID = "11111111-1111-1111-1111-111111111111"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)

STATE = doc.state({"a": 1}, next=["ask"], interrupts=[{"value": "sure?"}])
EVENTS: list[tuple[str, Any]] = [
    ("metadata", {"run_id": ID, "attempt": 1}),
    ("values", {"a": 1, "messages": [{"type": "ai", "content": "x", "id": "1"}]}),
    ("updates", {"__interrupt__": [{"id": "i", "value": 1}]}),
    ("messages", [{"type": "AIMessageChunk", "content": "x"}, {"langgraph_node": "n"}]),
    ("tasks", {"id": "t", "name": "n", "input": {}, "triggers": [], "metadata": {}}),
    ("checkpoints", {"values": {}, "tasks": [], "config": {"configurable": {}}, "metadata": {}}),
    ("debug", {"type": "task", "payload": {"id": "t", "input": {}}}),
    ("error", {"error": "ValueError", "message": "no"}),
]

#: A reply, and the call that reads it.
CALLS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "thread": (doc.thread(), lambda client: client.threads.get(ID)),
    "threads": ([doc.thread()], lambda client: client.threads.search()),
    "state": (STATE, lambda client: client.threads.get_state(ID)),
    "history": ([STATE], lambda client: client.threads.get_history(ID)),
    "run": (doc.run(), lambda client: client.runs.get(ID, ID)),
    "assistant": (doc.assistant(), lambda client: client.assistants.get(ID)),
    "drawing": (
        {"nodes": [{"id": "a", "data": {"name": "a"}}], "edges": [{"source": "a", "target": "a"}]},
        lambda client: client.assistants.get_graph(ID),
    ),
    "cron": (doc.cron(), lambda client: client.crons.search()),
    "item": (doc.item(), lambda client: client.store.get_item(["a"], "k")),
    "items": ({"items": [doc.item()]}, lambda client: client.store.search_items(["a"])),
    "remote state": (
        STATE,
        lambda client: RemoteGraph("g", sync_client=client).get_state({"thread_id": ID}),
    ),
    "remote drawing": (
        {"nodes": [{"id": "a", "data": {"name": "a"}}], "edges": [{"source": "a", "target": "a"}]},
        lambda client: RemoteGraph("g", sync_client=client).get_graph().draw_mermaid(),
    ),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a JSON value."""
    found = [path]
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in inner:
        found += places(item, (*path, key))
    return found


def damaged(value: Any, data: st.DataObject) -> Any:
    """The value with one to three places replaced, or taken out."""
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(value)))
        if not path:
            return data.draw(ANYTHING)
        value = copy.deepcopy(value)
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[path[-1]] = data.draw(ANYTHING)
        else:
            del holder[path[-1]]
    return value


def asked(answer: Callable[[httpx.Request], httpx.Response], call: Callable[[Any], Any]) -> None:
    retry = RetryPolicy(max_attempts=1)
    transport = httpx.MockTransport(answer)
    with get_sync_client(url="http://odd.example", transport=transport, retry=retry) as client:
        try:
            call(client)
        except LangGraphError as error:
            # It says something; a run's error says what the run's exception said, maybe nothing.
            assert str(error) or isinstance(error, RemoteException)  # noqa: PT017


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=40, derandomize=True)
@given(data=st.data())
def test_a_damaged_reply(name: str, data: st.DataObject) -> None:
    """A damaged reply of any kind is read, or is an error of ours."""
    document, call = CALLS[name]
    body = json.dumps(damaged(document, data)).encode()
    head = {"content-type": "application/json"}
    asked(lambda _: httpx.Response(200, headers=head, content=body), call)


@pytest.mark.parametrize("number", range(len(EVENTS)))
@settings(max_examples=40, derandomize=True)
@given(data=st.data())
def test_a_damaged_event(number: int, data: st.DataObject) -> None:
    """Of each mode, read by the client, and by a RemoteGraph."""
    name, good = EVENTS[number]
    body = f"event: {name}\ndata: {json.dumps(damaged(good, data))}\n\n".encode()
    head = {"content-type": "text/event-stream"}

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=head, content=body)

    asked(answer, lambda client: list(client.runs.stream(None, "g", version="v2")))
    modes: Any = ["values", "updates", "custom", "messages", "tasks", "checkpoints", "debug"]

    def remote(client: Any) -> None:
        graph = RemoteGraph("g", sync_client=client)
        list(graph.stream({}, stream_mode=modes, version="v2"))

    asked(answer, remote)
