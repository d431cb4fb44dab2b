"""`Server.pull`: a thread of another server, taken over with its history."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from langgraph_client import Server, SyncLangGraphClient, get_sync_client
from langgraph_client.errors import NotFoundError
from langgraph_client.server.errors import Conflict, NotFound, Refused
from tests.support.graphs import fresh_graph, graphs


class Work(TypedDict, total=False):
    done: Annotated[list[str], operator.add]
    tags: set[str]


def joined() -> Any:
    """Two nodes side by side, one of which asks, and one behind both."""

    def left(state: Work) -> Work:
        return {"done": ["left"], "tags": {"a", "b"}}

    def right(state: Work) -> Work:
        return {"done": [f"right:{interrupt('go on?')}"]}

    def last(state: Work) -> Work:
        return {"done": [f"last:{len(state['done'])}"]}

    builder = StateGraph(Work)
    for node in (left, right, last):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "left").add_edge(START, "right")
    return builder.add_edge(["left", "right"], "last").add_edge("last", END).compile(name="joined")


def all_graphs() -> dict[str, Any]:
    return {**graphs(), "joined": joined()}


@pytest.fixture
def theirs(request: pytest.FixtureRequest, subject: str) -> Iterator[SyncLangGraphClient]:
    """A client of the server that has the thread."""
    if subject == "real":
        with get_sync_client(url=request.getfixturevalue("real_url"), api_key=None) as client:
            yield client
    else:
        with Server(all_graphs()) as server, server.sync_client() as client:
            yield client


@pytest.fixture
def ours() -> Iterator[Server]:
    """The server that takes it over."""
    with Server(all_graphs()) as server:
        yield server


def assert_same(client: SyncLangGraphClient, ours: Server, thread_id: str) -> list[Any]:
    """Compare the thread's states on the two servers, checkpoint by checkpoint."""
    mine = ours.sync_client()
    expected = list(client.threads.iter_history(thread_id))
    got = list(mine.threads.iter_history(thread_id))
    assert got == expected
    for state in expected:
        place = state["checkpoint"]
        wanted = client.threads.get_state(thread_id, checkpoint=place)
        assert mine.threads.get_state(thread_id, checkpoint=place) == wanted
    assert mine.threads.get_state(thread_id) == client.threads.get_state(thread_id)
    deep = client.threads.get_state(thread_id, subgraphs=True)
    assert mine.threads.get_state(thread_id, subgraphs=True) == deep
    there, here = client.threads.get(thread_id), mine.threads.get(thread_id)
    for name in ("status", "metadata", "values", "interrupts", "created_at", "updated_at"):
        assert here[name] == there[name], name
    return expected


GIVEN = {
    "row": {"topic": "t"},
    "loop": {},
    "chat": {"messages": [{"role": "user", "content": "I'm bob"}]},
    "approval": {"draft": "d"},
    "nested": {"draft": "d"},
    "parallel": {},
    "failing": {"how": "value"},
    "fanout": {"items": [1, 2]},
    "climber": {},
    "functional": 3,
}


@pytest.mark.parametrize("graph", list(GIVEN))
def test_every_state_is_the_same(theirs: SyncLangGraphClient, ours: Server, graph: str) -> None:
    """`get_state` is equal at every checkpoint, and so are history and thread."""
    thread_id = theirs.threads.create(metadata={"team": "a"})["thread_id"]
    theirs.runs.wait(thread_id, graph, input=GIVEN[graph], raise_error=False)
    pulled = ours.pull(theirs, thread_id)
    assert assert_same(theirs, ours, thread_id)
    assert pulled.checkpoints >= 2


def test_a_run_goes_on_from_any_checkpoint(theirs: SyncLangGraphClient, ours: Server) -> None:
    """A run from the seventh checkpoint does here what it does there."""
    thread_id = theirs.threads.create()["thread_id"]
    theirs.runs.wait(thread_id, "loop", input={})
    ours.pull(theirs, thread_id)
    states = list(theirs.threads.iter_history(thread_id))
    seventh = states[-7]
    assert seventh["next"]
    for client in (theirs, ours.sync_client()):
        result = client.runs.wait(thread_id, "loop", checkpoint=seventh["checkpoint"])
        assert result == {"step": 3, "message": "Process complete"}
        assert len(list(client.threads.iter_history(thread_id))) > len(states)


@pytest.mark.parametrize("graph", ["approval", "nested"])
def test_a_question_is_answered_here(theirs: SyncLangGraphClient, ours: Server, graph: str) -> None:
    """A question that was asked there takes its answer here, in a subgraph as well."""
    thread_id = theirs.threads.create()["thread_id"]
    theirs.runs.wait(thread_id, graph, input={"draft": "d"})
    ours.pull(theirs, thread_id)
    mine = ours.sync_client()
    assert mine.threads.get(thread_id)["status"] == "interrupted"
    answer = mine.runs.wait(thread_id, graph, command={"resume": "yes"})
    assert answer == theirs.runs.wait(thread_id, graph, command={"resume": "yes"})
    assert answer["answers"] == ["yes"]


def test_forks_stay_forks(theirs: SyncLangGraphClient, ours: Server) -> None:
    """Each fork keeps its own values and its parent."""
    thread_id = theirs.threads.create()["thread_id"]
    theirs.runs.wait(thread_id, "row", input={"topic": "t"})
    [before] = [s for s in theirs.threads.iter_history(thread_id) if s["next"] == ["two"]]
    for topic in ("f", "g"):
        fork = theirs.threads.update_state(
            thread_id, {"topic": topic}, as_node="one", checkpoint=before["checkpoint"]
        )
        theirs.runs.wait(thread_id, "row", checkpoint=fork["checkpoint"])
    ours.pull(theirs, thread_id)
    states = assert_same(theirs, ours, thread_id)
    assert {state["values"].get("topic") for state in states} == {None, "t", "f", "g"}
    again = ours.sync_client().runs.wait(thread_id, "row", checkpoint=before["checkpoint"])
    assert again == {"topic": "t", "log": ["one", "two:t"]}


