"""Threads created in a given state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langgraph_client.server.documents.threads import callers_thread_id
from langgraph_client.server.graphs.hosted_script import HostedScript
from langgraph_client.server.graphs.protocol import HostedGraph, thread_config
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
        # Any node will do: what comes next is decided by the last update, below.
        for update in history:
            await graph.aupdate_state(config, dict(update), _any_node(graph))
        if isinstance(graph, HostedScript):
            await graph.place(config, values, next_nodes)
        else:
            as_node = await _node_before(services, graph, values, next_nodes)
            await graph.aupdate_state(config, dict(values), as_node)
        state = await graph.aget_state(config)
    thread.update(thread_fields(state, state.values), state_updated_at=services.clock.stamp())
    await services.storage.threads.put(thread)
    return str(thread["thread_id"])


def _any_node(graph: HostedGraph) -> str | None:
    return next(iter(graph.node_names()), None)


async def _node_before(
    services: Services,
    graph: HostedGraph,
    values: Mapping[str, object],
    next_nodes: Sequence[str] | None,
) -> str | None:
    """Return the node that leads to the next ones, by trying each on a thread of its own."""
    if next_nodes is None:
        return _any_node(graph)
    trial = new_thread(services.clock.uuid7(), services.clock.stamp())
    config = thread_config(trial["thread_id"])
    next_after: dict[str, list[str]] = {}
    names = graph.node_names()
    try:
        for name in ["__start__", *names]:
            try:
                await graph.aupdate_state(config, dict(values), name)
            except Exception as error:  # A path function may not get along with these values.
                next_after[name] = [f"{type(error).__name__}: {error}"]
                continue
            next_after[name] = list((await graph.aget_state(config)).next)
            if sorted(next_after[name]) == sorted(next_nodes):
                return str(name)
            await delete_state(services, graph, trial)  # The next node starts from nothing, too.
    finally:
        await delete_state(services, graph, trial)
    known = "; ".join(f"after {name!r} comes {nodes}" for name, nodes in next_after.items())
    raise ValueError(f"with these values no node leads to {list(next_nodes)}: {known}")
