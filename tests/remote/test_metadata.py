"""The metadata of checkpoints is the caller's, and nothing of the server's is among it."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import httpx
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import StateUpdate
from typing_extensions import TypedDict

from langgraph_client import Server
from langgraph_client.remote.config import given_parents
from langgraph_client.thread_ids import server_thread_id
from langgraph_client.values import HEADER, VERSION
from tests.support.comparison import compare
from tests.support.plain_server import plain_graph

ON = {"configurable": {"thread_id": "1"}}
#: Names that servers use, too.
NAMES = {
    "user_id": "bob",
    "created_by": "me",
    "graph_id": "mine",
    "assistant_id": "my own",
    "langgraph_note": 1,
    "checkpoint_note": True,
}
OWN: dict[str, Any] = {
    "configurable": {"thread_id": "1", "tenant": "t", "day": date(2026, 1, 1)},
    "metadata": {**NAMES, "why": "so", "pair": (1, 2)},
}


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    other: int


def route(_: State, config: RunnableConfig) -> str:
    return "long" if config["configurable"].get("tenant") == "t" else "short"


def built(saver: Any = None) -> Any:
    builder = StateGraph(State).add_node("start", lambda _: {"log": ["start"]})
    builder.add_node("long", lambda _: {"log": ["long"]})
    builder.add_node("short", lambda _: {"log": ["short"]})
    builder.add_edge(START, "start").add_conditional_edges("start", route, ["long", "short"])
    return builder.compile(checkpointer=saver)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server({"LangGraph": built()}) as running:
        yield running


def metadata(graph: Any, **options: Any) -> list[Any]:
    history = [state.metadata for state in graph.get_state_history(ON, **options)]
    return [graph.get_state(ON).metadata, graph.get_state(ON).next, history]


def run(graph: Any) -> list[Any]:
    graph.invoke({"log": ["in"]}, OWN)
    by_name = [len(list(graph.get_state_history(ON, filter={key: NAMES[key]}))) for key in NAMES]
    return [*metadata(graph), by_name]


def stream(graph: Any) -> list[Any]:
    modes = ["tasks", "checkpoints", "debug"]
    named = graph.with_config(metadata={"user_id": "bound"})
    return list(named.stream({"log": ["in"]}, OWN, stream_mode=modes))


#: The name of the graph is among the metadata of other clients' updates.
OF_UPDATE = {**OWN, "metadata": {k: v for k, v in OWN["metadata"].items() if k != "graph_id"}}


def update(graph: Any) -> list[Any]:
    graph.update_state(OF_UPDATE, {"log": ["u"]}, as_node="start")
    graph.update_state(ON, {"log": ["v"]})
    return metadata(graph)


def bulk_update(graph: Any) -> list[Any]:
    one, two = StateUpdate({"log": ["u"]}, "start"), StateUpdate({"other": 1}, "long")
    graph.bulk_update_state(OF_UPDATE, [[one], [one, two]])
    graph.bulk_update_state({**ON, "metadata": {"pair": (1, 2)}}, [[one], [two]])
    return metadata(graph)


def update_with_live_objects(graph: Any) -> list[Any]:
    live = {"configurable": {"thread_id": "1", "tenant": "t", "live": object()}}
    graph.update_state(live, {"log": ["u"]}, as_node="start")
    return metadata(graph)


def fork_at_the_end(graph: Any) -> list[Any]:
    # Its first event names the checkpoint before, as the checkpointer has it: without own keys.
    graph.invoke({"log": ["in"]}, OWN)
    here = {**graph.get_state(ON).config["configurable"], "tenant": "t"}
    modes = ["checkpoints", "debug"]
    return list(graph.stream(None, {"configurable": here}, stream_mode=modes, durability="exit"))


STORIES = [run, stream, update, bulk_update, update_with_live_objects, fork_at_the_end]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_it_is_that_of_a_local_graph(server: Server, story: Any) -> None:
    """Of runs and of updates; the functions of an update's branches see its config."""
    compare(story(built(InMemorySaver())), story(server.remote_graph("LangGraph")))


