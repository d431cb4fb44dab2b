"""What a graph looks like from outside: its drawing, its schemas, its subgraphs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from langgraph_client.server.storage.protocol import Document


async def drawing(graph: Any, xray: bool | int) -> Document:
    """Return nodes and edges.

    Args:
        graph: From `Graphs.open`.
        xray: How many levels of subgraphs to open; True for all.
    """
    if not hasattr(graph, "aget_graph"):
        return _line(graph.node_names())
    found = (await graph.aget_graph(xray=xray)).to_json()
    for node in found["nodes"]:
        if isinstance(node.get("data"), dict):
            node["data"].pop("id", None)
    return dict(found)


def _line(names: list[str]) -> Document:
    """Draw a script: one step behind the other."""
    inner: list[Document] = [
        {"id": name, "type": "runnable", "data": {"name": name}} for name in ["__start__", *names]
    ]
    ids = ["__start__", *names, "__end__"]
    edges = [{"source": a, "target": b} for a, b in pairwise(ids)]
    return {"nodes": [*inner, {"id": "__end__"}], "edges": edges}


def schemas(graph: Any) -> Document:
    """Return the JSON schemas of a graph; one that cannot be made is None."""
    if not hasattr(graph, "get_input_jsonschema"):
        anything: Document = {"type": "object", "additionalProperties": True}
        return {
            "input_schema": anything,
            "output_schema": anything,
            "state_schema": anything,
            "config_schema": {},
            "context_schema": None,
        }
    context = _made(lambda: _context(graph))
    return {
        "input_schema": _made(graph.get_input_jsonschema),
        "output_schema": _made(graph.get_output_jsonschema),
        "state_schema": _made(lambda: _state(graph)),
        "config_schema": context or {},
        "context_schema": context,
    }


def _made(make: Any) -> Any:
    from pydantic import PydanticUserError

    try:
        return make()
    except (PydanticUserError, TypeError, ValueError, NameError, AttributeError):
        return None  # the protocol's word for a schema that cannot be made


def _context(graph: Any) -> Any:
    if getattr(graph, "context_schema", None) is None:
        return None
    return graph.get_context_jsonschema()


def _state(graph: Any) -> Any:
    from pydantic import Field, create_model

    # By alias: a model has no fields whose names begin with an underscore.
    fields: dict[str, Any] = {
        f"channel_{number}": (
            graph.channels[name].UpdateType,
            Field(None, alias=name, title=name.replace("_", " ").title().removeprefix("  ")),
        )
        for number, name in enumerate(graph.stream_channels_list)
    }
    return create_model(f"{graph.get_name()}_state", **fields).model_json_schema()


async def subgraphs(graph: Any, namespace: str | None, recurse: bool) -> Document:
    """Return the schemas of a graph's subgraphs, by namespace."""
    if not hasattr(graph, "aget_subgraphs"):
        return {}
    found = graph.aget_subgraphs(namespace=namespace, recurse=recurse)
    return {name: schemas(below) async for name, below in found}
