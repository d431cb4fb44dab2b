"""What a local graph can and the protocol cannot say: the bundled server understands it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import UnknownInterruptError
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, StateUpdate, interrupt

from langgraph_client import RemoteGraph, Server, get_sync_client
from tests.support.comparison import Names

ON = {"configurable": {"thread_id": "1"}}


@tool
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def calling() -> Any:
    call = {"name": "double", "args": {"number": 2}, "id": "c", "type": "tool_call"}
    builder = StateGraph(MessagesState)
    builder.add_node("ask", lambda _: {"messages": [AIMessage("", tool_calls=[call], id="1")]})
    builder.add_node("tools", ToolNode([double]))
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "tools")
    return builder.compile()


def asking() -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("ask", lambda _: {"messages": [("ai", interrupt("?"))]})
    builder.add_edge(START, "ask")
    return builder.compile()


def gathering() -> Any:
    builder = StateGraph(Annotated[list, lambda old, new: [*old, new]])
    builder.add_node("add", lambda _: "by the node")
    builder.add_edge(START, "add")
    return builder.compile()


@pytest.fixture(scope="module")
def hosted() -> Iterator[Server]:
    graphs = {"calling": calling(), "asking": asking(), "gathering": gathering()}
    with Server(graphs) as running:
        yield running


def test_events_of_tools(hosted: Server) -> None:
    """The mode "tools" yields what it yields locally, alone and among others."""
    here, there = Names(), Names()
    for mode in ("tools", ["tools", "updates"]):
        expected = here(list(calling().stream({"messages": []}, stream_mode=mode)))
        remote = hosted.remote_graph("calling")
        assert there(list(remote.stream({"messages": []}, stream_mode=mode))) == expected
        assert expected


def test_events_of_tools_are_refused_where_a_server_has_none() -> None:
    """By name, before the run is started."""
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(answer)
    with (
        get_sync_client(url="http://other", transport=transport) as client,
        pytest.raises(NotImplementedError, match="tools"),
    ):
        list(RemoteGraph("any", sync_client=client).stream({}, stream_mode="tools"))
    assert paths == ["/info"]


@pytest.mark.parametrize("said", ["config", "keyword"])
def test_strict_resume(hosted: Server, said: str) -> None:
    """An answer to no pending question is refused, as langgraph does when its config says so."""
    remote = hosted.remote_graph("asking")
    config: Any = {"configurable": {"thread_id": said}}
    options: dict[str, Any] = {}
    remote.invoke({"messages": []}, config)
    if said == "config":
        config["configurable"]["__pregel_strict_resume"] = True
    else:
        options["strict_resume"] = True
    with pytest.raises(UnknownInterruptError) as caught:
        remote.invoke(Command(resume={"0" * 32: "x"}), config, **options)
    assert caught.value.reason == "not_pending"
    assert caught.value.pending_ids == (remote.get_state(config).interrupts[0].id,)
    remote.invoke(Command(resume="yes"), config)


def test_an_update_with_a_bare_value(hosted: Server) -> None:
    """A graph whose state is no dict is updated as locally."""
    local = gathering().copy({"checkpointer": InMemorySaver()})
    for graph in (local, hosted.remote_graph("gathering")):
        graph.invoke("first", ON)
        graph.update_state(ON, "by hand", "add")
        assert graph.get_state(ON).values == ["first", "by the node", "by hand"]


def test_invoke_passes_on_what_stream_takes(hosted: Server) -> None:
    """As locally; what neither takes is refused by name."""
    remote = hosted.remote_graph("calling")
    assert len(remote.invoke({"messages": []}, subgraphs=True)["messages"]) == 2
    for keyword in ("wants_output", "whole_state", "events", "thread"):
        with pytest.raises(TypeError, match=keyword):
            remote.invoke({"messages": []}, **{keyword: True})


def test_several_updates_in_a_superstep_of_a_thread_that_exists(hosted: Server) -> None:
    """As locally: all are written in one step; a busy thread is refused by the server."""
    local = gathering().copy({"checkpointer": InMemorySaver()})
    on = {"configurable": {"thread_id": "bulk"}}
    states = []
    for graph in (local, hosted.remote_graph("gathering")):
        graph.invoke("first", on)
        graph.bulk_update_state(
            on, [[StateUpdate("a", "add"), StateUpdate("b", "add")], [StateUpdate("c", "add")]]
        )
        states.append((graph.get_state(on).values, len(list(graph.get_state_history(on)))))
    assert states[0] == states[1]
    remote = hosted.remote_graph("gathering")
    old = remote.get_state(on).config
    with pytest.raises(NotImplementedError, match="checkpoint_id"):
        remote.bulk_update_state(old, [[StateUpdate("a", "add"), StateUpdate("b", "add")]])
