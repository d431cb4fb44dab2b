"""RemoteGraph over mocks and fakes, as people's own unit tests of it look."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import httpx
import pytest
from langchain_core.runnables import RunnableLambda
from langgraph_sdk.client import SyncLangGraphClient

from langgraph_client import APIResponseValidationError, RemoteGraph

ON: Any = {"configurable": {"thread_id": "thread_1"}}
CHECKPOINT = {
    "thread_id": "thread_1",
    "checkpoint_ns": "",
    "checkpoint_id": "checkpoint_1",
    "checkpoint_map": {},
}
STATE: dict[str, Any] = {
    "values": {"x": 1},
    "next": None,
    "checkpoint": CHECKPOINT,
    "metadata": {},
    "created_at": "timestamp",
    "parent_checkpoint": None,
    "tasks": [],
}


class Part(SimpleNamespace):
    """An event of a stream, with no more than its name and its data."""


PARTS = [Part(event="values", data={"x": 1}), Part(event="values", data={"x": 2})]


def blocking(parts: Any) -> MagicMock:
    client = MagicMock()
    client.runs.stream.return_value = parts
    return client


def awaited(parts: list[Part]) -> MagicMock:
    client = MagicMock()
    stream = MagicMock()
    stream.__aiter__.return_value = parts
    client.runs.stream.return_value = stream
    return client


def test_a_mock_s_list_is_a_stream() -> None:
    """`runs.stream.return_value = [...]` is all that a mock needs to say."""
    graph = RemoteGraph("agent", sync_client=blocking(PARTS))
    assert graph.invoke({"x": 0}, ON) == {"x": 2}
    assert list(graph.stream({"x": 0}, ON, stream_mode="values")) == [{"x": 1}, {"x": 2}]


async def test_a_mock_s_async_iterator_is_a_stream() -> None:
    """It is not awaited and not entered, and neither are answers that are no awaitables."""
    graph = RemoteGraph("agent", client=awaited(PARTS))
    assert await graph.ainvoke({"x": 0}, ON) == {"x": 2}
    streamed = [item async for item in graph.astream({"x": 0}, ON, stream_mode="values")]
    assert streamed == [{"x": 1}, {"x": 2}]


def test_a_mock_is_called_as_the_graph_of_langgraph_calls_it() -> None:
    """By keyword, with the thread's id as it was written, and None for what is not given."""
    client = blocking([])
    RemoteGraph("agent", sync_client=client).invoke({"x": 0}, ON)
    sent = client.runs.stream.call_args.kwargs
    assert client.runs.stream.call_args.args == ()
    assert (sent["thread_id"], sent["assistant_id"]) == ("thread_1", "agent")
    assert (sent["input"], sent["config"]) == ({"x": 0}, {"configurable": {}})
    assert [sent[name] for name in ("command", "context", "headers", "params")] == [None] * 4
    client.threads.create.assert_not_called()


async def test_an_empty_stream_of_a_stand_in_is_a_run_that_gives_nothing() -> None:
    """Tests that look at the call alone leave the stream empty."""
    assert RemoteGraph("agent", sync_client=blocking([])).invoke({}, ON) is None
    assert await RemoteGraph("agent", client=awaited([])).ainvoke({}, ON) is None


@pytest.mark.parametrize("text", ["", 'event: message\r\ndata: {"detail":"not today"}\r\n\r\n'])
def test_an_empty_stream_of_a_client_is_an_error(text: str) -> None:
    """Behind a client there is a server, and its run has events."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/info":
            return httpx.Response(200, json={})
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=text)

    with httpx.Client(base_url="http://other", transport=httpx.MockTransport(answer)) as http:
        graph = RemoteGraph("any", sync_client=SyncLangGraphClient(http))
        with pytest.raises(APIResponseValidationError, match="not today" if text else "no event"):
            graph.invoke({})


async def test_states_of_a_mock_are_read() -> None:
    """The config of a state names the thread as the mock's answer does."""
    client, sync_client = AsyncMock(), MagicMock()
    for each in (client, sync_client):
        each.threads.get_state.return_value = STATE
        each.threads.get_history.return_value = [STATE]
    graph = RemoteGraph("agent", client=client, sync_client=sync_client)
    asked: Any = {"configurable": {"thread_id": "thread1"}}
    states = [
        graph.get_state(asked),
        *graph.get_state_history(asked),
        await graph.aget_state(asked),
        *[state async for state in graph.aget_state_history(asked)],
    ]
    assert len(states) == 4
    for state in states:
        assert state.values == {"x": 1}
        assert state.config == {"configurable": CHECKPOINT}
        assert state.next == ()


