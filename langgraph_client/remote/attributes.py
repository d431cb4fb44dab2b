"""Attributes of a compiled graph that other libraries read, and why some are missing. No I/O."""

from __future__ import annotations

from langgraph_client.remote.aliases import JsonObject, Reply
from langgraph_client.remote.compat import Graph, Node

_IN_THE_SERVER = "it is an object inside the server that runs the graph"
_NOT_TOLD = "no request to a server can read it"

#: The reason why a remote graph does not have an attribute of a compiled graph.
MISSING = {
    "builder": f"{_IN_THE_SERVER}; get_graph() has its nodes and edges",
    "cache": _IN_THE_SERVER,
    "cache_policy": _NOT_TOLD,
    "debug": _NOT_TOLD,
    "input_model": f"{_IN_THE_SERVER}; get_input_schema() gives a model of its schema",
    "interrupt_after_nodes": _NOT_TOLD,
    "interrupt_before_nodes": _NOT_TOLD,
    "node_error_handler_map": _NOT_TOLD,
    "retry_policy": _NOT_TOLD,
    "schema_to_mapper": _IN_THE_SERVER,
    "step_timeout": _NOT_TOLD,
    "store": f"{_IN_THE_SERVER}; client.store reads and writes it",
    "stream_eager": _NOT_TOLD,
    "trigger_to_nodes": _NOT_TOLD,
}


def nodes_of(drawing: Graph) -> dict[str, Node]:
    """Return the nodes of a drawing without the end, as `nodes` of a compiled graph."""
    return {name: node for name, node in drawing.nodes.items() if name != "__end__"}


def channels_of(schemas: Reply) -> dict[str, JsonObject]:
    """Return the JSON schemas of the channels in the input and output schemas, by name."""
    channels: dict[str, JsonObject] = {}
    for name in ("input_schema", "output_schema"):
        channels.update((schemas.get(name) or {}).get("properties") or {})
    return channels


def no_attribute(kind: str, name: str) -> AttributeError:
    """Return the error for an attribute that a remote graph does not have."""
    reason = f": {MISSING[name]}" if name in MISSING else ""
    return AttributeError(f"{kind!r} object has no attribute {name!r}{reason}")
