"""Serve the graphs of a `langgraph.json` on a port."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from langgraph_client.server.cli.config import AppConfig, ConfigError, read_config
from langgraph_client.server.cli.load import server_of
from langgraph_client.server.errors import StartError
from langgraph_client.server.http.listener import is_loopback

logger = logging.getLogger("langgraph_client.server")

_STOP_SECONDS = 3.5
"""How long an orderly stop may take; whatever holds it up then is taken up at the next start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    _set_up_logging(options.log_level)
    key = options.api_key or os.environ.get("LANGGRAPH_SERVER_API_KEY")
    if not key and not is_loopback(options.host):
        print(
            f"{options.host} can be reached from other machines: give --api-key, "
            "or listen on 127.0.0.1",
            file=sys.stderr,
        )
        return 2
    stop = threading.Event()
    _catch_signals(stop, twice=not options.reload)
    try:
        if options.reload:
            from langgraph_client.server.cli.reload import serve_again

            return serve_again(given, Path(options.config), options.host, options.port, stop)
        _serve(read_config(Path(options.config)), options, key, stop)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, sqlite3.Error, StartError, TypeError, ValueError) as error:
        # What is wrong with the port, the database file or a graph. With its place in the code
        # for those who look for a mistake in this package.
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
    config: AppConfig, options: argparse.Namespace, key: str | None, stop: threading.Event
) -> None:
    for warning in config.warnings:
        logger.warning("%s", warning)
    given = {"path": options.db, "show_errors": options.show_errors, "api_key": key}
    if options.cors is not None:
        given["cors"] = tuple(filter(None, options.cors.split(",")))
    server = server_of(config, given)
    # The port first: if it is in use, no run is taken up.
    url = server.listen(options.host, options.port)
    with server:
        print(f"{url}  serving {', '.join(config.graphs)}", flush=True)
        while not stop.wait(3600):
            pass
        leaving = _exit_after(_STOP_SECONDS)
    leaving.cancel()


def _catch_signals(stop: threading.Event, *, twice: bool) -> None:
    """Let the first signal stop the server in good order, and a second one end the process."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and twice:
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def _exit_after(seconds: float) -> threading.Timer:
    """End the process if it is still there then: a plain node cannot be interrupted."""

    def leave() -> None:
        print("a node does not end: its run is taken up at the next start", file=sys.stderr)
        sys.stderr.flush()
        os._exit(0)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
    return timer


def _set_up_logging(level: str) -> None:
    """Show what is logged, on stderr: one line each, and tracebacks."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S"
    )
    for name in ("httpx", "httpcore", "uvicorn", "watchfiles", "asyncio"):
        # What these say below warnings is about themselves.
        logging.getLogger(name).setLevel(logging.WARNING)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_client.server", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("config", nargs="?", default="langgraph.json")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_port, default=2024, help="0 for any free one")
    parser.add_argument("--db", help="SQLite file that keeps everything; in memory by default")
    parser.add_argument(
        "--api-key", help="what requests must carry as x-api-key; or LANGGRAPH_SERVER_API_KEY"
    )
    parser.add_argument(
        "--cors",
        help="origins whose web pages may call besides those of this machine, separated by commas,"
        " such as https://smith.langchain.com; '*' for all; by default those of the config",
    )
    parser.add_argument(
        "--show-errors", action="store_true", help="tell callers the text of every exception"
    )
    parser.add_argument(
        "--log-level",
        default="info",
        choices=["debug", "info", "warning", "error"],
        help="what is logged: info has a line for each run, debug one for each request",
    )
    parser.add_argument(
        "--reload",
        action="store_true",
        help="restart when the config or a Python file beside it changes; what is in memory"
        " is lost, what is in --db is not",
    )
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not within 0-65535")
    return number


if __name__ == "__main__":
    status = main()
    _exit_after(1)  # Python waits for the threads of plain nodes before it ends.
    sys.exit(status)
