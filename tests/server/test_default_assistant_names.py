"""The default assistant of a graph has the name with which the graph was compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langgraph.graph import START, StateGraph

from langgraph_client.server.runs.run_document import assistant_id_of
from langgraph_client.testing import TestServer
from tests.auth.conftest import State, keep

BUILDER = StateGraph(State).add_node("keep", keep).add_edge(START, "keep")


def names(graphs: dict[str, Any], path: Path | None = None) -> list[str]:
    with TestServer(graphs, path=None if path is None else str(path)) as server:
        return sorted(one.name for one in server.sync_client().assistants.search())


def test_the_name_of_a_compiled_graph() -> None:
    """It is the title of tools and agents, too. Others have the id of the graph."""
    graphs = {
        "a": BUILDER.compile(),
        "b": BUILDER,
        "c": lambda: BUILDER.compile(name="Made"),
        "d": BUILDER.compile(name="Nice Name"),
    }
    assert names(graphs) == ["Nice Name", "a", "b", "c"]


def test_a_new_name_at_a_later_start(tmp_path: Path) -> None:
    """It replaces the old one; a graph without a name keeps that which its assistant has."""
    path = tmp_path / "state.db"
    assert names({"a": BUILDER.compile()}, path) == ["a"]
    assert names({"a": BUILDER.compile(name="First")}, path) == ["First"]
    assert names({"a": BUILDER.compile(name="Second")}, path) == ["Second"]
    assert names({"a": BUILDER.compile()}, path) == ["Second"]


def test_a_start_without_a_change_makes_no_version(tmp_path: Path) -> None:
    """Each start checks the name, and leaves an assistant that has it as it is."""
    path = str(tmp_path / "state.db")
    for _ in range(2):
        with TestServer({"a": BUILDER.compile(name="First")}, path=path) as server:
            assistant = server.sync_client().assistants.get(assistant_id_of("a"))
    assert assistant.version == 1
