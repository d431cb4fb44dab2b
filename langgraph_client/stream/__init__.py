"""Event streaming (v3): follow a thread's events, and send it commands.

It has the class that `client.threads.stream` returns, and the classes of its attributes. Names are
imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph_client._async.projections import ScopedStreamHandle, ToolCallHandle
    from langgraph_client._async.thread_stream import AsyncThreadStream
    from langgraph_client._sync.projections import SyncScopedStreamHandle, SyncToolCallHandle
    from langgraph_client._sync.thread_stream import SyncThreadStream
    from langgraph_client.errors import ProtocolError, RunFailedError
    from langgraph_client.models.event_streams import Channel, Event, Namespace, SubscribeParams

__all__ = [
    "AsyncThreadStream",
    "Channel",
    "Event",
    "Namespace",
    "ProtocolError",
    "RunFailedError",
    "ScopedStreamHandle",
    "SubscribeParams",
    "SyncScopedStreamHandle",
    "SyncThreadStream",
    "SyncToolCallHandle",
    "ToolCallHandle",
]

_MODULES = {
    "AsyncThreadStream": "_async.thread_stream",
    "Channel": "models.event_streams",
    "Event": "models.event_streams",
    "Namespace": "models.event_streams",
    "ProtocolError": "errors",
    "RunFailedError": "errors",
    "ScopedStreamHandle": "_async.projections",
    "SubscribeParams": "models.event_streams",
    "SyncScopedStreamHandle": "_sync.projections",
    "SyncThreadStream": "_sync.thread_stream",
    "SyncToolCallHandle": "_sync.projections",
    "ToolCallHandle": "_async.projections",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"langgraph_client.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
