"""The JSON schemas of a graph, which forms and tools are made from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server


class Unknown:
    """A class of which pydantic makes no schema."""


class State(TypedDict):
    thing: Unknown


def schemas_of(graph: Any) -> list[Any]:
    with Server({"g": graph}) as server:
        client = server.sync_client()
        found = client.assistants.search()[0]["assistant_id"]
        return [client.assistants.get_schemas(found) for _ in range(2)]


def test_a_schema_that_cannot_be_made_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The schema is null, and the log says which and why."""
    graph = StateGraph(State).add_node("n", lambda state: state).add_edge(START, "n")
    first, again = schemas_of(graph.compile(name="shelf"))
    assert first["input_schema"] is again["input_schema"] is None
    messages = [record.getMessage() for record in caplog.records]
    (about_input,) = [text for text in messages if "the input of 'shelf'" in text]
    assert "Unknown" in about_input


def test_the_graphs_of_the_quick_start_have_schemas(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On every version of Python that the package supports."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "examples" / "agent")
    sys.modules.pop("agent", None)
    from agent import orders

    assert [*schemas_of(orders)[0]["input_schema"]["properties"]] == ["amount", "approved"]
    assert "has no schema" not in caplog.text
