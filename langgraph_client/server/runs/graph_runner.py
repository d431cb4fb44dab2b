"""Run graphs for the engine, and derive a thread's document from its state."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from langgraph_client.current_server import HostingServer, current_server
from langgraph_client.models.fields import JsonObject
from langgraph_client.server.auth.users import with_user
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.errors import Unavailable
from langgraph_client.server.graphs.drain_checks import ControlledRuns
from langgraph_client.server.graphs.hosted_graphs import Graphs
from langgraph_client.server.graphs.protocol import (
    GraphRun,
    HostedGraph,
    Item,
    Snapshot,
    thread_config,
)
from langgraph_client.server.graphs.state_documents import interrupt_document
from langgraph_client.server.reserved_keys import (
    CONTEXT_PROVIDED,
    RESERVED_CONFIGURABLE,
    without,
    without_internal,
)
from langgraph_client.server.runs.run_document import goes_on, with_assistants_config
from langgraph_client.server.runs.thread_status import state_status
from langgraph_client.server.typed_values import CONTROL, TYPED_VALUES, open_kwargs
from langgraph_client.server.user_code import is_stopping
from langgraph_client.thread_ids import GIVEN_ID, given_thread_id
from langgraph_client.values import ANSWERED_EVENT, PARENT

if TYPE_CHECKING:
    from langgraph_client.server.graphs.hosted_saver import HostedSaver
    from langgraph_client.server.hooks import RunHooks
    from langgraph_client.server.runs.run_states import Job
    from langgraph_client.server.storage.protocol import Document


logger = logging.getLogger("langgraph_client.server")
_DELETION_SECONDS = 30.0
"""How long a graph's own checkpointer may take to delete a run or a thread, or to prune one."""
#: The keys at the top of a config that are a request's, and all that langgraph knows.
_PASSED_ON = frozenset({"max_concurrency", "recursion_limit", "run_name", "tags"})
_CONFIG_KEYS = _PASSED_ON | {"callbacks", "configurable", "metadata", "run_id"}


@cache
def versions() -> dict[str, str]:
    """Return the versions of the software for the metadata of runs."""
    numbers = {}
    for name, package in (
        ("langgraph_version", "langgraph"),
        ("langgraph_api_version", "langgraph-client"),
    ):
        try:
            numbers[name] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            numbers[name] = "unknown"
    return {**numbers, "langgraph_plan": "reference", "langgraph_host": "self-hosted"}


