"""Client SDK, RemoteGraph and in-process reference server for the LangGraph Server API."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph_client._async.assistants import AssistantsClient
    from langgraph_client._async.client import LangGraphClient, get_client
    from langgraph_client._async.crons import CronClient
    from langgraph_client._async.runs import RunsClient
    from langgraph_client._async.store import StoreClient
    from langgraph_client._async.stream import AsyncRunStream
    from langgraph_client._async.threads import ThreadsClient
    from langgraph_client._core.failure import RetryPolicy
    from langgraph_client._core.outage import Reconnect, ReconnectPolicy
    from langgraph_client._core.unset import UNSET
    from langgraph_client._sync.assistants import SyncAssistantsClient
    from langgraph_client._sync.client import SyncLangGraphClient, get_sync_client
    from langgraph_client._sync.crons import SyncCronClient
    from langgraph_client._sync.runs import SyncRunsClient
    from langgraph_client._sync.store import SyncStoreClient
    from langgraph_client._sync.stream import RunStream
    from langgraph_client._sync.threads import SyncThreadsClient
    from langgraph_client.errors import (
        APIConnectionError,
        APIError,
        APIResponseValidationError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConflictError,
        InternalServerError,
        InvalidArgumentError,
        LangGraphError,
        MissingExtraError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        RemoteException,
        StreamIncomplete,
        UnprocessableEntityError,
    )
    from langgraph_client.models.events import StreamPart
    from langgraph_client.remote.graph import RemoteGraph
    from langgraph_client.server.graphs.scripted import ScriptedGraph
    from langgraph_client.server.server import Server

__all__ = [
    "UNSET",
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AssistantsClient",
    "AsyncRunStream",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "CronClient",
    "InternalServerError",
    "InvalidArgumentError",
    "LangGraphClient",
    "LangGraphError",
    "MissingExtraError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "Reconnect",
    "ReconnectPolicy",
    "RemoteException",
    "RemoteGraph",
    "RetryPolicy",
    "RunStream",
    "RunsClient",
    "ScriptedGraph",
    "Server",
    "StoreClient",
    "StreamIncomplete",
    "StreamPart",
    "SyncAssistantsClient",
    "SyncCronClient",
    "SyncLangGraphClient",
    "SyncRunsClient",
    "SyncStoreClient",
    "SyncThreadsClient",
    "ThreadsClient",
    "UnprocessableEntityError",
    "get_client",
    "get_sync_client",
]

# Loaded on first use (PEP 562), so that importing the package costs nothing: every test run loads
# it for its plugin, used or not. The extra is what brings the packages that a name needs.
_MODULES = {
    "_async.assistants": "AssistantsClient",
    "_async.client": "LangGraphClient get_client",
    "_async.crons": "CronClient",
    "_async.runs": "RunsClient",
    "_async.store": "StoreClient",
    "_async.stream": "AsyncRunStream",
    "_async.threads": "ThreadsClient",
    "_core.failure": "RetryPolicy",
    "_core.outage": "Reconnect ReconnectPolicy",
    "_core.unset": "UNSET",
    "_sync.assistants": "SyncAssistantsClient",
    "_sync.client": "SyncLangGraphClient get_sync_client",
    "_sync.crons": "SyncCronClient",
    "_sync.runs": "SyncRunsClient",
    "_sync.store": "SyncStoreClient",
    "_sync.stream": "RunStream",
    "_sync.threads": "SyncThreadsClient",
    "errors": (
        "APIConnectionError APIError APIResponseValidationError APIStatusError "
        "APITimeoutError AuthenticationError BadRequestError ConflictError "
        "InternalServerError InvalidArgumentError LangGraphError MissingExtraError "
        "NotFoundError PermissionDeniedError RateLimitError RemoteException "
        "StreamIncomplete UnprocessableEntityError"
    ),
    "models.events": "StreamPart",
    "remote.graph": "RemoteGraph",
    "server.graphs.scripted": "ScriptedGraph",
    "server.server": "Server",
}
_EXTRAS = {"RemoteGraph": "langgraph", "ScriptedGraph": "server", "Server": "server"}
_LAZY = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    try:
        module = importlib.import_module(f"{__name__}.{_LAZY[name]}")
    except ModuleNotFoundError as error:
        if name not in _EXTRAS or (error.name or "").startswith(__name__):
            raise  # Ours, or what is always needed: no missing extra.
        from langgraph_client.errors import MissingExtraError

        raise MissingExtraError(name, _EXTRAS[name]) from error
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    # freezegun reads every name that a module lists, when time is frozen: what is loaded then would
    # keep its false datetime class for good. Where it is in use, only loaded names are listed.
    return sorted(globals() if "freezegun" in sys.modules else {*globals(), *_LAZY})
