"""Remember which threads exist on the server, so that each is created only once.

If a request fails because a thread was deleted, `forget` makes it be created again.
"""

from __future__ import annotations

import json
import uuid

from langgraph_client.remote.aliases import JsonObject
from langgraph_client.remote.config import Address
from langgraph_client.thread_ids import GIVEN_ID, THREAD_HEADER

_MAX_THREADS = 10_000


class KnownThreads:
    """The threads that exist on the server, and those whose graph is set there."""

    def __init__(self, assistant_id: str) -> None:
        try:
            uuid.UUID(assistant_id)
        except ValueError:
            #: The assistant's graph; None if `assistant_id` is a UUID and it was not requested yet.
            self.graph_id: str | None = assistant_id
        else:
            self.graph_id = None
        self._made: set[str] = set()
        self._with_graph: set[str] = set()

    def must_be_made(self, address: Address) -> bool:
        """Return whether the thread must be created before its first run.

        This is so if its id was derived from the caller's, which is kept in the metadata. Any other
        thread is created by its run.
        """
        return address.derived_from is not None and address.thread_id not in self._made

    def needs_graph(self, address: Address) -> bool:
        """Return whether the thread's graph may not be set yet: a state update needs it."""
        return address.thread_id not in self._with_graph

    def remember(self, address: Address, *, with_graph: bool = False) -> None:
        """Note that the thread exists, and with `with_graph` that its graph is set."""
        for known in [self._made, self._with_graph][: 1 + with_graph]:
            # Limits the memory. A thread that is forgotten costs one more request.
            if len(known) >= _MAX_THREADS:
                known.clear()
            known.add(str(address.thread_id))

    def forget(self, address: Address) -> bool:
        """Note that the thread does not exist; return whether it was known to exist."""
        was_known = address.thread_id in self._made or address.thread_id in self._with_graph
        self._made.discard(str(address.thread_id))
        self._with_graph.discard(str(address.thread_id))
        return was_known


def thread_arguments(address: Address, graph_id: str | None = None) -> JsonObject:
    """Return the arguments of `threads.create` for the thread at an address."""
    arguments: JsonObject = {"thread_id": address.thread_id, "if_exists": "do_nothing"}
    if address.derived_from is not None:
        arguments["metadata"] = {GIVEN_ID: address.derived_from}
    if graph_id is not None:
        arguments["graph_id"] = graph_id
    return arguments


def thread_headers(assistant_id: str, address: Address) -> dict[str, str]:
    """Return the header with the graph and the caller's thread id, for the bundled server."""
    return {THREAD_HEADER: json.dumps([assistant_id, address.derived_from or address.thread_id])}
