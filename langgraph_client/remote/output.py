"""What `output_keys` leave of a state, and what `invoke` makes of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph_client.remote.decode import INTERRUPT
from langgraph_client.remote.seam import GraphOutput


class Output:
    """Folds the items of a `values` stream into what `invoke` returns."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._latest: Any = None
        self._interrupts: list[Any] = []

    def add(self, item: Any) -> None:
        """Take one item of the stream; the last state wins, interrupts add up."""
        if self._version == "v2":
            self._latest = item["data"]
            self._interrupts.extend(item["interrupts"])
        elif isinstance(item, dict) and INTERRUPT in item:
            self._interrupts.extend(item[INTERRUPT])
            self._latest = {key: value for key, value in item.items() if key != INTERRUPT}
        else:
            self._latest = item

    def result(self) -> Any:
        """The last state, with the interrupts if there are any; None if nothing came."""
        if self._version == "v2":
            return GraphOutput(value=self._latest, interrupts=tuple(self._interrupts))
        if not self._interrupts:
            return self._latest
        latest = self._latest if isinstance(self._latest, dict) else {}
        return {**latest, INTERRUPT: self._interrupts}


def select(values: Any, keys: str | Sequence[str] | None) -> Any:
    """`output_keys` as a local graph applies it to its state."""
    if keys is None or not isinstance(values, dict):
        return values
    if isinstance(keys, str):
        value = values.get(keys)
        if INTERRUPT not in values:
            return value
        return {**(value if isinstance(value, dict) else {}), INTERRUPT: values[INTERRUPT]}
    return {key: values[key] for key in (*keys, INTERRUPT) if key in values}


def select_updates(updates: Any, keys: str | Sequence[str] | None) -> Any:
    """`output_keys` as a local graph applies it to what each node wrote."""
    if keys is None or not isinstance(updates, dict):
        return updates
    return {
        node: update if node.startswith("__") else select(update, keys)
        for node, update in updates.items()
    }
