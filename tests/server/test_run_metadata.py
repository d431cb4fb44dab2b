"""What a run's metadata and `configurable` have is in the metadata of its checkpoints."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server


class State(TypedDict, total=False):
    x: str


def nested(saver: Any = None) -> Any:
    inner = StateGraph(State).add_node("inner", lambda _: {"x": "done"}).add_edge(START, "inner")
    outer = StateGraph(State).add_node("outer", inner.compile()).add_edge(START, "outer")
    return outer.compile(checkpointer=saver)


WHOLE: dict[str, Any] = {"m": {"x": 1, "y": [2]}, "l": [1, {"a": None}], "n": None, "s": "text"}
RUN: dict[str, Any] = {
    "assistant_id": "agent",
    "input": {},
    "metadata": {**WHOLE, "both": 1, "parents": {"p": 1}, "__own": [1], "given_parents": {}},
    "config": {
        "metadata": {"c": {"y": 2}, "m": "less"},
        "configurable": {"q": {"z": 1}, "both": {"a": 1}},
    },
}
SHOWN = {**WHOLE, "both": 1, "c": {"y": 2}, "q": {"z": 1}, "parents": {}}


@pytest.mark.parametrize("own", [False, True], ids=["servers", "own"])
@pytest.mark.parametrize("durability", ["async", "exit"])
def test_objects_lists_and_nulls_are_in_the_metadata_of_checkpoints(
    own: bool, durability: str
) -> None:
    """A search of the history finds them."""
    graph = nested(InMemorySaver() if own else None)
    with (
        Server({"agent": graph}) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        path = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
        http.post(f"{path}/runs/wait", json={**RUN, "durability": durability})
        history = http.post(f"{path}/history", json={"limit": 9}).json()
        assert history
        for state in history:
            metadata = state["metadata"]
            assert {name: metadata.get(name, "missing") for name in SHOWN} == SHOWN
            assert not {"__own", "given_parents", "langgraph_auth_permissions"} & metadata.keys()
        for name in WHOLE:
            body = {"metadata": {name: WHOLE[name]}, "limit": 9}
            assert http.post(f"{path}/history", json=body).json() == history
        assert http.post(f"{path}/history", json={"metadata": {"m": {"x": 2}}}).json() == []


def test_later_updates_and_runs_have_their_own_metadata() -> None:
    """Nothing of a run stays for the checkpoints after it."""
    with (
        Server({"agent": nested()}) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        path = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
        http.post(f"{path}/runs/wait", json=RUN)
        http.post(f"{path}/state", json={"values": {"x": "updated"}})
        assert not WHOLE.keys() & http.get(f"{path}/state").json()["metadata"].keys()
        http.post(f"{path}/runs/wait", json={"assistant_id": "agent", "input": {}})
        assert not WHOLE.keys() & http.get(f"{path}/state").json()["metadata"].keys()
