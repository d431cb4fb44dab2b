"""RemoteGraph: the graph on a server, with the methods of a compiled graph."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from langgraph_client.errors import LangGraphError
from langgraph_client.remote.described import Described


class RemoteGraph(Described):
    """A graph that runs on a server and behaves as the same graph compiled locally.

    A thread id may be any string: `{"configurable": {"thread_id": "user-1"}}`, or flat,
    `{"thread_id": "user-1"}`. One that is not a UUID is known to the server as
    `uuid5(THREAD_NAMESPACE, thread_id)`; the thread is made on first use and keeps the given id
    in its metadata under `given_thread_id`. Results name the thread as the caller did.

    Without a thread id a run keeps nothing.

    Args:
        assistant_id: Name of the graph on the server, or the UUID of an assistant.
        url: Where the server is. Default: `LANGGRAPH_URL`, else `http://localhost:8123`.
        api_key: Sent to the server. Default: read from the environment, as `get_client` does.
        headers: Sent with every request.
        client: Used by the async methods in place of one made from `url`; never closed here.
        sync_client: The same for the blocking methods.
        config: Merged under the config of every call, as `with_config` does.
        name: What this graph is called in drawings and parent graphs. Default: `assistant_id`.
        decode_messages: Give messages as langchain-core's message objects, where it is installed.
            False leaves them the dicts they are on the wire.
        checkpointer: What this graph keeps as a node of a local parent graph, with the meaning
            that `compile(checkpointer=...)` has for a local subgraph: None the state of one task
            of the parent, so that it can resume; True that of the node, across the parent's
            invocations; False nothing.
        strict_config: Refuse a config with values that cannot be sent. False leaves them out, and
            warns of each once.
        allow_types: Dataclasses, pydantic models, enums and named tuples that results may be made
            of, their fields' classes included, where the server is the bundled one. It tells what
            JSON flattens (tuples, sets, times, UUIDs, such classes) beside the JSON; of classes
            only these are made again, others stay dicts. Nothing is imported by name.
        distributed_tracing: Send with every call the headers of the current LangSmith run, and of
            the active OpenTelemetry span (W3C `traceparent`), so that the server's traces join.
    """

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Refuse: the protocol has no call that empties a graph's cache.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("clear_cache: the protocol has no call that empties a cache")

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Async twin of `clear_cache`."""
        self.clear_cache(nodes)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """What a notebook shows: the name, and the drawing where the server can be asked for it."""
        shown = {"text/plain": repr(self)}
        # Showing a value must not fail because the server is away.
        with contextlib.suppress(LangGraphError):
            shown["text/vnd.mermaid"] = self.get_graph().draw_mermaid()
            shown["text/markdown"] = f"```mermaid\n{shown['text/vnd.mermaid']}```"
        return shown
