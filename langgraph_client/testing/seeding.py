"""Threads made in a state of one's choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph_client.server.graphs.graph_runner import thread_config, thread_fields
from langgraph_client.server.graphs.scripted import ScriptedGraph
from langgraph_client.server.runs.create_run import assistant_id_of, new_thread
from langgraph_client.server.services import Services


async def seed(
    services: Services,
    graph_id: str,
    values: Mapping[str, Any],
    wanted: Sequence[str] | None,
    history: Sequence[Mapping[str, Any]],
    thread_id: str | None,
    metadata: Mapping[str, Any] | None,
) -> str:
    """See `TestServer.seed_thread`."""
    if graph_id not in services.graphs:
        raise ValueError(f"there is no graph {graph_id!r}, only {sorted(services.graphs.names)}")
    thread = new_thread(thread_id or services.clock.uuid7(), services.clock.stamp())
    if await services.storage.threads.get(thread["thread_id"]) is not None:
        raise ValueError(f"thread {thread['thread_id']} exists already")
    said = {"graph_id": graph_id, "assistant_id": assistant_id_of(graph_id)}
    thread["metadata"] = {**(metadata or {}), **said}
    config = {**thread_config(thread["thread_id"]), "metadata": {"graph_id": graph_id}}
    async with services.graphs.open(graph_id, config) as graph:
        for written in history:
            await graph.aupdate_state(config, dict(written), _any_node(graph))
        if isinstance(graph, ScriptedGraph):
            await graph.place(config, values, wanted)
        else:
            as_node = await _node_before(services, graph, values, wanted)
            await graph.aupdate_state(config, dict(values), as_node)
        state = await graph.aget_state(config)
    thread.update(thread_fields(state, state.values), state_updated_at=services.clock.stamp())
    await services.storage.threads.put(thread)
    return str(thread["thread_id"])


def _any_node(graph: Any) -> str | None:
    names = [name for name in getattr(graph, "nodes", ()) if not name.startswith("__")]
    return names[0] if names else None


async def _node_before(
    services: Services, graph: Any, values: Mapping[str, Any], wanted: Sequence[str] | None
) -> str | None:
    """Return the node after which the wanted ones come, found by trying each."""
    if wanted is None:
        return _any_node(graph)
    tried = services.clock.uuid7()
    config = thread_config(tried)
    led: dict[str, list[str]] = {}
    names = [name for name in graph.nodes if name != "__start__"]
    try:
        for name in ["__start__", *names]:
            try:
                await graph.aupdate_state(config, dict(values), name)
            except Exception as error:  # A path function may not get along with these values.
                led[name] = [f"{type(error).__name__}: {error}"]
                continue
            led[name] = list((await graph.aget_state(config)).next)
            if sorted(led[name]) == sorted(wanted):
                return str(name)
            await services.storage.states.delete_thread(tried)
    finally:
        await services.storage.states.delete_thread(tried)
    known = "; ".join(f"after {name!r} comes {found}" for name, found in led.items())
    raise ValueError(f"with these values no node leads to {list(wanted)}: {known}")
