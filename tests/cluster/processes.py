"""Three servers as processes of their own, and a proxy in front of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from langgraph_client.testing.listening import stop_listening
from tests.support.free_port import free_port

HOST = Path(__file__).with_name("host.py")
ROOT = Path(__file__).parents[2]


class Process:
    """A server that can be killed, paused, and started again on the same port."""

    def __init__(self, database: str, effects: Path) -> None:
        self.port = free_port()
        self._arguments = [database, str(self.port), str(effects)]
        self._log = effects.with_suffix(f".{self.port}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it serves a second or two later."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(HOST), *self._arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    def wait(self, seconds: float = 60) -> None:
        """Wait until it serves."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.port}/ok", timeout=2).status_code == 200:
                    return
            time.sleep(0.1)
        raise TimeoutError(f"the server does not start: {self._log.read_text()[-2000:]}")

    def signal(self, number: int) -> None:
        """Send a signal."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        if self.process is not None:
            self.signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """End it in good order."""
        assert self.process is not None
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Proxy:
    """Gives each connection to the next server that takes it."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._next = 0
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=500)
        server = self._loop.run_until_complete(serving)
        self._loop.run_forever()
        self._loop.run_until_complete(stop_listening(server))
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(len(self._ports)):
            self._next += 1
            port = self._ports[self._next % len(self._ports)]
            try:
                to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            try:
                await asyncio.gather(_pump(reader, to_writer), _pump(to_reader, writer))
            finally:
                to_writer.close()
                writer.close()
            return
        writer.close()

    def close(self) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()
