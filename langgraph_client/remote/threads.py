"""What a RemoteGraph knows of the threads it uses, so that it tells the server each thing once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from langgraph_client.remote.config import GIVEN_ID, Address

_REMEMBERED = 10_000


class Threads:
    """Which threads have been announced to the server, and which have a graph there."""

    def __init__(self, assistant_id: str) -> None:
        try:
            uuid.UUID(assistant_id)
        except ValueError:
            #: The graph behind the assistant; None until asked for, where the name does not tell.
            self.graph_id: str | None = assistant_id
        else:
            self.graph_id = None
        self._announced: set[str] = set()
        self._with_graph: set[str] = set()

    def to_announce(self, address: Address) -> Iterator[dict[str, Any]]:
        """The arguments of `threads.create` for a thread that must be made before its first run.

        That is one the server knows under another id than the caller: its metadata keeps what the
        id was derived from. Any other thread is made by its run.
        """
        if address.made_from is not None and address.thread_id not in self._announced:
            yield self._thread(address)

    def announced(self, address: Address) -> None:
        """Remember that the thread exists."""
        _remember(self._announced, address)

    def needs_graph(self, address: Address) -> bool:
        """Whether the thread may still lack the graph that a state update asks for."""
        return address.thread_id not in self._with_graph

    def with_graph(self, address: Address, graph_id: str) -> dict[str, Any]:
        """The arguments of `threads.create` for a thread whose state is written before any run."""
        return {**self._thread(address), "graph_id": graph_id}

    def has_graph(self, address: Address, graph_id: str) -> None:
        """Remember that the thread exists and belongs to a graph."""
        self.graph_id = graph_id
        _remember(self._announced, address)
        _remember(self._with_graph, address)

    @staticmethod
    def _thread(address: Address) -> dict[str, Any]:
        metadata = None if address.made_from is None else {GIVEN_ID: address.made_from}
        return {
            "thread_id": address.thread_id,
            "if_exists": "do_nothing",
            "metadata": metadata,
        }


def _remember(known: set[str], address: Address) -> None:
    assert address.thread_id is not None
    if len(known) >= _REMEMBERED:  # Bounded; what is forgotten is only announced once more.
        known.clear()
    known.add(address.thread_id)
