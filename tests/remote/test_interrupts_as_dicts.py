"""Interrupts in outputs are a local graph's, and can be read as langgraph's RemoteGraph's."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Interrupt, interrupt
from typing_extensions import TypedDict

from langgraph_client import Server


class State(TypedDict, total=False):
    answer: str


def ask(state: State) -> State:
    return {"answer": interrupt({"question": "Pay?"})}


GRAPH = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile()
CONFIG: Any = {"configurable": {"thread_id": "1"}}


@pytest.fixture
def paused() -> Any:
    """The interrupt in the result of a run."""
    with Server({"g": GRAPH}) as server:
        (found,) = server.remote_graph("g").invoke({}, CONFIG)["__interrupt__"]
        return found


def test_both_ways_of_reading(paused: Any) -> None:
    """By attribute, as of a local graph; by key, as of the documents on the wire."""
    assert paused.value == paused["value"] == {"question": "Pay?"}
    assert paused.id == paused["id"] == paused.get("id")
    assert "value" in paused
    assert "when" not in paused
    assert paused.get("when", "never") == "never"
    assert dict(paused) == {"value": {"question": "Pay?"}, "id": paused.id}
    with pytest.raises(KeyError, match="when"):
        paused["when"]


def test_it_is_an_interrupt(paused: Any) -> None:
    """Equal to langgraph's, on both sides, of its class, and shown like it."""
    same = Interrupt(**paused)
    assert type(same) is Interrupt
    assert paused == same
    assert same == paused
    assert paused != Interrupt("other", id=paused.id)
    assert paused != {"value": paused.value, "id": paused.id}
    assert isinstance(paused, Interrupt)
    assert repr(paused) == repr(same)


def test_it_can_be_copied_and_stored(paused: Any) -> None:
    """A checkpoint holds langgraph's own class, so that it can be read without this package."""
    for copied in (copy.deepcopy(paused), pickle.loads(pickle.dumps(paused))):
        assert copied == paused
        assert copied["value"] == paused["value"]
    serde = JsonPlusSerializer()
    stored = serde.loads_typed(serde.dumps_typed(paused))
    assert type(stored) is Interrupt
    assert stored == paused


def test_streams_and_states_too() -> None:
    """Wherever a RemoteGraph gives interrupts, also in the state of a thread."""
    with Server({"g": GRAPH}) as server:
        remote = server.remote_graph("g")
        (update,) = remote.stream({}, CONFIG, stream_mode="updates")
        state = remote.get_state(CONFIG)
        found = [update["__interrupt__"][0], state.tasks[0].interrupts[0], *state.interrupts]
        assert [each["value"] for each in found] == [{"question": "Pay?"}] * 3
        assert remote.invoke(Command(resume="yes"), CONFIG) == {"answer": "yes"}


def test_a_parent_s_checkpoint_has_langgraph_s_class() -> None:
    """An interrupt that pauses a local parent is stored and read as its own."""
    with Server({"g": GRAPH}) as server:
        parent = (
            StateGraph(State)
            .add_node("remote", server.remote_graph("g"))
            .add_edge(START, "remote")
            .compile(checkpointer=InMemorySaver())
        )
        parent.invoke({}, CONFIG)
        (found,) = parent.get_state(CONFIG).interrupts
        assert type(found) is Interrupt
        assert parent.invoke(Command(resume="yes"), CONFIG) == {"answer": "yes"}


def test_orjson_writes_it_as_langgraph_s(paused: Any) -> None:
    """A web server that answers with the result of a run writes it with orjson."""
    orjson = pytest.importorskip("orjson")
    assert orjson.dumps(paused) == orjson.dumps(Interrupt(**paused))