class HostedGraphRunner:
    """See `run_states.GraphRunner`."""

    def __init__(
        self,
        graphs: Graphs,
        url: str | None,
        hooks: RunHooks,
        hosting_of: Callable[[Document], HostingServer],
        controlled: ControlledRuns,
        *,
        show_errors: bool,
    ) -> None:
        self._show_errors = show_errors
        self._hosting_of = hosting_of
        self._controlled = controlled
        self._hooks = hooks
        self._graphs = graphs
        self._url = url or "http://localhost"

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the software and the server's URL, for the metadata of runs."""
        return {**versions(), "langgraph_api_url": self._url}

    async def events(self, job: Job) -> AsyncGenerator[Item, None]:
        """Run the job's graph and yield its events.

        Raises:
            NotJsonError: The run's values contain something that JSON cannot represent.
            BaseException: The graph raised it.
        """
        # For `get_client()` in the graph. Each run has its own task, and so its own context.
        current_server.set(self._hosting_of(job.run))
        async with self._opened(job) as (graph, run):
            job.opened = True
            job.has_message_documents = graph.has_message_documents
            # A later attempt, after a kill or a restart, must not apply the run's input twice.
            if not job.temporary and job.attempt > 1:
                if "answer" in (run.kwargs.get(PARENT) or {}):
                    # The earlier attempt may have used it: the caller must not use it again.
                    yield ANSWERED_EVENT, True
                run = await graph.continued(run.without_parent_answer())
            values: Any = None
            async with aclosing(graph.events(run)) as events:
                async for item in events:
                    if item[0] == "values":
                        values = item[1]
                    yield item
            if job.temporary:
                encode(values)  # Other runs need no check here: their thread's state is encoded.

    @asynccontextmanager
    async def _opened(self, job: Job) -> AsyncIterator[tuple[HostedGraph, GraphRun]]:
        """Open the graph of a job, and give the run that it executes."""
        run, config = job.run, self._config(job.run)
        kwargs = run["kwargs"]
        before_node = None
        if self._hooks.watches_nodes:
            before_node = partial(self._hooks.before_node, run)
        async with self._graphs.open(
            kwargs["config"]["configurable"]["graph_id"],
            config,
            durable=not job.temporary,
            access="threads.create_run",
            context=kwargs.get("context"),
        ) as graph:
            if TYPED_VALUES in kwargs:
                kwargs = open_kwargs(kwargs, graph.classes)
            with self._controlled.run(job.run_id, kwargs.get(CONTROL)) as checks:
                yield (
                    graph,
                    GraphRun(
                        kwargs, config, before_node, checks=checks, show_errors=self._show_errors
                    ),
                )

    def _config(self, run: Document) -> JsonObject:
        config = run["kwargs"]["config"]
        thread_id = run["kwargs"].get(GIVEN_ID, run["thread_id"])
        # langgraph moves keys that it does not know into `configurable`, over what is there. They
        # go below it here: a request must not name another thread or another user.
        others = {key: value for key, value in config.items() if key not in _CONFIG_KEYS}
        caller_configurable = {
            **without(others, RESERVED_CONFIGURABLE),
            **with_user(config["configurable"]),
        }
        configurable = {**without_internal(caller_configurable), "thread_id": thread_id}
        configurable.pop(CONTEXT_PROVIDED, None)
        return {
            **{key: value for key, value in config.items() if key in _PASSED_ON},
            "configurable": configurable,
            "metadata": dict(config["metadata"]),
            "run_id": uuid.UUID(run["run_id"]),
        }

    async def state(self, run: Document, rest: Document, *, is_deleted: bool = False) -> Document:
        """Return the fields of the thread's document that depend on its state.

        Args:
            run: The run that has ended.
            rest: The fields if there is no state.
            is_deleted: Whether the run's checkpoints were deleted, because it was rolled back or
                deleted itself. What it wrote to older ones is removed first.
        """
        graph_id = _graph_of(run)
        config = thread_config(run["kwargs"].get(GIVEN_ID, run["thread_id"]))
        current_server.set(self._hosting_of(run))  # For a factory, which is called again.
        async with self._graphs.open(graph_id, self._config(run)) as graph:
            if not graph.keeps_states:
                return {**rest, "interrupts": {}}
            if is_deleted and goes_on(run["kwargs"]):
                await graph.atake_back(config, run["run_id"])
            state = await graph.aget_state(config)
            if state.created_at is None:  # The thread has no checkpoint.
                return {**rest, "interrupts": rest.get("interrupts") or {}}
            return thread_fields(state, await _written(graph, state))

    async def forget(self, thread: Document, last_run: Document | None, *, is_needed: bool) -> None:
        """Delete a thread's state in the graph's own checkpointer, if it has one.

        Args:
            thread: The thread's document.
            last_run: Its last run; None without any.
            is_needed: Whether the checkpointer may have a state of the thread.

        Raises:
            Unavailable: The graph or its checkpointer raised an error, or took too long. The state
                may still exist.
        """
        async with self._own_saver(thread, last_run, is_needed, "deleted the thread") as saver:
            if saver is not None:
                await saver.adelete_thread(_callers_id(thread))

    async def keep_latest(
        self, thread: Document, last_run: Document | None, *, is_needed: bool
    ) -> None:
        """Delete all states of a thread but the latest in the graph's own checkpointer.

        Args:
            thread: The thread's document.
            last_run: Its last run; None without any.
            is_needed: Whether the checkpointer may have states of the thread.

        Raises:
            Unavailable: The graph or its checkpointer raised an error, or took too long.
        """
        async with self._own_saver(thread, last_run, is_needed, "pruned the thread") as saver:
            if saver is not None:
                await saver.aprune([_callers_id(thread)], strategy="keep_latest")

    @asynccontextmanager
    async def _own_saver(
        self, thread: Document, last_run: Document | None, is_needed: bool, done: str
    ) -> AsyncIterator[HostedSaver | None]:
        """Open the checkpointer of a thread's graph; None if it has none of its own.

        A factory gets the config of the last run, because it may need what only runs have.

        Raises:
            Unavailable: The graph or its checkpointer raised an error, or took too long.
        """
        graph_id = thread["metadata"].get("graph_id")
        if graph_id not in self._graphs:
            yield None
            return
        config = with_assistants_config(thread, thread_config(_callers_id(thread)))
        if last_run is not None and _graph_of(last_run) == graph_id:
            config = self._config(last_run)
        try:
            # With a limit: the caller holds the thread's lock, and may have further threads to do.
            async with (
                asyncio.timeout(_DELETION_SECONDS),
                self._graphs.open_own_saver(graph_id, config, is_needed=is_needed) as saver,
            ):
                yield saver
        except NotImplementedError:
            logger.warning(
                "the checkpointer of graph %s lacks a method, and has not %s %s: what it has stays",
                graph_id,
                done,
                thread["thread_id"],
            )
        except Exception as error:
            raise Unavailable(
                f"the checkpointer of graph {graph_id!r} has not {done}: {type(error).__name__}",
                str(error),
            ) from error

    async def delete_run(self, run: Document, *, is_needed: bool, is_in_use: bool) -> bool:
        """Delete the checkpoints of a run in the graph's own checkpointer, if it has one.

        Args:
            run: The run.
            is_needed: Whether the checkpointer may have some.
            is_in_use: Whether another run of the thread is not over.

        Returns:
            False if they stay, because the checkpointer has no method for it.

        Raises:
            Unavailable: The graph or its checkpointer raised an error, or took too long.
        """
        graph_id = _graph_of(run)
        if graph_id not in self._graphs:
            return True
        try:
            async with (
                asyncio.timeout(_DELETION_SECONDS),
                self._graphs.open_own_saver(
                    graph_id, self._config(run), is_needed=is_needed
                ) as saver,
            ):
                if saver is not None:
                    thread_id = run["kwargs"].get(GIVEN_ID, run["thread_id"])
                    await saver.adelete_run(thread_id, run["run_id"], is_in_use=is_in_use)
        except NotImplementedError:
            logger.warning(
                "the checkpointer of graph %s cannot delete runs: the checkpoints of run %s stay",
                graph_id,
                run["run_id"],
            )
            return False
        except BaseException as error:  # Of a graph's factory or its saver.
            if is_stopping(error):
                raise
            raise Unavailable(
                f"the checkpointer of graph {graph_id!r} has not deleted the run: "
                f"{type(error).__name__}",
                str(error),
            ) from error
        return True


def _callers_id(thread: Document) -> str:
    return given_thread_id(thread["metadata"], thread["thread_id"])


def _graph_of(run: Document) -> str:
    return str(run["kwargs"]["config"]["configurable"]["graph_id"])


async def _written(graph: HostedGraph, state: Snapshot) -> Any:
    """Return the values of the last checkpoint, without the writes of an unfinished step."""
    if not any(task.result is not None for task in state.tasks):
        return state.values
    # langgraph does not apply pending writes to a state that is requested by its checkpoint id.
    return (await graph.aget_state(state.config)).values


def thread_fields(state: Snapshot, values: Any) -> Document:
    """Return a thread's status, values and interrupts for its state."""
    waiting = {
        task.id: [interrupt_document(item) for item in task.interrupts]
        for task in state.tasks
        if task.interrupts
    }
    return {
        "status": state_status(bool(state.next)),
        "values": decode(encode(values)),
        "interrupts": decode(encode(waiting)),
        "error": None,
    }
