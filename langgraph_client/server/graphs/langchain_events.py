"""Runs a compiled graph with langchain's events beside what it streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from langchain_core.runnables import Runnable

from langgraph_client.server.graphs.protocol import Config

EVENTS = "events"


class _Stepwise(Runnable[Any, Any]):
    """A graph that goes on once each chunk of its stream has been let go.

    langchain reads a graph in a task of its own, ahead of who reads the events. A run that may be
    asked to drain has to wait for the answer instead.
    """

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._let_go = asyncio.Semaphore(0)

    def go_on(self) -> None:
        """Let the chunk go that was read last."""
        self._let_go.release()

    def invoke(self, input: object, config: object = None, **kwargs: object) -> object:
        """Is not called."""
        raise NotImplementedError

    async def astream(
        self, input: object, config: object = None, **kwargs: object
    ) -> AsyncIterator[object]:
        """Stream the graph, chunk by chunk."""
        source = self._graph.astream(input, config, **kwargs)
        try:
            async for chunk in source:
                yield chunk
                await self._let_go.acquire()
        finally:
            await source.aclose()


async def chunks_with_events(
    graph: object, given: object, config: Config, options: dict[str, object], *, is_stepwise: bool
) -> AsyncGenerator[tuple[tuple[str, ...], str, object], None]:
    """Yield langchain's own events; the root's stream chunks are the events of other modes.

    Args:
        graph: The compiled graph.
        given: Its input, or a command.
        config: The run's config.
        options: Further arguments of `astream`.
        is_stepwise: Whether the graph waits until what it streamed has been read.
    """
    root = str(config["run_id"])
    deep = options["subgraphs"]
    steps = _Stepwise(graph) if is_stepwise else None
    runnable: Any = steps or graph
    source = runnable.astream_events(given, config, version="v2", **options)
    try:
        async for event in source:
            is_chunk = event["event"] == "on_chain_stream" and event["run_id"] == root
            if is_chunk:
                chunk = event["data"]["chunk"]
                if isinstance(chunk, tuple):
                    yield chunk if deep else ((), *chunk)
                if steps is not None:
                    steps.go_on()
            elif "langsmith:hidden" not in event.get("tags", ()):
                yield (), EVENTS, event
    finally:
        await source.aclose()
