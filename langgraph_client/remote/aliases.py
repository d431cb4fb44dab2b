"""Type aliases for values that the protocol leaves open: the user's JSON, and replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from langgraph_client.models.fields import JSON as JSON
from langgraph_client.models.fields import JsonObject as JsonObject

#: A value that the graph's author chose: input, state, an interrupt, a context.
GraphValue: TypeAlias = Any
#: A reply or a part of one, read by key: this package's records, or the dicts of another client.
Reply: TypeAlias = Mapping[str, Any]
#: A config as callers write it: flat, or with `configurable`.
Config: TypeAlias = Mapping[str, Any]
#: A config after merging: `configurable` is always there.
MergedConfig: TypeAlias = dict[str, Any]
#: An object of langchain-core or langgraph, which are optional here: a message, a handler.
Foreign: TypeAlias = Any