async def test_updates_of_a_mock_give_the_new_checkpoint() -> None:
    """What the mock was not set up to answer is not missed."""
    client, sync_client = AsyncMock(), MagicMock()
    for each in (client, sync_client):
        each.threads.update_state.return_value = {"checkpoint": CHECKPOINT}
    graph = RemoteGraph("agent", client=client, sync_client=sync_client)
    assert graph.update_state(ON, {"x": 1}) == {"configurable": CHECKPOINT}
    assert await graph.aupdate_state(ON, {"x": 1}) == {"configurable": CHECKPOINT}


def test_a_drawing_of_a_mock_is_read_by_key() -> None:
    """The data of a node are the dict that the server sends, in all that code does with it."""
    told = {"id": ["langgraph", "utils", "RunnableCallable"], "name": "agent_1"}
    client = MagicMock()
    client.assistants.get_graph.return_value = {
        "nodes": [
            {"id": "__start__", "type": "schema", "data": "__start__"},
            {"id": "agent", "type": "runnable", "data": told},
        ],
        "edges": [{"source": "__start__", "target": "agent"}],
    }
    nodes = RemoteGraph("agent", sync_client=client).get_graph().nodes
    data: Any = nodes["agent"].data
    assert data == told
    assert data["name"] == nodes["agent"].name == "agent_1"
    assert nodes["__start__"].data == "__start__"


def test_parts_of_several_modes_are_pairs_with_names() -> None:
    """They unpack as a local graph's, and have the attributes of a stream part.

    Also in functions and tools that langchain calls, outside of a graph.
    """
    graph = RemoteGraph("agent", sync_client=blocking(PARTS))

    def stream(_: object) -> list[Any]:
        return list(graph.stream({}, ON, stream_mode=["values"]))

    for first, _ in (stream(None), RunnableLambda(stream).invoke(None)):
        mode, data = first
        assert (mode, data) == (first.event, first.data) == ("values", {"x": 1})


class Streaming:
    """A hand-written fake whose stream is a generator."""

    def __init__(self) -> None:
        self.runs = self
        self.is_closed = False

    def stream(self, thread_id: str | None, assistant_id: str, **_: Any) -> Iterator[Part]:
        try:
            yield from PARTS
        finally:
            self.is_closed = True


class AsyncStreaming(Streaming):
    """The same for the async methods."""

    async def stream(  # type: ignore[override]
        self, thread_id: str | None, assistant_id: str, **_: Any
    ) -> AsyncIterator[Part]:
        try:
            for part in PARTS:
                yield part
        finally:
            self.is_closed = True


def test_the_stream_of_a_fake_is_closed_when_it_is_left() -> None:
    """Leaving the loop runs its `finally`."""
    fake: Any = Streaming()
    stream = RemoteGraph("agent", sync_client=fake).stream({}, stream_mode="values")
    assert next(iter(stream)) == {"x": 1}
    stream.close()  # type: ignore[attr-defined]
    assert fake.is_closed


async def test_the_async_stream_of_a_fake_is_closed_when_it_is_left() -> None:
    """Closing the async stream of a RemoteGraph closes the stream of its client."""
    fake: Any = AsyncStreaming()
    stream = RemoteGraph("agent", client=fake).astream({}, stream_mode="values")
    assert await anext(stream) == {"x": 1}
    await stream.aclose()  # type: ignore[attr-defined]
    assert fake.is_closed
