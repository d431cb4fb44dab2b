"""The drawing and the schemas of a compiled graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field, PydanticUserError, create_model

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.graphs.protocol import Schemas
from langgraph_client.server.storage.protocol import Document


async def drawing(graph: Any, xray: bool | int) -> Document:
    """Return nodes and edges. The `id` in a node's data is the path of its class.

    Args:
        graph: A compiled graph.
        xray: How many levels of subgraphs to include; True for all.
    """
    return dict((await graph.aget_graph(xray=xray)).to_json())


def schemas(graph: Any) -> Schemas:
    """Return the JSON schemas of a compiled graph."""
    context = _made(lambda: _context(graph))
    return Schemas(
        input=_made(graph.get_input_jsonschema),
        output=_made(graph.get_output_jsonschema),
        state=_made(lambda: _state(graph)),
        context=context,
        config=context or {},
    )


def _made(make: Callable[[], Document | None]) -> Document | None:
    try:
        return make()
    except (PydanticUserError, TypeError, ValueError, NameError, AttributeError):
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
