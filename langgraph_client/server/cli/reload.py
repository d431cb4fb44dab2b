"""`--reload`: run the command in a child process, and restart it when a file changes."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

from langgraph_client.server.cli.config import ConfigError, read_config
from langgraph_client.server.cli.stop_signal import StopSignal

_PATIENCE = 8.0
"""How many seconds the child process has to end. It normally needs less than five."""


def arguments_of_child(arguments: Sequence[str], port: int) -> list[str]:
    """Return the command's arguments for a process that serves on a port without `--reload`."""
    of_child = [argument for argument in arguments if argument != "--reload"]
    # Behind the other options, since the last `--port` counts: the one among them may be 0.
    end = of_child.index("--") if "--" in of_child else len(of_child)
    return [*of_child[:end], "--port", str(port), *of_child[end:]]


def serve_with_reload(
    arguments: Sequence[str], config: Path, host: str, port: int, stop: StopSignal
) -> int:
    """Serve until stopped; restart after each change of the config or of a Python file beside it.

    If the child process cannot start, for example because of a syntax error, it has printed the
    reason. It is started again after the next change.

    Args:
        arguments: The command's arguments.
        config: The config file.
        host: The address to listen on.
        port: The port. For 0, a free one is chosen once, so that the URL stays the same.
        stop: Ends the command when it is set.
    """
    child_arguments = arguments_of_child(arguments, port or _free_port(host))
    command = [sys.executable, "-m", "langgraph_client.server", *child_arguments]
    changes = watch(*_folders(config), watch_filter=_Wanted(config), stop_event=stop, debounce=200)
    process = subprocess.Popen(command)
    try:
        for _ in changes:
            print("a file has changed: restarting", file=sys.stderr, flush=True)
            _end(process)
            process = subprocess.Popen(command)
    finally:
        _end(process)
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Wanted(DefaultFilter):
    """The config, Python files and `.env`; not those of environments, caches and hidden folders."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, "site-packages")

    def __init__(self, config: Path) -> None:
        super().__init__()
        self._config = config.resolve()

    def __call__(self, change: Change, path: str) -> bool:
        """Return whether to restart after a change."""
        file = Path(path)
        wanted = file == self._config or file.suffix == ".py" or file.name == ".env"
        return wanted and super().__call__(change, path)


def _folders(config: Path) -> list[Path]:
    with suppress(ConfigError):  # The child process prints the reason.
        folders = read_config(config).paths
        return [
            folder
            for folder in folders
            if not any(folder != other and folder.is_relative_to(other) for other in folders)
        ]
    return [config.resolve().parent]


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as free:
        free.bind((host, 0))
        port: int = free.getsockname()[1]
        return port