async def test_an_update_in_the_other_colour(server: Server) -> None:
    """An async update writes the metadata of its config, as a blocking one does."""
    graph = server.remote_graph("LangGraph")
    await graph.aupdate_state(OF_UPDATE, {"log": ["u"]}, as_node="start")
    state = await graph.aget_state(ON)
    assert state.next == ("long",)
    assert state.metadata is not None
    assert state.metadata["user_id"] == "bob"


def test_what_the_server_says_of_other_clients_is_left_out(server: Server) -> None:
    """As on a server that knows no RemoteGraph."""
    expected = [state.metadata for state in _ran_locally().get_state_history(ON)]
    thread_id = server_thread_id("1")
    with server.sync_client() as client:
        given = {"given_thread_id": "1"}
        client.threads.create(thread_id=thread_id, graph_id="LangGraph", metadata=given)
        client.runs.wait(thread_id, "LangGraph", input={"log": []})
        client.threads.update_state(thread_id, {"log": ["u"]}, as_node="start")
    for graph in (server.remote_graph("LangGraph"), plain_graph(server, "LangGraph")):
        assert [state.metadata for state in graph.get_state_history(ON)] == expected


def _ran_locally() -> Any:
    graph = built(InMemorySaver())
    graph.invoke({"log": []}, ON)
    graph.update_state(ON, {"log": ["u"]}, as_node="start")
    return graph


def test_the_config_of_an_update_names_no_other_thread_and_no_user(server: Server) -> None:
    """What the server says of thread, checkpoint, run and user cannot be replaced."""
    graph = server.remote_graph("LangGraph")
    graph.invoke({"log": []}, ON)
    (other,) = (graph.update_state({"thread_id": "2"}, {"log": ["2"]}, as_node="start"),)
    config = {
        "configurable": {
            **other["configurable"],
            "run_id": "r",
            "langgraph_auth_user": "root",
            "langgraph_auth_user_id": "root",
            "langgraph_request_id": "q",
            "__pregel_task_id": "x",
            "tenant": "t",
        },
        "metadata": {"run_id": "r", "thread_id": "2", "counters_since_delta_snapshot": {}},
    }
    thread = f"/threads/{server_thread_id('1')}/state"
    headers = {HEADER: VERSION}
    with httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client:
        body = {"values": {"log": ["u"]}, "as_node": "start", "config": config}
        assert client.post(thread, json=body, headers=headers).status_code == 200
        for wrong in ({"configurable": 1}, {"metadata": [1]}, "text", 1):
            answer = client.post(thread, json={**body, "config": wrong}, headers=headers)
            assert answer.status_code == 400
    state = graph.get_state(ON)
    assert state.values["log"] == ["start", "short", "u"]
    assert state.metadata == {"source": "update", "step": 3, "parents": {}, "tenant": "t"}
    assert graph.get_state({"thread_id": "2"}).values["log"] == ["2"]


@pytest.mark.parametrize("made", [Server.remote_graph, plain_graph], ids=["bundled", "plain"])
@pytest.mark.parametrize("section", ["metadata", "configurable"])
def test_the_config_of_a_run_does_not_damage_its_thread(
    server: Server, made: Any, section: str
) -> None:
    """langgraph would fail for ever on its own counters with a value from the config."""
    graph = made(server, "LangGraph")
    config: Any = {"metadata": {"kept": 1}, **ON}
    config = {**config, section: {**config[section], "counters_since_delta_snapshot": 5}}
    graph.invoke({"log": ["one"]}, config)
    state = graph.get_state(ON)
    assert state.metadata["kept"] == 1
    assert "counters_since_delta_snapshot" not in state.metadata
    assert graph.invoke({"log": ["two"]}, ON)["log"] == [
        "one",
        "start",
        "short",
        "two",
        *state.values["log"][1:],
    ]
    with server.sync_client() as client:
        pruned = client.threads.prune([server_thread_id("1")], strategy="keep_latest")
    assert pruned["pruned_count"] == 1


@pytest.mark.parametrize("text", ["no JSON", "[1]", "1", '"x"', "{", '{"": 1}', 7, ["x"]])
def test_parents_that_another_client_wrote(text: Any) -> None:
    """Metadata is any client's text: what is no JSON object names no parents."""
    assert given_parents({"given_parents": text}) == {}
