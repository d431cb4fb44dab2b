"""Convert the server's drawing of a graph to langchain-core's `Graph`, which can draw itself."""

from __future__ import annotations

from collections.abc import Mapping

from langgraph_client.errors import APIResponseValidationError
from langgraph_client.remote.aliases import JSON, Foreign, Reply
from langgraph_client.remote.compat import Edge, Graph, Node, node_runnable


def drawing_inside(drawn: Graph, namespace: str) -> Graph:
    """Return the part of a drawing that shows the subgraph at a namespace.

    The drawing must include that level (`xray`). It names a subgraph's node `child:node`. An edge
    into the subgraph becomes one from its start, an edge out of it one to its end.
    """
    inside = namespace.replace("|", ":") + ":"
    nodes: dict[str, Node] = {"__start__": Node("__start__", "__start__", None, None)}
    for node in drawn.nodes.values():
        if node.id.startswith(inside):
            name = node.id.removeprefix(inside)
            nodes[name] = Node(name, node.name, node.data, node.metadata)
    nodes["__end__"] = nodes.pop("__end__", Node("__end__", "__end__", None, None))
    edges = {}
    for edge in drawn.edges:
        source, target = edge.source.startswith(inside), edge.target.startswith(inside)
        if source or target:
            made = Edge(
                source=edge.source.removeprefix(inside) if source else "__start__",
                target=edge.target.removeprefix(inside) if target else "__end__",
                data=edge.data if source else None,
                conditional=edge.conditional and source,
            )
            edges[made.source, made.target] = made
    return Graph(nodes=nodes, edges=list(edges.values()))


def drawing_from(drawn: Reply) -> Graph:
    """Return the nodes and edges in a reply of `GET /assistants/{assistant_id}/graph`.

    A node's name is the name in its `data`, or else its id after the last colon.

    Raises:
        APIResponseValidationError: The reply is not a drawing, or an edge leads to an unknown node.
    """
    try:
        graph = _graph_of(drawn)
    except (KeyError, TypeError, AttributeError) as error:
        raise APIResponseValidationError(
            f"the server's reply is not a graph's drawing: {error!r}", drawn
        ) from error
    ends = {end for edge in graph.edges for end in (edge.source, edge.target)}
    if strange := ends - graph.nodes.keys():
        problem = f"a graph's drawing has edges to nodes that it lacks: {sorted(strange)}"
        raise APIResponseValidationError(problem, drawn)
    return graph


def _runnable(data: JSON) -> Foreign | None:
    """Return an object for a node's runnable; text or None if the server does not name a class."""
    if isinstance(data, Mapping):
        return node_runnable(data) if isinstance(data.get("id"), list) else None
    return data if isinstance(data, str) else None


def _graph_of(drawn: Reply) -> Graph:
    nodes: dict[str, Node] = {}
    for node in drawn["nodes"]:
        node_id = str(node["id"])
        data = node.get("data")
        name = data.get("name") if isinstance(data, Mapping) else None
        nodes[node_id] = Node(
            id=node_id,
            name=str(name or node_id.rpartition(":")[2]),
            data=_runnable(data),
            metadata=node.get("metadata"),
        )
    edges = [
        Edge(
            source=str(edge["source"]),
            target=str(edge["target"]),
            data=edge.get("data"),
            conditional=bool(edge.get("conditional")),
        )
        for edge in drawn["edges"]
    ]
    return Graph(nodes=nodes, edges=edges)
