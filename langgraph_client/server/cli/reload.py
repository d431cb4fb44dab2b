"""`--reload`: runs the command in a process of its own, and again whenever a file changes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from langgraph_client.server.cli.config import ConfigError, read_config

_EVERY = 0.5
"""Seconds between two looks at the files: their times are compared, nothing is read."""
_PATIENCE = 10.0
_PASSED_OVER = {"__pycache__", "node_modules", "site-packages"}


def serve_again(
    arguments: Sequence[str], config: Path, host: str, port: int, stop: threading.Event
) -> int:
    """Serve until stopped, anew after each change of the config or of a Python file beside it.

    A process that cannot start, because of a mistake in the code, say, has said so; it is tried
    again after the next change.

    Args:
        arguments: What the command was given.
        config: The config file.
        host: The address to listen on.
        port: The port; for 0 a free one is chosen once, so that the URL stays the same.
        stop: Ends it when set.
    """
    again = [argument for argument in arguments if argument != "--reload"]
    command = [sys.executable, "-m", "langgraph_client.server", *again]
    command += ["--port", str(port or _free_port(host))]
    while not stop.is_set():
        seen = _times(config)
        process = subprocess.Popen(command)
        try:
            while not stop.wait(_EVERY) and _times(config) == seen:
                pass
        finally:
            _end(process)
        if not stop.is_set():
            print("a file has changed", file=sys.stderr, flush=True)
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _times(config: Path) -> dict[str, tuple[int, int]]:
    """Return when each file was changed, and its size."""
    found = {}
    for file in _files(config):
        try:
            status = os.stat(file)
        except OSError:  # Deleted, or being written anew.
            continue
        found[file] = (status.st_mtime_ns, status.st_size)
    return found


def _files(config: Path) -> Iterator[str]:
    yield str(config)
    folders = {config.resolve().parent}
    with suppress(ConfigError):  # The process says what is wrong with it.
        folders.update(path.resolve() for path in read_config(config).paths)
    for folder in folders:
        if any(folder != other and folder.is_relative_to(other) for other in folders):
            continue
        for place, below, names in os.walk(folder):
            # Hidden folders are those of tools; one with a pyvenv.cfg is an environment.
            below[:] = [
                name
                for name in below
                if not name.startswith(".")
                and name not in _PASSED_OVER
                and not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))
            ]
            wanted = (name for name in names if name.endswith(".py") or name == ".env")
            yield from (os.path.join(place, name) for name in wanted)


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as free:
        free.bind((host, 0))
        port: int = free.getsockname()[1]
        return port
