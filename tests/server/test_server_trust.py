"""What a file says is data: it makes no object that nobody allowed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server


@dataclass
class Named:
    """The graph's schema names it."""

    value: int


@dataclass
class Unnamed:
    """Nobody names it."""

    value: int


class State(TypedDict, total=False):
    named: Named
    anything: Any


def put(state: State) -> dict[str, Any]:
    return {"named": Named(1), "anything": Unnamed(2)}


def _graph() -> Any:
    return StateGraph(State).add_node("put", put).add_edge(START, "put").compile()


CONFIG = {"configurable": {"thread_id": "1"}}


@pytest.mark.parametrize(
    ("allowed", "kind"), [([], dict), ([Unnamed], Unnamed)], ids=["not allowed", "allowed"]
)
def test_only_allowed_classes_come_out_of_a_file(
    tmp_path: Path, allowed: list[type], kind: type, caplog: pytest.LogCaptureFixture
) -> None:
    """The schema's classes are made again, others where `allow_types` names them."""
    with Server({"g": _graph()}, path=tmp_path / "state.db", allow_types=allowed) as server:
        remote = server.remote_graph("g", allow_types=[Named, Unnamed])
        remote.invoke({}, CONFIG)
        values = remote.get_state(CONFIG).values
    assert values["named"] == Named(1)
    assert isinstance(values["anything"], kind)


@pytest.mark.sqlite
def test_in_memory_everything_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody else can have written there."""
    with Server({"g": _graph()}) as server:
        remote = server.remote_graph("g", allow_types=[Named, Unnamed])
        remote.invoke({}, CONFIG)
        assert remote.get_state(CONFIG).values == {"named": Named(1), "anything": Unnamed(2)}
