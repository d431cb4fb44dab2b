"""A parent graph resumes while its remote child runs, has asked or is over: as with a local child.

Each scenario is played with a local subgraph, with a remote graph on the bundled server, and on a
server that speaks the protocol only. What is invoked, kept and executed is compared.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph.types import Command, interrupt

from langgraph_client import ScriptedGraph, Server
from langgraph_client.testing import Ask
from tests.support.comparison import Names, failure
from tests.support.plain_server import plain_graph
from tests.support.resumption_graphs import (
    RAN,
    Child,
    K,
    State,
    around,
    by_question,
    children,
    side_by_side,
    told,
)
from tests.support.resumption_scenarios import IMPOSSIBLE, ONCE_MORE, SCENARIOS, Scenario


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(children()) as running:
        yield running


def played(play: Scenario, child: Child) -> Any:
    RAN.clear()
    K["configurable"]["thread_id"] = str(uuid.uuid4())
    try:
        result = play(child)
    except Exception as error:  # What is raised is compared, too.
        result = failure(error)
    return Names()((result, sorted(RAN)))


def local_child(name: str, **compiled: Any) -> Any:
    return children(**compiled)[name]


@pytest.mark.parametrize("play", SCENARIOS, ids=lambda play: play.__name__)
def test_a_resumed_parent_cannot_tell(server: Server, play: Scenario) -> None:
    """Answers reach the questions of a remote child, and nothing that is over runs again."""
    here = played(play, local_child)
    there = played(play, server.remote_graph)
    assert there == here


@pytest.mark.parametrize(
    "play",
    [play for play in SCENARIOS if play not in IMPOSSIBLE],
    ids=lambda play: play.__name__,
)
def test_a_resumed_parent_cannot_tell_on_plain_servers(server: Server, play: Scenario) -> None:
    """The same without what the bundled server has beyond the protocol."""
    result, ran = played(play, local_child)
    if play in ONCE_MORE:
        ran = sorted([*ran, "q"])
    there = played(play, lambda name, **options: plain_graph(server, name, **options))
    assert there == (result, ran)


# --- what else may come of it ---


async def test_an_async_parent_answers_on_such_a_server(server: Server) -> None:
    """The answer reaches a child that had not begun, and nobody sees that the run has paused."""
    seen = []
    for child in (local_child("asks_between"), plain_graph(server, "asks_between")):
        K["configurable"]["thread_id"] = str(uuid.uuid4())
        parent = around(child, interrupt_before=["n"])
        await parent.ainvoke({"log": ["in"]}, K)
        stream = parent.astream(
            Command(resume="yes"), K, stream_mode=["updates", "values"], subgraphs=True
        )
        seen.append(Names()([item async for item in stream if item[1] == "updates"]))
    await child.aclose()
    assert seen[1] == seen[0]


class NotJson:
    """A value that is not JSON."""


@pytest.mark.parametrize("plain", [False, True])
def test_answers_for_others_need_not_be_json(server: Server, plain: bool) -> None:
    """An answer to a local question beside the remote child stays in this process."""
    K["configurable"]["thread_id"] = str(uuid.uuid4())
    child = plain_graph(server, "asks") if plain else server.remote_graph("asks")
    parent = side_by_side(
        lambda state: {"log": [type(interrupt("local?")).__name__]},
        lambda state: child.invoke({"log": []}),
    )
    parent.invoke({"log": []}, K)
    ids = by_question(parent)
    answers = {ids["local?"]: NotJson(), ids["q?"]: "yes"}
    assert told(parent.invoke(Command(resume=answers), K)) == ["NotJson", "yes"]


def test_a_scripted_child_goes_on() -> None:
    """A script, too, goes on from its question, and is over after its last step."""
    K["configurable"]["thread_id"] = str(uuid.uuid4())
    script = ScriptedGraph([{"x": 1}, Ask("one?", into="y"), Ask("two?", into="z")])
    with Server({"script": script}) as server:
        child = server.remote_graph("script")

        def node(state: State) -> State:
            result = child.invoke({"given": 0})
            return {"log": [result, interrupt("sure?")]}

        parent = around(node)
        assert told(parent.invoke({"log": []}, K)) == ["one?"]
        assert told(parent.invoke(None, K)) == ["one?"]
        (asked,) = parent.get_state(K).interrupts
        assert told(parent.invoke(Command(resume={asked.id: "A"}), K)) == ["two?"]
        assert told(parent.invoke(Command(resume="B"), K)) == ["sure?"]
        result, sure = told(parent.invoke(Command(resume="yes"), K))
        assert (result, sure) == ({"given": 0, "x": 1, "y": "A", "z": "B"}, "yes")
