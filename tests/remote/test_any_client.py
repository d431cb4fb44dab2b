"""RemoteGraph over other clients: those of langgraph_sdk, and anything of that shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, StateUpdate
from langgraph_sdk import get_client, get_sync_client
from langgraph_sdk.client import LangGraphClient, SyncLangGraphClient

from langgraph_client import APIResponseValidationError, RemoteException, RemoteGraph
from langgraph_client.testing import TestServer
from langgraph_client.values import HEADER
from tests.support.comparison import compare
from tests.support.graphs import fresh_graph, shared_graphs

ON = {"configurable": {"thread_id": "user-1"}}


@pytest.fixture(params=["in process", "port"])
def server(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    with TestServer(shared_graphs()) as running:
        if request.param == "port":
            running.listen()
        yield running


@pytest.fixture
def blocking(server: TestServer) -> Iterator[SyncLangGraphClient]:
    if server.url is not None:
        client = get_sync_client(url=server.url)
    else:
        transport = server.transport()
        client = SyncLangGraphClient(
            httpx.Client(base_url="http://server", transport=transport, timeout=60)
        )
    with client:
        yield client


@pytest.fixture
async def awaited(server: TestServer) -> AsyncIterator[LangGraphClient]:
    if server.url is not None:
        client = get_client(url=server.url)
    else:
        transport = server.async_transport()
        client = LangGraphClient(
            httpx.AsyncClient(base_url="http://server", transport=transport, timeout=60)
        )
    async with client:
        yield client


def local(name: str) -> Any:
    return fresh_graph(name).copy({"checkpointer": InMemorySaver()})


def test_a_conversation_with_a_question(blocking: SyncLangGraphClient) -> None:
    """Interrupt, state, history, update and resume are those of the local graph."""
    here, there = local("approval"), RemoteGraph("approval", sync_client=blocking)
    for graph in (here, there):
        graph.invoke({"draft": "d"}, ON)
    compare(there.get_state(ON), here.get_state(ON))
    compare(list(there.get_state_history(ON)), list(here.get_state_history(ON)))
    for graph in (here, there):
        graph.update_state(ON, {"draft": "changed"}, "write")
    resume = Command(resume="yes")
    compare(there.invoke(resume, ON), here.invoke(resume, ON))
    modes: Any = ["values", "updates"]
    again = {"draft": "again"}
    compare(
        list(there.stream(again, ON, stream_mode=modes)),
        list(here.stream(again, ON, stream_mode=modes)),
    )


async def test_the_async_client(awaited: LangGraphClient) -> None:
    """The async methods over langgraph_sdk's client give what a local graph gives."""
    here, there = local("chat"), RemoteGraph("chat", client=awaited)
    hi = {"messages": [("user", "hi! I'm bob")]}
    compare(await there.ainvoke(hi, ON), await here.ainvoke(hi, ON))
    compare(await there.aget_state(ON), await here.aget_state(ON))
    streamed = [item async for item in there.astream(hi, ON, stream_mode="values")]
    assert [item["messages"][-1].type for item in streamed] == ["human", "ai"]
    history = [snapshot async for snapshot in there.aget_state_history(ON)]
    assert len(history) == 6
    drawing = await there.aget_graph()
    assert drawing.nodes.keys() == here.get_graph().nodes.keys()


def test_an_unknown_thread_and_a_failure(blocking: SyncLangGraphClient) -> None:
    """What that client raises is understood: a thread that is not there, a state refused."""
    graph = RemoteGraph("row", sync_client=blocking)
    assert graph.get_state(ON).values == {}
    assert list(graph.get_state_history(ON)) == []
    with pytest.raises(RemoteException) as caught:
        graph.update_state(ON, {"log": ["x"]}, "no such node")
    assert caught.value.error == "InvalidUpdateError"
    failing = RemoteGraph("failing", sync_client=blocking)
    with pytest.raises(ValueError, match="value is wrong"):
        failing.invoke({"how": "value"}, ON)
    graph.bulk_update_state(
        {"configurable": {"thread_id": "bulk"}},
        [[StateUpdate({"log": ["a"]}, "one"), StateUpdate({"log": ["b"]}, "two")]],
    )


