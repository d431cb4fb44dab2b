"""The caller's callbacks and tracers, told of a remote run as they are of a local one.

They hear of the run as a whole: its start, its end with the output, or its error. What happens
inside happens on the server, and is told to callbacks there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from langgraph_client.remote.seam import async_callback_manager, callback_manager


class Watched:
    """A context around a run; without langchain-core, or callbacks, it does nothing."""

    def __init__(self, config: Mapping[str, Any], input: Any, name: str) -> None:
        self._config = config
        self._input = input
        self._started = {
            "name": config.get("run_name") or name,
            "run_id": config.get("run_id"),
        }
        self._run: Any = None
        #: What the run gave in the end.
        self.output: Any = None

    @property
    def wants_output(self) -> bool:
        """Whether anybody listens."""
        return self._run is not None

    def __enter__(self) -> Watched:
        manager = callback_manager(self._config)
        if manager is not None and manager.handlers:
            self._run = manager.on_chain_start(None, self._input, **self._started)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._run is None:
            return
        if error is None:
            self._run.on_chain_end(self.output)
        else:
            self._run.on_chain_error(error)

    async def __aenter__(self) -> Watched:
        manager = async_callback_manager(self._config)
        if manager is not None and manager.handlers:
            self._run = await manager.on_chain_start(None, self._input, **self._started)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._run is None:
            return
        if error is None:
            await self._run.on_chain_end(self.output)
        else:
            await self._run.on_chain_error(error)
