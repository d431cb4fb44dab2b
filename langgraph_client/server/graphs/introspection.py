"""The drawing and the schemas of a compiled graph."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from langgraph import pregel
from pydantic import BaseModel, Field, PydanticUserError, create_model

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.graphs.protocol import Schemas
from langgraph_client.server.storage.protocol import Document

logger = logging.getLogger("langgraph_client.server")

_WARNED: set[str] = set()
_REMOTE_LEVELS = 8
"""How many levels of a graph with remote graphs are drawn.

Such a graph may use itself, through its own server: then the levels have no end.
"""


async def drawing(graph: Any, xray: bool | int) -> Document:
    """Return nodes and edges. The `id` in a node's data is the path of its class.

    Args:
        graph: A compiled graph.
        xray: How many levels of subgraphs to include; True for all. They are limited for a graph
            that uses remote graphs.
    """
    if xray and _uses_remote_graphs(graph):
        is_limited = xray is not True and 0 < xray < _REMOTE_LEVELS
        xray = xray if is_limited else _REMOTE_LEVELS
    return dict((await graph.aget_graph(xray=xray)).to_json())


def _uses_remote_graphs(graph: Any) -> bool:
    return any(
        not isinstance(below, pregel.Pregel) or _uses_remote_graphs(below)
        for _, below in graph.get_subgraphs()
    )


def schemas(graph: Any) -> Schemas:
    """Return the JSON schemas of a compiled graph.

    One that cannot be made is None, and the reason is logged once.
    """
    name = graph.get_name()
    context = _made(f"the context of {name!r}", lambda: _context(graph))
    return Schemas(
        input=_made(f"the input of {name!r}", graph.get_input_jsonschema),
        output=_made(f"the output of {name!r}", graph.get_output_jsonschema),
        state=_made(f"the state of {name!r}", lambda: _state(graph)),
        context=context,
        config=context or {},
    )


def _made(what: str, make: Callable[[], Document | None]) -> Document | None:
    try:
        return make()
    except (PydanticUserError, TypeError, ValueError, NameError, AttributeError) as error:
        warning = f"{what} has no schema: {str(error).partition(chr(10))[0]}"
        if warning not in _WARNED:
            _WARNED.add(warning)
            logger.warning("%s", warning)
        return None  # In the protocol, null means that there is no schema.


def _context(graph: Any) -> Document | None:
    if graph.context_schema is None:
        return None
    schema: Document = graph.get_context_jsonschema()
    return schema


def _state(graph: Any) -> Document:
    # Pydantic refuses field names that begin with an underscore, so channels get aliases.
    fields: JsonObject = {
        f"channel_{number}": (
            graph.channels[name].UpdateType,
            Field(None, alias=name, title=name.replace("_", " ").title().removeprefix("  ")),
        )
        for number, name in enumerate(graph.stream_channels_list)
    }
    model: type[BaseModel] = create_model(f"{graph.get_name()}_state", **fields)
    return model.model_json_schema()
