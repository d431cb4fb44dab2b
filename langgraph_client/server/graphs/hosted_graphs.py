"""What the engine can run: compiled graphs, builders, factories, and scripted graphs.

Whatever is hosted is used through `open`, an async context manager that gives a graph with the
methods of `RunnableGraph`: a factory is called each time, a context manager entered and left.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
)
from typing import Any, Protocol, runtime_checkable

from langgraph_client.server.graphs.scripted import ScriptedGraph
from langgraph_client.server.typed_values import classes_of


@runtime_checkable
class RunnableGraph(Protocol):
    """The methods of a compiled graph that the server calls."""

    name: str

    def astream(self, input: Any, config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:
        """Run, giving what happens."""
        ...

    async def aget_state(self, config: Any, *, subgraphs: bool = False) -> Any:
        """Return the state at a checkpoint, or the latest."""
        ...

    def aget_state_history(self, config: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Return the states of a thread, newest first."""
        ...

    async def aupdate_state(self, config: Any, values: Any, as_node: str | None = None) -> Any:
        """Write to the state as if a node had."""
        ...


class Graphs:
    """The graphs a server hosts, by name, in the order given.

    Args:
        graphs: Name to graph: compiled, a builder, a `ScriptedGraph`, or a factory that makes one
            (a function of nothing or of the config; plain, async, or a context manager).
        checkpointer: For graphs that have none of their own.
        store: The same.
        script_states: What the checkpointer is to scripted graphs.

    Raises:
        TypeError: Something is none of these.
    """

    def __init__(
        self,
        graphs: Mapping[str, Any],
        checkpointer: Any,
        store: Any,
        script_states: Any = None,
    ) -> None:
        for name, graph in graphs.items():
            if not (isinstance(graph, RunnableGraph) or _is_builder(graph) or callable(graph)):
                raise TypeError(
                    f"graph {name!r} is a {type(graph).__name__}; "
                    "give a compiled graph, a graph builder, a ScriptedGraph, or a factory"
                )
        self._graphs = dict(graphs)
        self._checkpointer = checkpointer
        self._store = store
        self._script_states = script_states
        self._write_events: Callable[[], Awaitable[None]] | None = None
        self._ready: dict[tuple[str, bool], Any] = {}

    def before_checkpoints(self, write_events: Callable[[], Awaitable[None]]) -> None:
        """Set what writes the events that are to be kept, before a checkpoint behind them."""
        self._write_events = write_events

    async def _write(self) -> None:
        if self._write_events is not None:
            await self._write_events()

    @property
    def names(self) -> list[str]:
        """The names of the graphs, in the order given."""
        return list(self._graphs)

    def __contains__(self, graph_id: object) -> bool:
        return graph_id in self._graphs

    @asynccontextmanager
    async def open(
        self, graph_id: str, config: Mapping[str, Any] | None = None, *, durable: bool = True
    ) -> AsyncGenerator[Any, None]:
        """Give a graph, ready to run.

        Args:
            graph_id: Its name.
            config: What a factory that asks for a config gets.
            durable: With a checkpointer. Without, as stateless runs have it.
        """
        key = (graph_id, durable)
        if key in self._ready:
            yield self._ready[key]
            return
        source = self._graphs[graph_id]
        if isinstance(source, RunnableGraph) or _is_builder(source):
            self._ready[key] = self._equip(graph_id, source, durable)
            yield self._ready[key]
            return
        async with AsyncExitStack() as stack:
            made: Any = _call(source, dict(config or {}))
            if inspect.isawaitable(made):
                made = await made
            if inspect.isasyncgen(made):
                made = _context_of(made)
            if isinstance(made, AbstractAsyncContextManager):
                made = await stack.enter_async_context(made)
            elif isinstance(made, AbstractContextManager):
                made = stack.enter_context(made)
            yield self._equip(graph_id, made, durable)

    def _equip(self, graph_id: str, graph: Any, durable: bool) -> Any:
        if _is_builder(graph):
            graph = graph.compile(name=graph_id)
        if not isinstance(graph, RunnableGraph):
            raise TypeError(f"the factory of graph {graph_id!r} gave a {type(graph).__name__}")
        if isinstance(graph, ScriptedGraph):
            states = self._script_states
            kept = states if durable else None
            clock = states.clock
            return graph.copy({"checkpointer": kept, "sleep": clock.sleep, "new_id": clock.uuid4})
        update: dict[str, Any] = {}
        own = getattr(graph, "checkpointer", None)
        if not durable:
            update["checkpointer"] = None
        elif own is None or isinstance(own, bool):
            if self._checkpointer is not None:
                self._checkpointer.allow(classes_of(graph).values())
            update["checkpointer"] = self._saver(self._checkpointer)
        else:
            update["checkpointer"] = self._saver(own)
        if graph.name == "LangGraph":  # what langgraph calls a graph without a name
            update["name"] = graph_id
        if getattr(graph, "store", None) is None:
            update["store"] = self._store
        if not update:
            return graph
        copy: Any = graph
        return copy.copy(update)

    def _saver(self, saver: Any) -> Any:
        if saver is None:
            return None
        from langgraph_client.server.graphs.hosted_saver import HostedSaver

        return HostedSaver(saver, self._write)


def brought_store(graphs: Mapping[str, Any]) -> Any:
    """Return the store that graphs were compiled with; None if that is none, or not the same."""
    compiled = [graph for graph in graphs.values() if isinstance(graph, RunnableGraph)]
    stores: list[Any] = [getattr(graph, "store", None) for graph in compiled]
    brought = {id(store): store for store in stores if store is not None}
    return next(iter(brought.values())) if len(brought) == 1 else None


def _context_of(generator: Any) -> AbstractAsyncContextManager[Any]:
    """Return the context manager of a factory that yields its graph."""

    @asynccontextmanager
    async def context() -> AsyncGenerator[Any, None]:
        async with aclosing(generator):
            async for graph in generator:
                yield graph

    return context()


def _is_builder(graph: Any) -> bool:
    return callable(getattr(graph, "compile", None)) and hasattr(graph, "add_node")


def _call(factory: Any, config: dict[str, Any]) -> Any:
    """Call a factory with as much as it asks for: nothing, or the config."""
    parameters = [
        p
        for p in inspect.signature(factory).parameters.values()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    named = inspect.signature(factory).parameters
    if parameters:
        return factory(config)
    return factory(config=config) if "config" in named else factory()
