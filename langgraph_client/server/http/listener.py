"""The server on a port: uvicorn, on the server's own loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any

import uvicorn


class _Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers: who runs the process decides about signals."""

    def install_signal_handlers(self) -> None:
        return


class Port:
    """One listening socket with uvicorn behind it."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # The protocol is named, or asyncio does not turn off delaying small packets.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        config = uvicorn.Config(
            app,
            interface="asgi3",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            ws="none",
        )
        self._host = host
        self._uvicorn = _Uvicorn(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Listen; return the URL."""
        self._task = asyncio.create_task(self._uvicorn._serve([self._socket]))
        while not self._uvicorn.started and not self._task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.001)  # uvicorn has no event to wait for
        if self._task.done():
            self._task.result()
        shown = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{shown}:{self._socket.getsockname()[1]}"

    async def stop(self) -> None:
        """Close connections and the socket."""
        self._uvicorn.should_exit = True
        self._uvicorn.force_exit = True
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task
        self._socket.close()
