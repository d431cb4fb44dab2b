"""Run a compiled graph with langchain's events in addition to its stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from langchain_core.runnables import Runnable

from langgraph_client.server.graphs.langgraph_names import TAG_HIDDEN
from langgraph_client.server.graphs.protocol import Config

EVENTS = "events"


class _Stepwise(Runnable[Any, Any]):
    """A graph that waits after each chunk of its stream until the chunk is released.

    langchain reads a graph in its own task, ahead of the reader of the events. A run that may be
    asked to drain must wait for the reply instead.
    """

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._let_go = asyncio.Semaphore(0)

    def go_on(self) -> None:
        """Release the last chunk."""
        self._let_go.release()

    def invoke(self, input: object, config: object = None, **kwargs: object) -> object:
        """Raise: langchain's events use `astream` only."""
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
    graph: object,
    run_input: object,
    config: Config,
    options: dict[str, object],
    *,
    is_stepwise: bool,
    shows_hidden: bool,
) -> AsyncGenerator[tuple[tuple[str, ...], str, object], None]:
    """Yield langchain's events, and the root's stream chunks as events of the other modes.

    Args:
        graph: The compiled graph.
        run_input: Its input, or a command.
        config: The run's config.
        options: More arguments of `astream`.
        is_stepwise: Whether the graph waits until each chunk has been read.
        shows_hidden: Whether to yield the events of langgraph's hidden steps too, as a local graph
            does. The real server does not.
    """
    root = str(config["run_id"])
    deep = options["subgraphs"]
    steps = _Stepwise(graph) if is_stepwise else None
    runnable: Any = steps or graph
    source = runnable.astream_events(run_input, config, version="v2", **options)
    try:
        async for event in source:
            is_chunk = event["event"] == "on_chain_stream" and event["run_id"] == root
            if is_chunk:
                chunk = event["data"]["chunk"]
                if isinstance(chunk, tuple):
                    yield chunk if deep else ((), *chunk)
                if steps is not None:
                    steps.go_on()
            elif shows_hidden or TAG_HIDDEN not in event.get("tags", ()):
                yield (), EVENTS, event
    finally:
        await source.aclose()
