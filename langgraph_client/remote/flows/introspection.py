"""Requests about the graph itself: its drawing, schemas and subgraphs."""

from __future__ import annotations

from collections.abc import Mapping

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JsonObject, Reply
from langgraph_client.remote.clients import Clients
from langgraph_client.remote.compat import Graph
from langgraph_client.remote.decode import checked_shape
from langgraph_client.remote.drawing import drawing_from
from langgraph_client.remote.flow import Flow, ask
from langgraph_client.remote.flows.bundled_server import bundled_server_headers, own_options


def get_graph(
    assistant_id: str,
    clients: Clients,
    xray: int | bool,
    headers: Mapping[str, str],
    params: Mapping[str, object] | None,
) -> Flow[Graph]:
    """Read the drawing of a graph.

    GET /assistants/{assistant_id}/graph, GET /info
    """
    # A parent that is drawn with one level asks for 0 here, which the protocol does not have.
    levels = xray or False
    agreed = yield from bundled_server_headers(clients, own_options(headers, params))
    drawn = yield from ask(
        lambda client: client.assistants.get_graph(
            assistant_id, xray=levels, headers={**agreed, **headers} or None, params=params
        )
    )
    with checked_shape("a drawing", drawn):
        return drawing_from(drawn)


def get_schemas(assistant_id: str, graph_id: str | None, headers: Mapping[str, str]) -> Flow[Reply]:
    """Read the JSON schemas of a graph.

    GET /assistants/{assistant_id}/schemas
    """
    own = own_options(headers, None)
    own_id = yield from _assistant(assistant_id, graph_id, own)
    schemas: Reply = yield from ask(lambda client: client.assistants.get_schemas(own_id, **own))
    return schemas


def get_subgraphs(
    assistant_id: str,
    graph_id: str | None,
    namespace: str | None,
    recurse: bool,
    headers: Mapping[str, str],
) -> Flow[Mapping[str, Reply]]:
    """Read the schemas of a graph's subgraphs, by namespace.

    GET /assistants/{assistant_id}/subgraphs
    """
    own = own_options(headers, None)
    own_id = yield from _assistant(assistant_id, graph_id, own)
    subgraphs = yield from ask(
        lambda client: client.assistants.get_subgraphs(own_id, namespace, recurse=recurse, **own)
    )
    return {name: subgraphs[name] for name in subgraphs}


def _assistant(assistant_id: str, graph_id: str | None, own: JsonObject) -> Flow[str]:
    """Return the id of the graph's default assistant, for endpoints that accept no graph name.

    If `graph_id` is None, `assistant_id` is an id already.

    POST /assistants/search
    """
    if graph_id is None:
        return assistant_id
    wanted: JsonObject = {"graph_id": graph_id, "metadata": {"created_by": "system"}, "limit": 1}
    assistants = yield from ask(lambda client: client.assistants.search(**wanted, **own))
    if not assistants:
        raise InvalidArgumentError(
            "assistant_id",
            f"the server has no graph {assistant_id!r}, or no default assistant for it",
        )
    return str(assistants[0]["assistant_id"])