@pytest.fixture
def side_by_side() -> Iterator[SyncLangGraphClient]:
    """A client of a server of ours with `joined`."""
    with Server(all_graphs()) as server, server.sync_client() as client:
        yield client


def test_what_is_done_is_not_done_again(side_by_side: SyncLangGraphClient, ours: Server) -> None:
    """A step that is half done goes on: what has run stays, and what waits for it starts."""
    thread_id = side_by_side.threads.create()["thread_id"]
    side_by_side.runs.wait(thread_id, "joined", input={})
    pulled = ours.pull(side_by_side, thread_id)
    assert pulled.missing == []
    assert_same(side_by_side, ours, thread_id)
    result = ours.sync_client().runs.wait(thread_id, "joined", command={"resume": "y"})
    assert result["done"] == ["left", "right:y", "last:2"]


def test_pulled_values_keep_their_types(side_by_side: SyncLangGraphClient, ours: Server) -> None:
    """From a server of ours, values keep the types that JSON loses."""
    thread_id = side_by_side.threads.create()["thread_id"]
    side_by_side.runs.wait(thread_id, "joined", input={})
    side_by_side.runs.wait(thread_id, "joined", command={"resume": "y"})
    ours.pull(side_by_side, thread_id)
    config = {"configurable": {"thread_id": thread_id}}
    assert ours.remote_graph("joined").get_state(config).values["tags"] == {"a", "b"}


def test_what_is_not_told(theirs: SyncLangGraphClient, ours: Server) -> None:
    """The inputs of tasks started by Send are in no state: they are named, with the checkpoint."""
    thread_id = theirs.threads.create()["thread_id"]
    theirs.runs.wait(thread_id, "fanout", input={"items": [1, 2]})
    missing = ours.pull(theirs, thread_id).missing
    assert missing
    assert all("started by Send (checkpoint " in one for one in missing)


def test_items_of_the_store(theirs: SyncLangGraphClient, ours: Server) -> None:
    """Items in and below the namespaces that were asked for come along; others do not."""
    thread_id = theirs.threads.create()["thread_id"]
    for namespace in (["pull", "a"], ["pull", "a", "b"], ["other"]):
        theirs.store.put_item(namespace, "k", {"at": namespace})
    pulled = ours.pull(theirs, thread_id, store=[("pull", "a")])
    mine = ours.sync_client()
    assert (pulled.items, pulled.checkpoints) == (2, 0)
    assert mine.store.get_item(["pull", "a", "b"], "k")["value"] == {"at": ["pull", "a", "b"]}
    assert mine.store.search_items(["other"])["items"] == []
    assert mine.threads.get(thread_id)["status"] == "idle"


def test_a_pull_is_refused(side_by_side: SyncLangGraphClient, ours: Server) -> None:
    """A thread that is here, one that is nowhere, a graph that is not hosted or is another one."""
    thread_id = side_by_side.threads.create()["thread_id"]
    side_by_side.runs.wait(thread_id, "row", input={"topic": "t"})
    ours.pull(side_by_side, thread_id)
    with pytest.raises(Conflict, match="already exists"):
        ours.pull(side_by_side, thread_id)
    with pytest.raises(NotFoundError):
        ours.pull(side_by_side, "00000000-0000-4000-8000-000000000000")
    with Server({"loop": fresh_graph("loop")}) as other, pytest.raises(NotFound, match="row"):
        other.pull(side_by_side, thread_id)
    with Server({"row": fresh_graph("loop")}) as other:
        with pytest.raises(Refused, match="no channel"):
            other.pull(side_by_side, thread_id)
        client = other.sync_client()
        assert client.threads.search() == []
        assert client.threads.create(thread_id=thread_id)["values"] is None
        assert client.threads.get_history(thread_id) == []


def test_a_file_keeps_it(side_by_side: SyncLangGraphClient, tmp_path: Path) -> None:
    """A thread that was taken over into a file is there after a restart."""
    thread_id = side_by_side.threads.create()["thread_id"]
    side_by_side.runs.wait(thread_id, "chat", input={"messages": [("user", "I'm bob")]})
    with Server(all_graphs(), path=tmp_path / "state.db") as server:
        server.pull(side_by_side, thread_id)
    with Server(all_graphs(), path=tmp_path / "state.db") as server:
        assert_same(side_by_side, server, thread_id)
        given = {"messages": [("user", "name?")]}
        result = server.sync_client().runs.wait(thread_id, "chat", input=given)
        assert result["messages"][-1]["content"] == "You are Bob"


def test_runs_are_copied(theirs: SyncLangGraphClient, ours: Server) -> None:
    """Runs that are over come along as they are; what does not is named."""
    thread_id = theirs.threads.create()["thread_id"]
    for topic in ("one", "two"):
        theirs.runs.wait(thread_id, "row", input={"topic": topic}, metadata={"topic": topic})
    theirs.runs.create(thread_id, "row", input={"topic": "late"}, after_seconds=600)
    pulled = ours.pull(theirs, thread_id)
    assert pulled.runs == 2
    (waiting, *over) = theirs.runs.list(thread_id)
    assert [dict(run) for run in ours.sync_client().runs.list(thread_id)] == [
        dict(run) for run in over
    ]
    late, events = pulled.not_copied
    assert late == f"run {waiting['run_id']} is not over: it goes on there, and is not copied"
    assert events.startswith("the events of 2 runs")
    theirs.runs.cancel(thread_id, waiting["run_id"])
