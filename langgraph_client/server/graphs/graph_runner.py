"""Runs graphs for the engine, and keeps a thread's document true to its state."""

from __future__ import annotations

import importlib.metadata
import uuid
from collections.abc import AsyncGenerator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from langgraph_client.hosting import Host, current_host
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.graphs.hosted_graphs import Graphs
from langgraph_client.server.graphs.run_events import Item, context_keys, events_of
from langgraph_client.server.graphs.scripted import ScriptedGraph
from langgraph_client.server.typed_values import RICH, classes_of, opened_input

if TYPE_CHECKING:
    from langgraph_client.server.hooks import RunHooks
    from langgraph_client.server.runs.run_states import Job
    from langgraph_client.server.storage.protocol import Document


@cache
def versions() -> dict[str, str]:
    """Return what run metadata says about the software, under the names clients know."""
    found = {}
    for name, package in (
        ("langgraph_version", "langgraph"),
        ("langgraph_api_version", "langgraph-client"),
    ):
        try:
            found[name] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return {**found, "langgraph_plan": "reference", "langgraph_host": "self-hosted"}


def thread_config(thread_id: str, checkpoint: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the config that names a thread's state, the latest or that of a checkpoint."""
    return {"configurable": {"checkpoint_ns": "", **(checkpoint or {}), "thread_id": thread_id}}


class HostedGraphRunner:
    """See `engine.GraphRunner`."""

    def __init__(
        self,
        graphs: Graphs,
        url: str | None,
        hooks: RunHooks,
        host: Host,
    ) -> None:
        self._host = host
        self._hooks = hooks
        self._graphs = graphs
        self.versions = {**versions(), "langgraph_api_url": url or "http://localhost"}

    async def events(self, job: Job) -> AsyncGenerator[Item, None]:
        """Run the job's graph, giving what happens."""
        # For `get_client()` in the graph. The run has a task, and so a context, of its own.
        current_host.set(self._host)
        run = job.run
        graph_id: str = run["kwargs"]["config"]["configurable"]["graph_id"]
        config = self._config(run)
        async with self._graphs.open(graph_id, config, durable=not job.temporary) as graph:
            if run["kwargs"]["resumable"]:
                graph = _telling_at_once(graph)
            schema = getattr(graph, "context_schema", None)
            # Known as real servers do it; a local graph, which RemoteGraph is to equal, does not.
            if schema is not None and run["kwargs"].get("context") and RICH not in run["kwargs"]:
                known = context_keys(schema)
                given = run["kwargs"]["context"]
                config["configurable"].update({k: v for k, v in given.items() if k in known})
            begun = await self._begun(job, graph)
            if begun is not None:
                if "updates" in run["kwargs"]["stream_mode"]:
                    for task in begun.tasks:
                        if task.result is not None:
                            # Done, and not done again; but the earlier attempt may have been
                            # killed before it could tell.
                            cached = {"__metadata__": {"cached": True}}
                            yield "updates", {task.name: task.result, **cached}
                run = {**run, "kwargs": {**run["kwargs"], "input": None, "command": None}}
            if RICH in run["kwargs"]:
                run = {**run, "kwargs": opened_input(run["kwargs"], classes_of(graph))}
            if self._hooks.watches_nodes:
                graph = self._watched(graph, run, config)
            async for item in events_of(graph, run, config):
                yield item

    def _watched(self, graph: Any, run: Document, config: Document) -> Any:
        """Return the graph so that it calls the hook before each node."""
        if isinstance(graph, ScriptedGraph):
            return graph.copy({"before": lambda node: self._hooks.before_node(run, node)})
        from langgraph_client.server.graphs.node_callback import NodeCallback

        config["callbacks"] = [NodeCallback(self._hooks, run)]
        return graph

    async def _begun(self, job: Job, graph: Any) -> Any:
        """Return the state that an earlier attempt left to go on from, or None."""
        if job.temporary or job.run["kwargs"]["config"]["metadata"]["run_attempt"] == 1:
            return None
        state = await graph.aget_state(thread_config(job.thread_id))
        mine = state.metadata and state.metadata.get("run_id") == job.run_id
        return state if mine else None

    def _config(self, run: Document) -> dict[str, Any]:
        given = run["kwargs"]["config"]
        return {
            **given,
            "configurable": dict(given["configurable"]),
            "metadata": dict(given["metadata"]),
            "run_id": uuid.UUID(run["run_id"]),
        }

    async def state(self, job: Job, rest: Document) -> Document:
        """Return the part of the thread's document that its state decides."""
        graph_id: str = job.run["kwargs"]["config"]["configurable"]["graph_id"]
        config = thread_config(job.thread_id)
        async with self._graphs.open(graph_id, self._config(job.run)) as graph:
            state = await graph.aget_state(config)
            if state.created_at is None:  # nothing was ever written
                return {**rest, "interrupts": rest.get("interrupts") or {}}
            return thread_fields(state, await _written(graph, state))


def _telling_at_once(graph: Any) -> Any:
    """Return a graph that gives what a step did before it saves the checkpoint behind the step.

    langgraph runs a step of one task on a short cut that saves first, unless it is to stream
    eagerly (seen in langgraph 1.2.24). A process killed in between would have lost the event for
    good, as the step is not run again.
    """
    if getattr(graph, "stream_eager", True):
        return graph
    return graph.copy({"stream_eager": True})


async def _written(graph: Any, state: Any) -> Any:
    """Return the values of the last checkpoint, without what a half-done step wrote since."""
    if not any(task.result is not None for task in state.tasks):
        return state.values
    # A state that is asked for by its checkpoint does not have pending writes in it.
    return (await graph.aget_state(state.config)).values


def thread_fields(state: Any, values: Any) -> Document:
    """Return status, values and interrupts of a thread whose state is this."""
    waiting = {
        task.id: [interrupt_document(item) for item in task.interrupts]
        for task in state.tasks
        if task.interrupts
    }
    return {
        "status": "interrupted" if state.next else "idle",
        "values": decode(encode(values)),
        "interrupts": decode(encode(waiting)),
        "error": None,
    }


def interrupt_document(interrupt: Any) -> dict[str, Any]:
    """Return an interrupt as threads and states show it."""
    shown = {"id": interrupt.id, "value": interrupt.value}
    schema = getattr(interrupt, "response_schema", None)
    return shown if schema is None else {**shown, "response_schema": schema}
