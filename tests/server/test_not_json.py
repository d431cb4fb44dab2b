"""Values that JSON cannot represent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from langgraph_client import RemoteException
from langgraph_client.server.encoding import NotJsonError, blanked, encode
from langgraph_client.server.server import Server


class Connection:
    """Has no form in JSON."""


@dataclass
class Box:
    content: Any


class State(TypedDict, total=False):
    found: Any


CONNECTION = f"a {__name__}.Connection, which JSON cannot represent"


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (Connection(), "the value"),
        ({"a": {"b": [1, Connection()]}}, "a.b[1]"),
        ({"a": (Box({"x": Connection()}),)}, "a[0].content.x"),
    ],
)
def test_the_error_says_where_and_what(value: Any, where: str) -> None:
    """What JSON cannot represent is named, with its path, wherever it is."""
    with pytest.raises(NotJsonError, match="JSON cannot represent") as raised:
        encode(value)
    assert str(raised.value) == f"{where} is {CONNECTION}"


def test_what_is_shown_beside_the_values_is_blanked() -> None:
    """Beside a run's own values, null stands for what JSON cannot represent, only."""
    value = {"a": [1, Connection(), (Box(Connection()),)], "b": Box(2)}
    assert encode(blanked(value)) == b'{"a":[1,null,[{"content":null}]],"b":{"content":2}}'
    assert encode({"o": object()}) == b'{"o":null}'  # As real servers show it.


def graph(*, told: bool = False) -> Any:
    def find(state: State) -> dict[str, Any]:
        if told:
            get_stream_writer()({"connection": Connection()})
            return {"found": 1}
        return {"found": {"connections": [Connection()]}}

    return StateGraph(State).add_node("find", find).add_edge(START, "find")


@pytest.mark.parametrize(
    ("stateless", "mode"),
    [(True, "values"), (True, "updates")]
    + [(False, mode) for mode in ("values", "updates", "messages-tuple")],
)
def test_a_run_with_such_a_value_fails(mode: Any, stateless: bool) -> None:
    """Whoever asks and however, a value that JSON cannot represent fails the run by its path."""
    with (
        Server({"g": graph().compile(InMemorySaver())}) as server,
        server.sync_client() as client,
    ):
        thread = None if stateless else client.threads.create().thread_id
        events = list(client.runs.stream(thread, "g", input={}, stream_mode=mode))
        assert events[-1].event == "error"
        assert f"found.connections[0] is {CONNECTION}" in events[-1].data["message"]
        with pytest.raises(RemoteException, match="JSON cannot represent"):
            client.runs.wait(thread, "g", input={})
        with pytest.raises(RemoteException, match="JSON cannot represent"):
            server.remote_graph("g").invoke({})


def test_a_custom_event_with_such_a_value_fails_the_run() -> None:
    """What a node tells is a value of the run as well."""
    with Server({"g": graph(told=True).compile()}) as server, server.sync_client() as client:
        events = list(client.runs.stream(None, "g", input={}, stream_mode="custom"))
        assert f"connection is {CONNECTION}" in events[-1].data["message"]


def test_inputs_of_tasks_do_not_fail_a_run() -> None:
    """What only goes from node to node is shown as null in debug events."""
    builder = StateGraph(State).add_node("use", lambda state: {"found": 1})
    builder.add_conditional_edges(
        START, lambda state: [Send("use", {"found": Connection()})], ["use"]
    )
    with Server({"g": builder.compile()}) as server, server.sync_client() as client:
        events = list(client.runs.stream(None, "g", input={}, stream_mode=["tasks", "values"]))
        tasks = [event.data for event in events if event.event == "tasks"]
        assert tasks[0]["input"] == {"found": None}
        assert events[-1].data == {"found": 1}
