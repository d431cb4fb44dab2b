"""RemoteGraph: the graph on a server, with the methods of a compiled graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langgraph_client.remote.drawing import drawing_from
from langgraph_client.remote.running import Running
from langgraph_client.remote.seam import Graph


class RemoteGraph(Running):
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
    """

    def get_graph(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        xray: int | bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Graph:
        """Read the graph's nodes and edges, ready to be drawn.

        Args:
            config: Accepted as locally; a drawing does not depend on it.
            xray: Open subgraphs: True for all, a number for so many levels.
            headers: Sent with this call.
            params: Query parameters, sent with this call.
        """
        drawn = self.sync_client.assistants.get_graph(
            self.assistant_id, xray=xray, headers=headers, params=params
        )
        return drawing_from(drawn)

    async def aget_graph(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        xray: int | bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Graph:
        """Async twin of `get_graph`."""
        drawn = await self.client.assistants.get_graph(
            self.assistant_id, xray=xray, headers=headers, params=params
        )
        return drawing_from(drawn)
