"""What a RemoteGraph remembers of the threads it uses, so that it sends the server each thing once.

A thread may disappear on the server. Whoever is told so calls `forget`, and begins again.
"""

from __future__ import annotations

import json
import uuid

from langgraph_client.remote.aliases import JsonObject
from langgraph_client.remote.config import Address
from langgraph_client.thread_ids import GIVEN_ID, THREAD_HEADER

_REMEMBERED = 10_000


class KnownThreads:
    """Which threads have been made on the server, and which belong to the graph there."""

    def __init__(self, assistant_id: str) -> None:
        try:
            uuid.UUID(assistant_id)
        except ValueError:
            #: The graph behind the assistant; None until asked for, where the name does not tell.
            self.graph_id: str | None = assistant_id
        else:
            self.graph_id = None
        self._made: set[str] = set()
        self._with_graph: set[str] = set()

    def must_be_made(self, address: Address) -> bool:
        """Return whether the thread must be made before its first run.

        That is one the server knows under another id than the caller: its metadata keeps what the
        id was derived from. Any other thread is made by its run.
        """
        return address.made_from is not None and address.thread_id not in self._made

    def needs_graph(self, address: Address) -> bool:
        """Return whether the thread may still lack the graph that a state update asks for."""
        return address.thread_id not in self._with_graph

    def remember(self, address: Address, *, with_graph: bool = False) -> None:
        """Note that the thread exists, and perhaps that it belongs to the graph."""
        for known in [self._made, self._with_graph][: 1 + with_graph]:
            # Bounded; a thread that is forgotten is only made once more.
            if len(known) >= _REMEMBERED:
                known.clear()
            known.add(str(address.thread_id))

    def forget(self, address: Address) -> bool:
        """Note that the thread is gone; return whether it was thought to exist."""
        known = address.thread_id in self._made or address.thread_id in self._with_graph
        self._made.discard(str(address.thread_id))
        self._with_graph.discard(str(address.thread_id))
        return known


def thread_arguments(address: Address, graph_id: str | None = None) -> JsonObject:
    """Return the arguments of `threads.create` for the thread at an address."""
    arguments: JsonObject = {"thread_id": address.thread_id, "if_exists": "do_nothing"}
    if address.made_from is not None:
        arguments["metadata"] = {GIVEN_ID: address.made_from}
    if graph_id is not None:
        arguments["graph_id"] = graph_id
    return arguments


def thread_headers(assistant_id: str, address: Address) -> dict[str, str]:
    """Return the header that says which graph and thread is read, for the bundled server."""
    return {THREAD_HEADER: json.dumps([assistant_id, address.made_from or address.thread_id])}
