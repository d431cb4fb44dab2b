"""Our RemoteGraph over our Server, in the process of the test.

Each test has a server of its own, as most tests call their thread "1". It is started by the first
graph that is asked for; later graphs of the same test are added to it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import itertools
import os
import sys
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from langgraph_client import RemoteGraph, Server
from langgraph_client.server.documents import assistants
from langgraph_client.server.graphs.hosted_graphs import _source, schema_classes_of

TESTS = os.path.realpath(os.environ.get("UPSTREAM_TESTS", "/"))
_LIBRARIES = ("langgraph", "langchain_core", "langgraph_client", "pydantic", "typing")

_numbers = itertools.count(1)
_server: Server | None = None


def begin_session() -> None:
    """Do nothing: servers are started by the tests."""


def end_session() -> None:
    """Close what a test that was cut off has left."""
    end_test()


def end_test() -> None:
    """Close the server of the test."""
    global _server
    if _server is not None:
        _server.close()
        _server = None


def make_remote(graph: Any, known: Iterable[object] = ()) -> RemoteGraph:
    """Host the graph and return a RemoteGraph of it, set up as a careful user would.

    What the graph has bound itself stays bound at the host. The classes that the test's function
    and module know are named, as its author could name them; so are those among `known`, and the
    transformers that the graph was compiled with.
    """
    name = _host(graph)
    assert _server is not None
    return _server.remote_graph(
        name,
        name=graph.name,
        stream_mode=graph.stream_mode,
        config={key: value for key, value in (graph.config or {}).items() if key != "callbacks"},
        allow_types=[
            ValidationError,
            *schema_classes_of(graph).values(),
            *_classes_of_the_caller(),
            *(value for value in known if _is_nameable(value)),
        ],
        strict_config=False,
        transformers=graph.stream_transformers,
    )


def _host(graph: Any) -> str:
    global _server
    name: str = graph.name
    if _server is None:
        _server = Server({name: graph}, lend_checkpointer=False).start()
        return name
    server = _server
    services = server.services
    if name in services.graphs:
        name = f"{name}-{next(_numbers)}"

    async def add() -> None:
        # A server has its graphs from the start on; there is no public call to add one.
        services.graphs._sources[name] = _source(name, graph)
        await assistants.ensure_default(services, name, None)

    asyncio.run_coroutine_threadsafe(add(), server.loop).result()
    return name


def _classes_of_the_caller() -> list[type]:
    found: dict[type, None] = {}
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_code.co_filename.startswith(TESTS):
            for value in (*frame.f_locals.values(), *frame.f_globals.values()):
                if _is_nameable(value):
                    found[value] = None
        frame = frame.f_back
    return list(found)


def _is_nameable(value: Any) -> bool:
    if not isinstance(value, type) or value.__module__.partition(".")[0] in _LIBRARIES:
        return False
    return (
        dataclasses.is_dataclass(value)
        or issubclass(value, BaseModel | Exception | enum.Enum)
        or (issubclass(value, tuple) and hasattr(value, "_fields"))
    )
