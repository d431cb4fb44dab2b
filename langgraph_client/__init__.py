"""Client SDK, RemoteGraph and in-process reference server for the LangGraph Server API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph_client.remote.graph import RemoteGraph
    from langgraph_client.server.server import Server

# Loaded on first use (PEP 562), so that importing the package stays light: `RemoteGraph` looks
# for langgraph, `Server` needs Starlette.
_LAZY = {
    "RemoteGraph": "langgraph_client.remote.graph",
    "Server": "langgraph_client.server.server",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
