"""Threads created in a given state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langgraph_client.server.documents.threads import callers_thread_id
from langgraph_client.server.graphs.hosted_script import HostedScript
from langgraph_client.server.graphs.protocol import Config, HostedGraph, thread_config
from langgraph_client.server.runs.graph_runner import thread_fields
from langgraph_client.server.runs.run_document import assistant_id_of, new_thread
from langgraph_client.server.services import Services
from langgraph_client.testing.delete_states import delete_state


async def seed(
    services: Services,
    graph_id: str,
    values: Mapping[str, object],
    next_nodes: Sequence[str] | None,
    history: Sequence[Mapping[str, object]],
    thread_id: str | None,
    metadata: Mapping[str, object] | None,
) -> str:
    """Create a thread in a given state; see `TestServer.seed_thread`."""
    thread = new_thread(thread_id or services.clock.uuid7(), services.clock.stamp())
    if await services.storage.threads.get(thread["thread_id"]) is not None:
        raise ValueError(f"thread {thread['thread_id']} exists already")
    graph_ids = {"graph_id": graph_id, "assistant_id": assistant_id_of(graph_id)}
    thread["metadata"] = {**(metadata or {}), **graph_ids}
    config = {**thread_config(callers_thread_id(thread)), "metadata": {"graph_id": graph_id}}
    async with services.graphs.open(graph_id, config) as graph:
        # A checkpointer of the test's own may have states of an earlier thread with this id.
        await delete_state(services, graph, thread)
        if isinstance(graph, HostedScript):
            await _write_history(graph, config, history)
            await graph.place(config, values, next_nodes)
        else:
            as_node = await _node_before(services, graph, values, next_nodes, history)
            await _write_history(graph, config, history)
            await graph.aupdate_state(config, dict(values), as_node)
        state = await graph.aget_state(config)
        if next_nodes is not None and sorted(state.next) != sorted(next_nodes):
            # The graph may decide otherwise each time, or by the thread's id.
            await delete_state(services, graph, thread)
            raise ValueError(f"next is {list(state.next)}, not {list(next_nodes)}")
    thread.update(thread_fields(state, state.values), state_updated_at=services.clock.stamp())
    await services.storage.threads.put(thread)
    return str(thread["thread_id"])


async def _write_history(
    graph: HostedGraph, config: Config, history: Sequence[Mapping[str, object]]
) -> None:
    # Any node will do: what comes next is decided by the last update.
    for update in history:
        await graph.aupdate_state(config, dict(update), _any_node(graph))


def _any_node(graph: HostedGraph) -> str | None:
    return next(iter(graph.node_names()), None)


async def _node_before(
    services: Services,
    graph: HostedGraph,
    values: Mapping[str, object],
    next_nodes: Sequence[str] | None,
    history: Sequence[Mapping[str, object]],
) -> str | None:
    """Return the node that leads to the next ones, by trying each on a thread of its own."""
    if next_nodes is None:
        return _any_node(graph)
    next_after: dict[str, list[str]] = {}
    for name in ["__start__", *graph.node_names()]:
        # A new one for each: some checkpointers cannot delete threads.
        trial = new_thread(services.clock.uuid7(), services.clock.stamp())
        config = thread_config(trial["thread_id"])
        try:
            await _write_history(graph, config, history)
            try:
                await graph.aupdate_state(config, dict(values), name)
            except Exception as error:  # A path function may not get along with these values.
                next_after[name] = [f"{type(error).__name__}: {error}"]
                continue
            next_after[name] = list((await graph.aget_state(config)).next)
        finally:
            await delete_state(services, graph, trial)
        if sorted(next_after[name]) == sorted(next_nodes):
            return str(name)
    known = "; ".join(f"after {name!r} comes {nodes}" for name, nodes in next_after.items())
    raise ValueError(f"with these values no node leads to {list(next_nodes)}: {known}")