def test_schemas_and_subgraphs(blocking: SyncLangGraphClient) -> None:
    """Introspection reads the replies by key."""
    here, there = local("nested"), RemoteGraph("nested", sync_client=blocking)
    assert there.get_input_jsonschema() == here.get_input_jsonschema()
    assert dict(there.get_subgraphs()).keys() == dict(here.get_subgraphs()).keys()


def test_leaving_a_stream_early_stops_the_run(
    server: TestServer, blocking: SyncLangGraphClient
) -> None:
    """Whatever client reads the stream."""
    graph = RemoteGraph("row", sync_client=blocking)
    with server.hold(node="two") as held:
        for _ in graph.stream({"topic": "t"}, ON):
            break
        thread_id = blocking.threads.search()[0]["thread_id"]
        server.requests.assert_one("POST", "/threads/*/runs/*/cancel")
        (run,) = blocking.runs.list(thread_id)
        blocking.runs.join(thread_id, run["run_id"])
        (run,) = blocking.runs.list(thread_id)
        assert run["status"] == "interrupted"
        assert held


class Part(SimpleNamespace):
    """An event of a stream."""


def canned(*parts: Part) -> Any:
    """The least of a client: a stream that is a list."""
    return SimpleNamespace(runs=SimpleNamespace(stream=lambda *_, **__: list(parts)))


def test_any_iterable_is_a_stream() -> None:
    """A client needs no more than the resources that a call uses."""
    client = canned(
        Part(event="metadata", data={"run_id": "r"}), Part(event="values", data={"x": 1})
    )
    assert RemoteGraph("any", sync_client=client).invoke({}) == {"x": 1}


def test_a_stream_without_an_event_of_the_protocol_is_an_error() -> None:
    """It is no run that gave nothing; what the server said instead is in the error."""
    parts = [Part(event="message", data={"detail": "not today"})]
    graph = RemoteGraph("any", sync_client=canned(*parts))
    with pytest.raises(APIResponseValidationError, match="not today"):
        graph.invoke({})


async def test_any_async_iterable_is_a_stream() -> None:
    """A client of the caller may return any async iterable as a stream."""

    class Stream:
        async def __aiter__(self) -> AsyncIterator[Part]:
            yield Part(event="values", data={"x": 1})

    client: Any = SimpleNamespace(runs=SimpleNamespace(stream=lambda *_, **__: Stream()))
    assert await RemoteGraph("any", client=client).ainvoke({}) == {"x": 1}


def test_headers_of_our_own_go_only_where_they_are_read() -> None:
    """The server is asked without them; one that does not answer for them never gets them."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if request.url.path == "/info":
            return httpx.Response(200, json={})
        events = 'event: values\r\ndata: {"x":1}\r\n\r\n'
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=events)

    with httpx.Client(base_url="http://other", transport=httpx.MockTransport(answer)) as http:
        graph = RemoteGraph("any", sync_client=SyncLangGraphClient(http))
        list(graph.stream({}, stream_mode="values"))
        list(graph.stream({}, stream_mode="values"))
    assert [request.url.path for request in requests] == ["/info", "/runs/stream", "/runs/stream"]
    assert not [
        name for request in requests for name in request.headers if name.startswith("x-lang")
    ]
    assert HEADER.startswith("x-lang")


def test_a_client_that_is_set_later(blocking: SyncLangGraphClient) -> None:
    """Programs replace the client of a graph, for one with other settings or for a mock."""
    graph = RemoteGraph("chat", url="http://nowhere.invalid")
    graph.sync_client = blocking
    assert graph.sync_client is blocking
    assert graph.get_graph().nodes
