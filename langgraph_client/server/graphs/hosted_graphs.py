"""The graphs that a server hosts: compiled graphs, builders, factories, and scripted graphs.

Whatever is hosted is used through `open`, an async context manager that gives a `HostedGraph`: a
factory is called each time, a context manager entered and left.
"""

from __future__ import annotations

import asyncio
import copy
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.auth.users import USER_FIELDS, User, user_fields
from langgraph_client.server.errors import NotFound
from langgraph_client.server.graphs.factories import Factory
from langgraph_client.server.graphs.protocol import Access, HostedGraph
from langgraph_client.server.graphs.script_states import ScriptStates


class UserCodeError(RuntimeError):
    """A graph's own code raised what is no `Exception` while the graph was read or written to."""


class Graphs:
    """The graphs a server hosts, by name, in the order given.

    Args:
        graphs: Name to graph: compiled, a builder, a `ScriptedGraph`, or a factory that makes one;
            see `factories`.
        checkpointer: For graphs that have none of their own.
        store: The same.
        script_states: What the checkpointer is to scripted graphs.
        allow: Allows the checkpointer to make classes out of what it has stored.
        lend_checkpointer: Give it to them. Without, each graph keeps what it was compiled to keep.
        may_resume: Whether a run may go on in a later process.

    Raises:
        TypeError: Something is none of these, or a factory asks for what cannot be given.
    """

    def __init__(
        self,
        graphs: Mapping[str, object],
        checkpointer: Any,
        store: Any,
        script_states: ScriptStates,
        allow: Callable[[Iterable[type]], None],
        *,
        lend_checkpointer: bool = True,
        may_resume: bool = True,
    ) -> None:
        self._sources = {name: _source(name, graph) for name, graph in graphs.items()}
        self._checkpointer = checkpointer
        self._store = store
        self._script_states = script_states
        self._allow = allow
        self._lend_checkpointer = lend_checkpointer
        self._may_resume = may_resume
        self._write_events: Callable[[], Awaitable[None]] | None = None
        self._ready: dict[tuple[str, bool], HostedGraph] = {}
        self._user: User | None = None

    def for_user(self, user: User) -> Graphs:
        """Return the graphs as a user opens them: factories are told who it is."""
        found = copy.copy(self)
        found._user = user
        return found

    def before_checkpoints(self, write_events: Callable[[], Awaitable[None]]) -> None:
        """Set what writes the events that are to be kept, before a checkpoint behind them."""
        self._write_events = write_events

    async def _write(self) -> None:
        if self._write_events is not None:
            await self._write_events()

    @property
    def names(self) -> list[str]:
        """The names of the graphs, in the order given."""
        return list(self._sources)

    def __contains__(self, graph_id: object) -> bool:
        return graph_id in self._sources

    @asynccontextmanager
    async def open(
        self,
        graph_id: str,
        config: Mapping[str, object] | None = None,
        *,
        durable: bool = True,
        access: Access = "threads.read",
        context: object = None,
    ) -> AsyncGenerator[HostedGraph, None]:
        """Give a graph, ready to run.

        Args:
            graph_id: Its name.
            config: What a factory that asks for a config gets.
            durable: With a checkpointer. Without, as stateless runs have it.
            access: What it is opened for; factories may ask.
            context: The context of the run that it is opened for; likewise.

        Raises:
            NotFound: There is no such graph.
            UserCodeError: Not for a run, and the graph's own code has raised what would end more
                than the request, such as `SystemExit`.
        """
        try:
            async with self._open(graph_id, config or {}, durable, access, context) as graph:
                yield graph
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            if access == "threads.create_run":  # A run ends with what was raised itself.
                raise
            raise UserCodeError(
                f"the code of graph {graph_id!r} raised {type(error).__name__}: {error}"
            ) from error

    @asynccontextmanager
    async def _open(
        self,
        graph_id: str,
        config: JsonMapping,
        durable: bool,
        access: Access,
        context: Any,
    ) -> AsyncGenerator[HostedGraph, None]:
        if graph_id not in self._sources:  # A run or an assistant that was stored names it.
            known = sorted(self.names)
            raise NotFound(f"Graph '{graph_id}' not found. Expected one of: {known}")
        source = self._sources[graph_id]
        if isinstance(source, Factory):
            if self._user is not None:
                of_user = {**user_fields(self._user), USER_FIELDS[0]: self._user}
                configurable = {**(config.get("configurable") or {}), **of_user}
                config = {**config, "configurable": configurable}
            async with source.open(config, access, self._store, context) as graph:
                yield self._adapt(graph_id, graph, durable)
            return
        key = (graph_id, durable)
        if key not in self._ready:
            self._ready[key] = self._adapt(graph_id, source, durable)
        yield self._ready[key]

    def _adapt(self, graph_id: str, graph: Any, durable: bool) -> HostedGraph:
        if _is_scripted(graph):
            from langgraph_client.server.graphs.hosted_script import HostedScript

            return HostedScript(
                graph, self._script_states, durable=durable, write_events=self._write
            )
        if _is_builder(graph):
            graph = graph.compile(name=graph_id)
        if not _is_compiled(graph):
            raise TypeError(f"the factory of graph {graph_id!r} gave a {type(graph).__name__}")
        from langgraph_client.server.graphs.compiled import CompiledGraph

        update: dict[str, Any] = {"checkpointer": self._saver(graph, durable)}
        if graph.name == "LangGraph":  # what langgraph calls a graph without a name
            update["name"] = graph_id
        if graph.store is None:
            update["store"] = self._store
        return CompiledGraph(graph.copy(update))

    def _saver(self, graph: Any, durable: bool) -> Any:
        """Return the checkpointer that a compiled graph is to run with."""
        from langgraph_client.server.graphs.compiled import schema_classes
        from langgraph_client.server.graphs.hosted_saver import HostedSaver

        own = graph.checkpointer
        if own is not None and not isinstance(own, bool):
            # As locally: a run without a thread is an error, where nothing is lent.
            is_used = durable or not self._lend_checkpointer
            hosted = HostedSaver(own, self._write, may_resume=self._may_resume)
            return hosted if is_used else None
        if not self._lend_checkpointer:
            return own
        if not durable or self._checkpointer is None:
            return None
        self._allow(schema_classes(graph).values())
        return HostedSaver(self._checkpointer, self._write, is_own=False)


