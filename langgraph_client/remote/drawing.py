"""A drawing as the server tells it, made into the graph object that can draw itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langgraph_client.remote.seam import Edge, Graph, Node


def drawing_from(drawn: Mapping[str, Any]) -> Graph:
    """The nodes and edges of `GET /assistants/{assistant_id}/graph`.

    A node is called what its `data` names, else what its id says behind the last colon.
    """
    nodes: dict[str, Node] = {}
    for node in drawn.get("nodes", ()):
        node_id, data = str(node["id"]), node.get("data")
        name = data.get("name") if isinstance(data, Mapping) else None
        nodes[node_id] = Node(
            id=node_id,
            name=str(name or node_id.rpartition(":")[2]),
            data=None,
            metadata=node.get("metadata"),
        )
    edges = [
        Edge(
            source=str(edge["source"]),
            target=str(edge["target"]),
            data=edge.get("data"),
            conditional=bool(edge.get("conditional", False)),
        )
        for edge in drawn.get("edges", ())
    ]
    return Graph(nodes=nodes, edges=edges)
