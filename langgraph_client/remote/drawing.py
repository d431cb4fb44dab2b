"""A drawing as the server tells it, made into the graph object that can draw itself."""

from __future__ import annotations

from collections.abc import Mapping

from langgraph_client.models.assistants import Drawing
from langgraph_client.remote.seam import Edge, Graph, Node


def drawing_from(drawn: Drawing) -> Graph:
    """The nodes and edges of `GET /assistants/{assistant_id}/graph`.

    A node is called what its `data` names, else what its id says behind the last colon.
    """
    nodes: dict[str, Node] = {}
    for node in drawn.nodes:
        node_id = str(node.id)
        name = node.data.get("name") if isinstance(node.data, Mapping) else None
        nodes[node_id] = Node(
            id=node_id,
            name=str(name or node_id.rpartition(":")[2]),
            data=None,
            metadata=node.get("metadata"),
        )
    edges = [
        Edge(
            source=str(edge.source),
            target=str(edge.target),
            data=edge.data,
            conditional=edge.conditional,
        )
        for edge in drawn.edges
    ]
    return Graph(nodes=nodes, edges=edges)