def _source(name: str, graph: object) -> object:
    """Return what a graph is made from: itself, or a factory.

    Raises:
        TypeError: It is no graph.
    """
    if _is_scripted(graph) or _is_builder(graph) or _is_compiled(graph):
        return graph
    if callable(graph):
        return Factory(graph, name)
    raise TypeError(
        f"graph {name!r} is a {type(graph).__name__}; "
        "give a compiled graph, a graph builder, a ScriptedGraph, or a factory"
    )


# Whoever has an instance of a class has imported it. Importing langgraph here would take most of
# the start of a server of scripted graphs, and what plays scripts a tenth of that of any other.


def _is_scripted(graph: object) -> bool:
    scripted = sys.modules.get("langgraph_client.server.graphs.scripted")
    return scripted is not None and isinstance(graph, scripted.ScriptedGraph)


def _is_compiled(graph: object) -> bool:
    pregel = sys.modules.get("langgraph.pregel")
    return pregel is not None and isinstance(graph, pregel.Pregel)


def _is_builder(graph: object) -> bool:
    state = sys.modules.get("langgraph.graph.state")
    return state is not None and isinstance(graph, state.StateGraph)


def brought_store(graphs: Mapping[str, Any]) -> object:
    """Return the store that graphs were compiled with; None if that is none, or not the same."""
    stores = [graph.store for graph in graphs.values() if _is_compiled(graph)]
    brought = {id(store): store for store in stores if store is not None}
    return next(iter(brought.values())) if len(brought) == 1 else None


def classes_named_by(graph: object) -> Mapping[str, type]:
    """Return the classes that the schemas of a graph or a builder name; none for anything else."""
    if _is_compiled(graph):
        from langgraph_client.server.graphs.compiled import schema_classes

        return schema_classes(graph)
    if _is_builder(graph):
        from langgraph_client.server.graphs.compiled import builder_classes

        return builder_classes(graph)
    return {}
