"""The graphs that a server hosts: compiled graphs, builders, factories, and scripted graphs.

Every graph is used through `open`, an async context manager that gives a `HostedGraph`. It calls a
factory each time, and enters and exits a context manager.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.auth.users import USER_FIELDS, User, user_fields
from langgraph_client.server.errors import NotFound, ServerError
from langgraph_client.server.graphs.factories import Factory
from langgraph_client.server.graphs.protocol import Access, HostedGraph
from langgraph_client.server.storage.script_states import ScriptStates

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.store.base import BaseStore

    from langgraph_client.server.graphs.hosted_saver import HostedSaver


_UNNAMED = "LangGraph"
"""The name of a graph that was compiled without one."""


logger = logging.getLogger("langgraph_client.server")


class UserCodeError(RuntimeError):
    """A graph's own code raised a `BaseException` while its state was read or written."""


class Graphs:
    """The graphs a server hosts, by name, in the order given.

    Args:
        graphs: Graphs by name: compiled, a builder, a `ScriptedGraph`, or a factory of one; see
            `factories`.
        checkpointer: The checkpointer for graphs without their own.
        store: The store for graphs without their own.
        script_states: The states of scripted graphs.
        allow: Allows the checkpointer to create objects of classes from stored values.
        lend_checkpointer: Whether to give graphs the checkpointer. If not, each graph stores
            checkpoints only if it was compiled with a checkpointer.
        may_resume: Whether a run may go on in a later process.
        undoes_writes: Whether what a deleted run has written to older checkpoints is deleted with
            it from those of `checkpointer`. A saver of the user cannot do this.

    Raises:
        TypeError: A graph is none of these, or a factory has a parameter that cannot be passed.
    """

    def __init__(
        self,
        graphs: Mapping[str, object],
        checkpointer: BaseCheckpointSaver[Any] | None,
        store: BaseStore | None,
        script_states: ScriptStates,
        allow: Callable[[Iterable[type]], None],
        *,
        lend_checkpointer: bool,
        may_resume: bool,
        undoes_writes: bool,
    ) -> None:
        self._sources = {name: _source(name, graph) for name, graph in graphs.items()}
        self._checkpointer = checkpointer
        self._store = store
        self._script_states = script_states
        self._allow = allow
        self._lend_checkpointer = lend_checkpointer
        self._may_resume = may_resume
        self._undoes_writes = undoes_writes
        self._write_events: Callable[[], Awaitable[None]] | None = None
        # Copies for users share it: a graph that no factory creates does not depend on the user.
        self._ready: dict[tuple[str, bool], HostedGraph] = {}
        self._user: User | None = None

    def for_user(self, user: User) -> Graphs:
        """Return the graphs for a user, whom factories get in the runtime."""
        graphs = copy.copy(self)
        graphs._user = user
        return graphs

    def before_checkpoints(self, write_events: Callable[[], Awaitable[None]]) -> None:
        """Set the function that stores pending events before a later checkpoint is written."""
        self._write_events = write_events

    async def _write(self) -> None:
        if self._write_events is not None:
            await self._write_events()

    @property
    def names(self) -> list[str]:
        """The names of the graphs, in the order given."""
        return list(self._sources)

    def compiled_name(self, graph_id: str) -> str | None:
        """Return the name with which a graph was compiled; None if it was given none."""
        graph: Any = self._sources[graph_id]
        return graph.name if _is_compiled(graph) and graph.name != _UNNAMED else None

    def __contains__(self, graph_id: object) -> bool:
        # It may be any JSON: clients write the metadata of threads.
        return isinstance(graph_id, str) and graph_id in self._sources

    def need(self, graph_id: str) -> str:
        """Return the name of a graph, after checking that it is hosted.

        Raises:
            NotFound: It is not. A stored thread or assistant may name an old graph.
        """
        if graph_id not in self:
            known = sorted(self.names)
            raise NotFound(f"Graph '{graph_id}' not found. Expected one of: {known}")
        return graph_id

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
            graph_id: The graph's name.
            config: The config for a factory; None for an empty one.
            durable: Whether the graph gets a checkpointer; stateless runs get none.
            access: The purpose, for a factory.
            context: The context of the run, for a factory.

        Raises:
            NotFound: The graph does not exist.
            UserCodeError: The purpose is not a run, and the graph's own code raised a
                `BaseException`, such as `SystemExit`, which would end more than the request.
        """
        try:
            async with self._open(graph_id, config or {}, durable, access, context) as graph:
                yield graph
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            if access == "threads.create_run":  # A run fails with the original exception.
                raise
            raise UserCodeError(
                f"the code of graph {graph_id!r} raised {type(error).__name__}: {error}"
            ) from error

    @asynccontextmanager
    async def open_own_saver(
        self, graph_id: str, config: Mapping[str, object], *, is_needed: bool
    ) -> AsyncGenerator[HostedSaver | None, None]:
        """Give the checkpointer that a graph was compiled with; None if the server has its states.

        A factory is called, with the access `threads.read`. It may need a config that only runs
        have.

        Args:
            graph_id: The graph's name.
            config: The config for a factory.
            is_needed: Whether the checkpointer may have states. If not, a factory that raises an
                exception counts as one of a graph without a checkpointer.

        Raises:
            NotFound: The graph does not exist.
            Exception: The factory raised it, and the checkpointer is needed.
        """
        async with AsyncExitStack() as stack:
            saver: HostedSaver | None = None
            try:
                graph = await stack.enter_async_context(self.open(graph_id, config))
                saver = graph.own_saver
            except Exception as error:
                if is_needed or isinstance(error, ServerError):
                    raise
                logger.warning(
                    "the factory of graph %s raised %s: its checkpointer is not needed",
                    graph_id,
                    type(error).__name__,
                )
            yield saver

    @asynccontextmanager
    async def _open(
        self,
        graph_id: str,
        config: JsonMapping,
        durable: bool,
        access: Access,
        context: Any,
    ) -> AsyncGenerator[HostedGraph, None]:
        source = self._sources[self.need(graph_id)]
        if isinstance(source, Factory):
            if self._user is not None:
                of_user = {**user_fields(self._user), USER_FIELDS[0]: self._user}
                configurable = {**(config.get("configurable") or {}), **of_user}
                config = {**config, "configurable": configurable}
            async with source.open(config, access, self._store, context) as graph:
                yield self._adapt(graph_id, graph, durable)
            return
        # Compiled graphs are adapted once. The keys are bounded by the graphs of the server.
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
            raise TypeError(
                f"the factory of graph {graph_id!r} must return a graph, not a"
                f" {type(graph).__name__}"
            )
        from langgraph_client.server.graphs.compiled import CompiledGraph

        update: dict[str, Any] = {"checkpointer": self._saver(graph, durable)}
        if graph.name == _UNNAMED:
            update["name"] = graph_id
        if graph.store is None:
            update["store"] = self._store
        return CompiledGraph(graph.copy(update))

    def _saver(self, graph: Any, durable: bool) -> Any:
        """Return the checkpointer with which to run a compiled graph."""
        from langgraph_client.server.graphs.compiled import schema_classes
        from langgraph_client.server.graphs.hosted_saver import HostedSaver

        own = graph.checkpointer
        if own is not None and not isinstance(own, bool):
            # As in a local graph, a run without a thread is an error if the graph has its own.
            is_used = durable or not self._lend_checkpointer
            hosted = HostedSaver(own, self._write, may_resume=self._may_resume)
            return hosted if is_used else None
        if not self._lend_checkpointer:
            return own
        if not durable or self._checkpointer is None:
            return None
        self._allow(schema_classes(graph).values())
        return HostedSaver(
            self._checkpointer, self._write, is_own=False, undoes_writes=self._undoes_writes
        )


def _source(name: str, graph: object) -> object:
    """Return the source of a graph: the graph itself, or a factory.

    Raises:
        TypeError: The object is neither a graph nor a factory.
    """
    if _is_scripted(graph) or _is_builder(graph) or _is_compiled(graph):
        return graph
    if callable(graph):
        return Factory(graph, name)
    raise TypeError(
        f"graph {name!r} is a {type(graph).__name__}; "
        "pass a compiled graph, a graph builder, a ScriptedGraph, or a factory"
    )


# These checks look into `sys.modules`, because an instance exists only if its class was imported.
# To import langgraph here would take most of the start time of a server with scripted graphs only.


def _is_scripted(graph: object) -> bool:
    scripted = sys.modules.get("langgraph_client.server.graphs.scripted")
    return scripted is not None and isinstance(graph, scripted.ScriptedGraph)


def _is_compiled(graph: object) -> bool:
    pregel = sys.modules.get("langgraph.pregel")
    return pregel is not None and isinstance(graph, pregel.Pregel)


def _is_builder(graph: object) -> bool:
    state = sys.modules.get("langgraph.graph.state")
    return state is not None and isinstance(graph, state.StateGraph)


def store_of_graphs(graphs: Mapping[str, Any]) -> BaseStore | None:
    """Return the store that all graphs with a store were compiled with; else None."""
    stores = [graph.store for graph in graphs.values() if _is_compiled(graph)]
    brought = {id(store): store for store in stores if store is not None}
    return next(iter(brought.values())) if len(brought) == 1 else None


def schema_classes_of(graph: object) -> Mapping[str, type]:
    """Return the classes in the schemas of a graph or a builder; empty for other objects."""
    if _is_compiled(graph):
        from langgraph_client.server.graphs.compiled import schema_classes

        return schema_classes(graph)
    if _is_builder(graph):
        from langgraph_client.server.graphs.compiled import builder_classes

        return builder_classes(graph)
    return {}
