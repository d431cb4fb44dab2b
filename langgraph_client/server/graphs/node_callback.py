"""A langchain callback that calls `RunHooks.before_node`. Imported only where nodes are watched."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler

from langgraph_client.server.hooks import Run, RunHooks


class NodeCallback(AsyncCallbackHandler):
    """Calls the hook before each node of a run, of subgraphs as well."""

    # In the task of the node itself, or the node would not wait for the hook.
    run_inline = True

    def __init__(self, hooks: RunHooks, run: Run) -> None:
        self._hooks = hooks
        self._run = run

    async def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """Wait until the hook lets the node go on."""
        node = (kwargs.get("metadata") or {}).get("langgraph_node")
        if node and kwargs.get("name") == node:
            await self._hooks.before_node(self._run, node)
