"""What is sent arrives as it was: messages, dicts that look like them, commands for a state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send, StateUpdate
from typing_extensions import TypedDict

from langgraph_client import NotFoundError, RemoteGraph, Server, get_sync_client
from tests.support.comparison import compare

ON = {"configurable": {"thread_id": "11111111-1111-4111-8111-111111111111"}}


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    log: list[dict[str, Any]]
    tool: Any
    seen: Annotated[list[str], lambda old, new: old + new]


def log(_: State) -> State:
    return {
        "log": [AIMessage("x", id="1").model_dump(), {"inner": HumanMessage("y", id="2")}],
        "tool": ToolMessage("r", tool_call_id="c", id="3", artifact=(1, {2})),
    }


def build() -> Any:
    builder = StateGraph(State)
    builder.add_node("log", log)
    builder.add_node("other", lambda state: {"seen": ["other"]})
    builder.add_edge(START, "log")
    builder.add_edge("log", END)
    return builder.compile()


@pytest.fixture
def hosted() -> Iterator[Server]:
    with Server({"keeping": build()}) as running:
        yield running


@pytest.fixture
def both(hosted: Server) -> list[Any]:
    return [build().copy({"checkpointer": InMemorySaver()}), hosted.remote_graph("keeping")]


def test_dicts_that_look_like_messages_stay_dicts(both: list[Any]) -> None:
    """In results, streams and states; messages beside them, and inside other dicts, are objects."""
    local, remote = both
    result = remote.invoke({"seen": []}, ON)
    compare(result, local.invoke({"seen": []}, ON))
    assert result["tool"].artifact == (1, {2})
    compare(remote.get_state(ON).values, local.get_state(ON).values)
    for mode in ("values", "updates", "tasks", "checkpoints", "debug"):
        streamed, expected = (
            list(graph.stream({"seen": []}, ON, stream_mode=mode)) for graph in (remote, local)
        )
        compare(streamed, expected)
    assert isinstance(remote.get_state(ON).values["log"][0], dict)


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage("hi", id="1", name="n"),
        AIMessage("", id="1", tool_calls=[{"name": "t", "args": {"a": 1}, "id": "c"}]),
        AIMessage(
            "x", id="1", usage_metadata={"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        ),
        ToolMessage("r", id="1", tool_call_id="c", artifact={"deep": (1, 2)}, status="error"),
        AIMessage("x", id="1", additional_kwargs={"k": 1}, response_metadata={"model": "m"}),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_arrive_as_they_were(both: list[Any], message: Any) -> None:
    """Nothing of a message moves to `additional_kwargs`, on the way in and in an update."""
    for graph in both:
        graph.invoke({"messages": [message]}, ON)
        # The artifact of a tool is kept by the checkpointer without its tuples, locally too.
        kept = graph.get_state(ON).values["messages"]
        assert [one.model_copy(update={"artifact": None}) for one in kept] == [
            message.model_copy(update={"artifact": None})
        ]
        graph.update_state(ON, {"messages": [RemoveMessage(id="1")]}, "log")
        assert graph.get_state(ON).values["messages"] == []
        graph.update_state(ON, {"messages": message}, "log")
    compare(both[1].get_state(ON).values["messages"], both[0].get_state(ON).values["messages"])


@pytest.mark.parametrize(
    "command",
    [
        Command(update={"seen": ["a"]}),
        Command(update={"seen": ["a"]}, goto="other"),
        Command(update={"seen": ["a"]}, goto=[Send("other", {"seen": ["s"]})]),
    ],
    ids=["update", "goto", "send"],
)
def test_a_command_acts_in_an_update_of_the_state(both: list[Any], command: Any) -> None:
    """As if the node had returned it, singly and in bulk."""
    for method in ("update_state", "bulk_update_state"):
        states = []
        for graph in both:
            config = {"configurable": {"thread_id": f"{method}"}}
            if method == "update_state":
                graph.update_state(config, command, "log")
            else:
                graph.bulk_update_state(config, [[StateUpdate(command, "log")]])
            state = graph.get_state(config)
            states.append((state.values, state.next, graph.invoke(None, config)))
        compare(*states)


def other(requests: list[httpx.Request]) -> httpx.MockTransport:
    """A server that speaks the protocol only."""

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if request.url.path == "/info":
            return httpx.Response(404, json={"detail": "Not Found"})
        if request.url.path.endswith("/stream"):
            events = 'event: values\r\ndata: {"x":1}\r\n\r\n'
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=events)
        return httpx.Response(200, json={"metadata": {"graph_id": "g"}, "checkpoint": {}})

    return httpx.MockTransport(answer)


def test_other_servers_get_messages_of_which_a_graph_makes_the_same() -> None:
    """Keys that say nothing, and that a graph does not expect in a dict, are left out."""
    requests: list[httpx.Request] = []
    with get_sync_client(url="http://other", transport=other(requests)) as client:
        RemoteGraph("g", sync_client=client).invoke({"messages": [AIMessage("x", id="1")]})
    assert b"invalid_tool_calls" not in requests[-1].content
    assert b"usage_metadata" not in requests[-1].content


def test_other_servers_take_the_update_of_a_command_only() -> None:
    """What they would lose without a word is refused by name."""
    requests: list[httpx.Request] = []
    with get_sync_client(url="http://other", transport=other(requests)) as client:
        graph = RemoteGraph("g", sync_client=client)
        graph.update_state(ON, Command(update={"x": 1}))
        assert b'"values":{"x":1}' in requests[-1].content
        with pytest.raises(NotImplementedError, match="goto"):
            graph.update_state(ON, Command(goto="other"))


def test_a_thread_that_is_gone_is_made_again(hosted: Server) -> None:
    """What a RemoteGraph remembers of a thread is not held against the server."""
    remote, client = hosted.remote_graph("keeping"), hosted.sync_client()
    remote.update_state(ON, {"seen": ["a"]}, "log")
    client.threads.delete(ON["configurable"]["thread_id"])
    remote.update_state(ON, {"seen": ["b"]}, "log")
    assert remote.get_state(ON).values == {"messages": [], "seen": ["b"]}
    with pytest.raises(NotFoundError):
        client.threads.get("22222222-2222-4222-8222-222222222222")
