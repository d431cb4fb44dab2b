"""The family of graphs as nodes of a parent: local and remote, the parent cannot tell.

What it streams in each mode, with and without subgraphs, and its state with the child's inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

from langgraph_client import Server
from tests.support.comparison import Names, failure, unordered
from tests.support.family import FAMILY

MODES = ["values", "updates", "custom", "messages", "tasks", "checkpoints", "debug"]
#: Those whose input is a state that a parent can share.
MEMBERS = [
    name
    for name in FAMILY
    if name not in ("functional", "workflow", "pydantic", "dataclass", "contextual", "storing")
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server({name: FAMILY[name].build() for name in MEMBERS}) as running:
        yield running


def parent_of(child: Any, schema: Any) -> Any:
    return (
        StateGraph(schema)
        .add_node("child", child)
        .add_node("after", lambda state: {})
        .add_edge(START, "child")
        .add_edge("child", "after")
        .compile(checkpointer=InMemorySaver(), name="parent")
    )


def played(parent: Any, inputs: Any, thread: str, **how: Any) -> list[Any]:
    names, told = Names(), []
    config = {"configurable": {"thread_id": thread}}
    for given in inputs:
        try:
            told.append([names(item) for item in parent.stream(given, config, **how)])
        except Exception as error:  # What is raised is compared, too.
            told.append(failure(error))
        told.append(names(parent.get_state(config, subgraphs=True)))
    told.append([names(state) for state in parent.get_state_history(config)])
    return told


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", MEMBERS)
def test_a_parent_cannot_tell(server: Server, name: str, mode: Any) -> None:
    """Streams, state and history of the parent are those over a local subgraph."""
    member = FAMILY[name]
    local = member.build()
    schema = local.builder.state_schema
    for subgraphs in (False, True):
        how = {"stream_mode": mode, "subgraphs": subgraphs}
        thread = f"{name} {how}"
        here = played(parent_of(local, schema), member.inputs, thread, **how)
        there = played(parent_of(server.remote_graph(name), schema), member.inputs, thread, **how)
        if member.side_by_side:
            here, there = unordered(here), unordered(there)
        assert there == here, thread


@pytest.mark.parametrize("name", ["row", "nested", "inner questions", "talking"])
async def test_an_async_parent_cannot_tell(server: Server, name: str) -> None:
    """The same through `astream`, in several modes at once."""
    member = FAMILY[name]
    seen = []
    remote = server.remote_graph(name)
    for child in (member.build(), remote):
        parent, names = parent_of(child, member.build().builder.state_schema), Names()
        told: list[Any] = []
        for given in member.inputs:
            stream = parent.astream(
                given,
                {"configurable": {"thread_id": f"async {name}"}},
                stream_mode=["values", "updates", "messages", "custom"],
                subgraphs=True,
            )
            told.append([names(item) async for item in stream])
        seen.append(unordered(told) if member.side_by_side else told)
    await remote.aclose()
    assert seen[0] == seen[1]
