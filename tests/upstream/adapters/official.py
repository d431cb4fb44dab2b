"""LangGraph's RemoteGraph over the server of `langgraph dev`, in the process of the test.

The figures beside ours: `UPSTREAM_ADAPTER=official`. The graphs are put into the server's registry
as they are, one by one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
from typing import Any

import uvicorn
from langgraph.pregel.remote import RemoteGraph

_SETTINGS = {
    "BG_JOB_ISOLATED_LOOPS": "false",
    "DATABASE_URI": ":memory:",
    "FF_OPTIMIZED_STREAMING": "true",
    "LANGGRAPH_ALLOW_BLOCKING": "true",
    "LANGGRAPH_AUTH_TYPE": "noop",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_DISABLE_FILE_PERSISTENCE": "true",
    "LANGGRAPH_NO_VERSION_CHECK": "true",
    "LANGGRAPH_RUNTIME_EDITION": "inmem",
    "LANGSERVE_GRAPHS": "{}",
    "LANGSMITH_LANGGRAPH_API_VARIANT": "local_dev",
    "LANGSMITH_TRACING": "false",
    "LOG_LEVEL": "CRITICAL",
    "MIGRATIONS_PATH": "__inmem",
    "N_JOBS_PER_WORKER": "60",
    "REDIS_URI": "fake",
}
_START_SECONDS = 90.0


class _Server:
    """The server, on a port, on an event loop in a thread of its own."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        os.environ.update(_SETTINGS, LANGGRAPH_API_URL=self.url)
        config = uvicorn.Config(
            "langgraph_api.server:app", port=port, log_config=None, log_level="critical"
        )
        self._server = uvicorn.Server(config)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._number = 0

    def start(self) -> None:
        self._thread.start()
        limit = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > limit or not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.05)
        logging.getLogger("langgraph_api").setLevel(logging.CRITICAL)

    def _run(self) -> None:
        _shorten_polls()
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._server.serve())

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def add(self, graph: Any) -> str:
        # Imported here, as it reads the settings.
        from langgraph_api.graph import register_graph

        self._number += 1
        name = f"graph{self._number}"
        adding = asyncio.run_coroutine_threadsafe(register_graph(name, graph, {}), self.loop)
        adding.result(30)
        return name

    def remove(self, name: str) -> None:
        from langgraph_api.graph import GRAPHS

        GRAPHS.pop(name, None)


def _shorten_polls() -> None:
    """Let the server look for new runs every 5 ms, not twice a second: the same results, sooner."""
    from langgraph_runtime_inmem import ops

    class Quick:
        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

        @staticmethod
        async def sleep(delay: float, result: Any = None) -> Any:
            return await asyncio.sleep(0.005 if delay == 0.5 else delay, result)

    ops.asyncio = Quick()


_server: _Server | None = None
_graphs: list[str] = []


def begin_session() -> None:
    """Start the server."""
    global _server
    _server = _Server()
    _server.start()


def end_session() -> None:
    """Stop the server."""
    if _server is not None:
        _server.stop()


def end_test() -> None:
    """Remove the graphs of the test."""
    assert _server is not None
    while _graphs:
        _server.remove(_graphs.pop())


def make_remote(graph: Any) -> Any:
    """Register the graph and return a RemoteGraph of it."""
    assert _server is not None
    name = _server.add(graph)
    _graphs.append(name)
    return RemoteGraph(name, url=_server.url, config=graph.config)
