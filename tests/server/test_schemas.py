"""The schemas of a graph are made once: they take tens of milliseconds, and MCP asks for many."""

from __future__ import annotations

from typing import Any, TypedDict

import httpx
from langgraph.graph import START, StateGraph
from pydantic_core import core_schema

from langgraph_client.server.server import Server


class Counted:
    """A class of values that counts how often its schema is made."""

    made = 0

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        return core_schema.any_schema()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> dict[str, object]:
        Counted.made += 1
        return {"type": "string"}


class State(TypedDict, total=False):
    counted: Counted


def test_the_schemas_of_a_compiled_graph_are_made_once() -> None:
    """Whoever asks, and for whichever assistant of the graph."""
    graph = StateGraph(State).add_node("only", lambda state: {}).add_edge(START, "only").compile()
    with (
        Server({"agent": graph}) as server,
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
    ):
        http.post("/assistants", json={"graph_id": "agent"})
        ids = [one["assistant_id"] for one in http.post("/assistants/search", json={}).json()]
        first = http.get(f"/assistants/{ids[0]}/schemas").json()
        made = Counted.made
        assert made > 0
        assert first["state_schema"]["properties"]["counted"]["type"] == "string"
        for assistant_id in ids:
            assert http.get(f"/assistants/{assistant_id}/schemas").json() == first
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        assert http.post("/mcp", json=message).json()["result"]["tools"]
        assert Counted.made == made
