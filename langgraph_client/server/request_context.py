"""Context variables of the current request: headers for runs, and the encryption context."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Context, ContextVar, copy_context
from types import MappingProxyType

from langgraph_client.models.fields import JsonMapping

_NOTHING: Mapping[str, object] = MappingProxyType({})

#: Headers of the request that runs and graph factories find in `configurable`, by name. It is set
#: by a middleware, and read in the request's own task and in those that it waits for: a task that
#: outlives the request, such as that of a run, must not read it.
request_headers: ContextVar[Mapping[str, object]] = ContextVar(
    "langgraph_client_request_headers", default=_NOTHING
)

#: The encryption context of the request's data; None outside of requests.
encryption_context: ContextVar[Mapping[str, object] | None] = ContextVar(
    "langgraph_client_encryption_context", default=None
)


def without_encryption_context() -> Context:
    """Return the present context for a task that outlives the request it is started in."""
    context = copy_context()
    context.run(encryption_context.set, None)
    return context


def with_request_headers(config: JsonMapping) -> dict[str, object]:
    """Return a config that has the current request's headers in its `configurable`."""
    if not (headers := request_headers.get()):
        return dict(config)
    return {**config, "configurable": {**(config.get("configurable") or {}), **headers}}
