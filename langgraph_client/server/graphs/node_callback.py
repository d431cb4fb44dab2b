"""A langchain callback that is awaited before each node. It is imported only with langchain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler

from langgraph_client.server.graphs.run_scope import current_run


class NodeCallback(AsyncCallbackHandler):
    """Awaits a function before each node of a run, of subgraphs as well.

    By then the checkpoint after the step before is stored, so that the thread shows it.
    """

    # Called in the node's own task; otherwise the node would not wait for it.
    run_inline = True

    def __init__(self, before_node: Callable[[str], Awaitable[None]]) -> None:
        self._before_node = before_node

    async def on_chain_start(self, serialized: object, inputs: object, **kwargs: Any) -> None:
        """Wait until the node may start."""
        node = (kwargs.get("metadata") or {}).get("langgraph_node")
        if node and kwargs.get("name") == node:
            if (run := current_run.get()) is not None:
                await run.wait_until_put()
            await self._before_node(node)
