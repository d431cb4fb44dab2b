"""Apply `output_keys` to states, and make the result of `invoke` from a stream's items."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence

from langgraph_client.remote.aliases import GraphValue
from langgraph_client.remote.compat import GraphOutput, Interrupt
from langgraph_client.remote.decode import INTERRUPT
from langgraph_client.remote.stream_modes import Modes


class Output:
    """Collects the items of a `values` stream into the result of `invoke`."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._latest: GraphValue = None
        self._interrupts: list[Interrupt] = []
        self._ids: set[str] = set()

    def add(self, item: GraphValue) -> None:
        """Add one item of the stream. The last state counts; interrupts are collected."""
        interrupts: Sequence[Interrupt] = ()
        if self._version == "v2":
            self._latest, interrupts = item["data"], item["interrupts"]
        elif isinstance(item, dict) and INTERRUPT in item:
            interrupts = item[INTERRUPT]
            self._latest = without_interrupts(item)
        else:
            self._latest = item
        # Some servers send an interrupt in more than one event. Within one event, a local graph
        # repeats it too: the question of a `@task` in a subgraph is there twice (langgraph 1.2).
        new = [interrupt for interrupt in interrupts if interrupt.id not in self._ids]
        self._interrupts += new
        self._ids.update(interrupt.id for interrupt in new if interrupt.id)

    def result(self) -> GraphValue:
        """Return the last state, with the interrupts if there are any; None without a state."""
        interrupts = tuple(self._interrupts)
        if self._version == "v2":
            return GraphOutput(value=self._latest, interrupts=interrupts)
        if not interrupts:
            return self._latest
        latest = self._latest if isinstance(self._latest, dict) else {}
        return {**latest, INTERRUPT: list(interrupts)}


def result_of(items: Iterable[GraphValue], stream_mode: Modes, version: str) -> GraphValue:
    """Return the result of `invoke`: the output for the mode `values`, else a list of items."""
    if stream_mode != "values":
        return list(items)
    output = Output(version)
    for item in items:
        output.add(item)
    return output.result()


async def aresult_of(
    items: AsyncIterable[GraphValue], stream_mode: Modes, version: str
) -> GraphValue:
    """Async twin of `result_of`."""
    if stream_mode != "values":
        return [item async for item in items]
    output = Output(version)
    async for item in items:
        output.add(item)
    return output.result()


def without_interrupts(values: GraphValue) -> GraphValue:
    """Return a state without its `__interrupt__`."""
    if not isinstance(values, dict) or INTERRUPT not in values:
        return values
    return {key: value for key, value in values.items() if key != INTERRUPT}


def select(values: GraphValue, keys: str | Sequence[str] | None) -> GraphValue:
    """Return the parts of a state that `output_keys` select, as in a local graph."""
    if keys is None or not isinstance(values, dict):
        return values
    if isinstance(keys, str):
        value = values.get(keys)
        if INTERRUPT not in values:
            return value
        return {**(value if isinstance(value, dict) else {}), INTERRUPT: values[INTERRUPT]}
    return {key: values[key] for key in (*keys, INTERRUPT) if key in values}


def select_updates(updates: GraphValue, keys: str | Sequence[str] | None) -> GraphValue:
    """Return the parts of each node's update that `output_keys` select."""
    if keys is None or not isinstance(updates, dict):
        return updates
    return {
        node: update if node.startswith("__") else select(update, keys)
        for node, update in updates.items()
    }
