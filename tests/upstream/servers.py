"""Servers for the tests that talk to one, as processes."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from upstream.environment import ROOT

Server = Callable[[Path, Path, Path], AbstractContextManager[str]]
"""Serves the graphs of a `langgraph.json`: interpreter, config, folder to run in; gives its URL."""

_START_SECONDS = 120.0
_STOP_SECONDS = 20.0


@contextmanager
def our_server(python: Path, config: Path, folder: Path) -> Iterator[str]:
    """Serve the graphs of a `langgraph.json` with our server; gives its URL.

    Args:
        python: The interpreter.
        config: The `langgraph.json`.
        folder: Where the server runs; the graphs may import from it.
    """
    port = _free_port()
    command = [str(python), "-m", "langgraph_client.server", str(config), "--port", str(port)]
    with _server([*command, "--show-errors"], port, folder) as url:
        yield url


@contextmanager
def langgraph_dev(python: Path, config: Path, folder: Path) -> Iterator[str]:
    """Serve the graphs of a `langgraph.json` with `langgraph dev`; the same otherwise."""
    port = _free_port()
    command = [str(python.parent / "langgraph"), "dev", "--no-browser", "--no-reload"]
    options = ["--port", str(port), "--config", str(config), "--n-jobs-per-worker", "10"]
    with _server([*command, *options], port, folder) as url:
        yield url


@contextmanager
def _server(command: Sequence[str], port: int, folder: Path) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "FF_OPTIMIZED_STREAMING": "true",
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "LANGGRAPH_DISABLE_FILE_PERSISTENCE": "true",
        "LANGGRAPH_NO_VERSION_CHECK": "true",
        "LANGSMITH_TRACING": "false",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_up(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_STOP_SECONDS)


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + _START_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/ok", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)  # Another process: there is no event to wait for.
    raise RuntimeError(f"the server did not start:\n{log.read_text('utf-8')[-4000:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
