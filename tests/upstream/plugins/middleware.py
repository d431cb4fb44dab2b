"""pytest plugin: give middleware of LangChain's agents that only blocks its async methods.

A server, LangGraph's as ours, runs a graph by its async methods, and an agent refuses that if its
middleware has only a blocking `wrap_model_call` or `wrap_tool_call`. Whoever hosts such an agent
writes the async method. Here it is written for tests that call a blocking method of the graph: it
calls the blocking one in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from upstream.plugins import routing


def _give(blocking: str) -> None:
    refuses = getattr(AgentMiddleware, blocking)
    refuses_async = getattr(AgentMiddleware, f"a{blocking}")

    def is_to_refuse(middleware: Any) -> bool:
        current = routing.current()
        is_async = current is not None and current.last.startswith("a")
        return is_async or getattr(type(middleware), blocking) is refuses

    async def call(self: Any, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        if is_to_refuse(self):
            return await refuses_async(self, request, handler)
        loop = asyncio.get_running_loop()

        def handle(request: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(_awaited(handler(request)), loop).result()

        return await asyncio.to_thread(getattr(self, blocking), request, handle)

    setattr(AgentMiddleware, f"a{blocking}", call)


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def pytest_configure() -> None:
    for blocking in ("wrap_model_call", "wrap_tool_call"):
        _give(blocking)
