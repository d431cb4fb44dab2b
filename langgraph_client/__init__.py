"""Client SDK, RemoteGraph and in-process reference server for the LangGraph Server API."""

# ruff: isort: skip_file  # It would give each `A as A` a statement of its own.

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # By `A as A`, type checkers know that a name is public.
    from langgraph_client._async.assistants import AssistantsClient as AssistantsClient
    from langgraph_client._async.client import (
        LangGraphClient as LangGraphClient,
    )
    from langgraph_client._async.client import (
        get_client as get_client,
    )
    from langgraph_client._async.crons import CronClient as CronClient
    from langgraph_client._async.runs import RunsClient as RunsClient
    from langgraph_client._async.store import StoreClient as StoreClient
    from langgraph_client._async.stream import AsyncRunStream as AsyncRunStream
    from langgraph_client._async.threads import ThreadsClient as ThreadsClient
    from langgraph_client._core.failure import RetryPolicy as RetryPolicy
    from langgraph_client._core.outage import (
        Reconnect as Reconnect,
    )
    from langgraph_client._core.outage import (
        ReconnectPolicy as ReconnectPolicy,
    )
    from langgraph_client._core.unset import UNSET as UNSET
    from langgraph_client._sync.assistants import SyncAssistantsClient as SyncAssistantsClient
    from langgraph_client._sync.client import (
        SyncLangGraphClient as SyncLangGraphClient,
    )
    from langgraph_client._sync.client import (
        get_sync_client as get_sync_client,
    )
    from langgraph_client._sync.crons import SyncCronClient as SyncCronClient
    from langgraph_client._sync.runs import SyncRunsClient as SyncRunsClient
    from langgraph_client._sync.store import SyncStoreClient as SyncStoreClient
    from langgraph_client._sync.stream import RunStream as RunStream
    from langgraph_client._sync.threads import SyncThreadsClient as SyncThreadsClient
    from langgraph_client.auth import Auth as Auth
    from langgraph_client.encryption import DecryptResult as DecryptResult
    from langgraph_client.encryption import Encryption as Encryption
    from langgraph_client.encryption import EncryptionContext as EncryptionContext
    from langgraph_client.errors import (
        APIConnectionError as APIConnectionError,
    )
    from langgraph_client.errors import (
        APIError as APIError,
    )
    from langgraph_client.errors import (
        APIResponseValidationError as APIResponseValidationError,
    )
    from langgraph_client.errors import (
        APIStatusError as APIStatusError,
    )
    from langgraph_client.errors import (
        APITimeoutError as APITimeoutError,
    )
    from langgraph_client.errors import (
        AuthenticationError as AuthenticationError,
    )
    from langgraph_client.errors import (
        BadRequestError as BadRequestError,
    )
    from langgraph_client.errors import (
        ConflictError as ConflictError,
    )
    from langgraph_client.errors import (
        InternalServerError as InternalServerError,
    )
    from langgraph_client.errors import (
        InvalidArgumentError as InvalidArgumentError,
    )
    from langgraph_client.errors import (
        LangGraphError as LangGraphError,
    )
    from langgraph_client.errors import (
        MissingExtraError as MissingExtraError,
    )
    from langgraph_client.errors import (
        NotFoundError as NotFoundError,
    )
    from langgraph_client.errors import (
        PermissionDeniedError as PermissionDeniedError,
    )
    from langgraph_client.errors import (
        ProtocolError as ProtocolError,
    )
    from langgraph_client.errors import (
        RateLimitError as RateLimitError,
    )
    from langgraph_client.errors import (
        RemoteException as RemoteException,
    )
    from langgraph_client.errors import (
        RunFailedError as RunFailedError,
    )
    from langgraph_client.errors import (
        StreamIncomplete as StreamIncomplete,
    )
    from langgraph_client.errors import (
        UnprocessableEntityError as UnprocessableEntityError,
    )
    from langgraph_client.models.events import StreamPart as StreamPart
    from langgraph_client.remote.graph import RemoteGraph as RemoteGraph
    from langgraph_client.server.graphs.scripted import ScriptedGraph as ScriptedGraph
    from langgraph_client.server.server import Server as Server

__version__ = "0.1.0"

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
    "auth": "Auth",
    "encryption": "DecryptResult Encryption EncryptionContext",
    "errors": (
        "APIConnectionError APIError APIResponseValidationError APIStatusError "
        "APITimeoutError AuthenticationError BadRequestError ConflictError "
        "InternalServerError InvalidArgumentError LangGraphError MissingExtraError "
        "NotFoundError PermissionDeniedError ProtocolError RateLimitError RemoteException "
        "RunFailedError StreamIncomplete UnprocessableEntityError"
    ),
    "models.events": "StreamPart",
    "remote.graph": "RemoteGraph",
    "server.graphs.scripted": "ScriptedGraph",
    "server.server": "Server",
}
_EXTRAS = {"RemoteGraph": "langgraph", "ScriptedGraph": "server", "Server": "server"}
_LAZY = {name: module for module, names in _MODULES.items() for name in names.split()}
# Those of `langgraph_sdk` that are there after `import langgraph_sdk`.
_SUBMODULES = {"auth", "client", "encryption", "errors", "schema", "sse", "stream"}
if not TYPE_CHECKING:
    __all__ = sorted(_LAZY)


def __getattr__(name: str) -> object:
    if name not in _LAZY and name not in _SUBMODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
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
