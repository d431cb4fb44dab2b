"""Serve the graphs of a `langgraph.json` on a port."""

from __future__ import annotations

import argparse
import dataclasses
import io
import logging
import os
import sqlite3
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

try:
    from langgraph_client.server.cli.arguments import parse, set_up_logging
    from langgraph_client.server.cli.config import AppConfig, ConfigError, read_config
    from langgraph_client.server.cli.load import server_of
    from langgraph_client.server.cli.stop_signal import StopSignal
    from langgraph_client.server.errors import StartError
    from langgraph_client.server.http.listener import is_loopback
    from langgraph_client.server.loop_watch import LoopWatch
    from langgraph_client.server.options import Cors
except ModuleNotFoundError as missing:
    package = (missing.name or "").partition(".")[0]
    if package == "langgraph_client":
        raise
    from langgraph_client.errors import MissingExtraError

    sys.exit(f"{MissingExtraError('the server', 'server')} ({package} is missing)")

logger = logging.getLogger("langgraph_client.server")

_STOP_SECONDS = 3.5
"""How many seconds an orderly stop may take. Runs that take longer continue at the next start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    command_line = sys.argv[1:] if arguments is None else list(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The name of a graph may have a character that its encoding does not have.
        sys.stdout.reconfigure(errors="backslashreplace")
    options = parse(command_line)
    set_up_logging(options.log_level)
    key = options.api_key or os.environ.get("LANGGRAPH_SERVER_API_KEY")
    stop = StopSignal()
    stop.catch(twice=not options.reload)
    try:
        if options.reload:
            from langgraph_client.server.cli.reload import serve_with_reload

            return serve_with_reload(
                command_line, Path(options.config), options.host, options.port, stop
            )
        _serve(read_config(Path(options.config)), options, key, stop)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, sqlite3.Error, StartError, TypeError, ValueError) as error:
        # A problem with the port, the database file or a graph. The traceback is logged for those
        # who search for an error in this package.
        logger.debug("the server did not start", exc_info=error)
        print(_in_one_line(error, options), file=sys.stderr)
        return 1
    return 0


def _in_one_line(error: Exception, options: argparse.Namespace) -> str:
    if isinstance(error, sqlite3.Error):
        return f"{options.db}: {error}"
    if isinstance(error, OSError) and error.strerror:  # Without the number.
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _serve(
    config: AppConfig, options: argparse.Namespace, key: str | None, stop: StopSignal
) -> None:
    for warning in (*options.notes, *config.warnings):
        logger.warning("%s", warning)
    server_options = {
        "path": options.db,
        "role": options.role,
        "listen_url": options.db_listen,
        "show_errors": options.show_errors,
        "show_tracebacks": _shows_tracebacks(config, options, key),
        "api_key": key or None,
        "max_runs": options.max_runs,
        "max_run_seconds": options.max_run_seconds,
        "ui": options.ui,
    }
    if options.cors is not None:
        origins = tuple(filter(None, map(str.strip, options.cors.split(","))))
        server_options["cors"] = dataclasses.replace(config.cors or Cors(), allow_origins=origins)
    server = server_of(config, server_options)
    # The port first: if it is in use, no run is started.
    url = server.listen(
        options.host, options.port, certfile=options.ssl_certfile, keyfile=options.ssl_keyfile
    )
    with server, nullcontext() if options.allow_blocking else LoopWatch(server):
        print(f"{url}  serving {', '.join(config.graphs)}", flush=True)
        stop.wait()
        leaving = _exit_after(_STOP_SECONDS)
    leaving.cancel()


def _shows_tracebacks(config: AppConfig, options: argparse.Namespace, key: str | None) -> bool:
    """Return whether threads keep tracebacks: by default where only this machine can see them."""
    if options.show_tracebacks is not None:
        return bool(options.show_tracebacks)
    return config.auth is None and key is None and is_loopback(options.host)


def _exit_after(seconds: float, status: int = 0) -> threading.Timer:
    """End the process after some seconds, because a plain node's thread cannot be interrupted.

    Args:
        seconds: How long to wait. A slow machine may take that long without any node, too.
        status: The exit status. If it is not 0, the reason has been printed, and is all that is.
    """

    def leave() -> None:
        if status == 0 and logger.isEnabledFor(logging.WARNING):
            print(
                "stopped while a node was still running; with --db, the next start continues its"
                " run",
                file=sys.stderr,
            )
            sys.stderr.flush()
        os._exit(status)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
    return timer


if __name__ == "__main__":
    status = main()
    _exit_after(1, status)  # Python waits for the threads of plain nodes before it ends.
    sys.exit(status)
