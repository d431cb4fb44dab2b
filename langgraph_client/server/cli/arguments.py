"""The command's arguments."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

_DESCRIPTION = "Serve the graphs of a `langgraph.json` on a port."
_IGNORED = {
    "--no-browser": "no browser is opened",
    "--no-reload": "files are watched only with --reload",
    "--debug-port": "start the command under a debugger instead",
    "--wait-for-client": "start the command under a debugger instead",
    "--studio-url": "no browser is opened",
    "--tunnel": "no tunnel is opened",
    "--runtime-edition": "there is one",
}
"""Flags of `langgraph dev` that have no effect here, and why leaving them out does no harm."""
_WITH_VALUE = {"--debug-port", "--studio-url", "--runtime-edition"}


def parse(command_line: Sequence[str]) -> argparse.Namespace:
    """Return the options of the command; ends the process with a message if they are wrong.

    `options.notes` has a line for each flag that has no effect.
    """
    parser = _parser()
    options = parser.parse_args(command_line)
    if options.config is not None and options.config_option not in (None, options.config):
        parser.error(f"two config files are given: {options.config} and {options.config_option}")
    options.config = options.config_option or options.config or "langgraph.json"
    if (options.ssl_certfile is None) != (options.ssl_keyfile is None):
        parser.error("--ssl-certfile and --ssl-keyfile must be given together")
    options.notes = [
        f"{flag} has no effect here: {why}"
        for flag, why in _IGNORED.items()
        if getattr(options, _name(flag)) not in (None, False)
    ]
    return options


def set_up_logging(level: str) -> None:
    """Write log records to stderr: one line for each, and tracebacks."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S"
    )
    for name in ("httpx", "httpcore", "uvicorn", "watchfiles", "asyncio"):
        # Below warnings, these libraries log only their own internals.
        logging.getLogger(name).setLevel(logging.WARNING)


def _name(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_client.server", description=_DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("config", nargs="?", help="the config file; langgraph.json by default")
    _add_place(parser.add_argument_group("place"))
    _add_access(parser.add_argument_group("access"))
    _add_runs(parser.add_argument_group("runs"))
    _add_development(parser.add_argument_group("development"))
    for flag in _IGNORED:
        if flag in _WITH_VALUE:
            parser.add_argument(flag, help=argparse.SUPPRESS)
        else:
            parser.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    return parser


def _add_place(parser: argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--config",
        dest="config_option",
        metavar="FILE",
        help="the config file, as the positional argument",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address; 127.0.0.1 by default")
    parser.add_argument(
        "--port", type=_port, default=2024, help="2024 by default; 0 for any free one"
    )
    parser.add_argument(
        "--db",
        help="SQLite file that keeps everything, in memory by default; or postgresql://… for a"
        " database that several servers share",
    )
    parser.add_argument(
        "--db-listen",
        metavar="URL",
        help="with postgresql://, where to listen for messages if --db leads to a pooler such as"
        " PgBouncer in transaction mode",
    )


def _add_access(parser: argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--api-key",
        help="the key that requests must send as x-api-key; default: LANGGRAPH_SERVER_API_KEY",
    )
    parser.add_argument(
        "--cors",
        help="origins whose web pages may call besides those of this machine, separated by commas,"
        " such as https://smith.langchain.com; '*' for all; by default those of the config",
    )
    parser.add_argument(
        "--ui",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="serve the local page at /ui; by default unless the config disables it",
    )
    parser.add_argument(
        "--show-errors",
        action="store_true",
        help="tell callers the text of every exception; by default of common classes only",
    )
    parser.add_argument(
        "--show-tracebacks",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="keep the traceback of a failed run in its thread's error; by default on an address of"
        " this machine only, without an API key and without an Auth",
    )
    parser.add_argument("--ssl-certfile", metavar="FILE", help="certificate, to serve by HTTPS")
    parser.add_argument("--ssl-keyfile", metavar="FILE", help="its key")


def _add_runs(parser: argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--role",
        choices=["all", "api", "worker"],
        default="all",
        help="with postgresql://, what this process does: api serves requests and leaves runs to"
        " other processes; worker executes runs and serves only /ok and /metrics; all does both",
    )
    parser.add_argument(
        "--max-runs",
        "--n-jobs-per-worker",
        type=_Positive(int),
        default=100,
        metavar="N",
        help="how many runs may be running at the same time; 100 by default",
    )
    parser.add_argument(
        "--max-run-seconds",
        type=_Positive(float),
        metavar="SECONDS",
        help="how long a run may take; no limit by default",
    )
    parser.add_argument(
        "--allow-blocking",
        action="store_true",
        help="do not log where code blocks the event loop",
    )


def _add_development(parser: argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--log-level",
        "--server-log-level",
        default="info",
        type=str.lower,
        choices=["debug", "info", "warning", "error", "critical"],
        help="the log level: info logs each run, debug each request",
    )
    parser.add_argument(
        "--reload",
        action="store_true",
        help="restart when the config or a Python file beside it changes; data in memory is lost,"
        " data in --db is kept",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: pass a number from 0 to 65535")
    return int(text)


class _Positive:
    """Reads a number that is more than 0."""

    def __init__(self, kind: type[int] | type[float]) -> None:
        self._kind = kind
        self.__name__ = kind.__name__

    def __call__(self, text: str) -> float:
        number = self._kind(text)
        if not 0 < number < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is not more than 0")
        return number
